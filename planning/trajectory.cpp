// SPDX-License-Identifier: Apache-2.0
#include "planning/trajectory.h"

#include <fmt/format.h>
#include <omp.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>

#include "imaging/core/error.h"
#include "imaging/core/units.h"
#include "planning/corridor.h"

namespace spinetherm {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kStep_mm = 1;         ///< of the march
constexpr double kFarStep_mm = 2;      ///< beyond the fine maps
constexpr double kOutside_mm = 10;     ///< of the device that stays outside the skin
constexpr double kImplant_mm = 1;      ///< shaft to metal
constexpr double kShareInBone = 0.9;   ///< of the gate, for a transpedicular path
constexpr double kSharePedicle = 0.7;  ///< of the gate with pedicle medial of it, for a parapedicular path
constexpr double kGoalRadius = 0.6;    ///< goals lie within this share of the target's ellipsoid

enum Limit {
  canal,
  roots,
  vessels,
  viscera,
  corridor,
  other_bone,
  implant,
  anterior_cortex,
  length,
  skin_angle,
  limits_
};
constexpr std::array<std::string_view, limits_> kLimitNames = {
    "canal",      "roots",   "vessels",         "viscera", "corridor",
    "other bone", "implant", "anterior cortex", "length",  "skin angle"};

/// What a march found.
struct March {
  unsigned broken = 0;  ///< bit n: limit n
  ApproachKind kind = ApproachKind::direct;
  double gate_x_mm = 0, gate_depth_mm = 0;  ///< mean place in the gate; mean depth of the axis in bone
  double canal_mm = kInf, roots_mm = kInf, vessels_mm = kInf, viscera_mm = kInf;
  double out_mm = 0;  ///< from the tip to where the body or the image ends
  bool on_image_edge = false;
  bool breaks(Limit l) const { return broken >> l & 1U; }
  void break_limit(Limit l) { broken |= 1U << l; }
  bool hopeless() const { return std::popcount(broken) > 1; }  // nothing alone removes it
};

struct Search {
  const Anatomy& anatomy;
  const Volume<float>& ct_HU;
  const TrajectoryOptions& options;
  TargetShape shape;
  CorridorMaps maps;
  double radius_mm;  ///< of the shaft
};

void clear_of(const Volume<float>& map, const TrilinearCell& cell, double radius_mm, double least_mm,
              Limit limit, double& smallest_mm, March& m) {
  if (map.empty()) return;
  const double clearance = cell(map) - radius_mm;
  smallest_mm = std::min(smallest_mm, clearance);
  if (clearance < least_mm) m.break_limit(limit);
}

/// Bone between a point beside the canal and the canal, at its height.
bool pedicle_is_medial(const Search& s, const Eigen::Vector3d& x_mm, const CanalSlice& slice) {
  Eigen::Vector3d p = x_mm;
  const double inward = x_mm.x() > slice.centre_x_mm ? -1 : 1;
  TrilinearCell cell;
  while ((slice.centre_x_mm - p.x()) * inward > 0) {
    p.x() += inward * kStep_mm;
    if (!cell.locate(s.maps.near_grid(), p)) return false;
    if (cell(s.maps.bone_mm) < 0) return true;
    if (cell(s.maps.canal_mm) < 0) return false;
  }
  return false;
}

/// Bone or target ahead of the tip.
bool stops_before_cortex(const Search& s, const Eigen::Vector3d& tip_mm, const Eigen::Vector3d& outward) {
  TrilinearCell cell;
  for (double ahead = 0; ahead <= s.options.anterior_cortex_mm + 1e-9; ahead += kStep_mm / 2)
    if (!cell.locate(s.maps.near_grid(), tip_mm - ahead * outward) || cell(s.maps.bone_mm) >= 0) return false;
  return true;
}

/// Through the fine maps: clearances, corridor, other bone. Returns where the fine maps end.
double march_near(const Search& s, const Eigen::Vector3d& tip_mm, const Eigen::Vector3d& outward,
                  bool goal_in_front, March& m) {
  const auto& o = s.options;
  double in_other_mm = 0, depth = 0, gate_x = 0;
  int gate = 0, gate_in_bone = 0, gate_beside = 0;
  double along = 0;
  TrilinearCell cell;
  for (;; along += kStep_mm) {
    const Eigen::Vector3d x = tip_mm + along * outward;
    if (!cell.locate(s.maps.near_grid(), x)) break;
    const double bone = cell(s.maps.bone_mm);
    const bool in_bone = bone < 0;
    clear_of(s.maps.canal_mm, cell, s.radius_mm, in_bone ? o.canal_in_bone_mm : o.canal_in_soft_mm, canal,
             m.canal_mm, m);
    clear_of(s.maps.roots_mm, cell, s.radius_mm, in_bone ? o.root_in_bone_mm : o.root_mm + o.root_inflate_mm,
             roots, m.roots_mm, m);
    if (m.hopeless()) return along;
    clear_of(s.maps.vessels_mm, cell, s.radius_mm, o.vessel_mm, vessels, m.vessels_mm, m);
    clear_of(s.maps.viscera_mm, cell, s.radius_mm, o.viscera_mm, viscera, m.viscera_mm, m);
    double to_metal = kInf;
    clear_of(s.maps.implant_mm, cell, s.radius_mm, kImplant_mm, implant, to_metal, m);
    if (!s.maps.other_bone_mm.empty() && cell(s.maps.other_bone_mm) < 0) in_other_mm += kStep_mm;
    if (m.hopeless()) return along;
    const CanalSlice* slice = s.maps.slice_at(x.z());
    if (slice && x.y() >= slice->front_mm && x.y() <= slice->middle_mm) {
      ++gate;
      gate_x += x.x() - slice->centre_x_mm;
      depth -= bone;
      if (in_bone)
        ++gate_in_bone;
      else if (pedicle_is_medial(s, x, *slice))
        ++gate_beside;
    }
  }
  if (in_other_mm > o.other_bone_mm) m.break_limit(other_bone);
  m.gate_x_mm = gate ? gate_x / gate : 0;
  m.gate_depth_mm = gate ? depth / gate : 0;
  if (gate_in_bone >= kShareInBone * gate && gate > 0)
    m.kind = ApproachKind::transpedicular;
  else if (gate_beside >= kSharePedicle * (gate - gate_in_bone) && gate > 0)
    m.kind = ApproachKind::parapedicular;
  else if (goal_in_front || gate > 0)
    m.break_limit(corridor);
  return along;
}

/// Out to the skin or the image's edge, past vessels and organs on the coarse maps.
void march_far(const Search& s, const Eigen::Vector3d& tip_mm, const Eigen::Vector3d& outward, double along,
               March& m) {
  const auto& o = s.options;
  const Body& body = s.maps.body;
  const Grid& edge = body.inside.empty() ? s.anatomy.labels.grid : body.inside.grid;
  const bool near_end_inside =
      edge.covers(tip_mm + along * outward) &&
      (body.inside.empty() || sample_nearest(body.inside, tip_mm + along * outward).value_or(0));
  // A small image or a thin patient ends within the fine maps: look from the tip on.
  double at = near_end_inside ? along : 0;
  TrilinearCell cell;
  for (;; at += kFarStep_mm) {
    const Eigen::Vector3d x = tip_mm + at * outward;
    const bool covered = edge.covers(x);
    const bool inside = covered && (body.inside.empty() || sample_nearest(body.inside, x).value_or(0));
    if (!inside) {
      m.on_image_edge = !covered || body.air.empty() || !sample_nearest(body.air, x).value_or(0);
      break;
    }
    const Volume<float>& any = s.maps.far_vessels_mm.empty() ? s.maps.far_viscera_mm : s.maps.far_vessels_mm;
    if (any.empty() || !cell.locate(any.grid, x)) continue;
    clear_of(s.maps.far_vessels_mm, cell, s.radius_mm, o.vessel_mm, vessels, m.vessels_mm, m);
    clear_of(s.maps.far_viscera_mm, cell, s.radius_mm, o.viscera_mm, viscera, m.viscera_mm, m);
    if (m.hopeless()) return;
  }
  m.out_mm = at;
  if (at > o.length_mm - kOutside_mm) m.break_limit(length);
  if (m.on_image_edge || m.hopeless()) return;
  // Normal of the skin: from outside to inside over a ball, by the mask.
  const Eigen::Vector3d entry = tip_mm + at * outward;
  const double h = body.inside.grid.spacing_mm.maxCoeff();
  Eigen::Vector3d normal = Eigen::Vector3d::Zero();
  for (int k = -3; k <= 3; ++k)
    for (int j = -3; j <= 3; ++j)
      for (int i = -3; i <= 3; ++i) {
        const Eigen::Vector3d r = h * Eigen::Vector3d(i, j, k);
        if (!sample_nearest(body.inside, entry + r).value_or(0)) normal += r;
      }
  if (normal.norm() < 1e-9) return;
  if (outward.dot(normal.normalized()) < std::cos(o.skin_angle_deg * kPi / 180)) m.break_limit(skin_angle);
}

March march(const Search& s, const Eigen::Vector3d& goal_mm, const Eigen::Vector3d& outward) {
  March m;
  const Eigen::Vector3d tip = goal_mm - s.options.tip_beyond_goal_mm * outward;
  if (!stops_before_cortex(s, tip, outward)) m.break_limit(anterior_cortex);
  const CanalSlice* slice = s.maps.slice_at(goal_mm.z());
  const bool in_front = slice && goal_mm.y() < slice->front_mm;
  const double along = march_near(s, tip, outward, in_front, m);
  if (!m.hopeless()) march_far(s, tip, outward, along, m);
  return m;
}

/// Fibonacci lattice on the part of the sphere that looks backwards (LPS: +y).
std::vector<Eigen::Vector3d> directions(const TrajectoryOptions& o) {
  const double step = o.step_deg * kPi / 180, golden = kPi * (3 - std::sqrt(5.0));
  const int n = int(4 * kPi / (step * step));
  std::vector<Eigen::Vector3d> out;
  for (int q = 0; q < n; ++q) {
    const double y = 1 - (2 * q + 1.0) / n;
    if (y < std::cos(o.cone_deg * kPi / 180)) break;  // y falls with q
    const double r = std::sqrt(std::max(0.0, 1 - y * y));
    const Eigen::Vector3d d(r * std::cos(golden * q), y, r * std::sin(golden * q));
    if (std::abs(d.z()) <= std::sin(o.tilt_deg * kPi / 180)) out.push_back(d);
  }
  return out;
}

/// The target's centre (or the target voxel next to it), then points that lie furthest from those before.
std::vector<Eigen::Vector3d> goals(const Target& target, const TargetShape& shape, int count) {
  std::vector<Eigen::Vector3d> inner;
  const Grid& g = target.mask.grid;
  Eigen::Vector3d first = shape.centre_mm;
  double nearest = kInf;
  for (int k = 0; k < g.size[2]; ++k)
    for (int j = 0; j < g.size[1]; ++j)
      for (int i = 0; i < g.size[0]; ++i) {
        if (!target.mask(i, j, k)) continue;
        const Eigen::Vector3d x = g.to_world(i, j, k);
        const double off = (x - shape.centre_mm).norm();
        if (off < nearest) {
          nearest = off;
          first = x;
        }
        const Eigen::Vector3d local = shape.axes.transpose() * (x - shape.centre_mm);
        if (local.cwiseQuotient(shape.half_mm).norm() <= kGoalRadius) inner.push_back(x);
      }
  if (sample_nearest(target.mask, shape.centre_mm).value_or(0)) first = shape.centre_mm;
  std::vector<Eigen::Vector3d> out = {first};
  std::vector<double> gap(inner.size(), kInf);
  while (int(out.size()) < count && !inner.empty()) {
    std::size_t furthest = 0;
    for (std::size_t n = 0; n < inner.size(); ++n) {
      gap[n] = std::min(gap[n], (inner[n] - out.back()).squaredNorm());
      if (gap[n] > gap[furthest]) furthest = n;
    }
    if (gap[furthest] < 1) break;  // closer than 1 mm: nothing new
    out.push_back(inner[furthest]);
  }
  return out;
}

void add_score(const Search& s, const Eigen::Vector3d& outward, const March& m, Trajectory& t) {
  const TargetShape& shape = s.shape;
  auto& p = t.penalties;
  // Dimensionless; 1 is about what a person would trade against one degree of difficulty.
  p["off_centre"] = 2 * (t.goal_mm - shape.centre_mm).norm() / shape.half_mm.mean();
  const double elongation = shape.half_mm[0] / std::max(shape.half_mm[1], 1e-6);
  if (elongation > 1.2)
    p["alignment"] = 0.5 * (elongation - 1) * (1 - std::abs(outward.dot(shape.axes.col(0))));
  if (std::isfinite(m.canal_mm)) p["canal"] = 2 * std::exp(-m.canal_mm / 3);
  if (std::isfinite(m.roots_mm)) p["roots"] = std::exp(-m.roots_mm / 3);
  if (std::isfinite(m.vessels_mm)) p["vessels"] = std::exp(-m.vessels_mm / 5);
  if (std::isfinite(m.viscera_mm)) p["viscera"] = std::exp(-m.viscera_mm / 5);
  p["length"] = 0.5 * t.length_mm() / 150;
  p["tilt"] = std::abs(outward.z());  // double-angled: 3.3 mm of error become 6.7 (Busser 2013)
  // From the flank: past 40 deg off straight posterior the way is through the psoas and beside the kidney.
  const double oblique_deg = std::acos(std::clamp(outward.y(), -1.0, 1.0)) * 180 / kPi;
  p["obliquity"] = 0.5 * std::max(0.0, oblique_deg - 40) / 25;
  if (m.kind == ApproachKind::transpedicular)
    p["lateral_breach"] = std::clamp((s.radius_mm - m.gate_depth_mm) / (2 * s.radius_mm), 0.0, 1.0);
  if (m.kind == ApproachKind::parapedicular) p["kind"] = 0.5;
  if (const CanalSlice* slice = s.maps.slice_at(t.goal_mm.z());
      slice && (t.goal_mm.x() - slice->centre_x_mm) * m.gate_x_mm < 0)
    p["crosses_midline"] = 0.3;
  if (t.entry_on_image_edge) p["image_edge"] = 0.2;
  for (const auto& [name, value] : p) t.score += value;
}

Trajectory make_trajectory(const Search& s, const std::string& level, const Eigen::Vector3d& goal_mm,
                           const Eigen::Vector3d& outward, const March& m) {
  Trajectory t;
  t.goal_mm = goal_mm;
  t.tip_mm = goal_mm - s.options.tip_beyond_goal_mm * outward;
  t.kind = m.kind;
  t.entry_on_image_edge = m.on_image_edge;
  double out_mm = std::max(m.out_mm - kFarStep_mm, kStep_mm);
  if (!m.on_image_edge) {  // refine on the CT itself: the last tissue before outer air
    const BodyOptions body;
    for (double at = m.out_mm - 2 * body.spacing_mm; at <= m.out_mm + 2 * body.spacing_mm; at += 0.25) {
      const auto HU = sample_linear(s.ct_HU, t.tip_mm + at * outward);
      if (HU && *HU > body.air_HU) out_mm = at;
    }
  }
  t.entry_mm = t.tip_mm + out_mm * outward;
  const CanalSlice* slice = s.maps.slice_at(goal_mm.z());
  const double aside =
      m.kind == ApproachKind::direct && slice ? t.entry_mm.x() - slice->centre_x_mm : m.gate_x_mm;
  t.side = aside > 0 ? "left" : "right";  // LPS: +x is the patient's left
  const auto note = [&](const char* name, double clearance_mm) {
    if (std::isfinite(clearance_mm)) t.clearance_mm[name] = clearance_mm;
  };
  note("canal", m.canal_mm);
  note("roots", m.roots_mm);
  note("vessels", m.vessels_mm);
  note("viscera", m.viscera_mm);
  add_score(s, outward, m, t);
  const std::string of_level = level.empty() ? "" : " of " + level;
  if (t.kind == ApproachKind::transpedicular)
    t.reasons.push_back(
        fmt::format("through the {} pedicle{}, {:.1f} mm from the canal", t.side, of_level, m.canal_mm));
  else if (t.kind == ApproachKind::parapedicular)
    t.reasons.push_back(
        fmt::format("outside the {} pedicle{}, {:.1f} mm from the canal", t.side, of_level, m.canal_mm));
  else
    t.reasons.push_back(fmt::format("direct from the {}", t.side));
  if (std::isfinite(m.roots_mm))
    t.reasons.push_back(fmt::format("{:.1f} mm from the nearest modelled root", m.roots_mm));
  if (t.entry_on_image_edge)
    t.reasons.emplace_back(
        "entry on the edge of the image: the skin was not imaged, the path is longer than shown");
  return t;
}

/// Best of every kind and side, then by score, alternatives apart from each other.
std::vector<Trajectory> choose(std::vector<Trajectory> all, const TrajectoryOptions& o) {
  std::stable_sort(all.begin(), all.end(),
                   [](const Trajectory& a, const Trajectory& b) { return a.score < b.score; });
  std::vector<char> taken(all.size(), 0);
  std::vector<std::size_t> kept;
  const auto keep = [&](std::size_t n) {
    if (taken[n] || int(kept.size()) >= o.keep) return;
    taken[n] = 1;
    kept.push_back(n);
  };
  std::map<std::pair<ApproachKind, std::string>, int> groups;
  for (std::size_t n = 0; n < all.size(); ++n)
    if (groups[{all[n].kind, all[n].side}]++ == 0) keep(n);
  for (std::size_t n = 0; n < all.size() && int(kept.size()) < o.keep; ++n) {
    const bool apart = std::all_of(kept.begin(), kept.end(), [&](std::size_t other) {
      const double cosine = std::clamp(all[n].direction().dot(all[other].direction()), -1.0, 1.0);
      return std::acos(cosine) * 180 / kPi >= o.apart_deg ||
             (all[n].goal_mm - all[other].goal_mm).norm() >= o.apart_mm;
    });
    if (apart) keep(n);
  }
  std::sort(kept.begin(), kept.end());
  std::vector<Trajectory> out;
  for (std::size_t n : kept) out.push_back(std::move(all[n]));
  return out;
}

void say_why_not(const Search& s, TrajectorySearch& result) {
  if (!result.ranked.empty()) return;
  result.reasons.push_back(fmt::format("no straight path among {} keeps all limits", result.tried));
  if (s.maps.canal_mm.empty())
    result.reasons.emplace_back("the canal is not known: no path can be kept clear of it");
  std::vector<std::pair<long, std::string>> by_count;
  for (const auto& [name, count] : result.rejected_by) by_count.emplace_back(-count, name);
  std::sort(by_count.begin(), by_count.end());
  for (const auto& [count, name] : by_count)
    result.reasons.push_back(fmt::format("'{}' alone removes {} paths", name, -count));
  if (by_count.empty()) result.reasons.emplace_back("every path breaks two limits or more");
}

}  // namespace

