// SPDX-License-Identifier: Apache-2.0
#include "imaging/ct_anatomy.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "imaging/core/distance.h"
#include "imaging/core/error.h"
#include "imaging/resample.h"

namespace spinetherm {
namespace {

using Mask = Volume<std::uint8_t>;

constexpr double kAir_HU = -300;   // skin is above, air and lung below
constexpr double kLung_HU = -400;  // the walls of vessels and airways in it are above

/// Sets every component of `mask` (6-connected) for which `keep(voxel numbers)` is false to 0.
template <class Keep>
void filter_components(Mask& mask, const Keep& keep) {
  const auto& s = mask.grid.size;
  const std::size_t row = std::size_t(s[0]), slice = row * std::size_t(s[1]);
  std::vector<std::uint8_t> seen(mask.values.size(), 0);
  std::vector<std::size_t> component;
  for (std::size_t start = 0; start < mask.values.size(); ++start) {
    if (!mask[start] || seen[start]) continue;
    component.assign(1, start);
    seen[start] = 1;
    for (std::size_t n = 0; n < component.size(); ++n) {
      const std::size_t v = component[n];
      const int i = int(v % row), j = int(v / row % std::size_t(s[1])), k = int(v / slice);
      const auto visit = [&](bool exists, std::size_t w) {
        if (!exists || !mask[w] || seen[w]) return;
        seen[w] = 1;
        component.push_back(w);
      };
      visit(i > 0, v - 1);
      visit(i + 1 < s[0], v + 1);
      visit(j > 0, v - row);
      visit(j + 1 < s[1], v + row);
      visit(k > 0, v - slice);
      visit(k + 1 < s[2], v + slice);
    }
    if (keep(component)) continue;
    for (const std::size_t v : component) mask[v] = 0;
  }
}

void keep_larger_than(Mask& mask, double ml) {
  const double voxel_ml = mask.grid.voxel_volume_mm3() / 1000;
  filter_components(mask,
                    [&](const std::vector<std::size_t>& c) { return double(c.size()) * voxel_ml >= ml; });
}

void keep_largest(Mask& mask) {
  std::size_t most = 0;
  filter_components(mask, [&](const std::vector<std::size_t>& c) {
    most = std::max(most, c.size());
    return true;
  });
  filter_components(mask, [&](const std::vector<std::size_t>& c) { return c.size() == most; });
}

/// The body on a coarse grid of the whole scan: all that air from the sides of the scan cannot reach, without
/// thin things beside it (table, sheets).
Mask body_of(const Volume<float>& ct) {
  constexpr double coarse_mm = 3;
  const Grid& g = ct.grid;
  Eigen::Vector3d low = g.centre_mm(), high = low;
  for (int c = 0; c < 8; ++c) {
    const Eigen::Vector3d corner =
        g.to_world(c & 1 ? g.size[0] - 1 : 0, c & 2 ? g.size[1] - 1 : 0, c & 4 ? g.size[2] - 1 : 0);
    low = low.cwiseMin(corner);
    high = high.cwiseMax(corner);
  }
  const Volume<float> coarse = resample_linear(ct, box_grid(low, high, coarse_mm));
  const auto& s = coarse.grid.size;
  Mask tissue(coarse.grid);
  for (std::size_t n = 0; n < tissue.values.size(); ++n) tissue[n] = coarse[n] > kAir_HU ? 1 : 0;
  // A table of foam or carbon is a shell of one or two voxels: opened away.
  const auto grown = [](const Mask& m, double mm) {
    const Volume<float> d = distance_to_mm(m);
    Mask out(m.grid);
    for (std::size_t n = 0; n < out.values.size(); ++n) out[n] = d[n] <= mm ? 1 : 0;
    return out;
  };
  const auto inverted = [](Mask m) {
    for (auto& v : m.values) v = v ? 0 : 1;
    return m;
  };
  Mask body = inverted(grown(inverted(tissue), 2 * coarse_mm + 0.1));
  keep_largest(body);
  body = grown(body, 2 * coarse_mm + 0.1);
  for (std::size_t n = 0; n < body.values.size(); ++n) body[n] = body[n] && tissue[n];
  // Air that reaches the sides of its slice is outside; lung, bowel and airway are not.
  std::vector<int> stack;
  const std::size_t pixels = coarse.grid.count() / std::size_t(s[2]);
  for (int k = 0; k < s[2]; ++k) {
    std::vector<std::uint8_t> outside(pixels, 0);
    const auto visit = [&](int i, int j) {
      if (i < 0 || j < 0 || i >= s[0] || j >= s[1] || body(i, j, k)) return;
      auto& o = outside[coarse.grid.index(i, j, 0)];
      if (o) return;
      o = 1;
      stack.push_back(j * s[0] + i);
    };
    for (int i = 0; i < s[0]; ++i) visit(i, 0), visit(i, s[1] - 1);
    for (int j = 0; j < s[1]; ++j) visit(0, j), visit(s[0] - 1, j);
    while (!stack.empty()) {
      const int p = stack.back();
      stack.pop_back();
      const int i = p % s[0], j = p / s[0];
      visit(i - 1, j);
      visit(i + 1, j);
      visit(i, j - 1);
      visit(i, j + 1);
    }
    for (int j = 0; j < s[1]; ++j)
      for (int i = 0; i < s[0]; ++i)
        if (!outside[coarse.grid.index(i, j, 0)] && !std::isnan(coarse(i, j, k))) body(i, j, k) = 1;
  }
  return body;
}

/// Fills what bone encloses in an axial slice (gaps up to 4 mm closed): marrow. The canal stays open.
void fill_marrow(Mask& bone, const Volume<float>& ct, const Mask& canal) {
  constexpr double r_mm = 2, max_mm2 = 1800;  // a lumbar body has 1400 mm2
  const Grid& g = bone.grid;
  const int nx = g.size[0], ny = g.size[1];
  const double pixel_mm2 = g.spacing_mm[0] * g.spacing_mm[1];
#pragma omp parallel for schedule(dynamic)
  for (int k = 0; k < g.size[2]; ++k) {
    Grid flat = g;
    flat.size[2] = 1;
    Mask slice(flat);
    const std::size_t first = g.index(0, 0, k);
    for (std::size_t n = 0; n < slice.values.size(); ++n) slice[n] = bone[first + n] || canal[first + n];
    if (std::find(slice.values.begin(), slice.values.end(), 1) == slice.values.end()) continue;
    const Volume<float> to_bone = distance_to_mm(slice);
    Mask holes(flat);
    for (std::size_t n = 0; n < holes.values.size(); ++n) holes[n] = to_bone[n] > r_mm ? 1 : 0;
    filter_components(holes, [&](const std::vector<std::size_t>& c) {
      if (double(c.size()) * pixel_mm2 > max_mm2) return false;
      double sum = 0;
      for (const std::size_t n : c) {
        const int i = int(n % std::size_t(nx)), j = int(n / std::size_t(nx));
        if (i == 0 || j == 0 || i == nx - 1 || j == ny - 1) return false;
        sum += double(ct[first + n]);
      }
      return sum / double(c.size()) > 0;  // fat between rib and transverse process is no marrow
    });
    if (std::find(holes.values.begin(), holes.values.end(), 1) == holes.values.end()) continue;
    const Volume<float> to_hole = distance_to_mm(holes);
    for (std::size_t n = 0; n < holes.values.size(); ++n)
      if (to_hole[n] <= r_mm + 1 && !canal[first + n]) bone[first + n] = 1;
  }
}

/// The centreline averaged over 17 mm, and its direction towards the head.
struct SmoothLine {
  std::vector<Eigen::Vector3d> points, directions;
};
SmoothLine smoothed(const Canal& canal) {
  SmoothLine line;
  const auto& raw = canal.centreline_mm;
  const int n = int(raw.size());
  const int half = int(std::lround(8 / canal.mask.grid.spacing_mm[2]));
  for (int s = 0; s < n; ++s) {
    Eigen::Vector3d sum = Eigen::Vector3d::Zero();
    // The window shrinks at both ends, so that it stays centred.
    const int w = std::min({half, s, n - 1 - s});
    for (int t = s - w; t <= s + w; ++t) sum += raw[std::size_t(t)];
    line.points.emplace_back(sum / (2 * w + 1));
  }
  for (int s = 0; s < n; ++s) {
    const int a = std::max(0, s - half), b = std::min(n - 1, s + half);
    line.directions.emplace_back((line.points[std::size_t(b)] - line.points[std::size_t(a)]).normalized());
  }
  return line;
}

}  // namespace

std::vector<DiscPlane> find_discs(const Volume<float>& ct, const Canal& canal) {
  const double step_mm = canal.mask.grid.spacing_mm[2];
  const int n = int(canal.centreline_mm.size());
  if (n * step_mm < 20) return {};
  const SmoothLine line = smoothed(canal);
  std::vector<double> profile(std::size_t(n), std::numeric_limits<double>::quiet_NaN());
  std::vector<DiscPlane> planes(static_cast<std::size_t>(n));
  for (int s = 0; s < n; ++s) {
    const Eigen::Vector3d& p = line.points[std::size_t(s)];
    const Eigen::Vector3d& up = line.directions[std::size_t(s)];
    const Eigen::Vector3d front = (Eigen::Vector3d(0, -1, 0) + up * up.y()).normalized();
    const Eigen::Vector3d side = up.cross(front);
    double wall_mm = 0;
    while (wall_mm < 25 && sample_nearest(canal.mask, p + front * wall_mm).value_or(0)) wall_mm += 0.5;
    planes[std::size_t(s)] = {p + front * wall_mm, up, 0};
    double sum = 0;
    int count = 0;
    for (double u = 5; u <= 20; u += 1.5)
      for (double v = -9; v <= 9; v += 1.5) {
        const auto hu = sample_linear(ct, p + front * (wall_mm + u) + side * v);
        if (hu && !std::isnan(*hu)) sum += *hu, ++count;
      }
    if (count > 100) profile[std::size_t(s)] = sum / count;
  }
  // Contrast of a gap: endplates h to either side against the middle, for discs of 3 to 12 mm.
  const auto mean = [&](int from, int to) {
    if (from < 0 || to >= n) return std::numeric_limits<double>::quiet_NaN();
    double sum = 0;
    for (int s = from; s <= to; ++s) sum += profile[std::size_t(s)];
    return sum / (to - from + 1);
  };
  for (int s = 0; s < n; ++s)
    for (double h_mm = 2; h_mm <= 7; ++h_mm) {
      const int h = int(std::lround(h_mm / step_mm)), rim = std::max(1, int(std::lround(1 / step_mm)));
      const int inner = std::max(0, int(std::lround((h_mm - 3) / step_mm)));
      const double bright = std::min(mean(s - h - rim, s - h + rim), mean(s + h - rim, s + h + rim));
      const double contrast = bright - mean(s - inner, s + inner);
      if (contrast > planes[std::size_t(s)].contrast_HU) planes[std::size_t(s)].contrast_HU = contrast;
    }
  // Chain of gaps: contrast counts above 60 HU (the vein at a body's middle reaches that), uneven spacing
  // costs.
  const int least = int(15 / step_mm), most = int(45 / step_mm);
  const auto gain = [&](int s) { return std::min(planes[std::size_t(s)].contrast_HU, 150.0) / 60 - 1; };
  std::vector<std::vector<double>> best(static_cast<std::size_t>(n),
                                        std::vector<double>(std::size_t(most) + 1, -1e9));
  std::vector<std::vector<int>> before(static_cast<std::size_t>(n),
                                       std::vector<int>(std::size_t(most) + 1, 0));
  double top = 0;
  std::array<int, 2> at{-1, 0};
  for (int s = 0; s < n; ++s) {
    if (gain(s) <= 0) continue;
    for (int d = least; d <= most && d <= s; ++d) {
      const int t = s - d;
      if (gain(t) <= 0) continue;
      double value = gain(t);  // a chain that begins with t and s
      int from = 0;
      for (int e = least; e <= most; ++e) {
        const double v = best[std::size_t(t)][std::size_t(e)] - 0.08 * std::abs(d - e) * step_mm;
        if (v > value) value = v, from = e;
      }
      best[std::size_t(s)][std::size_t(d)] = value + gain(s);
      before[std::size_t(s)][std::size_t(d)] = from;
      if (value + gain(s) > top) top = value + gain(s), at = {s, d};
    }
  }
  std::vector<DiscPlane> discs;
  for (int s = at[0], d = at[1]; s >= 0;) {
    discs.push_back(planes[std::size_t(s)]);
    if (d == 0) break;
    const int next = before[std::size_t(s)][std::size_t(d)];
    s -= d;
    d = next;
  }
  std::reverse(discs.begin(), discs.end());
  return discs;
}

void CtAnatomyOptions::validate() const {
  require(half_size_mm.minCoeff() >= 25 && half_size_mm.maxCoeff() <= 200, "CtAnatomyOptions.half_size_mm",
          half_size_mm.minCoeff(), "must be in [25, 200] mm");
  require(spacing_mm >= 0.4 && spacing_mm <= 3, "CtAnatomyOptions.spacing_mm", spacing_mm,
          "must be in [0.4, 3] mm");
  if (!level.empty() && !level_index(level))
    throw ConfigError("no vertebral level '" + level + "'", "CtAnatomyOptions.level",
                      "give C1..C7, T1..T13, L1..L6");
  canal.validate();
}

Anatomy anatomy_from_ct(const Image& ct, const Eigen::Vector3d& centre_mm, const CtAnatomyOptions& options) {
  options.validate();
  const std::string where =
      fmt::format("target at {:.1f}, {:.1f}, {:.1f} mm", centre_mm.x(), centre_mm.y(), centre_mm.z());
  const auto at_centre = sample_linear(ct.volume, centre_mm);
  if (!at_centre) throw ConfigError("the target lies outside the image", where, "give its centre in LPS mm");
  if (!(*at_centre > kAir_HU))
    throw ConfigError("the target lies in air", where, "give its centre in LPS mm");

  const Mask body = body_of(ct.volume);
  double back_mm = options.half_size_mm.y();
  for (double y = back_mm; y < 200; y += 3)
    if (sample_nearest(body, centre_mm + Eigen::Vector3d(0, y, 0)).value_or(0)) back_mm = y + 15;
  const Eigen::Vector3d low = centre_mm - options.half_size_mm;
  Eigen::Vector3d high = centre_mm + options.half_size_mm;
  high.y() = centre_mm.y() + back_mm;
  const Grid grid = box_grid(low, high, options.spacing_mm);
  const Volume<float> roi = resample_mean(ct.volume, grid);
  const Mask inside = resample_nearest<std::uint8_t>(body, grid);

  Anatomy anatomy;
  anatomy.convention = "segmented";
  anatomy.labels = Volume<StructureValue>(grid);
  const auto paint = [&](const Mask& mask, const std::string& name, StructureStatus status, bool over) {
    const StructureValue value = structure_value(name).value();
    bool any = false;
    for (std::size_t n = 0; n < mask.values.size(); ++n)
      if (mask[n] && (over || anatomy.labels[n] == 0)) anatomy.labels[n] = value, any = true;
    if (any) anatomy.status[name] = status;
    return any;
  };

  const CanalSearch search = find_canal(ct, centre_mm, options.canal);
  Mask canal(grid);
  // Without a canal nothing says where this patient's bone begins: dense trabecular bone, as a rule of thumb.
  double bone_HU = options.canal.threshold_HU.value_or(200);
  if (search.canal) {
    canal = resample_nearest<std::uint8_t>(search.canal->mask, grid);
    bone_HU = search.canal->threshold_HU;
    paint(canal, "canal", StructureStatus::segmented, true);
    anatomy.warnings.push_back(search.canal->quality);
  } else {
    anatomy.warnings.push_back("no canal: " + search.reason);
  }

  Mask bone(grid);
  for (std::size_t n = 0; n < bone.values.size(); ++n)
    bone[n] = inside[n] && roi[n] > bone_HU && !canal[n] ? 1 : 0;
  keep_larger_than(bone, 0.3);
  fill_marrow(bone, roi, canal);
  paint(bone, "bone", StructureStatus::estimated, false);

  if (search.canal && !options.level.empty()) {
    const std::vector<DiscPlane> discs = find_discs(roi, *search.canal);
    const DiscPlane* below = nullptr;
    const DiscPlane* above = nullptr;
    for (const DiscPlane& d : discs) {
      if ((centre_mm - d.point_mm).dot(d.towards_head) > 0)
        below = &d;
      else if (above == nullptr)
        above = &d;
    }
    if (below != nullptr && above != nullptr) {
      Mask vertebra(grid);
      const double middle_x = (below->point_mm.x() + above->point_mm.x()) / 2;
      for (int k = 0; k < grid.size[2]; ++k)
        for (int j = 0; j < grid.size[1]; ++j)
          for (int i = 0; i < grid.size[0]; ++i) {
            if (!bone(i, j, k)) continue;
            const Eigen::Vector3d x = grid.to_world(i, j, k);
            if ((x - below->point_mm).dot(below->towards_head) > 0 &&
                (x - above->point_mm).dot(above->towards_head) < 0 && std::abs(x.x() - middle_x) < 42)
              vertebra(i, j, k) = 1;
          }
      keep_larger_than(vertebra, 1);
      paint(vertebra, "vertebra_" + options.level, StructureStatus::estimated, true);
      anatomy.warnings.push_back(
          fmt::format("vertebra_{} is the bone between two discs seen on CT ({:.0f} mm apart): an estimate, "
                      "named as the case "
                      "assumes",
                      options.level, (above->point_mm - below->point_mm).norm()));
    } else {
      anatomy.warnings.push_back(
          "the discs above and below the target were not found: bone is not divided into "
          "vertebrae");
    }
  }

  Mask lung(grid), skin(grid);
  Mask outside(grid);
  for (std::size_t n = 0; n < inside.values.size(); ++n) {
    lung[n] = inside[n] && roi[n] < kLung_HU ? 1 : 0;
    outside[n] = !inside[n] && roi[n] < kAir_HU ? 1 : 0;
  }
  keep_larger_than(lung, 50);
  const double split_x =
      search.canal ? search.canal->centreline_mm[search.canal->centreline_mm.size() / 2].x() : centre_mm.x();
  for (const bool left : {true, false}) {
    Mask one = lung;
    for (int k = 0; k < grid.size[2]; ++k)
      for (int j = 0; j < grid.size[1]; ++j)
        for (int i = 0; i < grid.size[0]; ++i)
          if ((grid.to_world(i, j, k).x() > split_x) != left) one(i, j, k) = 0;
    paint(one, left ? "lung_left" : "lung_right", StructureStatus::estimated, false);
  }
  keep_larger_than(outside, 5);
  // The body's mask is as coarse as 3 mm; the air's edge is that of the region's own voxels.
  const Volume<float> to_outside = distance_to_mm(outside), to_body = distance_to_mm(inside);
  for (std::size_t n = 0; n < skin.values.size(); ++n)
    skin[n] = to_outside[n] <= 2 + 1e-3 && to_outside[n] > 0 && to_body[n] <= 3 && roi[n] > kAir_HU ? 1 : 0;
  if (!paint(skin, "skin", StructureStatus::estimated, false))
    anatomy.warnings.push_back("the region does not reach the skin");
  return anatomy;
}

}  // namespace spinetherm
