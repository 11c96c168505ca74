// SPDX-License-Identifier: Apache-2.0
#include "datasets/posture.h"

#include <algorithm>
#include <cmath>

#include "imaging/core/distance.h"
#include "imaging/core/error.h"
#include "imaging/core/random.h"
#include "imaging/core/units.h"

namespace spinetherm {
namespace {

constexpr double kReach_mm = 150, kRim_mm = 0.3, kNode_mm = 1, kBeyond_mm = 8;
enum PostureStream : std::uint64_t { kJointStream = 0x706f7374 };

/// Distance to a vertebra's bone [mm] on a grid in its own frame, negative inside: the shape's own near the
/// surface, where it is exact, from the grid's inner nodes further out.
Volume<float> bone_distance(const VertebraShape& shape) {
  constexpr double kOwn_mm = 2, kGrid_mm = 4;
  const Eigen::AlignedBox3d box = shape.box();
  const Eigen::Vector3d beyond = Eigen::Vector3d::Constant(kBeyond_mm);
  const Grid grid = box_grid(box.min() - beyond, box.max() + beyond, kNode_mm);
  Volume<float> own(grid);
  Volume<std::uint8_t> inside(grid);
#pragma omp parallel for schedule(dynamic)
  for (int k = 0; k < grid.size[2]; ++k)
    for (int j = 0; j < grid.size[1]; ++j)
      for (int i = 0; i < grid.size[0]; ++i) {
        const double d = shape.at(grid.to_world(i, j, k)).distance_mm;
        own(i, j, k) = float(d);
        inside(i, j, k) = d < 0;
      }
  Volume<float> out = distance_to_mm(inside);
  for (std::size_t n = 0; n < out.values.size(); ++n) {
    const double d = own[n];
    const double t = std::clamp((d - kOwn_mm) / (kGrid_mm - kOwn_mm), 0.0, 1.0);
    if (t < 1) out[n] = float((1 - t) * d + t * double(out[n]));
  }
  return out;
}

}  // namespace

/// Distance to the bone of one vertebra, and its motion, in the form that the sum needs.
struct Posture::Bone {
  const VertebraShape* shape = nullptr;
  Volume<float> distance;
  Eigen::Matrix3d cbct_rotation, local_rotation;  ///< of T_i^-1, and on to the vertebra's frame
  Eigen::Vector3d cbct_shift, local_shift;
  Rigid mri_from_cbct, local_from_cbct;
  Eigen::Vector3d low, high;

