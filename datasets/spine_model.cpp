// SPDX-License-Identifier: Apache-2.0
#include "datasets/spine_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "imaging/core/error.h"
#include "imaging/core/random.h"
#include "imaging/core/units.h"

namespace spinetherm {
namespace {

constexpr double kSectionStep_mm = 0.25;
constexpr double kSectionsBeyond_mm = 80;  // past the outer vertebrae, for tilted grids
/// Share of the foramen's height from the upper pedicle down to the root. Exits at 42-49 % above the lower
/// pedicle are reported; nearer the upper one is the harder case for heat in the body.
constexpr double kRootBelowPedicle = 0.40;

double region_share(const std::string& level, char region) {
  if (level == "sacrum") return region == 'L' ? 1 : 0;
  return level[0] == region ? 1 : 0;
}

/// Values at knots that fall with z, linear between them; `grow` carries on beyond the ends.
double interpolate(const std::vector<double>& z, const std::vector<double>& v, double at, bool grow) {
  const std::size_t n = z.size();
  if (n == 1) return v[0];
  std::size_t i = 0;
  while (i + 2 < n && at < z[i + 1]) ++i;
  double t = (z[i] - at) / (z[i] - z[i + 1]);
  if (!grow) t = std::clamp(t, 0.0, 1.0);
  return v[i] + t * (v[i + 1] - v[i]);
}

}  // namespace

bool LesionShape::holds(const Eigen::Vector3d& x) const {
  if ((x - centre_mm).squaredNorm() > radius_mm * radius_mm) return false;
  return std::any_of(parts.begin(), parts.end(), [&](const Part& p) {
    return (x - p.centre_mm).squaredNorm() <= p.radius_mm * p.radius_mm;
  });
}

SpineModel::SpineModel(const SpinePhantomOptions& options) {
  place_vertebrae(options);
  make_sections();
  kidney_z_ = level_z("L1") - 12;
  bifurcation_z_ = level_z("L4") - 10;
  place_roots();
  place_lesion(options);
}

void SpineModel::place_vertebrae(const SpinePhantomOptions& options) {
  std::vector<std::string> names = options.levels;
  const std::string middle = names[names.size() / 2];
  const auto has_size = [](const std::optional<std::string>& level) {
    const auto& rows = vertebra_table().rows;
    return level && std::any_of(rows.begin(), rows.end(), [&](const auto& r) { return r.level == *level; });
  };
  const auto above = level_above(names.front()), below = level_below(names.back());
  if (has_size(above)) names.insert(names.begin(), *above);
  if (has_size(below)) names.push_back(*below);

  for (const std::string& name : names) {
    PlacedVertebra v{VertebraShape(vertebra_size(name)), {}, {}, 0, 0, 0, 0, 0};
    v.vertebra = *structure_value("vertebra_" + name);
    v.body = *structure_value("vertebra_body_" + name);
    if (const auto next = level_below(name); next && name != "sacrum")
      v.disc_below = *structure_value("disc_" + name + "_" + *next);
    if (!vertebrae_.empty()) {  // from the head down, body under body, posterior walls in line
      const PlacedVertebra& up = vertebrae_.back();
      const VertebraSize& s = up.shape.size();
      const Eigen::Quaterniond turn(
          Eigen::AngleAxisd(s.joint_below_deg * kPi / 180, Eigen::Vector3d::UnitX()));
      const Eigen::Quaterniond half = Eigen::Quaterniond::Identity().slerp(0.5, turn);
      const Eigen::Quaterniond upper = up.world_from_vertebra.rotation;
      v.world_from_vertebra.rotation = upper * turn;
      const Eigen::Vector3d down(0, up.shape.wall_y() - v.shape.wall_y(), -s.disc_below_mm);
      v.world_from_vertebra.translation_mm =
          up.world_from_vertebra * Eigen::Vector3d(0, 0, -s.posterior_height_mm / 2) + upper * half * down +
          v.world_from_vertebra.rotation * Eigen::Vector3d(0, 0, -v.shape.size().posterior_height_mm / 2);
    }
    vertebrae_.push_back(std::move(v));
  }
  const auto is_middle = [&](const PlacedVertebra& v) { return v.shape.size().level == middle; };
  const Rigid to_middle =
      inverse(std::find_if(vertebrae_.begin(), vertebrae_.end(), is_middle)->world_from_vertebra);
  for (PlacedVertebra& v : vertebrae_) {
    v.world_from_vertebra = to_middle * v.world_from_vertebra;
    v.vertebra_from_world = inverse(v.world_from_vertebra);
    const Eigen::AlignedBox3d box = v.shape.box();
    v.low_z = 1e9;
    v.high_z = -1e9;
    for (int corner = 0; corner < 8; ++corner) {
      const double z = (v.world_from_vertebra * box.corner(Eigen::AlignedBox3d::CornerType(corner))).z();
      v.low_z = std::min(v.low_z, z);
      v.high_z = std::max(v.high_z, z);
    }
  }
  // The image: from the discs beyond the end levels a little into the neighbours.
  const auto find = [&](const std::string& level) -> const PlacedVertebra& {
    return *std::find_if(vertebrae_.begin(), vertebrae_.end(),
                         [&](const PlacedVertebra& v) { return v.shape.size().level == level; });
  };
  const PlacedVertebra &top = find(options.levels.front()), &bottom = find(options.levels.back());
  const double disc_above = has_size(above) ? vertebra_size(*above).disc_below_mm : 5;
  low_ = {
      -options.width_mm / 2, -options.front_mm,
      (bottom.world_from_vertebra * Eigen::Vector3d(0, 0, -bottom.shape.size().posterior_height_mm / 2)).z() -
          bottom.shape.size().disc_below_mm - options.margin_mm};
  high_ = {options.width_mm / 2, options.back_mm,
           (top.world_from_vertebra * Eigen::Vector3d(0, 0, top.shape.size().posterior_height_mm / 2)).z() +
               disc_above + options.margin_mm};
  for (const PlacedVertebra& v : vertebrae_)
    skin_y_ =
        std::max(skin_y_, (v.world_from_vertebra * Eigen::Vector3d(0, v.shape.spinous_tip_y(), 0)).y() + 12);
}

void SpineModel::make_sections() {
  std::vector<double> zb, zc;
  std::vector<std::vector<double>> body(3), canal(10), region(2);
  for (const PlacedVertebra& v : vertebrae_) {
    const VertebraSize& s = v.shape.size();
    const Eigen::Vector3d b = v.world_from_vertebra.translation_mm;
    const Eigen::Vector3d c = v.world_from_vertebra * Eigen::Vector3d(0, v.shape.canal_y(), 0);
    zb.push_back(b.z());
    zc.push_back(c.z());
    const auto push = [](std::vector<std::vector<double>>& to, std::initializer_list<double> values) {
      std::size_t n = 0;
      for (double value : values) to[n++].push_back(value);
    };
    push(body, {b.y(), (s.body_width_upper_mm + s.body_width_lower_mm) / 4, v.shape.wall_y()});
    push(canal, {c.y(), s.canal_width_mm / 2, s.canal_depth_mm / 2, s.epidural_ventral_mm, s.sac_width_mm / 2,
                 s.sac_depth_mm / 2, s.cord_ventral_gap_mm, s.cord_width_mm / 2, s.cord_depth_mm / 2});
    push(region, {region_share(s.level, 'L'), region_share(s.level, 'T')});
  }
  section_z_ = zb.back() - kSectionsBeyond_mm;
  const int count = int((zb.front() + kSectionsBeyond_mm - section_z_) / kSectionStep_mm) + 1;
  for (int n = 0; n < count; ++n) {
    const double z = section_z_ + n * kSectionStep_mm;
    SpineSection s;
    s.body_y = interpolate(zb, body[0], z, true);
    s.body_a = interpolate(zb, body[1], z, false);
    s.body_b = interpolate(zb, body[2], z, false);
    s.canal_y = interpolate(zc, canal[0], z, true);
    s.canal_a = interpolate(zc, canal[1], z, false);
    s.canal_b = interpolate(zc, canal[2], z, false);
    s.sac_a = interpolate(zc, canal[4], z, false);
    s.sac_b = interpolate(zc, canal[5], z, false);
    const double sac_front = s.canal_y - s.canal_b + interpolate(zc, canal[3], z, false);
    s.sac_y = sac_front + s.sac_b;
    s.cord_a = interpolate(zc, canal[7], z, false);
    s.cord_b = interpolate(zc, canal[8], z, false);
    s.cord_y = sac_front + interpolate(zc, canal[6], z, false) + s.cord_b;
    s.lumbar = interpolate(zb, region[0], z, false);
    s.thoracic = interpolate(zb, region[1], z, false);
    sections_.push_back(s);
  }
}

SpineSection SpineModel::section(double z) const {
  const double n = std::round((z - section_z_) / kSectionStep_mm);
  return sections_[std::size_t(std::clamp(n, 0.0, double(sections_.size() - 1)))];
}

double SpineModel::level_z(std::string_view level) const {
  const auto order = [](std::string_view name) {
    const auto& rows = vertebra_table().rows;
    for (std::size_t n = 0; n < rows.size(); ++n)
      if (rows[n].level == name) return double(n);
    return double(rows.size());
  };
  constexpr double kLevelStep_mm = 33;  // beyond the levels that are here
  for (const PlacedVertebra& v : vertebrae_)
    if (v.shape.size().level == level) return v.world_from_vertebra.translation_mm.z();
  const bool up = order(level) < order(vertebrae_.front().shape.size().level);
  const PlacedVertebra& end = up ? vertebrae_.front() : vertebrae_.back();
  return end.world_from_vertebra.translation_mm.z() -
         kLevelStep_mm * (order(level) - order(end.shape.size().level));
}

void SpineModel::place_roots() {
  for (std::size_t n = 0; n < vertebrae_.size(); ++n) {
    const PlacedVertebra& v = vertebrae_[n];
    const VertebraSize& s = v.shape.size();
    const bool cervical = s.level[0] == 'C', lumbar = s.level[0] == 'L';
    const std::size_t partner = cervical ? n - 1 : n + 1;  // the foramen lies between the two
    if (s.level == "sacrum" || partner >= vertebrae_.size()) continue;
    const VertebraShape& other = vertebrae_[partner].shape;
    // The foramen from this pedicle to the partner's, in this vertebra's frame.
    const double own_edge = s.pedicle_height_mm / 2;
    const double gap = cervical ? other.size().disc_below_mm : s.disc_below_mm;
    const double beyond =
        cervical
            ? other.pedicle_z() - other.size().pedicle_height_mm / 2 + other.size().posterior_height_mm / 2
            : other.size().posterior_height_mm / 2 - other.pedicle_z() - other.size().pedicle_height_mm / 2;
    const double own = cervical ? s.posterior_height_mm / 2 - v.shape.pedicle_z() - own_edge
                                : v.shape.pedicle_z() - own_edge + s.posterior_height_mm / 2;
    const double height = own + gap + beyond;
    for (const int side : {1, -1}) {
      Eigen::Vector3d in_foramen = v.shape.pedicle_centre(side);
      in_foramen.y() = v.shape.wall_y() + (cervical ? 0.2 : 0.28) * s.canal_depth_mm;
      in_foramen.z() += (cervical ? 1 : -1) * (own_edge + kRootBelowPedicle * height);
      const Eigen::Vector3d g = v.world_from_vertebra * in_foramen;
      const double slope = lumbar ? 1.0 : 0.25;  // mm down for each mm outwards; lumbar take-off 50-59 deg
      const SpineSection here = section(g.z());
      Eigen::Vector3d from(side * 0.85 * here.sac_a, 0, 0);
      from.z() = g.z() + slope * (std::abs(g.x()) - std::abs(from.x()));
      const SpineSection start = section(from.z());
      from.y() = start.sac_y - 0.25 * start.sac_b;
      const std::string suffix = s.level + (side > 0 ? "_left" : "_right");
      PlacedRoot root;
      root.tube = {"root_" + suffix, from, g + 14 * (g - from).normalized(), s.root_diameter_mm / 2};
      root.root = *structure_value(root.tube.name);
      root.ganglion = *structure_value("ganglion_" + suffix);
      root.ganglion_mm = g;
      root.ganglion_radius_mm = s.ganglion_diameter_mm / 2;
      roots_.push_back(std::move(root));
    }
  }
}

void SpineModel::place_lesion(const SpinePhantomOptions& options) {
  const LesionOptions& l = options.lesion;
  const std::string level =
      options.lesion_level.empty() ? options.levels[options.levels.size() / 2] : options.lesion_level;
  const auto it = std::find_if(vertebrae_.begin(), vertebrae_.end(),
                               [&](const PlacedVertebra& v) { return v.shape.size().level == level; });
  const VertebraShape& shape = it->shape;
  const Eigen::Vector2d half = shape.body_half(0);
  const double h = shape.size().posterior_height_mm / 2;
  constexpr double kUsual_mm = 7, kShare = 0.42;  // of the half depth of a body
  const bool in_pedicle = l.place == LesionPlace::pedicle;
  const double usual_radius = in_pedicle ? std::min(kUsual_mm, shape.size().pedicle_height_mm / 2)
                                         : std::min({kUsual_mm, kShare * half.y(), h - 2});
  const double radius = l.radius_mm.value_or(usual_radius);
  const double gap = l.wall_gap_mm.value_or(std::min(kUsual_mm, kShare * half.y()));
  const double room =
      l.place == LesionPlace::central ? half.y() - radius : 2 * half.y() - 3 - radius * 2 - gap;
  if (!in_pedicle && (radius > h - 1.5 || room < 0))
    throw ConfigError(fmt::format("a lesion of {:g} mm radius does not fit", radius), "body of " + level,
                      "make it smaller, or the gap to the wall");
  Eigen::Vector3d centre(0, 0, 0);
  switch (l.place) {
    case LesionPlace::posterior:
      centre = {l.side * 0.38 * half.x(), half.y() - gap - radius, 0};
      break;
    case LesionPlace::anterior:
      centre = {l.side * 0.30 * half.x(), -half.y() + gap + radius, 0};
      break;
    case LesionPlace::central:
      centre = {0, 0, 0};
      break;
    case LesionPlace::pedicle:
      centre = shape.pedicle_centre(l.side);
      break;
  }
  lesion_.vertebra = std::size_t(it - vertebrae_.begin());
  lesion_.kind = l.kind;
  lesion_.radius_mm = radius;
  lesion_.wall_gap_mm = gap;
  lesion_.centre_mm = it->world_from_vertebra * centre;
  auto rng = trial_rng(options.seed, 0);
  std::uniform_real_distribution<double> uniform(-1, 1);
  lesion_.parts.push_back({lesion_.centre_mm, 0.8 * radius});
  while (lesion_.parts.size() < 6) {
    const Eigen::Vector3d d(uniform(rng), uniform(rng), uniform(rng));
    if (d.norm() > 1 || d.norm() < 0.2) continue;
    const double part = (0.62 + 0.08 * uniform(rng)) * radius;
    lesion_.parts.push_back({lesion_.centre_mm + d.normalized() * (radius - part), part});
  }
}

}  // namespace spinetherm
