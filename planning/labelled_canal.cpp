// SPDX-License-Identifier: Apache-2.0
#include "planning/labelled_canal.h"

#include <algorithm>
#include <cmath>
#include <limits>
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
/// From ring to ring the centre moves sideways by less than this [mm], and forward or back by less than
/// `kAnterior_mm` and half of the way along the spine: a disc that a hollow endplate encloses lies further
/// off.
constexpr double kSideways_mm = 10, kAnterior_mm = 6, kSlope = 0.45;

struct Hole {
  Volume<std::uint8_t> mask;  ///< in its slice
  Eigen::Vector2d centre{0, 0};
};

Grid slice_grid(const Grid& g, int k) { return sub_grid(g, {0, 0, k}, {g.size[0], g.size[1], 1}); }

/// Regions of a slice that bone encloses (bone that touches by corners closes them) and that have the area of
/// a canal.
std::vector<Hole> enclosed_holes(const Volume<std::uint8_t>& bone, int k) {
  const Grid g = slice_grid(bone.grid, k);
  const int nx = g.size[0], ny = g.size[1];
  const double voxel_mm2 = g.spacing_mm[0] * g.spacing_mm[1];
  Volume<std::uint8_t> seen(g);
  for (int j = 0; j < ny; ++j)
    for (int i = 0; i < nx; ++i) seen(i, j, 0) = bone(i, j, k);
  std::vector<Hole> holes;
  std::vector<std::array<int, 2>> region;
  for (int j = 0; j < ny; ++j)
    for (int i = 0; i < nx; ++i) {
      if (seen(i, j, 0)) continue;
      bool open = false;
      Eigen::Vector2d sum{0, 0};
      region.assign(1, {i, j});
      seen(i, j, 0) = 1;
      for (std::size_t n = 0; n < region.size(); ++n) {
        const auto [x, y] = region[n];
        sum += Eigen::Vector2d(x, y);
        if (x == 0 || y == 0 || x == nx - 1 || y == ny - 1) open = true;
        const std::array<std::array<int, 2>, 4> next = {{{x - 1, y}, {x + 1, y}, {x, y - 1}, {x, y + 1}}};
        for (const auto& [u, v] : next)
          if (g.contains(u, v, 0) && !seen(u, v, 0)) {
            seen(u, v, 0) = 1;
            region.push_back({u, v});
          }
      }
      const double area = double(region.size()) * voxel_mm2;
      if (open || area < kLeastArea_mm2 || area > kMostArea_mm2) continue;
      Hole hole{Volume<std::uint8_t>(g), sum / double(region.size())};
      for (const auto& [x, y] : region) hole.mask(x, y, 0) = 1;
      holes.push_back(std::move(hole));
    }
  return holes;
}

bool overlap(const Hole& a, const Hole& b) {
  for (std::size_t n = 0; n < a.mask.values.size(); ++n)
    if (a.mask[n] && b.mask[n]) return true;
  return false;
}

/// Holes of neighbouring slices that overlap.
struct Run {
  int first = 0;
  std::vector<Hole> holes;
  int last() const { return first + int(holes.size()) - 1; }
};

/// Whether two runs can be rings of one canal.
bool in_line(const Run& a, const Run& b, const Grid& g) {
  const bool b_after = b.first > a.last();
  const Hole &from = b_after ? a.holes.back() : a.holes.front(),
             &to = b_after ? b.holes.front() : b.holes.back();
  const double along = g.spacing_mm[2] * (b_after ? b.first - a.last() : a.first - b.last());
  const Eigen::Vector2d off = (to.centre - from.centre).cwiseProduct(g.spacing_mm.head<2>()).cwiseAbs();
  return along > 0 && off[0] <= kSideways_mm && off[1] <= kAnterior_mm + kSlope * along;
}