  void move(const Rigid& motion) {
    mri_from_cbct = motion;
    const Rigid back = inverse(motion), local = local_from_cbct * back;
    cbct_rotation = back.rotation.toRotationMatrix();
    cbct_shift = back.translation_mm;
    local_rotation = local.rotation.toRotationMatrix();
    local_shift = local.translation_mm;
  }
  /// Distance at a point of the vertebra's frame. Near the surface the shape's own is taken where it is less:
  /// the grid misses thin bone.
  double at(const Eigen::Vector3d& p) const {
    constexpr double kOwn_mm = 0.6, kGrid_mm = 1.2;
    const double d = interpolated(p);
    if (d <= kRim_mm || d >= kGrid_mm) return d;
    const double own = depth(p);
    if (own < 0) return 0;
    const double t = std::clamp((d - kOwn_mm) / (kGrid_mm - kOwn_mm), 0.0, 1.0);
    return (1 - t) * std::min(d, own) + t * d;
  }
  /// The shape's own distance, by which the model decides where two vertebrae touch.
  double depth(const Eigen::Vector3d& p) const { return shape->at(p).distance_mm; }
  /// From the grid; beyond its box the way to it is added.
  double interpolated(const Eigen::Vector3d& p) const {
    const Eigen::Vector3d in = p.cwiseMax(low).cwiseMin(high);
    const Grid& g = distance.grid;
    const Eigen::Vector3d f = (in - g.origin_mm) / kNode_mm;
    const int i = std::min(int(f.x()), g.size[0] - 2), j = std::min(int(f.y()), g.size[1] - 2),
              k = std::min(int(f.z()), g.size[2] - 2);
    const double a = f.x() - i, b = f.y() - j, c = f.z() - k;
    const std::size_t row = std::size_t(g.size[0]), slice = row * std::size_t(g.size[1]);
    const float* v = &distance.values[g.index(i, j, k)];
    const auto line = [&](const float* p4) { return (1 - a) * double(p4[0]) + a * double(p4[1]); };
    const double d = (1 - c) * ((1 - b) * line(v) + b * line(v + row)) +
                     c * ((1 - b) * line(v + slice) + b * line(v + slice + row));
    return d + (p - in).norm();
  }
};

Posture::~Posture() = default;

Posture::Posture(const SpineModel& model, const PostureOptions& options, const Rigid& pose,
                 std::uint64_t seed)
    : model_(&model),
      options_(options),
      neural_(model, options.neural_factor),
      pose_(pose),
      back_(inverse(pose)) {
  options.validate();
  for (const PlacedVertebra& v : model.vertebrae()) motions_.push_back({v.shape.size().level, pose});
  const bool still = options.flexion_sd_deg == 0 && options.side_sd_deg == 0 && options.shift_sd_mm == 0 &&
                     options.disc_low_mm == 0 && options.disc_high_mm == 0;
  if (still) return;
  for (const PlacedVertebra& v : model.vertebrae()) {
    Bone bone;
    bone.shape = &v.shape;
    bone.distance = bone_distance(v.shape);
    bone.local_from_cbct = v.vertebra_from_world;
    const Grid& g = bone.distance.grid;
    bone.low = g.origin_mm;
    bone.high = g.to_world(g.size[0] - 1, g.size[1] - 1, g.size[2] - 1);
    bone.move(pose);
    bones_.push_back(std::move(bone));
  }
  draw(seed);
}

/// Points of the lower vertebra's surface that face the upper one: their place in the lower vertebra's frame,
/// and how far from the upper bone they lie in the CBCT.
struct Posture::Contact {
  Eigen::Vector3d at_mm;
  double gap_mm;
};
std::vector<Posture::Contact> Posture::contacts(std::size_t upper) const {
  constexpr double kNear_mm = 3, kSurface_mm = 0.6;
  const Bone &up = bones_[upper], &low = bones_[upper + 1];
  const Rigid upper_from_lower = up.local_from_cbct * inverse(low.local_from_cbct);
  const Grid& g = low.distance.grid;
  std::vector<Contact> out;
  for (std::size_t n = 0; n < low.distance.values.size(); ++n) {
    const double surface = low.distance[n];
    if (std::abs(surface) > kSurface_mm) continue;
    const auto row = std::size_t(g.size[0]), slice = row * std::size_t(g.size[1]);
    const Eigen::Vector3d p = g.to_world(int(n % row), int(n % slice / row), int(n / slice));
    const double gap = up.interpolated(upper_from_lower * p) + surface;
    if (gap > 0 && gap < kNear_mm) out.push_back({p, gap});  // what touches already may go on to
  }
  return out;
}

/// Shifts the moving one of two vertebrae until every facet keeps a part of its gap, as the facets of a spine
/// guide its motion. False when they do not come free within 2 mm.
bool Posture::free_joint(std::size_t upper, bool lower_moves, const std::vector<Contact>& contacts) {
  constexpr double kKept = 0.35, kWanted = 0.5, kFar_mm = 2;
  Bone &up = bones_[upper], &low = bones_[upper + 1];
  Bone& moving = lower_moves ? low : up;
  Eigen::Vector3d pushed(0, 0, 0);
  for (int step = 0; step < 40; ++step) {
    const Rigid upper_from_lower =
        up.local_from_cbct * inverse(up.mri_from_cbct) * low.mri_from_cbct * inverse(low.local_from_cbct);
    double worst = 0, worst_kept = 0;
    const Contact* tightest = nullptr;
    for (const Contact& c : contacts) {
      const Eigen::Vector3d p = upper_from_lower * c.at_mm;
      const double gap = up.interpolated(p) + low.interpolated(c.at_mm);
      const double missing = kWanted * c.gap_mm - gap;
      worst_kept = std::max(worst_kept, kKept * c.gap_mm - gap);
      if (missing > worst) {
        worst = missing;
        tightest = &c;
      }
    }
    if (!tightest || (step > 20 && worst_kept <= 0)) return true;
    const Eigen::Vector3d p = upper_from_lower * tightest->at_mm;
    Eigen::Vector3d slope;
    for (int a = 0; a < 3; ++a)
      slope[a] = up.interpolated(p + 0.3 * Eigen::Vector3d::Unit(a)) -
                 up.interpolated(p - 0.3 * Eigen::Vector3d::Unit(a));
    if (slope.norm() < 1e-6) return false;
    const Rigid mri_from_upper = up.mri_from_cbct * inverse(up.local_from_cbct);
    const Eigen::Vector3d away = mri_from_upper.rotation * slope.normalized() * (worst + 0.02);
    pushed += lower_moves ? away : -away;
    if (pushed.norm() > kFar_mm) return false;
    Rigid motion = moving.mri_from_cbct;
    motion.translation_mm += lower_moves ? away : -away;
    moving.move(motion);
  }
  return false;
}

/// Moves vertebra after vertebra from the middle one outwards.
void Posture::draw(std::uint64_t seed) {
  constexpr int kTries = 400;
  const auto& vertebrae = model_->vertebrae();
  const std::size_t middle = vertebrae.size() / 2;
  // Joint n lies between vertebrae n and n + 1.
  const auto joint = [&](std::size_t n, std::size_t fixed, std::size_t moving) {
    auto rng = trial_rng(seed, (std::uint64_t(kJointStream) << 8) + n);
    std::normal_distribution<double> normal(0, 1);
    std::uniform_real_distribution<double> even(options_.disc_low_mm, options_.disc_high_mm);
    const PlacedVertebra &up = vertebrae[n], &low = vertebrae[n + 1];
    const Eigen::Vector3d disc =
        (up.world_from_vertebra * Eigen::Vector3d(0, 0, -up.shape.size().posterior_height_mm / 2) +
         low.world_from_vertebra * Eigen::Vector3d(0, 0, low.shape.size().posterior_height_mm / 2)) /
        2;
    const Eigen::Quaterniond frame = up.world_from_vertebra.rotation;
    const std::vector<Contact> near = contacts(n);
    for (int t = 0; t < kTries; ++t) {
      const Eigen::Vector3d turn(options_.flexion_sd_deg * normal(rng), options_.side_sd_deg * normal(rng),
                                 options_.side_sd_deg * normal(rng));
      Eigen::Vector3d shift(options_.shift_sd_mm * normal(rng), options_.shift_sd_mm * normal(rng),
                            options_.shift_sd_mm * normal(rng));
      shift.z() -= even(rng);  // of the lower vertebra
      if (turn.norm() <= options_.largest_deg) {
        Rigid motion;
        if (turn.norm() > 0)
          motion.rotation = Eigen::AngleAxisd(turn.norm() * kPi / 180, frame * turn.normalized());
        motion.translation_mm = disc - motion.rotation * disc + frame * shift;
        if (moving < fixed) motion = inverse(motion);
        bones_[moving].move(bones_[fixed].mri_from_cbct * motion);
        if (free_joint(n, moving > fixed, near)) {
          motions_[moving].mri_from_cbct = bones_[moving].mri_from_cbct;
          return;
        }
      }
      ++redrawn_;
    }
    throw ConfigError("no motion was found by which the facets do not meet",
                      "joint " + up.shape.size().level + "-" + low.shape.size().level,
                      "make the motions of the posture smaller");
  };
  for (std::size_t n = middle; n + 1 < vertebrae.size(); ++n) joint(n, n, n + 1);
  for (std::size_t n = middle; n > 0; --n) joint(n - 1, n, n - 1);
}

Eigen::Vector3d Posture::blended(const Eigen::Vector3d& y, double* nearest_mm) const {
  double total = 0, least = 1e9;
  Eigen::Vector3d sum(0, 0, 0), in_owner(0, 0, 0);
  const Bone *owner = nullptr, *nearest = &bones_.front();
  for (const Bone& bone : bones_) {
    const Eigen::Vector3d p = bone.local_rotation * y + bone.local_shift;
    const double d = bone.at(p);
    if (d < least) {
      least = d;
      nearest = &bone;
    }
    if (d <= kRim_mm) {
      if (!owner || bone.depth(p) < owner->depth(in_owner)) {
        owner = &bone;
        in_owner = p;
      }
      continue;
    }
    if (owner || d >= kReach_mm) continue;
    const double w = 1 / (d - kRim_mm) - 1 / (kReach_mm - kRim_mm);
    total += w;
    sum += w * (bone.cbct_rotation * y + bone.cbct_shift);
  }
  if (nearest_mm) *nearest_mm = least;
  if (!owner && total > 0) return sum / total;
  const Bone& one = owner ? *owner : *nearest;
  return one.cbct_rotation * y + one.cbct_shift;
}

/// The vertebra whose bone (with its rim) holds a point of the CBCT, the deeper one where two touch; null:
/// none.
const Posture::Bone* Posture::owner_of(const Eigen::Vector3d& x) const {
  const Bone* owner = nullptr;
  Eigen::Vector3d in_owner(0, 0, 0);
  for (const Bone& bone : bones_) {
    const Eigen::Vector3d p = bone.local_from_cbct * x;
    if (bone.at(p) > kRim_mm) continue;
    if (owner && bone.depth(p) >= owner->depth(in_owner)) continue;
    owner = &bone;
    in_owner = p;
  }
  return owner;
}

/// The point that blended() takes to x, which lies in no bone.
Eigen::Vector3d Posture::soft_to_mri(const Eigen::Vector3d& x) const {
  double total = 0;
  Eigen::Vector3d y(0, 0, 0);
  for (const Bone& bone : bones_) {
    const double w = 1 / std::max(bone.at(bone.local_from_cbct * x), 0.1);
    total += w;
    y += w * (bone.mri_from_cbct * x);
  }
  y /= total;
  // Newton with the rotation of the pose for the derivative; a slope taken by differences where that stalls.
  constexpr double kEnough_mm = 1e-7, h = 1e-3;
  Eigen::Vector3d left = x - blended(y, nullptr);
  for (int n = 0; n < 60 && left.norm() > kEnough_mm; ++n) {
    Eigen::Vector3d step = pose_.rotation * left;
    Eigen::Vector3d next = y + step, next_left = x - blended(next, nullptr);
    if (next_left.norm() > 0.5 * left.norm()) {
      Eigen::Matrix3d slope;
      for (int a = 0; a < 3; ++a)
        slope.col(a) = (blended(y + h * Eigen::Vector3d::Unit(a), nullptr) -
                        blended(y - h * Eigen::Vector3d::Unit(a), nullptr)) /
                       (2 * h);
      step = slope.fullPivLu().solve(left);
      double length = 1;
      do {
        next = y + length * step;
        next_left = x - blended(next, nullptr);
        length /= 2;
      } while (!(next_left.norm() < left.norm()) && length > 1e-4);
      if (!(next_left.norm() < left.norm())) break;
    }
    y = next;
    left = next_left;
  }
  return y;
}

Eigen::Vector3d Posture::cbct_from_mri(const Eigen::Vector3d& y) const {
  if (bones_.empty()) return neural_.prone_from_supine(back_ * y);
  double nearest_mm = 0;
  const Eigen::Vector3d x = blended(y, &nearest_mm);
  return nearest_mm <= kRim_mm ? x : neural_.prone_from_supine(x);
}

Eigen::Vector3d Posture::mri_from_cbct(const Eigen::Vector3d& x) const {
  if (bones_.empty()) return pose_ * neural_.supine_from_prone(x);
  if (const Bone* owner = owner_of(x)) return owner->mri_from_cbct * x;
  const Eigen::Vector3d supine = neural_.supine_from_prone(x);
  if (supine != x)
    if (const Bone* owner = owner_of(supine)) return owner->mri_from_cbct * supine;
  return soft_to_mri(supine);
}

SampledPosture::SampledPosture(const Posture& posture, const Eigen::AlignedBox3d& mri_box)
    : posture_(&posture) {
  if (!posture.bends()) return;
  const Eigen::Vector3d beyond = Eigen::Vector3d::Constant(kSpacing_mm);
  cbct_mm_ = Volume<Eigen::Vector3d>(box_grid(mri_box.min() - beyond, mri_box.max() + beyond, kSpacing_mm),
                                     Eigen::Vector3d::Zero());
  const Grid& g = cbct_mm_.grid;
  Volume<std::uint8_t> node_free(g);
#pragma omp parallel for schedule(dynamic)
  for (int k = 0; k < g.size[2]; ++k)
    for (int j = 0; j < g.size[1]; ++j)
      for (int i = 0; i < g.size[0]; ++i) {
        double nearest_mm = 0;
        cbct_mm_(i, j, k) = posture.blended(g.to_world(i, j, k), &nearest_mm);
        node_free(i, j, k) = nearest_mm >= kFree_mm;
      }
  free_ = Volume<std::uint8_t>(g);
  for (int k = 0; k + 1 < g.size[2]; ++k)
    for (int j = 0; j + 1 < g.size[1]; ++j)
      for (int i = 0; i + 1 < g.size[0]; ++i) {
        bool free = true;
        for (int c = 0; c < 8; ++c)
          free = free && node_free(i + (c & 1), j + (c >> 1 & 1), k + (c >> 2)) != 0;
        free_(i, j, k) = free;
      }
}

Eigen::Vector3d SampledPosture::cbct_from_mri(const Eigen::Vector3d& y) const {
  if (free_.values.empty()) return posture_->cbct_from_mri(y);
  const Grid& g = cbct_mm_.grid;
  const Eigen::Vector3d f = (y - g.origin_mm) / kSpacing_mm;
  if (!(f.minCoeff() >= 0)) return posture_->cbct_from_mri(y);
  const int i = int(f.x()), j = int(f.y()), k = int(f.z());
  if (i + 1 >= g.size[0] || j + 1 >= g.size[1] || k + 1 >= g.size[2] || free_(i, j, k) == 0)
    return posture_->cbct_from_mri(y);
  const double a = f.x() - i, b = f.y() - j, c = f.z() - k;
  const std::size_t row = std::size_t(g.size[0]), slice = row * std::size_t(g.size[1]);
  const Eigen::Vector3d* v = &cbct_mm_.values[g.index(i, j, k)];
  const auto line = [&](const Eigen::Vector3d* p) -> Eigen::Vector3d { return (1 - a) * p[0] + a * p[1]; };
  const Eigen::Vector3d x = (1 - c) * ((1 - b) * line(v) + b * line(v + row)) +
                            c * ((1 - b) * line(v + slice) + b * line(v + slice + row));
  return posture_->neural_.prone_from_supine(x);
}

Rigid best_rigid(const std::vector<Eigen::Vector3d>& from_mm, const std::vector<Eigen::Vector3d>& to_mm) {
  if (from_mm.size() < 3 || from_mm.size() != to_mm.size())
    throw ConfigError("needs three pairs of points or more", "best_rigid",
                      "give as many points on both sides");
  Eigen::Matrix3Xd from(3, Eigen::Index(from_mm.size())), to(3, Eigen::Index(to_mm.size()));
  for (std::size_t n = 0; n < from_mm.size(); ++n) {
    from.col(Eigen::Index(n)) = from_mm[n];
    to.col(Eigen::Index(n)) = to_mm[n];
  }
  const Eigen::Matrix4d t = Eigen::umeyama(from, to, false);
  return {Eigen::Quaterniond(Eigen::Matrix3d(t.topLeftCorner<3, 3>())).normalized(),
          t.topRightCorner<3, 1>()};
}

}  // namespace spinetherm
