// SPDX-License-Identifier: Apache-2.0
// The parts of a vertebra behind its body. Forms and places that no column of vertebrae.json names are drawn
// after anatomical atlases; no measurement.
#include <cmath>

#include "datasets/vertebra_shape.h"
#include "imaging/core/units.h"

namespace spinetherm {
namespace {

// Cortex [mm], recalled.
constexpr double kShellLamina = 1.5, kShellFacet = 1.5, kShellProcess = 1.1, kShellSacrum = 0.8;

}  // namespace

void VertebraShape::add_tube(const Eigen::Vector3d& a, const Eigen::Vector3d& b, double radius_a,
                             double radius_b, double shell, const Eigen::Vector3d& thin, double flat) {
  parts_.push_back({Form::tube, a, b, radius_a, radius_b, thin.normalized(), flat, shell});
}

FacetPlane VertebraShape::upper_joint() const {
  const double angle = size_.facet_angle_deg * kPi / 180, tilt = size_.facet_tilt_deg * kPi / 180;
  // Of the process that stands `facet_height_mm` above the endplate, the joint is the upper part.
  const double below_tip = region_ == Region::lumbar || region_ == Region::sacral ? 9.0
                           : region_ == Region::thoracic                          ? 5.5
                                                                                  : 2.5;
  return {{size_.facet_offset_mm, canal_y_ + size_.facet_behind_mm,
           half_height_ + size_.facet_height_mm - below_tip},
          {-std::cos(angle) * std::cos(tilt), std::sin(angle) * std::cos(tilt), std::sin(tilt)}};
}

double VertebraShape::spinous_tip_y() const { return canal_y_ + size_.canal_depth_mm / 2 + spinous_run_ + 2; }

Eigen::Vector3d VertebraShape::transverse_tip(int side) const {
  const double x = side * size_.transverse_tip_mm;
  switch (region_) {
    case Region::cervical: {
      const double c7 = size_.level == "C7" ? 5 : 0;
      return {x, wall_y_ + 3 + c7, pedicle_z_ - 2.5};
    }
    case Region::thoracic:
      return {x, canal_y_ + 13, pedicle_z_ + 1};
    case Region::lumbar:
      return {x, canal_y_ + 5, pedicle_z_ - 1};
    case Region::sacral:
      break;
  }
  return {side * 52.0, canal_y_ + 2, pedicle_z_ - 6};  // the wing
}

Eigen::Vector3d VertebraShape::superior_facet_tip(int side) const {
  const FacetPlane joint = upper_joint();
  return {side * (joint.at_mm.x() - 3.5 * joint.normal.x()), joint.at_mm.y() - 2.5 * joint.normal.y(),
          half_height_ + size_.facet_height_mm};
}

std::optional<Eigen::Vector2d> VertebraShape::transverse_foramen(int side) const {
  if (region_ != Region::cervical) return {};
  // Lateral to pedicle and body, before the pillar.
  const Eigen::Vector3d c = pedicle_centre(1);
  const double forwards = 3.2, outwards = size_.pedicle_width_mm / 2 + 3.4;
  return Eigen::Vector2d(side * (c.x() - forwards * pedicle_sin_ + outwards * pedicle_cos_),
                         c.y() - forwards * pedicle_cos_ - outwards * pedicle_sin_);
}

void VertebraShape::add_arch() {
  if (region_ != Region::sacral) parts_.push_back({Form::pedicle});
  parts_.push_back({Form::lamina});
  parts_.back().shell = kShellLamina;
  parts_.push_back({Form::plate});
  parts_.back().shell = kShellProcess;
}

void VertebraShape::add_joints() {
  const FacetPlane up = upper_joint();
  FacetPlane down = up;
  down.at_mm.z() -= size_.posterior_height_mm + size_.disc_below_mm;
  if (style_.below) down = *style_.below;
  const double swell = 1 + 0.12 * style_.lip_mm / 2.5;
  const Eigen::Vector3d z(0, 0, 1);
  // Directions in the planes of the joints that run upwards.
  const auto in_plane = [&](const FacetPlane& p) { return (z - p.normal.z() * p.normal).normalized(); };
  const Eigen::Vector3d tu = in_plane(up), td = in_plane(down);
  const double end = size_.canal_depth_mm / 2;
  // Where the pedicle ends behind; the sacrum has none, and its process stands on the posterior wall.
  const Eigen::Vector3d pedicle_end =
      region_ == Region::sacral
          ? Eigen::Vector3d(size_.facet_offset_mm - 2, canal_y_ + 6, -4)
          : Eigen::Vector3d(pedicle_centre(1).x() + 0.5 * end * pedicle_sin_, canal_y_ + 1.5, pedicle_z_ - 1);
  const Eigen::Vector3d& at = up.at_mm;
  switch (region_) {
    case Region::cervical: {
      // A pillar between two slanting plates.
      const Eigen::Vector3d top = at - 2.6 * up.normal, low = down.at_mm + 2.6 * down.normal;
      add_tube(top - 2.2 * tu, top + 2.2 * tu, 5.2 * swell, 5.0 * swell, kShellFacet, up.normal, 1.5);
      add_tube(low - 2.2 * td, low + 2.2 * td, 5.0 * swell, 5.2 * swell, kShellFacet, down.normal, 1.5);
      add_tube(top - 1.5 * up.normal, low + 1.5 * down.normal, 4.6, 4.6, kShellProcess);
      add_tube(pedicle_end, (top + low) / 2, 3.0, 4.0, kShellProcess);
      break;
    }
    case Region::thoracic: {
      const bool lumbar_below = down.normal.x() < -0.5;  // T12
      const Eigen::Vector3d top = at - 2.0 * up.normal;
      add_tube(top - 6 * tu, top + 2.6 * tu, 4.8, 4.4 * swell, kShellFacet, up.normal, 1.7);
      add_tube(pedicle_end, top - 5 * tu, 4.6, 4.2, kShellProcess);
      const Eigen::Vector3d low = down.at_mm + (lumbar_below ? 3.0 : 2.2) * down.normal;
      add_tube(low + 9 * td, low - 3 * td, 5.0, 4.6 * swell, kShellFacet, down.normal,
               lumbar_below ? 1.3 : 1.7);
      add_tube(pedicle_end - 2 * z, low + 9 * td, 4.4, 4.6, kShellProcess);
      break;
    }
    case Region::lumbar:
    case Region::sacral: {
      const Eigen::Vector3d top = at - 3.5 * up.normal;
      add_tube(top - 7 * tu, top + 3.0 * tu, 7.2 * swell, 6.0 * swell, kShellFacet, up.normal, 1.5);
      // Mammillary process: a knob behind.
      add_tube(top + Eigen::Vector3d(1.5, 3.5, -3), top + Eigen::Vector3d(1.5, 3.5, -6), 3.0, 3.4,
               kShellProcess);
      add_tube(pedicle_end, top - 7 * tu, 5.2, 5.0, kShellProcess);
      if (region_ == Region::sacral) break;
      const Eigen::Vector3d low = down.at_mm + 3.7 * down.normal;
      add_tube(low + 9 * td, low - 4.5 * td, 6.4, 6.8 * swell, kShellFacet, down.normal, 1.35);
      // Pars interarticularis.
      const Eigen::Vector3d isthmus(up.at_mm.x() - 0.5, canal_y_ + 6.0,
                                    pedicle_z_ - 0.42 * size_.posterior_height_mm);
      add_tube(pedicle_end - 2 * z, isthmus, 5.0, 4.4, kShellProcess + 0.4);
      add_tube(isthmus, low + 9 * td, 4.4, 5.0, kShellProcess + 0.4);
      break;
    }
  }
}

void VertebraShape::add_processes() {
  const Eigen::Vector3d tip = transverse_tip(1);
  const double ca = size_.canal_width_mm / 2;
  switch (region_) {
    case Region::cervical: {
      const Eigen::Vector2d f = *transverse_foramen(1);
      const bool c7 = size_.level == "C7";
      // Costal bar from the body to the anterior tubercle, bar to the posterior tubercle, and back to the
      // pillar.
      const Eigen::Vector3d body(body_half(0).x() - 1.5, f.y() - 3.5, pedicle_z_ - 2.5);
      const Eigen::Vector3d front(f.x() + 1.5, f.y() - 4.6, pedicle_z_ - 3);
      const Eigen::Vector3d outer(f.x() + 4.9, f.y() - 0.5, pedicle_z_ - 4);
      const Eigen::Vector3d knob(std::max(tip.x() - 2, f.x() + 4.9), f.y() + 4, pedicle_z_ - 3.5);
      add_tube(body, front, c7 ? 1.4 : 1.8, c7 ? 1.4 : 2.2, kShellProcess);
      add_tube(front, outer, c7 ? 1.3 : 1.9, 1.6, kShellProcess);
      add_tube(outer, knob, 1.6, c7 ? 3.0 : 2.4, kShellProcess);
      add_tube(knob, Eigen::Vector3d(size_.facet_offset_mm + 1, canal_y_ + 1.5, pedicle_z_ - 2.5),
               c7 ? 3.2 : 2.4, 3.0, kShellProcess);
      if (!c7) {  // bifid spinous process
        const double u = spinous_run_;
        const Eigen::Vector3d stem(0.6, canal_y_ + size_.canal_depth_mm / 2 + u - 3,
                                   spinous_z_ - spinous_tan_ * (u - 3));
        add_tube(stem, stem + Eigen::Vector3d(4.0, 4.5, -2.0), 2.0, 1.9, kShellProcess);
      }
      break;
    }
    case Region::thoracic: {
      const Eigen::Vector3d root(ca + 3.5, canal_y_ + 4, pedicle_z_ - 2);
      const double knob = std::min(4.6, 0.14 * size_.transverse_tip_mm + 0.4);
      add_tube(root, tip - Eigen::Vector3d(knob, 0.5, 0), 4.4, knob + 0.4, kShellProcess, {0, 1, 0}, 1.15);
      break;
    }
    case Region::lumbar: {
      // Long and flat; broad where it is fused with the sacrum.
      const bool broad = size_.transverse_tip_mm > 50, fifth = size_.level == "L5" || size_.level == "L6";
      const Eigen::Vector3d root(pedicle_centre(1).x() + 0.3 * size_.pedicle_width_mm,
                                 canal_y_ - (fifth ? 5 : 1), pedicle_z_ - 1);
      const double r = broad ? 11 : fifth ? 6.5 : 5.2;
      add_tube(root, tip - Eigen::Vector3d(r - 0.6, 0, 0), fifth ? 7.5 : 5.6, r - 0.6, kShellProcess,
               {0, 1, 0}, broad ? 1.7 : 1.75);
      break;
    }
    case Region::sacral:
      break;
  }
}

void VertebraShape::add_sacrum() {
  // Wings, the lateral mass below them, and the posterior wall.
  add_tube({20, 1, -8.5}, {46, 13, -20}, 10.5, 14, kShellSacrum);
  add_tube({44, 14, -19}, {34, 22, -48}, 15, 13, kShellSacrum);
  const double back = canal_y_ + size_.canal_depth_mm / 2;
  add_tube({14, back + 3, -10}, {12, back + 4, -42}, 5, 5, kShellSacrum);
}

/// To the way of the first sacral root, out of the canal and forwards.
double VertebraShape::sacral_tunnel_distance(const Eigen::Vector3d& m) const {
  const Eigen::Vector3d from(5, canal_y_ - 0.5, 2), to(20, wall_y_ - 6, -24);
  return segment_distance(m, from, to + 0.6 * (to - from)) - 4.5;
}

/// Takes the canal out of the arch, and the transverse foramina.
double VertebraShape::carved(double arch, const Eigen::Vector3d& m) const {
  double out = std::max(arch, -canal_distance(m));
  if (region_ == Region::cervical) {
    const double radius = size_.level == "C7" ? 2.2 : 3.0;
    out = std::max(out, radius - std::hypot(m.x() - foramen_.x(), m.y() - foramen_.y()));
  } else if (region_ == Region::sacral) {
    out = std::max(out, -sacral_tunnel_distance(m));
  }
  return out;
}

}  // namespace spinetherm
