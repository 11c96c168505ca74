// SPDX-License-Identifier: Apache-2.0
#include "thermal/radiator_shaft.h"

namespace spinetherm {
namespace {

using Eigen::Vector3d;

Region shaft(const Vector3d& tip_mm, const Vector3d& entry_mm, double radius_mm) {
  return {Capsule{tip_mm + radius_mm * (entry_mm - tip_mm).normalized(), entry_mm, radius_mm}};
}

}  // namespace

Region shaft_of(const AntennaSource& source) {
  return shaft(source.tip_mm, source.entry_mm, source.antenna.catheter_radius_mm);
}

std::optional<Region> sleeve_of(const AntennaSource& source) {
  const auto& sleeve = source.antenna.sleeve;
  const Vector3d along = source.entry_mm - source.tip_mm;
  if (!sleeve || sleeve->from_tip_mm >= along.norm()) return std::nullopt;
  return Region{
      Cylinder{source.tip_mm + sleeve->from_tip_mm * along.normalized(), source.entry_mm, sleeve->radius_mm}};
}

std::optional<Region> shaft_of(const LightSource& source) {
  if (source.radius_mm == 0) return std::nullopt;
  if (source.entry_mm) return shaft(*source.tip_mm, *source.entry_mm, source.radius_mm);
  if (source.a_mm == source.b_mm) return Region{Sphere{source.a_mm, source.radius_mm}};
  return Region{Capsule{source.a_mm, source.b_mm, source.radius_mm}};
}

}  // namespace spinetherm