void TrajectoryOptions::validate() const {
  const auto positive = [](double v, const char* name) {
    require(v > 0, std::string("TrajectoryOptions.") + name, v, "must be > 0");
  };
  positive(shaft_diameter_mm, "shaft_diameter_mm");
  positive(length_mm, "length_mm");
  positive(step_deg, "step_deg");
  positive(spacing_mm, "spacing_mm");
  require(goals >= 1, "TrajectoryOptions.goals", goals, "must be >= 1");
  require(keep >= 1, "TrajectoryOptions.keep", keep, "must be >= 1");
  require(threads >= 0, "TrajectoryOptions.threads", threads, "must be >= 0");
  require(tip_beyond_goal_mm >= 0, "TrajectoryOptions.tip_beyond_goal_mm", tip_beyond_goal_mm,
          "must be >= 0 mm");
  require(canal_in_bone_mm >= 0, "TrajectoryOptions.canal_in_bone_mm", canal_in_bone_mm, "must be >= 0 mm");
  require(canal_in_soft_mm >= canal_in_bone_mm, "TrajectoryOptions.canal_in_soft_mm", canal_in_soft_mm,
          "must be >= canal_in_bone_mm");
  require(cone_deg > 0 && cone_deg <= 90, "TrajectoryOptions.cone_deg", cone_deg, "must lie in (0, 90] deg");
  require(tilt_deg > 0 && tilt_deg <= 90, "TrajectoryOptions.tilt_deg", tilt_deg, "must lie in (0, 90] deg");
  require(skin_angle_deg > 0 && skin_angle_deg <= 90, "TrajectoryOptions.skin_angle_deg", skin_angle_deg,
          "must lie in (0, 90] deg");
}

