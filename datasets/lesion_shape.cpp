// SPDX-License-Identifier: Apache-2.0
#include "datasets/lesion_shape.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "datasets/value_noise.h"
#include "imaging/core/error.h"
#include "imaging/core/random.h"

namespace spinetherm {
namespace {

// Form of the phantom's lesions, drawn after images; no measurement.
constexpr double kUsualRadius_mm = 7;
constexpr double kUsualShare = 0.42;  // of the half depth of a body: usual radius and usual gap in small ones
constexpr double kLeastDepthShare = 0.6;  // a lesion is squeezed in depth at most to this share of its radius
constexpr double kCoreRadius = 0.86, kRoughness = 0.12;  // shares of the semi-axes
constexpr double kErosion_mm = 2;                        // cortex this near to lytic tumour is eaten
constexpr double kChannel_mm = 4;                        // width of the way to the epidural space
constexpr double kJitterAcross = 0.06;                   // share of the half width
constexpr double kBlend_mm = 5;                          // behind the wall the fracture fades out over this
constexpr double kWedge = 1.6;  // the height falls over this share of the half depth; the front is flat
constexpr double kBoxy = 5;     // exponent of a lesion that the endplates flatten
constexpr std::uint64_t kLesionStream = 0;

/// (|x|^p + |y|^p + |z|^p)^(1/p): a sphere for 2, the rounder a box the larger p.
double power_norm(const Eigen::Vector3d& q, double p) {
  if (p == 2) return q.norm();
  const Eigen::Array3d a = q.array().abs();
  return std::pow(a.pow(p).sum(), 1 / p);
}

/// Smooth noise in 0..1, 0.5 +/- 0.2, of place and seed; features of about `size_mm`.
double noise_share(const Eigen::Vector3d& x, double size_mm, std::uint64_t seed) {
  return 0.5 + 0.2 * value_noise(x / size_mm, std::uint32_t(seed));
}

}  // namespace

double BodyFracture::loss_at(double y) const {
  const double forward = std::clamp((wall_y_mm - y) / (kWedge * wall_y_mm), 0.0, 1.0);
  const double loss = posterior_loss_mm + forward * (anterior_loss_mm - posterior_loss_mm);
  return loss * smooth_step(0, 1, 1 - (y - wall_y_mm) / kBlend_mm);
}

Eigen::Vector3d BodyFracture::before(const Eigen::Vector3d& x) const {
  if (anterior_loss_mm <= 0 || x.z() <= -half_height_mm) return x;
  const double h = half_height_mm, loss = loss_at(x.y());
  Eigen::Vector3d out = x;
  out.z() = x.z() < h - loss ? -h + (x.z() + h) * 2 * h / (2 * h - loss) : x.z() + loss;
  return out;
}

Eigen::Vector3d BodyFracture::after(const Eigen::Vector3d& x) const {
  if (anterior_loss_mm <= 0 || x.z() <= -half_height_mm) return x;
  const double h = half_height_mm, loss = loss_at(x.y());
  Eigen::Vector3d out = x;
  out.z() = x.z() < h ? -h + (x.z() + h) * (2 * h - loss) / (2 * h) : x.z() - loss;
  return out;
}

Rigid BodyFracture::sinking() const {
  const double angle = std::atan2(anterior_loss_mm - posterior_loss_mm, 2 * wall_y_mm);
  const Eigen::Vector3d hinge(0, wall_y_mm, half_height_mm);
  Rigid motion;
  motion.rotation = Eigen::Quaterniond(Eigen::AngleAxisd(angle, Eigen::Vector3d::UnitX()));
  motion.translation_mm = hinge - motion.rotation * hinge - Eigen::Vector3d(0, 0, posterior_loss_mm);
  return motion;
}

BodyFracture fracture_body(const VertebraShape& shape, double share) {
  BodyFracture f;
  const double height = shape.size().posterior_height_mm;
  f.anterior_loss_mm = share * height;
  f.posterior_loss_mm = kPosteriorShare * share * height;
  f.half_height_mm = height / 2;
  f.wall_y_mm = shape.wall_y();
  return f;
}

double LesionShape::bone_distance_mm(const Eigen::Vector3d& x) const {
  const Eigen::Vector3d q = (x - local_centre_mm).cwiseQuotient(half_mm);
  const double scale = half_mm.minCoeff(), core = power_norm(q, exponent), outer = core - 1;
  double d = outer * scale;
  if (outer < 0.5) {  // else far: the sphere that holds it will do
    double inner = core - kCoreRadius;
    for (const Ball& b : balls) inner = std::min(inner, (q - b.centre).norm() - b.radius);
    inner += kRoughness * noise_share(x, 0.55 * radius_mm, seed);
    d = std::max(inner, outer) * scale;
  }
  for (const Tube& t : tubes)
    d = std::min(
        d, segment_distance(x, t.a_mm, t.b_mm) - t.radius_mm * (1 - kRoughness * noise_share(x, 3, seed)));
  return d;
}

bool LesionShape::in_channel(const Eigen::Vector3d& x) const {
  return channel && segment_distance(x, channel->a_mm, channel->b_mm) < channel->radius_mm;
}

bool LesionShape::in_paraspinal(const Eigen::Vector3d& x) const {
  if (mass_half_mm.minCoeff() <= 0) return false;
  const double rho = (x - mass_centre_mm).cwiseQuotient(mass_half_mm).norm();
  return rho < 1 && rho + 0.3 * noise_share(x, 0.8 * mass_half_mm.x(), seed + 1) < 1;
}

Material lesion_material(LesionKind kind, bool island) {
  switch (kind) {
    case LesionKind::lytic:
      return Material::tumour_lytic;
    case LesionKind::blastic:
      return Material::tumour_blastic;
    case LesionKind::marrow:
      return Material::tumour_marrow;
    case LesionKind::mixed:
      break;
  }
  return island ? Material::tumour_blastic : Material::tumour_lytic;
}

Material LesionShape::material_at(const Eigen::Vector3d& x) const {
  return lesion_material(options.kind, noise_share(x, 0.3 * radius_mm, seed + 2) > 0.5);
}

bool LesionShape::eats_cortex(const Eigen::Vector3d& x, double distance_mm) const {
  if (options.kind != LesionKind::lytic && options.kind != LesionKind::mixed) return false;
  return distance_mm < kErosion_mm && noise_share(x, 1.2, seed + 3) > 0.25 + 0.75 * distance_mm / kErosion_mm;
}

namespace {

/// Semi-axes and centre in the body; the gap that is left to the wall.
void place_in_body(LesionShape& out, const VertebraShape& shape, double jitter_x, double jitter_z) {
  LesionOptions& l = out.options;
  const VertebraSize& size = shape.size();
  const Eigen::Vector2d half = shape.body_half(0);
  const double h = size.posterior_height_mm / 2;
  const double radius = l.radius_mm.value_or(std::min({kUsualRadius_mm, kUsualShare * half.y(), h - 2}));
  const std::string body = "body of " + size.level;
  const double widest = std::max(shape.body_half(h).x(), shape.body_half(-h).x());
  if (radius > widest - 0.5)
    throw ConfigError(
        fmt::format("a lesion of {:g} mm does not fit", 2 * radius), body,
        fmt::format("it is larger than the body: make it smaller than {:.0f} mm", 2 * widest - 1));
  const bool open = l.opens_wall();
  const double free_depth = 2 * half.y() - 1;
  double gap = open ? 0 : l.wall_gap_mm.value_or(std::min(kUsualRadius_mm, kUsualShare * half.y()));
  if (l.place == LesionPlace::central) gap = std::max(0.5, half.y() - radius);
  if (!open && !l.wall_gap_mm)  // a large lesion comes nearer to the wall, as far as bone is left
    gap = std::clamp(free_depth - 2 * radius, std::min(gap, 1.0), gap);
  const double half_depth = std::min(radius, (free_depth - gap) / 2);
  if (half_depth < kLeastDepthShare * radius)
    throw ConfigError(fmt::format("a lesion of {:g} mm does not fit", 2 * radius), body,
                      "make it smaller, or the gap to the wall");
  out.half_mm = {radius, half_depth, std::min(radius, h - 0.3)};
  out.radius_mm = radius;
  out.wall_gap_mm = gap;
  const auto across = [&](double share, double most) {
    return l.side *
           std::clamp((share + jitter_x) * half.x(), 0.0, std::max(0.0, std::min(most, half.x() - radius)));
  };
  const double up = jitter_z * std::max(0.0, h - 1.5 - out.half_mm.z());
  switch (l.place) {
    case LesionPlace::posterior:
      // Beside the midline, to which the ligament is tethered, where the lesion opens the wall.
      out.local_centre_mm = {across(0.38, open ? 0.55 * size.canal_width_mm / 2 : 1e9),
                             half.y() - gap - half_depth, up};
      break;
    case LesionPlace::anterior:
      out.local_centre_mm = {across(0.30, 1e9), -half.y() + gap + half_depth, up};
      break;
    default:
      out.local_centre_mm = {l.side * jitter_x * std::max(0.0, half.x() - radius), 0, up};
      break;
  }
}

void place_in_pedicle(LesionShape& out, const VertebraShape& shape) {
  const LesionOptions& l = out.options;
  const double most = shape.size().pedicle_height_mm;
  const double radius = l.radius_mm.value_or(std::min(kUsualRadius_mm, most / 2));
  if (radius > most)
    throw ConfigError(fmt::format("a lesion of {:g} mm does not fit", 2 * radius),
                      "pedicle of " + shape.size().level,
                      fmt::format("make it smaller than {:.0f} mm, or let a lesion of the body grow into the "
                                  "pedicle (posterior,pedicle)",
                                  2 * most));
  out.radius_mm = radius;
  out.half_mm.setConstant(radius);
  out.local_centre_mm = shape.pedicle_centre(l.side);
}

}  // namespace

LesionShape shape_lesion(const LesionOptions& options, std::uint64_t seed, const VertebraShape& shape,
                         const Rigid& world_from_vertebra, const BodyFracture& fracture) {
  LesionShape out;
  out.options = options;
  out.fracture = fracture;
  out.vertebra_from_world = inverse(world_from_vertebra);
  auto rng = trial_rng(seed, kLesionStream);
  std::uniform_real_distribution<double> uniform(-1, 1);
  out.seed = rng();
  const double jitter_x = kJitterAcross * uniform(rng), jitter_z = uniform(rng);
  const VertebraSize& size = shape.size();
  const bool in_pedicle = options.place == LesionPlace::pedicle;
  if (in_pedicle)
    place_in_pedicle(out, shape);
  else
    place_in_body(out, shape, jitter_x, jitter_z);

  out.exponent = std::min(kBoxy, 2 + 6 * (1 - out.half_mm.z() / out.radius_mm));
  while (out.balls.size() < 5) {
    const Eigen::Vector3d d(uniform(rng), uniform(rng), uniform(rng));
    if (d.norm() > 1 || d.norm() < 0.2) continue;
    const double radius = 0.66 + 0.08 * uniform(rng);
    out.balls.push_back({d.normalized() * (1.06 - radius), radius});  // noise takes 0.06 off, on average
  }
  const Eigen::Vector3d& c = out.local_centre_mm;
  for (const int side : {1, -1})
    if (options.pedicles == 2 || (options.pedicles == 1 && side == options.side)) {
      const Eigen::Vector3d to =
          shape.pedicle_centre(side) + Eigen::Vector3d(0, 0.2 * size.canal_depth_mm, 0);
      out.tubes.push_back({c, to, 0.25 * (size.pedicle_width_mm + size.pedicle_height_mm)});
    }
  const Eigen::Vector2d half = shape.body_half(0);
  if (options.opens_wall()) {
    const double width = options.wall_defect_mm.value_or(kChannel_mm);
    out.options.wall_defect_mm = width;
    out.channel = {c, {c.x(), shape.wall_y() + 3, c.z()}, width / 2};
  }
  if (options.paraspinal) {
    const double r = std::clamp(0.9 * out.radius_mm, 6.0, 16.0);
    out.mass_centre_mm = {options.side * (half.x() + 0.35 * r), -0.05 * half.y(), c.z()};
    out.mass_half_mm = {0.9 * r, r, 1.15 * r};
    out.tubes.push_back({c, out.mass_centre_mm, 0.4 * r});
  }
  // The curtain, where the wall is open or behind the lesion; its thickness is solved for the grade.
  const Eigen::Vector3d wall =
      world_from_vertebra *
      fracture.after({0, shape.wall_y(), std::clamp(c.z(), -0.5 * half.y(), 0.5 * half.y())});
  out.curtain.z_mm = wall.z();
  out.curtain.side = options.side;
  out.curtain.other_lobe = 0.85 + 0.12 * uniform(rng);
  out.curtain.tether_mm = 2 + 0.5 * uniform(rng);
  out.grade_share = 0.5 + 0.5 * uniform(rng);
  out.curtain.half_length_mm = 0.5 * size.posterior_height_mm + 1 + uniform(rng);

  out.options.radius_mm = out.radius_mm;
  out.centre_mm = world_from_vertebra * fracture.after(c);
  // The part of the world that may change: the solids with 3 mm around, and the canal behind.
  Eigen::AlignedBox3d local(c - out.half_mm, c + out.half_mm);
  for (const LesionShape::Tube& t : out.tubes)
    for (const Eigen::Vector3d& end : {t.a_mm, t.b_mm})
      local.extend(Eigen::AlignedBox3d(end.array() - t.radius_mm, end.array() + t.radius_mm));
  if (options.paraspinal)
    local.extend(
        Eigen::AlignedBox3d(out.mass_centre_mm - out.mass_half_mm, out.mass_centre_mm + out.mass_half_mm));
  if (out.channel) local.extend(Eigen::Vector3d(out.channel->b_mm.array() + out.channel->radius_mm));
  local.min().array() -= 3 + fracture.anterior_loss_mm;
  local.max().array() += 3 + fracture.anterior_loss_mm;
  for (int corner = 0; corner < 8; ++corner)
    out.box.extend(world_from_vertebra * local.corner(Eigen::AlignedBox3d::CornerType(corner)));
  return out;
}

}  // namespace spinetherm
