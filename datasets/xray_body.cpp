// SPDX-License-Identifier: Apache-2.0
#include "datasets/xray_body.h"

#include <algorithm>
#include <cmath>

#include "imaging/core/error.h"
#include "imaging/core/units.h"

namespace spinetherm {
namespace {

constexpr double kReference_keV = 70, kSoft_HU = 100;
constexpr int kPointsAnAxis = 4;  ///< in voxels that a needle may cross

double distance_mm(const MetalNeedle& needle, const Eigen::Vector3d& x) {
  const Eigen::Vector3d along = needle.tip_mm - needle.entry_mm;
  const double t = std::clamp((x - needle.entry_mm).dot(along) / along.squaredNorm(), 0.0, 1.0);
  return (x - needle.entry_mm - t * along).norm();
}

/// Takes away the share of each voxel that a needle fills.
void carve(const MetalNeedle& needle, XrayBasis& basis) {
  const Grid& grid = basis.water.grid;
  const double radius = needle.diameter_mm / 2, reach = 0.5 * grid.spacing_mm.norm();
  std::array<int, 3> low{}, high{};
  for (int a = 0; a < 3; ++a) {
    const double from = std::min(needle.entry_mm[a], needle.tip_mm[a]) - radius - grid.origin_mm[a];
    const double to = std::max(needle.entry_mm[a], needle.tip_mm[a]) + radius - grid.origin_mm[a];
    low[std::size_t(a)] = std::max(0, int(std::floor(from / grid.spacing_mm[a])));
    high[std::size_t(a)] = std::min(grid.size[std::size_t(a)] - 1, int(std::ceil(to / grid.spacing_mm[a])));
  }
  for (int k = low[2]; k <= high[2]; ++k)
    for (int j = low[1]; j <= high[1]; ++j)
      for (int i = low[0]; i <= high[0]; ++i) {
        const Eigen::Vector3d x = grid.to_world(i, j, k);
        if (distance_mm(needle, x) > radius + reach) continue;
        int inside = 0;
        for (int n = 0; n < kPointsAnAxis * kPointsAnAxis * kPointsAnAxis; ++n) {
          const int row = n / kPointsAnAxis, plane = row / kPointsAnAxis;
          const Eigen::Vector3d part(n % kPointsAnAxis, row % kPointsAnAxis, plane);
          const Eigen::Vector3d offset = (part.array() + 0.5).matrix() / kPointsAnAxis;
          inside +=
              distance_mm(needle, x + grid.spacing_mm.cwiseProduct(offset - Eigen::Vector3d::Constant(0.5))) <
              radius;
        }
        const float left = 1 - float(inside) / (kPointsAnAxis * kPointsAnAxis * kPointsAnAxis);
        basis.water(i, j, k) *= left;
        basis.bone(i, j, k) *= left;
      }
}

/// Keeps the share of each voxel that lies outside the box of `inner`.
void keep_outside(const Grid& inner, XrayBasis& basis) {
  const Grid& grid = basis.water.grid;
  std::array<std::vector<double>, 3> covered;
  for (int a = 0; a < 3; ++a) {
    const double from = inner.origin_mm[a] - 0.5 * inner.spacing_mm[a];
    const double to = from + inner.spacing_mm[a] * inner.size[std::size_t(a)];
    for (int n = 0; n < grid.size[std::size_t(a)]; ++n) {
      const double low = grid.origin_mm[a] + (n - 0.5) * grid.spacing_mm[a], high = low + grid.spacing_mm[a];
      covered[std::size_t(a)].push_back(std::max(0.0, std::min(high, to) - std::max(low, from)) /
                                        grid.spacing_mm[a]);
    }
  }
#pragma omp parallel for schedule(static)
  for (int k = 0; k < grid.size[2]; ++k)
    for (int j = 0; j < grid.size[1]; ++j)
      for (int i = 0; i < grid.size[0]; ++i) {
        const float left =
            float(1 - covered[0][std::size_t(i)] * covered[1][std::size_t(j)] * covered[2][std::size_t(k)]);
        basis.water(i, j, k) *= left;
        basis.bone(i, j, k) *= left;
      }
}

/// Pixels [from, to) that a needle may fall on.
struct PixelBox {
  int column_from = 0, column_to = 0, row_from = 0, row_to = 0;
};
PixelBox shadow(const MetalNeedle& needle, const ConeBeamGeometry& g, double angle_rad) {
  const Eigen::Vector3d source = g.source_mm(angle_rad);
  const Eigen::Vector3d origin = g.pixel_mm(angle_rad, 0, 0);
  const Eigen::Vector3d eu = (g.pixel_mm(angle_rad, 1, 0) - origin) / g.pitch_mm;
  const Eigen::Vector3d forwards = (g.isocentre_mm - source) / g.source_axis_mm;
  double low[2] = {1e9, 1e9}, high[2] = {-1e9, -1e9};
  for (const Eigen::Vector3d& end : {needle.entry_mm, needle.tip_mm}) {
    const double depth = (end - source).dot(forwards) - needle.diameter_mm;
    if (depth <= 1) return {0, g.columns, 0, g.rows};  // beside the source
    const Eigen::Vector3d at =
        source + (end - source) * (g.source_detector_mm / (end - source).dot(forwards));
    const double margin = 2 + needle.diameter_mm * g.source_detector_mm / depth / g.pitch_mm;
    const double pixel[2] = {(at - origin).dot(eu) / g.pitch_mm, (at.z() - origin.z()) / g.pitch_mm};
    for (int a = 0; a < 2; ++a) {
      low[a] = std::min(low[a], pixel[a] - margin);
      high[a] = std::max(high[a], pixel[a] + margin);
    }
  }
  const auto cut = [](double x, int n) { return int(std::clamp(x, 0.0, double(n))); };
  return {cut(low[0], g.columns), cut(high[0] + 1, g.columns), cut(low[1], g.rows), cut(high[1] + 1, g.rows)};
}

}  // namespace

void MetalNeedle::validate() const {
  require(diameter_mm > 0 && diameter_mm <= 20, "MetalNeedle.diameter_mm", diameter_mm,
          "must lie in (0, 20] mm");
  const double length_mm = (tip_mm - entry_mm).norm();
  require(length_mm > 0 && length_mm < 1000, "MetalNeedle: distance from entry to tip", length_mm,
          "must lie in (0, 1000) mm");
  if (metal != XrayMaterial::iron && metal != XrayMaterial::titanium)
    throw ConfigError("a needle of " + std::string(to_string(metal)), "MetalNeedle.metal",
                      "use iron (for steel) or titanium");
}

double chord_mm(const MetalNeedle& needle, const Eigen::Vector3d& from_mm,
                const Eigen::Vector3d& through_mm) {
  const Eigen::Vector3d w = (through_mm - from_mm).normalized();
  const double length = (needle.tip_mm - needle.entry_mm).norm(), r2 = std::pow(needle.diameter_mm / 2, 2);
  const Eigen::Vector3d n = (needle.tip_mm - needle.entry_mm) / length;
  double in = 1e300, out = -1e300;  // of the union, which is convex
  const auto widen = [&](double a, double b) {
    if (a >= b) return;
    in = std::min(in, a);
    out = std::max(out, b);
  };
  for (const Eigen::Vector3d& end : {needle.entry_mm, needle.tip_mm}) {
    const Eigen::Vector3d m = from_mm - end;
    const double half = m.dot(w), inside = half * half - m.squaredNorm() + r2;
    if (inside > 0) widen(-half - std::sqrt(inside), -half + std::sqrt(inside));
  }
  const Eigen::Vector3d m = from_mm - needle.entry_mm;
  const double wn = w.dot(n), mn = m.dot(n), a = 1 - wn * wn;
  if (a > 1e-12) {
    const double half = (m.dot(w) - mn * wn) / a, inside = half * half - (m.squaredNorm() - mn * mn - r2) / a;
    if (inside > 0) {
      double from = -half - std::sqrt(inside), to = -half + std::sqrt(inside);
      if (std::abs(wn) > 1e-12) {
        const double t0 = -mn / wn, t1 = (length - mn) / wn;
        from = std::max(from, std::min(t0, t1));
        to = std::min(to, std::max(t0, t1));
        widen(from, to);
      } else if (mn >= 0 && mn <= length) {
        widen(from, to);
      }
    }
  }
  return out > in ? out - in : 0;
}

XrayBasis xray_basis(const Volume<float>& sharp_HU) {
  const auto& bone = xray_table()[XrayMaterial::cortical_bone];
  const double water_density = xray_table()[XrayMaterial::water].density_kg_per_m3;
  const double mu_water = mass_attenuation_m2_per_kg(XrayMaterial::water, kReference_keV) * water_density;
  const double mu_bone =
      mass_attenuation_m2_per_kg(XrayMaterial::cortical_bone, kReference_keV) * bone.density_kg_per_m3;
  const double bone_HU = 1000 * (mu_bone / mu_water - 1);
  XrayBasis out{Volume<float>(sharp_HU.grid), Volume<float>(sharp_HU.grid)};
#pragma omp parallel for schedule(static)
  for (int k = 0; k < sharp_HU.grid.size[2]; ++k)
    for (int j = 0; j < sharp_HU.grid.size[1]; ++j)
      for (int i = 0; i < sharp_HU.grid.size[0]; ++i) {
        const double hu = sharp_HU(i, j, k);
        if (!(hu > kSoft_HU)) {  // NaN goes on, and is refused by the projector
          out.water(i, j, k) = float(hu < -1000 ? 0 : water_density * (1 + hu / 1000));
          continue;
        }
        const double share = std::min(1.0, (hu - kSoft_HU) / (bone_HU - kSoft_HU));
        const double denser = std::max(1.0, (1000 + hu) / (1000 + bone_HU));
        out.water(i, j, k) = float((1 - share) * water_density * (1 + kSoft_HU / 1000));
        out.bone(i, j, k) = float(share * denser * bone.density_kg_per_m3);
      }
  return out;
}

XrayBody::XrayBody(const Volume<float>& sharp_HU, const Volume<float>* surround_HU,
                   std::vector<MetalNeedle> needles)
    : needles_(std::move(needles)) {
  for (const MetalNeedle& needle : needles_) needle.validate();
  require_patient_axes(sharp_HU.grid, "the body's grid");
  if (surround_HU != nullptr) require_patient_axes(surround_HU->grid, "the grid around the body");
  for (const Volume<float>* part : {&sharp_HU, surround_HU}) {
    if (part == nullptr) continue;
    XrayBasis basis = xray_basis(*part);
    if (part == surround_HU) keep_outside(sharp_HU.grid, basis);
    for (const MetalNeedle& needle : needles_) carve(needle, basis);
    parts_.emplace_back(std::vector<const Volume<float>*>{&basis.water, &basis.bone});
  }
}

std::size_t XrayBody::materials() const { return needles_.empty() ? 2 : 4; }

std::vector<float> XrayBody::areas(const ConeBeamGeometry& geometry, double angle_rad) const {
  std::vector<float> out(materials() * geometry.pixels());
  for (const ConeBeamProjector& part : parts_) part.add_view(geometry, angle_rad, out);
  const Eigen::Vector3d source = geometry.source_mm(angle_rad);
  for (const MetalNeedle& needle : needles_) {
    const double density = xray_table()[needle.metal].density_kg_per_m3;
    const std::size_t block = std::size_t(needle.metal) * geometry.pixels();
    const PixelBox box = shadow(needle, geometry, angle_rad);
    for (int c = box.column_from; c < box.column_to; ++c)
      for (int r = box.row_from; r < box.row_to; ++r)
        out[block + std::size_t(c) * std::size_t(geometry.rows) + std::size_t(r)] +=
            float(density * kMetre_per_mm * chord_mm(needle, source, geometry.pixel_mm(angle_rad, c, r)));
  }
  return out;
}

}  // namespace spinetherm
