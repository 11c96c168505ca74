// SPDX-License-Identifier: Apache-2.0
#pragma once

// Three ring vertebrae in a body, as simple shapes whose distances are known: the canal is an elliptic tube
// around the z axis, the body of a vertebra lies in front of it (-y), the pedicles beside it. LPS: +x left,
// +y back.

#include <cmath>

#include "imaging/core/anatomy.h"
#include "planning/target.h"

namespace spinetherm::testing {

struct SpineOptions {
  std::string level = "L3";  ///< of the middle vertebra
  double spacing_mm = 1;
  bool canal = true, content = true;  ///< labels of the canal, and of cord or cauda in it
  bool pedicles = true;               ///< bone of the pedicles
  bool organs = true;                 ///< every neighbour that the level calls for, in front of the spine
  bool roots = true;
  double back_mm = 70;  ///< y of the skin behind
  double edge_mm = 85;  ///< y of the image's edge behind
};

struct Spine {
  Anatomy anatomy;
  Volume<float> ct_HU;
};

constexpr double kCanalHalfWidth = 11, kCanalHalfDepth = 8;
constexpr double kVertebraPitch = 36;
/// Centre of the left pedicle of the middle vertebra [mm].
inline Eigen::Vector3d pedicle_centre(double side) { return {side * 16, -2, 8}; }

inline bool in_ellipse(double x, double y, double cx, double cy, double a, double b) {
  return std::pow((x - cx) / a, 2) + std::pow((y - cy) / b, 2) <= 1;
}
inline bool in_canal(double x, double y) { return in_ellipse(x, y, 0, 0, kCanalHalfWidth, kCanalHalfDepth); }

/// Bone of a vertebra whose centre is at z = 0.
inline bool in_vertebra(double x, double y, double z, bool pedicles) {
  if (in_canal(x, y)) return false;
  const double ax = std::abs(x);
  if (std::abs(z) <= 13.5 && in_ellipse(x, y, 0, -25.5, 22, 17.5)) return true;  // body
  if (std::abs(z) <= 13.5 && ax <= 14 && y <= -1 && y >= -14) return true;       // around the canal's front
  if (pedicles && z >= 2 && z <= 14 && ax >= 10 && ax <= 21 && y >= -14 && y <= 8) return true;
  if (z >= -12 && z <= 14 && y >= 3 && in_ellipse(x, y, 0, 4, 21, 13)) return true;  // arch
  if (std::abs(z) <= 8 && ax <= 3 && y >= 12 && y <= 38) return true;                // spinous process
  return z >= 3 && z <= 11 && ax >= 15 && ax <= 36 && y >= 2 && y <= 9;              // transverse process
}

inline Spine make_spine(const SpineOptions& o = {}) {
  Spine spine;
  Anatomy& a = spine.anatomy;
  const Grid grid = box_grid({-78, -85, -44}, {78, o.edge_mm, 44}, o.spacing_mm);
  a.labels = Volume<StructureValue>(grid);
  spine.ct_HU = Volume<float>(grid, -1000.0F);
  const auto above = *level_above(o.level), below = *level_below(o.level);
  const bool cord = *level_index(o.level) <= *level_index("L1");
  const std::string content = cord ? "cord" : "cauda";
  const auto value = [](const std::string& name) { return *structure_value(name); };
  const StructureValue vertebrae[3] = {value("vertebra_" + above), value("vertebra_" + o.level),
                                       value("vertebra_" + below)};
  std::vector<std::string> organs;
  if (o.organs)
    organs = cord ? std::vector<std::string>{"lung_left", "lung_right", "aorta", "oesophagus"}
                  : std::vector<std::string>{"aorta", "vena_cava", "bowel", "kidney_left", "kidney_right"};
  for (int k = 0; k < grid.size[2]; ++k)
    for (int j = 0; j < grid.size[1]; ++j)
      for (int i = 0; i < grid.size[0]; ++i) {
        const Eigen::Vector3d p = grid.to_world(i, j, k);
        if (!in_ellipse(p.x(), p.y(), 0, o.back_mm - 80, 74, 80)) continue;
        float HU = 50;
        StructureValue label = 0;
        for (int v = 0; v < 3; ++v)
          if (in_vertebra(p.x(), p.y(), p.z() - kVertebraPitch * (1 - v), o.pedicles)) {
            label = vertebrae[v];
            HU = 400;
          }
        if (!label && o.canal && in_canal(p.x(), p.y())) label = value("canal");
        if (o.content && in_ellipse(p.x(), p.y(), 0, 0, 5, 4)) label = value(content);
        for (std::size_t n = 0; n < organs.size(); ++n)  // balls along the front, all clear of the spine
          if (std::hypot(p.x() - (40.0 - 20.0 * double(n)), p.y() + 60) <= 8) label = value(organs[n]);
        a.labels(i, j, k) = label;
        spine.ct_HU(i, j, k) = HU;
      }
  for (int v = 0; v < 3; ++v)
    a.status["vertebra_" + (v == 0 ? above : v == 1 ? o.level : below)] = StructureStatus::imported;
  if (o.canal) a.status["canal"] = StructureStatus::imported;
  if (o.content) a.status[content] = StructureStatus::imported;
  for (const auto& name : organs) a.status[name] = StructureStatus::imported;
  if (o.roots)
    for (int v = 0; v < 3; ++v)
      for (const double side : {1.0, -1.0}) {
        const double z = kVertebraPitch * (1 - v);
        const std::string level = v == 0 ? above : v == 1 ? o.level : below;
        a.roots.push_back({"root_" + level + (side > 0 ? "_left" : "_right"),
                           Eigen::Vector3d(side * 9, 0, z - 2), Eigen::Vector3d(side * 34, -6, z - 16), 2});
        a.status[a.roots.back().name] = StructureStatus::modelled;
      }
  a.convention = "synthetic";
  return spine;
}

/// A ball in the left back of the middle body, 8 mm in front of the canal's front at its nearest.
inline Target make_target(const Eigen::Vector3d& centre_mm = {9, -23, 2}, double radius_mm = 7,
                          const std::string& level = "L3") {
  Target t;
  t.level = level;
  t.kind = "lytic";
  t.mask = ellipsoid_mask(centre_mm, Eigen::Vector3d::Constant(radius_mm), 1);
  return t;
}

}  // namespace spinetherm::testing
