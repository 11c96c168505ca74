// SPDX-License-Identifier: Apache-2.0
#include "imaging/roots.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "imaging/core/error.h"
#include "imaging/core/units.h"
#include "imaging/dural_sac.h"

namespace spinetherm {
namespace {

using Eigen::Vector3d;

enum class Region { cervical, thoracic, lumbar, sacral };

Region region_of(int level) {
  if (level <= level_index("C7").value()) return Region::cervical;
  if (level <= level_index("T13").value()) return Region::thoracic;
  if (level <= level_index("L6").value()) return Region::lumbar;
  return Region::sacral;
}

/// Course of a root, by level (guidance.md 4.2).
struct Course {
  double radius_mm = 1, down_deg = 5, forward_deg = 0;
};
Course course_of(int level) {
  const Region region = region_of(level);
  // Out and forward along the scalene muscles, slightly down [expert judgement for both angles].
  if (region == Region::cervical) return {1.25, 15, 40};
  if (region == Region::thoracic) return {1, level >= level_index("T11").value() ? 25.0 : 5.0, 0};
  // Diameter 3 mm at L1 to 4 mm at L5, take-off 50 to 59 deg; forward into psoas [expert judgement].
  const double along = std::min(1.0, double(level - level_index("L1").value()) / 4);
  return {1.5 + 0.5 * along, 50 + 9 * along, 20};
}

struct Frame {
  Vector3d centre, left, back, up;  ///< LPS mm; left x back = up
};

/// Everything that is asked of the anatomy, prepared once.
class Geometry {
 public:
  explicit Geometry(const Anatomy& anatomy) : anatomy_(anatomy), neural_(anatomy.labels.grid) {
    const Grid& g = neural_.grid;
    for (const char* name : {"cord", "cauda", "dural_sac", "canal"}) {
      const auto mask = anatomy.mask(name);
      for (std::size_t n = 0; n < mask.values.size(); ++n)
        if (mask[n]) neural_[n] = 1;
    }
    collect();
    if (points_.empty())
      if (const auto canal = canal_from_vertebrae(anatomy)) {
        for (int k = 0; k < g.size[2]; ++k)
          for (int j = 0; j < g.size[1]; ++j)
            for (int i = 0; i < g.size[0]; ++i)
              neural_(i, j, k) = sample_nearest(canal->mask, g.to_world(i, j, k)).value_or(0);
        collect();
        estimated_ = !points_.empty();
      }
    for (const std::string& level : anatomy.levels_present())
      if (const auto c = centroid_mm(anatomy.mask("vertebra_" + level)))
        centres_[level_index(level).value()] = *c;
    for (int k = 0; k < g.size[2]; ++k)
      for (int j = 0; j < g.size[1]; ++j)
        for (int i = 0; i < g.size[0]; ++i) {
          const bool edge =
              i == 0 || j == 0 || k == 0 || i + 1 == g.size[0] || j + 1 == g.size[1] || k + 1 == g.size[2];
          if (edge && is_vertebra(anatomy.labels(i, j, k))) cut_.insert(anatomy.labels(i, j, k) % 100);
        }
  }

  const std::map<int, Vector3d>& centres() const { return centres_; }
  bool has_neural() const { return !points_.empty(); }
  bool neural_is_estimated() const { return estimated_; }
  bool covers(const Vector3d& x) const { return neural_.grid.covers(x); }
  bool is_neural(const Vector3d& x) const { return sample_nearest(neural_, x).value_or(0) != 0; }
  bool is_vertebra_of(const Vector3d& x, int level) const {
    const StructureValue v = sample_nearest(anatomy_.labels, x).value_or(0);
    return is_vertebra(v) && v % 100 == level;
  }
  bool is_bone(const Vector3d& x) const {
    static const StructureValue rib = structure_value("rib").value(), bone = structure_value("bone").value();
    const StructureValue v = sample_nearest(anatomy_.labels, x).value_or(0);
    return is_vertebra(v) || v == rib || v == bone;
  }

