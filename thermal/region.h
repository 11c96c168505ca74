// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Eigen/Dense>
#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace spinetherm {

struct Region;

struct Sphere {
  Eigen::Vector3d centre_mm{0, 0, 0};
  double radius_mm = 0;
  bool operator==(const Sphere&) const = default;
};
/// All points within `radius_mm` of the segment a-b: round ends.
struct Capsule {
  Eigen::Vector3d a_mm{0, 0, 0}, b_mm{0, 0, 0};
  double radius_mm = 0;
  bool operator==(const Capsule&) const = default;
};
/// Flat ends at a and b.
struct Cylinder {
  Eigen::Vector3d a_mm{0, 0, 0}, b_mm{0, 0, 0};
  double radius_mm = 0;
  bool operator==(const Cylinder&) const = default;
};
/// All points within `radius_mm` of a line of straight pieces: bent needles and tines. Joints are round, ends
/// round or flat. Two points or more, no two in a row alike.
struct Tube {
  std::vector<Eigen::Vector3d> points_mm;
  double radius_mm = 0;
  bool flat_ends = false;
  bool operator==(const Tube&) const = default;
};
/// Ellipsoid of revolution; `long_half_mm` along `axis`, `short_half_mm` across.
struct Prolate {
  Eigen::Vector3d centre_mm{0, 0, 0};
  Eigen::Vector3d axis{0, 0, 1};
  double long_half_mm = 0, short_half_mm = 0;
  bool operator==(const Prolate&) const = default;
};
struct Box {
  Eigen::Vector3d min_mm{0, 0, 0}, max_mm{0, 0, 0};
  bool operator==(const Box&) const = default;
};
/// Everything that is not in `inside`.
struct Outside {
  std::shared_ptr<const Region> inside;
  bool operator==(const Outside&) const;
};

/// Exact geometry of an applicator part, millimetres in the frame of the thermal grid.
struct Region {
  std::variant<Sphere, Capsule, Cylinder, Tube, Prolate, Box, Outside> shape = Sphere{};
  bool operator==(const Region&) const = default;
};

/// Throws ConfigError at `where` for radii that are not positive, boxes that are inside out, an axis of
/// length 0.
void validate(const Region& region, const std::string& where);

/// Signed distance [mm] to the surface, negative inside. Exact for all shapes but the prolate spheroid, whose
/// distance is found by Newton's method to 1e-9 mm, and the inside of a tube's bends, where the true depth
/// may be larger.
double signed_distance_mm(const Region& region, const Eigen::Vector3d& x_mm);

inline bool contains(const Region& region, const Eigen::Vector3d& x_mm) {
  return signed_distance_mm(region, x_mm) <= 0;
}

/// Fraction [0, 1] of the axis-aligned box (centre, edge lengths) that the region covers.
double covered_fraction(const Region& region, const Eigen::Vector3d& centre_mm,
                        const Eigen::Vector3d& edge_mm);

/// Fraction t in [0, 1] of the way from `from_mm` (outside) to `to_mm` (inside) at which the segment meets
/// the surface.
double crossing_fraction(const Region& region, const Eigen::Vector3d& from_mm, const Eigen::Vector3d& to_mm);

/// Volume [mm3]; infinite for Outside.
double volume_mm3(const Region& region);
/// Area of the surface [mm2].
double surface_mm2(const Region& region);
/// Convex bodies whose union the region is: cylinders or capsules and spheres for a tube, else the region
/// itself. Outside is not convex and comes back as it is.
std::vector<Region> convex_parts(const Region& region);

/// Where a point lies beside the centre line of a tube, both ends continued straight.
struct BesideLine {
  double distance_mm = 0;  ///< to the line
  double along_mm = 0;  ///< of the nearest point, from the first end; below 0 and beyond `length_mm` outside
  double length_mm = 0;
};
BesideLine beside_line(const Tube& tube, const Eigen::Vector3d& x_mm);

/// Axis-aligned box around the region; infinite for Outside.
Box bounding_box(const Region& region);

}  // namespace spinetherm
