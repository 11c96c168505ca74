// SPDX-License-Identifier: Apache-2.0
#include "datasets/xray_detector.h"

#include <algorithm>
#include <cmath>

#include "imaging/core/error.h"

namespace spinetherm {
namespace {

constexpr int kScatterCell = 8;       ///< pixels an axis that scatter is worked out on together
constexpr double kManyPhotons = 300;  ///< from here on a normal distribution stands for Poisson's

/// Gaussian over [column][row], edge values held.
void smooth(std::vector<float>& values, int columns, int rows, double sigma) {
  const int reach = int(std::ceil(3 * sigma));
  if (reach == 0) return;
  std::vector<float> weight;
  float sum = 0;
  for (int n = -reach; n <= reach; ++n) {
    weight.push_back(float(std::exp(-0.5 * n * n / (sigma * sigma))));
    sum += weight.back();
  }
  for (float& w : weight) w /= sum;
  const float* middle = weight.data() + reach;
  const auto size = std::size_t(rows);
  std::vector<float> out(values.size(), 0.f);
  for (int c = 0; c < columns; ++c)
    for (int n = -reach; n <= reach; ++n) {
      const float* from = &values[std::size_t(std::clamp(c + n, 0, columns - 1)) * size];
      float* to = &out[std::size_t(c) * size];
      const float w = middle[n];
      for (int r = 0; r < rows; ++r) to[r] += w * from[r];
    }
  std::vector<float> line(size + 2 * std::size_t(reach));
  float* first = line.data() + reach;
  for (int c = 0; c < columns; ++c) {
    const float* from = &out[std::size_t(c) * size];
    for (int r = -reach; r < rows + reach; ++r) first[r] = from[std::clamp(r, 0, rows - 1)];
    float* to = &values[std::size_t(c) * size];
    std::fill(to, to + rows, 0.f);
    for (int n = -reach; n <= reach; ++n)
      for (int r = 0; r < rows; ++r) to[r] += middle[n] * first[r + n];
  }
}

double poisson(double mean, std::mt19937_64& rng) {
  if (mean < kManyPhotons) return double(std::poisson_distribution<int>(mean)(rng));
  return mean + std::sqrt(mean) * std::normal_distribution<double>()(rng);
}

}  // namespace

void XrayDetectorOptions::validate() const {
  if (photons)
    require(*photons >= 1 && *photons <= 1e12, "XrayDetectorOptions.photons", *photons,
            "must lie in [1, 1e12], or be empty for no noise");
  require(blur_sigma_mm >= 0 && blur_sigma_mm <= 20, "XrayDetectorOptions.blur_sigma_mm", blur_sigma_mm,
          "must lie in [0, 20] mm");
  require(scatter_to_primary >= 0 && scatter_to_primary <= 20, "XrayDetectorOptions.scatter_to_primary",
          scatter_to_primary, "must lie in [0, 20]");
  require(scatter_sigma_mm > 0 && scatter_sigma_mm <= 1000, "XrayDetectorOptions.scatter_sigma_mm",
          scatter_sigma_mm, "must lie in (0, 1000] mm");
  require(scatter_corrected >= 0 && scatter_corrected <= 1, "XrayDetectorOptions.scatter_corrected",
          scatter_corrected, "must lie in [0, 1]");
}

XrayDetector::XrayDetector(const XrayBeamOptions& beam, const XrayDetectorOptions& options,
                           const ConeBeamGeometry& geometry)
    : beam_(make_xray_beam(beam)),
      options_(options),
      columns_(geometry.columns),
      rows_(geometry.rows),
      pitch_mm_(geometry.pitch_mm) {
  options.validate();
  geometry.validate();
}

std::vector<float> XrayDetector::scatter(const std::vector<float>& primary) const {
  const int columns = (columns_ + kScatterCell - 1) / kScatterCell;
  const int rows = (rows_ + kScatterCell - 1) / kScatterCell;
  const double thick = beam_.water_line_integral(0.2);
  const double k = options_.scatter_to_primary / thick;
  std::vector<float> cells(std::size_t(columns) * std::size_t(rows));
  for (int c = 0; c < columns; ++c)
    for (int r = 0; r < rows; ++r) {
      double sum = 0;
      int n = 0;
      for (int i = c * kScatterCell; i < std::min((c + 1) * kScatterCell, columns_); ++i)
        for (int j = r * kScatterCell; j < std::min((r + 1) * kScatterCell, rows_); ++j, ++n) {
          const double p = primary[std::size_t(i) * std::size_t(rows_) + std::size_t(j)];
          if (p > 0 && p < 1) sum -= p * std::log(p);
        }
      cells[std::size_t(c) * std::size_t(rows) + std::size_t(r)] = float(k * sum / n);
    }
  smooth(cells, columns, rows, options_.scatter_sigma_mm / (kScatterCell * pitch_mm_));
  // Back to pixels, linear between the middles of the cells.
  const auto place = [](int pixel, int count) {
    const double x = std::clamp((pixel + 0.5) / kScatterCell - 0.5, 0.0, double(count - 1));
    const int low = std::min(int(x), std::max(count - 2, 0));
    return std::pair<int, float>(low, float(x - low));
  };
  std::vector<float> out(primary.size());
  for (int i = 0; i < columns_; ++i) {
    const auto [c, fc] = place(i, columns);
    const float* a = &cells[std::size_t(c) * std::size_t(rows)];
    const float* b = &cells[std::size_t(std::min(c + 1, columns - 1)) * std::size_t(rows)];
    for (int j = 0; j < rows_; ++j) {
      const auto [r, fr] = place(j, rows);
      const int next = std::min(r + 1, rows - 1);
      const float low = a[r] + fc * (b[r] - a[r]), high = a[next] + fc * (b[next] - a[next]);
      out[std::size_t(i) * std::size_t(rows_) + std::size_t(j)] = low + fr * (high - low);
    }
  }
  return out;
}

std::vector<float> XrayDetector::expose(const std::vector<float>& areas, std::mt19937_64& rng) const {
  const std::size_t pixels = std::size_t(columns_) * std::size_t(rows_), materials = areas.size() / pixels;
  if (materials < 1 || materials > kXrayMaterialCount || areas.size() != materials * pixels)
    throw ConfigError("the area densities do not fit the detector", "XrayDetector.expose",
                      "give materials * columns * rows values");
  // Mean and variance of the energy, as shares of what comes without a patient.
  std::vector<float> signal(pixels, 0.f), square(pixels, 0.f);
  for (const XrayBin& bin : beam_.bins) {
    const auto share = float(bin.photons * bin.energy_keV / beam_.mean_energy_keV);
    const auto energy = float(bin.energy_keV / beam_.mean_energy_keV);
    std::array<float, kXrayMaterialCount> mu{};
    for (std::size_t m = 0; m < materials; ++m) mu[m] = float(bin.mass_attenuation_m2_per_kg[m]);
    for (std::size_t n = 0; n < pixels; ++n) {
      float exponent = 0;
      for (std::size_t m = 0; m < materials; ++m) exponent += mu[m] * areas[m * pixels + n];
      const float passed = share * std::exp(-exponent);
      signal[n] += passed;
      square[n] += energy * passed;
    }
  }
  for (std::size_t n = 0; n < pixels; ++n) square[n] /= signal[n] > 0 ? signal[n] : 1;
  smooth(signal, columns_, rows_, options_.blur_sigma_mm / pitch_mm_);
  std::vector<float> scattered;
  if (options_.scatter_to_primary > 0) scattered = scatter(signal);

  for (std::size_t n = 0; n < pixels; ++n) {
    const double extra = scattered.empty() ? 0 : scattered[n];
    double total = signal[n] + extra, least = 1e-12;
    if (options_.photons) {
      const double of_one = square[n] / *options_.photons;  // signal of one photon
      least = 0.5 * of_one;
      total = of_one * poisson(total / of_one, rng);
    }
    signal[n] = float(-std::log(std::max(total - options_.scatter_corrected * extra, least)));
  }
  return signal;
}

WaterThickness::WaterThickness(const XrayBeam& beam) {
  constexpr int kSteps = 2000;
  constexpr double kThickest_m = 1;
  step_ = beam.water_line_integral(kThickest_m) / kSteps;
  double low = 0;
  for (int n = 0; n <= kSteps; ++n) {
    double high = kThickest_m, from = low;
    for (int halving = 0; halving < 50; ++halving) {
      const double middle = 0.5 * (from + high);
      (beam.water_line_integral(middle) < n * step_ ? from : high) = middle;
    }
    thickness_m_.push_back(n == 0 ? 0 : low = 0.5 * (from + high));
  }
}

double WaterThickness::operator()(double line_integral) const {
  const double at = line_integral / step_;
  const auto n = std::size_t(std::clamp(at, 0.0, double(thickness_m_.size() - 2)));
  return thickness_m_[n] + (at - double(n)) * (thickness_m_[n + 1] - thickness_m_[n]);
}

}  // namespace spinetherm