  Frame frame_of(int level) const {
    Frame f;
    f.centre = centres_.at(level);
    f.up = Vector3d(0, 0, 1);
    // The canal's own direction beside the vertebra; centres of neighbours mislead where the image cuts them.
    // Twice, as the planes of the first pass are those of the patient.
    for (int pass = 0; pass < 2; ++pass) {
      const auto over = neural_centre(f, 14, 3), here = neural_centre(f, 0, 3),
                 under = neural_centre(f, -14, 3);
      const auto& high = over ? over : here;
      const auto& low = under ? under : here;
      if (!high || !low || (*high - *low).norm() < 10) break;
      const Vector3d up = (*high - *low).normalized();
      if (up.z() > 0.6) f.up = up;  // a spine that lies further than 50 deg over is a fragment of one
    }
    f.back = (Vector3d(0, 1, 0) - f.up * f.up.y()).normalized();
    // A turned vertebra looks at its canal, by 30 deg at most; the centre of a cut one says nothing.
    const auto middle = neural_centre(f, 0, 4);
    if (middle && !cut_.count(level)) {
      const Vector3d to_canal = *middle - f.centre - f.up * (*middle - f.centre).dot(f.up);
      if (to_canal.norm() > 5 && to_canal.normalized().dot(f.back) > 0.866) f.back = to_canal.normalized();
    }
    f.left = f.back.cross(f.up);
    return f;
  }

  /// Centre of the neural structure in the plane at a height of the frame.
  std::optional<Vector3d> neural_centre(const Frame& f, double height_mm, double half_mm) const {
    Vector3d sum = Vector3d::Zero();
    int count = 0;
    for (const Vector3d& x : points_) {
      const Vector3d d = x - f.centre;
      if (std::abs(d.dot(f.up) - height_mm) > half_mm || d.squaredNorm() > 60 * 60) continue;
      sum += x;
      ++count;
    }
    // A section of 50 mm2 at least: less is the rim of what the image cuts.
    if (count * neural_.grid.voxel_volume_mm3() < 50 * 2 * half_mm) return std::nullopt;
    const Vector3d mean = sum / count;
    return mean + f.up * (height_mm - (mean - f.centre).dot(f.up));
  }

 private:
  void collect() {
    points_.clear();
    const Grid& g = neural_.grid;
    for (int k = 0; k < g.size[2]; ++k)
      for (int j = 0; j < g.size[1]; ++j)
        for (int i = 0; i < g.size[0]; ++i)
          if (neural_(i, j, k)) points_.push_back(g.to_world(i, j, k));
  }

