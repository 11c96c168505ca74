// SPDX-License-Identifier: Apache-2.0
#include "datasets/spine_curve.h"

#include <algorithm>
#include <cmath>

#include "imaging/core/units.h"

namespace spinetherm {
namespace {

constexpr double kLip_mm = 2.6;  // osteophytes of severe degeneration; drawn after atlases

Eigen::Quaterniond turned(double deg, const Eigen::Vector3d& axis) {
  return Eigen::Quaterniond(Eigen::AngleAxisd(deg * kPi / 180, axis));
}

StructureValue disc_value(const PatientLevel& upper, const std::vector<PatientLevel>& levels, std::size_t n) {
  if (n + 1 >= levels.size()) return 0;
  const std::string& name = upper.size.level;
  if (const auto v = structure_value("disc_" + name + "_" + levels[n + 1].size.level)) return *v;
  // A disc between a vertebra and a variant carries the name that a spine without variants has.
  const auto next = level_below(name);
  return next ? structure_value("disc_" + name + "_" + *next).value_or(0) : StructureValue(0);
}

/// From a vertebra to the one below it.
double turn_below_deg(const PatientLevel& upper, const PatientLevel& lower) {
  return upper.size.wedge_deg / 2 + upper.size.joint_below_deg + lower.size.wedge_deg / 2;
}

/// How far a level leans backwards with its lower end [deg], about the patient's left: T1 to L5 lie straight
/// on the mean.
double tilt_deg(const SpinePatient& patient, std::size_t level) {
  double now = 0, sum = 0, own = 0;
  int count = 0;
  for (std::size_t n = 0; n < patient.levels.size(); ++n) {
    if (n > 0) now += turn_below_deg(patient.levels[n - 1], patient.levels[n]);
    if (n == level) own = now;
    const char region = patient.levels[n].size.level[0];
    if (region != 'T' && region != 'L') continue;
    sum += now;
    ++count;
  }
  return own - sum / count;
}

}  // namespace

SpineCurve::SpineCurve(const std::vector<PlacedVertebra>& vertebrae) {
  for (const PlacedVertebra& v : vertebrae)
    frames_.push_back({v.vertebra_from_world.rotation.toRotationMatrix(),
                       v.world_from_vertebra.translation_mm, v.shape.canal_y(),
                       v.shape.size().posterior_height_mm + v.shape.size().disc_below_mm});
}

CurvePoint SpineCurve::at(const Eigen::Vector3d& x) const {
  const std::size_t last = frames_.size() - 1;
  // By the origins, then by the planes.
  std::size_t n = 0;
  while (n < last && x.z() < frames_[n + 1].origin.z()) ++n;
  Eigen::Vector3d here = local(n, x);
  while (here.z() > 0 && n > 0) here = local(--n, x);
  while (here.z() <= 0 && n < last) {
    const Eigen::Vector3d next = local(n + 1, x);
    if (next.z() > 0) {
      const double t = here.z() / (here.z() - next.z());
      return {here.x() + t * (next.x() - here.x()),
              here.y() - frames_[n].canal_y +
                  t * (next.y() - frames_[n + 1].canal_y - here.y() + frames_[n].canal_y),
              double(n) + t};
    }
    here = next;
    ++n;
  }
  // Above the first or below the last plane.
  return {here.x(), here.y() - frames_[n].canal_y, double(n) - here.z() / frames_[n].step_mm};
}

Eigen::Vector3d SpineCurve::point(const CurvePoint& c) const {
  const double last = double(frames_.size() - 1);
  const auto n = std::size_t(std::clamp(std::floor(c.level), 0.0, std::max(last - 1, 0.0)));
  const auto on_plane = [&](std::size_t k, const CurvePoint& p) {
    const Frame& f = frames_[k];
    return Eigen::Vector3d(f.origin +
                           f.axes.transpose() * Eigen::Vector3d(p.left_mm, p.behind_mm + f.canal_y, 0));
  };
  if (c.level < 0 || c.level >= last) {
    const std::size_t k = c.level < 0 ? 0 : frames_.size() - 1;
    return on_plane(k, c) - frames_[k].axes.row(2).transpose() * ((c.level - double(k)) * frames_[k].step_mm);
  }
  const double t = c.level - double(n);
  Eigen::Vector3d x = (1 - t) * on_plane(n, c) + t * on_plane(n + 1, c);
  for (int step = 0; step < 8; ++step) {  // the blend is nearly linear: correct by what is missing
    const CurvePoint now = at(x);
    const Eigen::Vector3d up = (on_plane(n, c) - on_plane(n + 1, c));
    const Eigen::Matrix3d& axes = t < 0.5 ? frames_[n].axes : frames_[n + 1].axes;
    x += axes.transpose() * Eigen::Vector3d(c.left_mm - now.left_mm, c.behind_mm - now.behind_mm, 0) -
         up * (c.level - now.level);
  }
  return x;
}

void PlacedVertebra::move_to(const Rigid& world_from_this) {
  world_from_vertebra = world_from_this;
  vertebra_from_world = inverse(world_from_this);
  low_z = 1e9;
  high_z = -1e9;
  for (int corner = 0; corner < 8; ++corner) {
    const double z = (world_from_this * shape.box().corner(Eigen::AlignedBox3d::CornerType(corner))).z();
    low_z = std::min(low_z, z);
    high_z = std::max(high_z, z);
  }
}

void break_vertebra(std::vector<PlacedVertebra>& vertebrae, std::size_t broken, double share,
                    std::size_t middle) {
  PlacedVertebra& b = vertebrae[broken];
  b.fracture = fracture_body(b.shape, share);
  const Rigid sinking = b.world_from_vertebra * b.fracture.sinking() * inverse(b.world_from_vertebra);
  const Rigid kept = vertebrae[middle].world_from_vertebra;
  const Rigid back = middle < broken ? kept * inverse(sinking * kept) : Rigid{};
  for (std::size_t n = 0; n < vertebrae.size(); ++n)
    vertebrae[n].move_to(
        back * (n < broken ? sinking * vertebrae[n].world_from_vertebra : vertebrae[n].world_from_vertebra));
}

std::vector<PlacedVertebra> place_vertebrae(const SpinePatient& patient, std::size_t first, std::size_t last,
                                            std::size_t middle) {
  const auto& levels = patient.levels;
  std::vector<Rigid> poses;
  for (std::size_t n = first; n <= last; ++n) {
    Rigid pose;
    if (n > first) {
      const VertebraSize &up = levels[n - 1].size, &low = levels[n].size;
      const Eigen::Vector3d x = Eigen::Vector3d::UnitX(), y = Eigen::Vector3d::UnitY();
      const Rigid& above = poses.back();
      const auto wall = [](const VertebraSize& s) {
        return (s.body_depth_upper_mm + s.body_depth_lower_mm) / 4;
      };
      // To the lower endplate of the upper body, across the disc, to the middle of the lower body. The
      // posterior heights are those of the walls: the turns are about the posterior rims.
      const double upper_half = up.wedge_deg / 2, lower_half = low.wedge_deg / 2;
      const Eigen::Quaterniond at_plate = above.rotation * turned(upper_half, x);
      const Eigen::Quaterniond in_disc =
          at_plate * turned(up.joint_below_deg / 2, x) * turned(-levels[n - 1].turn_left_deg, y);
      pose.rotation = (in_disc * turned(up.joint_below_deg / 2 + lower_half, x)).normalized();
      const Eigen::Vector3d rim = above * Eigen::Vector3d(0, wall(up), -up.posterior_height_mm / 2);
      // The table's height of a disc is that of its middle: at the posterior rim it is less.
      const double lever = std::tan(up.joint_below_deg / 2 * kPi / 180) * (wall(up) + wall(low));
      const double behind_height = std::max(up.disc_below_mm - lever, 0.45 * up.disc_below_mm);
      const Eigen::Vector3d next_rim = rim + in_disc * Eigen::Vector3d(0, 0, -behind_height);
      pose.translation_mm =
          next_rim - pose.rotation * Eigen::Vector3d(0, wall(low), low.posterior_height_mm / 2);
    }
    poses.push_back(pose);
  }
  Rigid upright;
  upright.rotation = turned(tilt_deg(patient, middle), Eigen::Vector3d::UnitX());
  const Rigid to_middle = upright * inverse(poses[middle - first]);
  for (Rigid& pose : poses) pose = to_middle * pose;

  std::vector<PlacedVertebra> out;
  for (std::size_t n = last + 1; n-- > first;) {  // upwards: a vertebra knows the joint below it
    VertebraStyle style;
    style.waist_across = patient.waist_across;
    style.waist_front = patient.waist_front;
    style.roughness_mm = patient.roughness_mm;
    style.seed = patient.texture_seed + 17 * std::uint32_t(n);
    style.lip_mm = kLip_mm * (n > 0 ? std::max(levels[n].disc_degeneration, levels[n - 1].disc_degeneration)
                                    : levels[n].disc_degeneration);
    if (n < last) {
      const FacetPlane joint = out.back().shape.upper_joint();
      const Rigid from_next = inverse(poses[n - first]) * poses[n + 1 - first];
      style.below = FacetPlane{from_next * joint.at_mm, from_next.rotation * joint.normal};
    }
    PlacedVertebra v{
        VertebraShape(levels[n].size, style), poses[n - first], inverse(poses[n - first]), 0, 0, 0, 0, 0,
        levels[n].disc_degeneration};
    v.vertebra = *structure_value("vertebra_" + levels[n].size.level);
    v.body = *structure_value("vertebra_body_" + levels[n].size.level);
    v.disc_below = disc_value(levels[n], levels, n);
    v.move_to(v.world_from_vertebra);
    out.push_back(std::move(v));
  }
  std::reverse(out.begin(), out.end());
  return out;
}

}  // namespace spinetherm
