// SPDX-License-Identifier: Apache-2.0
#include "planning/canal.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

#include "imaging/core/distance.h"
#include "imaging/core/error.h"

namespace spinetherm {
namespace {

/// Area of a vertebral canal [mm2]: thoracic 150-250, upper cervical and lumbar up to 500; a slice may cut it
/// obliquely or hold half of it.
constexpr double kLeastArea_mm2 = 60, kMostArea_mm2 = 800;
/// Furthest gap between slices with a closed ring [mm]: one disc and its foramina.
constexpr double kLongestGap_mm = 45;
/// Beyond the last ring the shape is carried on this far [mm].
constexpr double kCarry_mm = 12;

struct Hole {
  Volume<float> signed_mm;  ///< in its slice
  Eigen::Vector2d centre{0, 0};
};

Grid slice_grid(const Grid& g, int k) { return sub_grid(g, {0, 0, k}, {g.size[0], g.size[1], 1}); }

/// The largest region of a slice that bone encloses (bone that touches by corners closes it) and that has the
/// area of a canal; empty when there is none.
std::optional<Hole> enclosed_hole(const Volume<std::uint8_t>& bone, int k) {
  const Grid g = slice_grid(bone.grid, k);
  const int nx = g.size[0], ny = g.size[1];
  Volume<int> part(g, 0);  // 0 not seen, -1 bone, n region
  for (int j = 0; j < ny; ++j)
    for (int i = 0; i < nx; ++i)
      if (bone(i, j, k)) part(i, j, 0) = -1;
  const double voxel_mm2 = g.spacing_mm[0] * g.spacing_mm[1];
  int regions = 0, best = 0;
  double best_area = 0;
  Eigen::Vector2d best_centre{0, 0};
  std::vector<std::array<int, 2>> front;
  for (int j = 0; j < ny; ++j)
    for (int i = 0; i < nx; ++i) {
      if (part(i, j, 0) != 0) continue;
      ++regions;
      bool open = false;
      double count = 0;
      Eigen::Vector2d sum{0, 0};
      front.assign(1, {i, j});
      part(i, j, 0) = regions;
      while (!front.empty()) {
        const auto [x, y] = front.back();
        front.pop_back();
        ++count;
        sum += Eigen::Vector2d(x, y);
        if (x == 0 || y == 0 || x == nx - 1 || y == ny - 1) open = true;
        const std::array<std::array<int, 2>, 4> next = {{{x - 1, y}, {x + 1, y}, {x, y - 1}, {x, y + 1}}};
        for (const auto& [u, v] : next)
          if (g.contains(u, v, 0) && part(u, v, 0) == 0) {
            part(u, v, 0) = regions;
            front.push_back({u, v});
          }
      }
      const double area = count * voxel_mm2;
      if (!open && area > best_area && area >= kLeastArea_mm2 && area <= kMostArea_mm2) {
        best = regions;
        best_area = area;
        best_centre = sum / count;
      }
    }
  if (best == 0) return std::nullopt;
  Volume<std::uint8_t> mask(g);
  for (std::size_t n = 0; n < mask.values.size(); ++n) mask[n] = part[n] == best;
  return Hole{signed_distance_mm(mask), best_centre};
}

/// Distance in a slice, with the shape moved so that its centre comes to lie at `centre`.
double moved(const Hole& hole, int i, int j, const Eigen::Vector2d& centre) {
  const Grid& g = hole.signed_mm.grid;
  const int u = std::clamp(int(std::lround(i - centre[0] + hole.centre[0])), 0, g.size[0] - 1);
  const int v = std::clamp(int(std::lround(j - centre[1] + hole.centre[1])), 0, g.size[1] - 1);
  return hole.signed_mm(u, v, 0);
}

/// Fills the slices between rings by the shapes of the nearest rings; false when no slice has a ring.
bool carry_through(const std::map<int, Hole>& rings, const Volume<std::uint8_t>& bone,
                   Volume<std::uint8_t>& canal) {
  if (rings.empty()) return false;
  const Grid& g = canal.grid;
  for (int k = 0; k < g.size[2]; ++k) {
    auto after = rings.lower_bound(k);
    auto before = after;
    if (after == rings.end() || after->first != k)
      before = after == rings.begin() ? rings.end() : std::prev(after);
    const bool has_before = before != rings.end(), has_after = after != rings.end();
    const double below_mm = has_before ? (k - before->first) * g.spacing_mm[2] : 1e9;
    const double above_mm = has_after ? (after->first - k) * g.spacing_mm[2] : 1e9;
    double t = 0;  // weight of the ring after
    if (has_before && has_after && below_mm + above_mm <= kLongestGap_mm)
      t = below_mm + above_mm > 0 ? below_mm / (below_mm + above_mm) : 0;
    else if (std::min(below_mm, above_mm) <= kCarry_mm)
      t = below_mm <= above_mm ? 0 : 1;
    else
      continue;
    const Hole& a = (has_before ? before : after)->second;
    const Hole& b = (has_after ? after : before)->second;
    const Eigen::Vector2d centre = (1 - t) * a.centre + t * b.centre;
    for (int j = 0; j < g.size[1]; ++j)
      for (int i = 0; i < g.size[0]; ++i)
        if (!bone(i, j, k) && (1 - t) * moved(a, i, j, centre) + t * moved(b, i, j, centre) < 0)
          canal(i, j, k) = 1;
  }
  return true;
}

}  // namespace

bool is_bone(StructureValue value) {
  static const StructureValue rib = *structure_value("rib"), bone = *structure_value("bone");
  return is_vertebra(value) || value == rib || value == bone;
}

Volume<StructureValue> labels_on(const Anatomy& anatomy, const Grid& grid) {
  Volume<StructureValue> out(grid, StructureValue{0});
#pragma omp parallel for schedule(static)
  for (int k = 0; k < grid.size[2]; ++k)
    for (int j = 0; j < grid.size[1]; ++j)
      for (int i = 0; i < grid.size[0]; ++i)
        out(i, j, k) = sample_nearest(anatomy.labels, grid.to_world(i, j, k)).value_or(StructureValue{0});
  return out;
}

Canal find_canal(const Anatomy& anatomy, const Grid& lps_grid) {
  if (!lps_grid.direction.isIdentity(1e-6))
    throw ConfigError("the grid for the canal is not axis-aligned", "find_canal", "use box_grid()");
  const Volume<StructureValue> labels = labels_on(anatomy, lps_grid);
  std::vector<StructureValue> content;
  for (const char* name : {"canal", "dural_sac", "dura", "cord", "cauda"})
    content.push_back(*structure_value(name));
  Canal found;
  found.mask = mask_of(labels, content);
  const bool any =
      std::find(found.mask.values.begin(), found.mask.values.end(), 1) != found.mask.values.end();
  if (any && (anatomy.has("canal") || anatomy.has("dural_sac"))) {
    found.status = anatomy.has("canal") ? anatomy.status_of("canal") : anatomy.status_of("dural_sac");
    found.reason = anatomy.has("canal") ? "canal label" : "dural sac label";
    return found;
  }

  Volume<std::uint8_t> bone(lps_grid);
  const StructureValue tumour = *structure_value("tumour");
  for (std::size_t n = 0; n < bone.values.size(); ++n) bone[n] = is_bone(labels[n]) || labels[n] == tumour;
  std::map<int, Hole> rings;
  for (int k = 0; k < lps_grid.size[2]; ++k)
    if (auto hole = enclosed_hole(bone, k)) rings.emplace(k, std::move(*hole));
  if (!carry_through(rings, bone, found.mask)) {
    found.mask = {};
    found.reason = any ? "cord or cauda labelled, but no canal around them"
                       : "no canal, cord or vertebral ring is labelled";
    return found;
  }
  found.status = StructureStatus::estimated;
  found.reason = "hole enclosed by the vertebrae, carried through the foramina";
  return found;
}

}  // namespace spinetherm