  const Anatomy& anatomy_;
  Volume<std::uint8_t> neural_;
  std::vector<Vector3d> points_;
  std::map<int, Vector3d> centres_;
  std::set<int> cut_;  ///< levels that the edge of the grid cuts
  bool estimated_ = false;
};

/// Where a root passes its pedicle: at the border on the foramen's side, at the pedicle's medial wall, 4 mm
/// behind the posterior wall of the body.
struct Passage {
  Vector3d border_mm;
  double height_mm = 0;  ///< of the pedicle; 0 where none was measured
};

/// Lower (or, for cervical roots, upper) border of a pedicle on one side: +1 left, -1 right.
std::optional<Passage> measured_passage(const Geometry& g, const Frame& f, int level, int side, bool upper) {
  constexpr double reach_mm = 22, behind_wall_mm = 4;
  struct Height {
    double u = 0, medial_mm = 0;
    std::optional<Vector3d> centre;
    std::optional<double> front_mm;  ///< from the neural centre to the body's posterior wall
    bool pedicle = false;
  };
  std::vector<Height> heights;
  for (double u = -32; u <= 32; u += 1) {
    Height h;
    h.u = u;
    h.centre = g.neural_centre(f, u, 2.5);
    for (double d = 1; h.centre && !h.front_mm && d <= reach_mm; d += 0.5)
      if (g.is_vertebra_of(*h.centre - f.back * d, level)) h.front_mm = d;
    heights.push_back(h);
  }
  std::size_t at = 0, length = 0, first = 0, misses = 0, last_hit = 0;
  for (std::size_t n = 0; n < heights.size(); ++n) {
    Height& h = heights[n];
    // Where the body does not stand in front, its wall is taken to go on as it does nearest by.
    for (std::size_t away = 0; h.centre && !h.front_mm && away < heights.size(); ++away)
      for (const std::size_t m : {n + away, n - away})  // n - away wraps around: larger than any
        if (m < heights.size() && heights[m].front_mm && heights[m].centre && !h.front_mm)
          h.front_mm = *heights[m].front_mm + (*h.centre - *heights[m].centre).dot(f.back);
    std::vector<double> hits;
    if (h.centre && h.front_mm)
      // Just behind the wall stands the pedicle and, below it, nothing; articular processes are further back.
      for (const double behind : {2.0, 4.0, 6.0})
        for (double l = 2; l <= reach_mm; l += 0.5)
          if (g.is_vertebra_of(*h.centre + f.left * (side * l) - f.back * (*h.front_mm - behind), level)) {
            hits.push_back(l);
            break;
          }
    if (hits.size() >= 2) {
      std::sort(hits.begin(), hits.end());
      h.medial_mm = hits[hits.size() / 2];
      h.pedicle = true;
      if (misses > 1 || length == 0) at = n;
      misses = 0;
      last_hit = n;
      if (last_hit - at + 1 > length) length = last_hit - at + 1, first = at;
    } else {
      ++misses;
    }
  }
  // Pedicles are 7 mm (cervical) to 17 mm high (guidance.md 4.1); labels of 3 mm add one voxel.
  if (length < 4 || length > 26) return std::nullopt;
  const Height& border = heights[upper ? first + length - 1 : first];
  std::vector<double> walls;
  for (std::size_t n = first; n < first + length; ++n)
    if (heights[n].pedicle && std::abs(heights[n].u - border.u) <= double(length) / 3)
      walls.push_back(heights[n].medial_mm);
  std::sort(walls.begin(), walls.end());
  return Passage{*border.centre + f.left * (side * walls[walls.size() / 2]) -
                     f.back * (*border.front_mm - behind_wall_mm) + f.up * (upper ? 0.5 : -0.5),
                 double(length)};
}

/// Adult distance to the next level [mm], where no neighbour tells (guidance.md 4.1).
double usual_spacing_mm(int level) {
  const Region region = region_of(level);
  return region == Region::cervical ? 17 : region == Region::thoracic ? 23 : 35;
}

using Passages = std::map<std::array<int, 3>, Passage>;  // by level, side, upper

/// Both pedicles of a vertebra end at about the same height. Where they differ by more than 6 mm, the taller
/// run went on into an articular process, or the shorter one (below 8 mm, cervical 4) is cut by the image:
/// the border of the other side counts, mirrored.
void mirror_false_borders(const Geometry& g, Passages& found) {
  const Passages measured = found;
  for (const auto& [key, left] : measured) {
    if (key[1] < 0) continue;
    const std::array<int, 3> right_key{key[0], -1, key[2]};
    const auto right = measured.find(right_key);
    const Frame f = g.frame_of(key[0]);
    if (right == measured.end() || std::abs((left.border_mm - right->second.border_mm).dot(f.up)) <= 6)
      continue;
    const bool left_is_taller = left.height_mm > right->second.height_mm;
    const double shorter = std::min(left.height_mm, right->second.height_mm);
    const bool keep_taller = shorter < (region_of(key[0]) == Region::cervical ? 4 : 8);
    const Passage& good = left_is_taller == keep_taller ? left : right->second;
    const auto middle = g.neural_centre(f, (good.border_mm - f.centre).dot(f.up), 2.5);
    if (!middle) continue;
    const Vector3d mirrored = good.border_mm - f.left * (2 * (good.border_mm - *middle).dot(f.left));
    found[&good == &left ? right_key : key] = {mirrored, good.height_mm};
  }
}

/// A place for a root whose pedicle does not show: the passage of a neighbour of up to two levels away, moved
/// along the spine; else beside the neural centre, a fifth of a level below the vertebra's centre.
std::optional<Passage> guessed_passage(const Geometry& g, const std::array<int, 3>& key,
                                       const Passages& found) {
  const auto [level, side, upper] = key;
  for (const int step : {1, -1, 2, -2}) {  // positive: the neighbour lies below
    const auto neighbour = found.find({level + step, side, upper});
    if (neighbour == found.end()) continue;
    // One level as this spine has it, where the next one is known as well.
    const auto beyond = found.find({level + step + (step > 0 ? 1 : -1), side, upper});
    const Vector3d one_level =
        beyond != found.end()
            ? Vector3d((neighbour->second.border_mm - beyond->second.border_mm) * (step > 0 ? 1 : -1))
            : Vector3d(g.frame_of(level + step).up * usual_spacing_mm(level));
    return Passage{neighbour->second.border_mm + one_level * step, 0};
  }
  const Frame f = g.frame_of(level);
  const auto centre = g.neural_centre(f, (upper ? 0.2 : -0.2) * usual_spacing_mm(level), 6);
  if (!centre) return std::nullopt;
  const double half_canal_mm = region_of(level) == Region::thoracic ? 9 : 12;
  return Passage{*centre + f.left * (side * half_canal_mm) - f.back * 4, 0};
}

struct Candidate {
  RootTube tube;
  double cost = 0, in_bone_mm = 0;
};

/// Where no neural structure is met on the way inwards (outside of the labels), a tube begins this far medial
/// of the pedicle's wall, about the edge of a sac.
constexpr double kBlindInward_mm = 6;

Candidate tube_through(const Geometry& g, const Vector3d& passage, const Vector3d& direction,
                       double inward_mm, const RootOptions& o, const RootTube& like) {
  Candidate c;
  c.tube = like;
  // Inwards to the surface of the neural structure, or as far as its middle.
  double in = 0;
  while (in < inward_mm && !g.is_neural(passage - direction * in)) in += 0.25;
  if (in >= inward_mm) in = kBlindInward_mm;
  c.tube.from_mm = passage - direction * in;
  c.tube.to_mm = passage + direction * o.length_mm;
  for (double s = -in; s <= o.length_mm; s += 0.5)
    if (g.is_bone(passage + direction * s)) c.in_bone_mm += 0.5;
  return c;
}

}  // namespace

void RootOptions::validate() const {
  require(length_mm >= 5 && length_mm <= 60, "RootOptions.length_mm", length_mm, "must be in [5, 60] mm");
  require(below_pedicle_mm >= 0 && below_pedicle_mm <= 10, "RootOptions.below_pedicle_mm", below_pedicle_mm,
          "must be in [0, 10] mm");
}

void add_root_tubes(Anatomy& anatomy, const RootOptions& options) {
  options.validate();
  for (const RootTube& old : anatomy.roots)
    if (anatomy.status_of(old.name) == StructureStatus::modelled) anatomy.status.erase(old.name);
  std::erase_if(anatomy.roots, [&](const RootTube& old) { return !anatomy.has(old.name); });
  const Geometry g(anatomy);
  if (g.centres().empty()) {
    anatomy.warnings.emplace_back("no roots: no vertebra is labelled");
    return;
  }
  if (!g.has_neural()) {
    anatomy.warnings.emplace_back(
        "no roots: neither cord nor canal is known, and the vertebrae enclose none");
    return;
  }
  if (g.neural_is_estimated())
    anatomy.warnings.emplace_back(
        "roots begin at a canal that was estimated from the labels of the vertebrae");

  std::vector<std::array<int, 3>> keys;  // level, side, passes above the pedicle?
  for (const auto& entry : g.centres()) {
    const int level = entry.first;
    const Region region = region_of(level);
    if (region == Region::sacral || level == 0) {
      anatomy.warnings.push_back("roots of " + levels()[std::size_t(level)] + " are not modelled");
      continue;
    }
    for (const int side : {+1, -1}) {
      keys.push_back({level, side, region == Region::cervical ? 1 : 0});
      if (level == level_index("C7").value()) keys.push_back({level, side, 0});
    }
  }
  Passages found;
  for (const auto& key : keys)
    if (const auto p = measured_passage(g, g.frame_of(key[0]), key[0], key[1], key[2] != 0)) found[key] = *p;
  mirror_false_borders(g, found);

  std::vector<std::string> guessed, outside, through_bone;
  for (const auto& key : keys) {
    const auto [level, side, upper] = key;
    const std::string name = "root_" + levels()[std::size_t(level)] + (side > 0 ? "_left" : "_right");
    if (anatomy.status_of(name) == StructureStatus::imported) continue;
    const auto known = found.find(key);
    const auto passage = known != found.end() ? std::optional(known->second) : guessed_passage(g, key, found);
    if (!passage || !g.covers(passage->border_mm)) {
      outside.push_back(name);
      continue;
    }
    if (known == found.end()) guessed.push_back(name);
    const Frame f =
        g.frame_of(known == found.end() && found.count({level + 1, side, upper}) ? level + 1 : level);

    const Course course = course_of(level);
    RootTube tube;
    tube.name = name;
    tube.radius_mm = course.radius_mm;
    const double away = upper != 0 ? 1 : -1;  // from the pedicle's border
    // Lumbar roots descend along the patient, not along a canal that turns back towards the sacrum.
    const Vector3d along = region_of(level) == Region::lumbar ? Vector3d(0, 0, 1) : f.up;
    const double forward = course.forward_deg * kPi / 180;
    const Vector3d out = f.left * (side * std::cos(forward)) - f.back * std::sin(forward);
    const Vector3d level_out = (out - along * out.dot(along)).normalized();
    std::optional<Candidate> best;
    for (const double turn_deg : {0.0, -12.0, -24.0})
      for (const double lower_mm : {0.0, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0})
        for (const double back_mm : {0.0, 2.0, -2.0, 4.0, -4.0})
          for (const double lateral_mm : {0.0, 2.0, -2.0}) {
            const double down = (course.down_deg + turn_deg) * kPi / 180;
            const Vector3d direction = level_out * std::cos(down) - along * std::sin(down);
            const Vector3d at = passage->border_mm +
                                f.up * (away * (options.below_pedicle_mm + course.radius_mm + lower_mm)) +
                                f.back * back_mm + f.left * (side * lateral_mm);
            Candidate c = tube_through(g, at, direction, 16, options, tube);
            // A millimetre of bone is worth a shift of two: labels are no finer than that.
            c.cost = 1.5 * c.in_bone_mm + 0.7 * lower_mm + 0.4 * std::abs(back_mm) +
                     0.5 * std::abs(lateral_mm) + 0.08 * std::abs(turn_deg);
            if (!best || c.cost < best->cost) best = c;
          }
    if (best->in_bone_mm > 2) through_bone.push_back(fmt::format("{} ({:.0f} mm)", name, best->in_bone_mm));
    anatomy.roots.push_back(best->tube);
    anatomy.status[name] = StructureStatus::modelled;
  }
  const auto warn = [&](const std::string& what, const std::vector<std::string>& names) {
    if (!names.empty()) anatomy.warnings.push_back(fmt::format("{}: {}", what, fmt::join(names, ", ")));
  };
  warn("roots at a generic place, as no pedicle was found in the labels", guessed);
  warn("no tube, as the foramen lies outside of the labels", outside);
  warn("modelled roots that cross labelled bone", through_bone);
}

}  // namespace spinetherm