TrajectorySearch find_trajectories(const Anatomy& anatomy, const Target& target, const Volume<float>& ct_HU,
                                   const TrajectoryOptions& options, const Progress& progress) {
  options.validate();
  const auto start = std::chrono::steady_clock::now();
  TrajectorySearch result;
  progress(0, "distance maps");
  CorridorSettings settings;
  settings.spacing_mm = options.spacing_mm;
  const Search s{anatomy,
                 ct_HU,
                 options,
                 shape_of(target),
                 corridor_maps(anatomy, target, ct_HU, settings),
                 options.shaft_diameter_mm / 2};
  result.reasons = s.maps.unknowns;
  const auto goal_points = goals(target, s.shape, options.goals);
  const auto outward = directions(options);
  const int threads = options.threads > 0 ? options.threads : omp_get_max_threads();

  std::vector<Trajectory> accepted;
  std::vector<March> marches(outward.size());
  for (std::size_t g = 0; g < goal_points.size() && !s.maps.canal_mm.empty(); ++g) {
    if (progress.cancelled()) {
      result.termination = Termination::cancelled;
      return result;
    }
    progress(double(g) / double(goal_points.size()), "paths");
#pragma omp parallel for schedule(dynamic, 64) num_threads(threads)
    for (std::size_t d = 0; d < outward.size(); ++d) marches[d] = march(s, goal_points[g], outward[d]);
    for (std::size_t d = 0; d < outward.size(); ++d) {  // in order: the same for any number of threads
      const March& m = marches[d];
      ++result.tried;
      if (m.broken == 0)
        accepted.push_back(make_trajectory(s, target.level, goal_points[g], outward[d], m));
      else if (!m.hopeless())
        ++result.rejected_by[std::string(kLimitNames[std::size_t(std::countr_zero(m.broken))])];
    }
  }
  result.accepted = long(accepted.size());
  result.ranked = choose(std::move(accepted), options);
  say_why_not(s, result);
  result.termination = Termination::reached_end;
  result.wall_time_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  progress(1, "paths");
  return result;
}

}  // namespace spinetherm