/// The rings of the canal by slice: the longest run, and the runs in line with it, the nearest first.
std::map<int, Hole> rings_of(const Volume<std::uint8_t>& bone) {
  const Grid& g = bone.grid;
  std::vector<std::vector<Hole>> slices(std::size_t(g.size[2]));
#pragma omp parallel for schedule(dynamic)
  for (int k = 0; k < g.size[2]; ++k) slices[std::size_t(k)] = enclosed_holes(bone, k);
  std::vector<Run> runs;
  for (int k = 0; k < g.size[2]; ++k)
    for (Hole& hole : slices[std::size_t(k)]) {
      const auto it = std::find_if(runs.begin(), runs.end(), [&](const Run& r) {
        return r.last() == k - 1 && overlap(r.holes.back(), hole);
      });
      if (it != runs.end())
        it->holes.push_back(std::move(hole));
      else
        runs.push_back({k, {std::move(hole)}});
    }
  std::map<int, Hole> rings;
  if (runs.empty()) return rings;
  const auto longest = std::max_element(
      runs.begin(), runs.end(), [](const Run& a, const Run& b) { return a.holes.size() < b.holes.size(); });
  std::vector<Run> chain = {std::move(*longest)};
  runs.erase(longest);
  const auto gap = [](const Run& a, const Run& b) {
    return std::max(b.first - a.last(), a.first - b.last());
  };
  while (!runs.empty()) {  // the run nearest to the chain is judged next, against its nearest neighbour
    std::size_t next = 0, neighbour = 0;
    int nearest = std::numeric_limits<int>::max();
    for (std::size_t n = 0; n < runs.size(); ++n)
      for (std::size_t m = 0; m < chain.size(); ++m)
        if (gap(runs[n], chain[m]) < nearest) {
          nearest = gap(runs[n], chain[m]);
          next = n;
          neighbour = m;
        }
    if (in_line(chain[neighbour], runs[next], g)) chain.push_back(std::move(runs[next]));
    runs.erase(runs.begin() + std::ptrdiff_t(next));
  }
  for (Run& run : chain)
    for (std::size_t n = 0; n < run.holes.size(); ++n)
      rings.emplace(run.first + int(n), std::move(run.holes[n]));
  return rings;
}

/// Shape of the last ring before a gap, or of the first one after it.
struct GapEdge {
  const Hole* hole = nullptr;
  Volume<float> signed_mm;
  explicit GapEdge(const Hole& h) : hole(&h), signed_mm(signed_distance_mm(h.mask)) {}

  /// Distance in the slice, with the shape moved so that its centre comes to lie at `centre`.
  double moved(int i, int j, const Eigen::Vector2d& centre) const {
    const Grid& g = signed_mm.grid;
    const int u = std::clamp(int(std::lround(i - centre[0] + hole->centre[0])), 0, g.size[0] - 1);
    const int v = std::clamp(int(std::lround(j - centre[1] + hole->centre[1])), 0, g.size[1] - 1);
    return signed_mm(u, v, 0);
  }
};

/// Fills slices (first, last) between two rings, or beside one, by the interpolated shape, where no bone is.
void fill_gap(const std::map<int, Hole>& rings, int first, int last, const Volume<std::uint8_t>& bone,
              Volume<std::uint8_t>& canal) {
  const Grid& g = canal.grid;
  const auto below = rings.find(first), above = rings.find(last);
  const bool has_below = below != rings.end(), has_above = above != rings.end();
  const GapEdge a((has_below ? below : above)->second), b((has_above ? above : below)->second);
  const bool bridged = has_below && has_above && (last - first) * g.spacing_mm[2] <= kLongestGap_mm;
  for (int k = std::max(first + 1, 0); k < std::min(last, g.size[2]); ++k) {
    const double from_below = has_below ? (k - first) * g.spacing_mm[2] : 1e9;
    const double from_above = has_above ? (last - k) * g.spacing_mm[2] : 1e9;
    if (!bridged && std::min(from_below, from_above) > kCarry_mm) continue;
    const double t = bridged ? from_below / (from_below + from_above) : from_below <= from_above ? 0 : 1;
    const Eigen::Vector2d centre = (1 - t) * a.hole->centre + t * b.hole->centre;
    for (int j = 0; j < g.size[1]; ++j)
      for (int i = 0; i < g.size[0]; ++i)
        if (!bone(i, j, k) && (1 - t) * a.moved(i, j, centre) + t * b.moved(i, j, centre) < 0)
          canal(i, j, k) = 1;
  }
}

/// Rings, and the slices between and beside them; false when no slice has a ring.
bool carry_through(const std::map<int, Hole>& rings, const Volume<std::uint8_t>& bone,
                   Volume<std::uint8_t>& canal) {
  if (rings.empty()) return false;
  const Grid& g = canal.grid;
  int last_ring = -1;
  for (const auto& [k, hole] : rings) {
    for (int j = 0; j < g.size[1]; ++j)
      for (int i = 0; i < g.size[0]; ++i)
        if (hole.mask(i, j, 0)) canal(i, j, k) = 1;
    if (k > last_ring + 1) fill_gap(rings, last_ring, k, bone, canal);
    last_ring = k;
  }
  if (last_ring + 1 < g.size[2]) fill_gap(rings, last_ring, g.size[2], bone, canal);
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

LabelledCanal find_labelled_canal(const Anatomy& anatomy, const Grid& lps_grid) {
  if (!lps_grid.direction.isIdentity(1e-6))
    throw ConfigError("the grid for the canal is not axis-aligned", "find_labelled_canal", "use box_grid()");
  const Volume<StructureValue> labels = labels_on(anatomy, lps_grid);
  std::vector<StructureValue> content;
  for (const char* name : {"canal", "dural_sac", "dura", "cord", "cauda"})
    content.push_back(*structure_value(name));
  LabelledCanal found;
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
  if (!carry_through(rings_of(bone), bone, found.mask)) {
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
