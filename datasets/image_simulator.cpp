// SPDX-License-Identifier: Apache-2.0
#include "datasets/image_simulator.h"

#include <algorithm>
#include <cmath>

#include "imaging/core/error.h"
#include "imaging/core/random.h"
#include "imaging/core/units.h"

namespace spinetherm {
namespace {

/// Numbers the noise stream of a slice: images of one seed share no stream.
std::mt19937_64 slice_rng(std::uint64_t seed, std::uint64_t image, int slice) {
  return trial_rng(seed, (image << 32) + std::uint64_t(slice));
}
enum ImageStream : std::uint64_t { kCtStream = 1, kMrStream = 2, kCbctStream = 3 };

float stored_HU(double hu, double lowest = -1024) {
  return float(std::round(std::clamp(hu, lowest, 3071.0)));
}

void blur_axis(Volume<float>& volume, int axis, double sigma_mm) {
  const Grid& g = volume.grid;
  const double sigma = sigma_mm / g.spacing_mm[axis];
  const int reach = int(std::ceil(3 * sigma));
  if (reach == 0) return;
  std::vector<double> weight(std::size_t(reach) + 1);
  double sum = 0;
  for (int n = 0; n <= reach; ++n) {
    weight[std::size_t(n)] = std::exp(-0.5 * n * n / (sigma * sigma));
    sum += weight[std::size_t(n)] * (n == 0 ? 1 : 2);
  }
  for (double& w : weight) w /= sum;
  const int length = g.size[std::size_t(axis)];
  const std::size_t stride = axis == 0   ? 1
                             : axis == 1 ? std::size_t(g.size[0])
                                         : std::size_t(g.size[0]) * std::size_t(g.size[1]);
  const int outer = axis == 2 ? g.size[1] : g.size[2], inner = axis == 0 ? g.size[1] : g.size[0];
#pragma omp parallel for schedule(static)
  for (int o = 0; o < outer; ++o) {
    std::vector<float> line(static_cast<std::size_t>(length));
    for (int i = 0; i < inner; ++i) {
      const std::size_t first = axis == 0   ? g.index(0, i, o)
                                : axis == 1 ? g.index(i, 0, o)
                                            : g.index(i, o, 0);
      for (int n = 0; n < length; ++n) line[std::size_t(n)] = volume[first + std::size_t(n) * stride];
      for (int n = 0; n < length; ++n) {
        double value = weight[0] * line[std::size_t(n)];
        for (int m = 1; m <= reach; ++m)
          value += weight[std::size_t(m)] * (double(line[std::size_t(std::max(n - m, 0))]) +
                                             line[std::size_t(std::min(n + m, length - 1))]);
        volume[first + std::size_t(n) * stride] = float(value);
      }
    }
  }
}

bool uniform_neighbourhood(const Volume<Material>& m, int i, int j, int k) {
  const auto& size = m.grid.size;
  const Material centre = m(i, j, k);
  for (int c = std::max(k - 1, 0); c <= std::min(k + 1, size[2] - 1); ++c)
    for (int b = std::max(j - 1, 0); b <= std::min(j + 1, size[1] - 1); ++b)
      for (int a = std::max(i - 1, 0); a <= std::min(i + 1, size[0] - 1); ++a)
        if (m(a, b, c) != centre) return false;
  return true;
}

}  // namespace

MaterialValues ct_numbers() {
  MaterialValues values{};
  for (std::size_t n = 0; n < kMaterialCount; ++n) values[n] = material_table()[n].hu;
  return values;
}

MaterialValues spin_echo_signals(double tr_ms, double te_ms) {
  require(tr_ms > 0, "tr_ms", tr_ms, "must be > 0 ms");
  require(te_ms > 0 && te_ms < tr_ms, "te_ms", te_ms, "must lie between 0 and the repetition time");
  MaterialValues values{};
  for (std::size_t n = 0; n < kMaterialCount; ++n) {
    const MaterialProperties& p = material_table()[n];
    values[n] = p.proton_density * (1 - std::exp(-tr_ms / p.t1_ms)) * std::exp(-te_ms / p.t2_ms);
  }
  return values;
}

Volume<float> render(const MaterialField& field, const Volume<Material>& centres,
                     const Rigid& field_from_grid, const MaterialValues& values, int supersample,
                     const Progress& progress) {
  require(supersample >= 1 && supersample <= 8, "supersample", supersample, "must lie in 1 .. 8");
  const Grid& grid = centres.grid;
  Volume<float> out(grid);
  // Offsets of the sample points within a voxel, turned into the field's axes once.
  std::vector<Eigen::Vector3d> offsets;
  for (int c = 0; c < supersample; ++c)
    for (int b = 0; b < supersample; ++b)
      for (int a = 0; a < supersample; ++a) {
        const Eigen::Vector3d part =
            (Eigen::Vector3d(a, b, c).array() + 0.5).matrix() / supersample - Eigen::Vector3d::Constant(0.5);
        offsets.push_back(field_from_grid.rotation * (grid.direction * grid.spacing_mm.cwiseProduct(part)));
      }
#pragma omp parallel for schedule(dynamic)
  for (int k = 0; k < grid.size[2]; ++k) {
    if (progress.cancelled()) continue;
    for (int j = 0; j < grid.size[1]; ++j)
      for (int i = 0; i < grid.size[0]; ++i) {
        if (uniform_neighbourhood(centres, i, j, k)) {
          out(i, j, k) = float(values[std::size_t(centres(i, j, k))]);
          continue;
        }
        const Eigen::Vector3d x = field_from_grid * grid.to_world(i, j, k);
        double sum = 0;
        for (const Eigen::Vector3d& offset : offsets) sum += values[std::size_t(field(x + offset))];
        out(i, j, k) = float(sum / double(offsets.size()));
      }
  }
  return progress.cancelled() ? Volume<float>{} : out;
}

Volume<float> blur(const Volume<float>& volume, double sigma_mm) {
  require(sigma_mm >= 0, "sigma_mm", sigma_mm, "must be >= 0 mm");
  Volume<float> out = volume;
  if (sigma_mm > 0)
    for (int axis = 0; axis < 3; ++axis) blur_axis(out, axis, sigma_mm);
  return out;
}

void CtOptions::validate() const {
  require(psf_sigma_mm >= 0 && psf_sigma_mm < 5, "CtOptions.psf_sigma_mm", psf_sigma_mm,
          "must lie in [0, 5)");
  require(noise_HU >= 0 && noise_HU < 500, "CtOptions.noise_HU", noise_HU, "must lie in [0, 500)");
}

Image simulate_ct(const Volume<float>& sharp_HU, const CtOptions& options, std::uint64_t seed) {
  options.validate();
  Image out{blur(sharp_HU, options.psf_sigma_mm), Modality::ct, "phantom CT", {}};
  Volume<float>& v = out.volume;
#pragma omp parallel for schedule(static)
  for (int k = 0; k < v.grid.size[2]; ++k) {
    auto rng = slice_rng(seed, kCtStream, k);
    std::normal_distribution<double> noise(0, 1);
    for (int j = 0; j < v.grid.size[1]; ++j)
      for (int i = 0; i < v.grid.size[0]; ++i)
        v(i, j, k) = stored_HU(v(i, j, k) + options.noise_HU * noise(rng));
  }
  return out;
}

void MrOptions::validate() const {
  require(psf_sigma_mm >= 0 && psf_sigma_mm < 5, "MrOptions.psf_sigma_mm", psf_sigma_mm,
          "must lie in [0, 5)");
  require(snr > 0, "MrOptions.snr", snr, "must be > 0");
  require(bias >= 0 && bias < 1, "MrOptions.bias", bias, "must lie in [0, 1)");
  require(scale > 0, "MrOptions.scale", scale, "must be > 0");
}

Image simulate_mr_t2(const Volume<float>& sharp_signal, const MrOptions& options, std::uint64_t seed) {
  options.validate();
  Image out{blur(sharp_signal, options.psf_sigma_mm), Modality::mr_t2, "phantom MR T2", {}};
  Volume<float>& v = out.volume;
  const Grid& g = v.grid;
  const Eigen::Vector3d centre = g.centre_mm();
  const double half_mm =
      0.5 * std::max({g.spacing_mm[0] * g.size[0], g.spacing_mm[1] * g.size[1], g.spacing_mm[2] * g.size[2]});
  const double sigma = options.scale / options.snr;
#pragma omp parallel for schedule(static)
  for (int k = 0; k < g.size[2]; ++k) {
    auto rng = slice_rng(seed, kMrStream, k);
    std::normal_distribution<double> noise(0, sigma);
    for (int j = 0; j < g.size[1]; ++j)
      for (int i = 0; i < g.size[0]; ++i) {
        const Eigen::Vector3d u = (g.to_world(i, j, k) - centre) / half_mm;  // within about [-1, 1]
        const double coil =
            1 + options.bias * std::clamp(0.7 * u.y() + 0.3 * std::cos(kPi * u.z()), -1.0, 1.0);
        const double re = options.scale * coil * v(i, j, k) + noise(rng), im = noise(rng);
        v(i, j, k) = float(std::hypot(re, im));
      }
  }
  return out;
}

void CbctOptions::validate() const {
  require(fov_diameter_mm > 0, "CbctOptions.fov_diameter_mm", fov_diameter_mm, "must be > 0 mm");
  require(fov_height_mm > 0, "CbctOptions.fov_height_mm", fov_height_mm, "must be > 0 mm");
  require(psf_sigma_mm >= 0 && psf_sigma_mm < 5, "CbctOptions.psf_sigma_mm", psf_sigma_mm,
          "must lie in [0, 5)");
  require(noise_HU >= 0 && noise_HU < 1000, "CbctOptions.noise_HU", noise_HU, "must lie in [0, 1000)");
  require(std::abs(cupping_HU) < 1000, "CbctOptions.cupping_HU", cupping_HU, "must lie in (-1000, 1000)");
  require(hu_scale > 0.2 && hu_scale < 5, "CbctOptions.hu_scale", hu_scale, "must lie in (0.2, 5)");
  require(std::abs(hu_offset) < 1000, "CbctOptions.hu_offset", hu_offset, "must lie in (-1000, 1000)");
}

CbctScan simulate_cbct(const Volume<float>& sharp_HU, const CbctOptions& options, std::uint64_t seed) {
  options.validate();
  CbctScan out{{blur(sharp_HU, options.psf_sigma_mm), Modality::cbct, "phantom CBCT", {}},
               Volume<std::uint8_t>(sharp_HU.grid)};
  Volume<float>& v = out.image.volume;
  const Grid& g = v.grid;
  const Eigen::Vector3d centre = g.centre_mm();
  const double radius_mm = options.fov_diameter_mm / 2;
#pragma omp parallel for schedule(static)
  for (int k = 0; k < g.size[2]; ++k) {
    auto rng = slice_rng(seed, kCbctStream, k);
    std::normal_distribution<double> noise(0, 1);
    for (int j = 0; j < g.size[1]; ++j)
      for (int i = 0; i < g.size[0]; ++i) {
        const Eigen::Vector3d x = g.to_world(i, j, k) - centre;
        const double r = std::hypot(x.x(), x.y()) / radius_mm;
        if (r > 1 || std::abs(x.z()) > options.fov_height_mm / 2) {
          v(i, j, k) = kCbctOutside_HU;
          continue;
        }
        out.valid(i, j, k) = 1;
        v(i, j, k) = stored_HU(options.hu_scale * v(i, j, k) + options.hu_offset +
                                   options.cupping_HU * (1 - r * r) + options.noise_HU * noise(rng),
                               kCbctOutside_HU + 1);
      }
  }
  out.image.warnings.push_back("voxels outside the cylinder of view hold -1024: not measured");
  return out;
}

}  // namespace spinetherm
