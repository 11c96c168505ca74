// SPDX-License-Identifier: Apache-2.0
#include "datasets/image_filters.h"

#include <algorithm>
#include <cmath>

#include "imaging/core/error.h"
#include "imaging/core/random.h"

namespace spinetherm {
namespace {

/// Weights of a Gaussian from the middle outwards, cut at 3 sigma; the whole kernel sums to 1.
std::vector<float> half_gaussian(double sigma_px) {
  const int reach = int(std::ceil(3 * sigma_px));
  std::vector<double> weight(std::size_t(reach) + 1, 1.0);
  double sum = 0;
  for (int n = 0; n <= reach; ++n) {
    if (reach > 0) weight[std::size_t(n)] = std::exp(-0.5 * n * n / (sigma_px * sigma_px));
    sum += weight[std::size_t(n)] * (n == 0 ? 1 : 2);
  }
  std::vector<float> out;
  for (const double w : weight) out.push_back(float(w / sum));
  return out;
}

/// A row with itself, with held edges.
void blur_row(const float* in, float* out, int n, const std::vector<float>& weight) {
  const int reach = int(weight.size()) - 1;
  std::vector<float> held(std::size_t(n + 2 * reach));
  std::fill_n(held.begin(), reach, in[0]);
  std::copy_n(in, n, held.begin() + reach);
  std::fill_n(held.begin() + reach + n, reach, in[n - 1]);
  const float* middle = held.data() + reach;
  for (int i = 0; i < n; ++i) out[i] = weight[0] * middle[i];
  for (int m = 1; m <= reach; ++m) {
    const float w = weight[std::size_t(m)];
    for (int i = 0; i < n; ++i) out[i] += w * (middle[i - m] + middle[i + m]);
  }
}

/// Adds weight * row to a sum; the compiler makes vectors of it.
void add_row(std::vector<float>& sum, const float* row, float weight) {
  for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += weight * row[i];
}

Volume<float> blur_axis(const Volume<float>& in, int axis, double sigma_mm) {
  const Grid& g = in.grid;
  const auto weight = half_gaussian(sigma_mm / g.spacing_mm[axis]);
  const int reach = int(weight.size()) - 1;
  Volume<float> out(g);
  const int nx = g.size[0], last_j = g.size[1] - 1, last_k = g.size[2] - 1;
#pragma omp parallel for schedule(static)
  for (int k = 0; k <= last_k; ++k) {
    std::vector<float> sum;
    for (int j = 0; j <= last_j; ++j) {
      float* to = &out.values[g.index(0, j, k)];
      if (axis == 0) {
        blur_row(&in.values[g.index(0, j, k)], to, nx, weight);
        continue;
      }
      sum.assign(std::size_t(nx), 0.0F);
      for (int m = -reach; m <= reach; ++m) {
        const int b = axis == 1 ? std::clamp(j + m, 0, last_j) : j;
        const int c = axis == 2 ? std::clamp(k + m, 0, last_k) : k;
        add_row(sum, &in.values[g.index(0, b, c)], weight[std::size_t(std::abs(m))]);
      }
      std::copy(sum.begin(), sum.end(), to);
    }
  }
  return out;
}

/// Blurs an image of nx x ny pixels whose margin is wide enough, in place.
void blur_plane(std::vector<float>& plane, int nx, int ny, const std::vector<float>& weight) {
  std::vector<float> along(plane.size());
  for (int j = 0; j < ny; ++j)
    blur_row(&plane[std::size_t(j) * std::size_t(nx)], &along[std::size_t(j) * std::size_t(nx)], nx, weight);
  const int reach = int(weight.size()) - 1;
  std::vector<float> sum;
  for (int j = 0; j < ny; ++j) {
    sum.assign(std::size_t(nx), 0.0F);
    for (int m = -reach; m <= reach; ++m)
      add_row(sum, &along[std::size_t(std::clamp(j + m, 0, ny - 1)) * std::size_t(nx)],
              weight[std::size_t(std::abs(m))]);
    std::copy(sum.begin(), sum.end(), plane.begin() + std::ptrdiff_t(j) * nx);
  }
}

double at(const std::vector<float>& half, int n) {
  const auto m = std::size_t(std::abs(n));
  return m < half.size() ? double(half[m]) : 0.0;
}

constexpr double kLowShare = 0.7;  ///< of the low frequencies that the kernel takes away

}  // namespace

Volume<float> blur(const Volume<float>& volume, const Eigen::Vector3d& sigma_mm) {
  require(sigma_mm.minCoeff() >= 0, "sigma_mm", sigma_mm.minCoeff(), "must be >= 0 mm");
  Volume<float> out = volume;
  for (int axis = 0; axis < 3; ++axis)
    if (sigma_mm[axis] > 0 && volume.grid.size[std::size_t(axis)] > 1)
      out = blur_axis(out, axis, sigma_mm[axis]);
  return out;
}

Grid thick_grid(const Grid& fine, double thickness_mm, double step_mm) {
  require(thickness_mm > 0, "thickness_mm", thickness_mm, "must be > 0 mm");
  require(step_mm >= thickness_mm - 1e-9, "step_mm", step_mm, "slices must not overlap");
  const double fine_mm = fine.spacing_mm[2], extent = fine_mm * fine.size[2];
  const int count = 1 + int(std::floor((extent - thickness_mm) / step_mm + 1e-6));
  if (thickness_mm > extent + 1e-6)
    throw ConfigError("the volume is thinner than a slice", "thickness_mm", "make the slices thinner");
  require(fine_mm <= thickness_mm + 1e-9, "thickness_mm", thickness_mm, "is thinner than the fine slices");
  Grid g = fine;
  g.size[2] = count;
  g.spacing_mm[2] = step_mm;
  const double first = (fine.size[2] - 1) * fine_mm / 2 - (count - 1) * step_mm / 2;  // from the fine origin
  g.origin_mm = fine.origin_mm + fine.direction.col(2) * first;
  return g;
}

Volume<float> thick_slices(const Volume<float>& fine, double thickness_mm, double step_mm) {
  Volume<float> out(thick_grid(fine.grid, thickness_mm, step_mm));
  const Grid &f = fine.grid, &g = out.grid;
  const double first = f.direction.col(2).dot(g.origin_mm - f.origin_mm);
  const std::size_t plane = std::size_t(g.size[0]) * std::size_t(g.size[1]);
#pragma omp parallel for schedule(static)
  for (int k = 0; k < g.size[2]; ++k) {
    const double low = first + k * step_mm - thickness_mm / 2, high = low + thickness_mm;
    std::vector<double> sum(plane, 0.0);
    double total = 0;
    for (int n = 0; n < f.size[2]; ++n) {  // by the part of each fine slice that lies within
      const double part =
          std::min(high, (n + 0.5) * f.spacing_mm[2]) - std::max(low, (n - 0.5) * f.spacing_mm[2]);
      if (part <= 1e-9) continue;
      const float* row = &fine.values[f.index(0, 0, n)];
      for (std::size_t p = 0; p < plane; ++p) sum[p] += part * row[p];
      total += part;
    }
    for (std::size_t p = 0; p < plane; ++p) out.values[g.index(0, 0, k) + p] = float(sum[p] / total);
  }
  return out;
}

Volume<float> shifted(const Volume<float>& volume, int axis, double shift_px) {
  require(axis >= 0 && axis < 3, "axis", axis, "must be 0, 1 or 2");
  const Grid& g = volume.grid;
  Volume<float> out(g);
  const double whole = std::floor(-shift_px), t = -shift_px - whole;  // reads at n - shift
  const std::array<double, 4> w = {((-0.5 * t + 1) * t - 0.5) * t, (1.5 * t - 2.5) * t * t + 1,
                                   ((-1.5 * t + 2) * t + 0.5) * t, (0.5 * t - 0.5) * t * t};
  const int last = g.size[std::size_t(axis)] - 1;
#pragma omp parallel for schedule(static)
  for (int k = 0; k < g.size[2]; ++k)
    for (int j = 0; j < g.size[1]; ++j)
      for (int i = 0; i < g.size[0]; ++i) {
        std::array<int, 3> at = {i, j, k};
        const int n = at[std::size_t(axis)];
        double sum = 0;
        for (int m = 0; m < 4; ++m) {
          at[std::size_t(axis)] = std::clamp(n + int(whole) + m - 1, 0, last);
          sum += w[std::size_t(m)] * volume(at[0], at[1], at[2]);
        }
        out(i, j, k) = float(sum);
      }
  return out;
}

SliceNoise::SliceNoise(double grain_px) {
  require(grain_px >= 0 && grain_px < 20, "grain_px", grain_px, "must lie in [0, 20) pixels");
  if (grain_px == 0) return;
  narrow_ = half_gaussian(grain_px);
  wide_ = half_gaussian(2 * grain_px);
  const int reach = int(wide_.size()) - 1;
  double power = 0;
  for (int b = -reach; b <= reach; ++b)
    for (int a = -reach; a <= reach; ++a) {
      const double k = at(narrow_, a) * at(narrow_, b) - kLowShare * at(wide_, a) * at(wide_, b);
      power += k * k;
    }
  gain_ = 1 / std::sqrt(power);
}

std::vector<float> SliceNoise::draw(int nx, int ny, std::mt19937_64& rng) const {
  std::normal_distribution<double> normal(0, 1);
  const int margin = wide_.empty() ? 0 : int(wide_.size()) - 1;
  const int wx = nx + 2 * margin, wy = ny + 2 * margin;
  std::vector<float> white(std::size_t(wx) * std::size_t(wy));
  for (float& v : white) v = float(normal(rng));
  if (margin == 0) return white;
  std::vector<float> low = white;
  blur_plane(white, wx, wy, narrow_);
  blur_plane(low, wx, wy, wide_);
  std::vector<float> out(std::size_t(nx) * std::size_t(ny));
  for (int j = 0; j < ny; ++j)
    for (int i = 0; i < nx; ++i) {
      const std::size_t from = std::size_t(j + margin) * std::size_t(wx) + std::size_t(i + margin);
      out[std::size_t(j) * std::size_t(nx) + std::size_t(i)] =
          float(gain_ * (double(white[from]) - kLowShare * low[from]));
    }
  return out;
}

std::mt19937_64 slice_rng(std::uint64_t seed, std::uint64_t image, int slice) {
  return trial_rng(seed, (image << 32) + std::uint64_t(slice));
}

float stored_HU(double hu, double lowest) { return float(std::round(std::clamp(hu, lowest, 3071.0))); }

}  // namespace spinetherm
