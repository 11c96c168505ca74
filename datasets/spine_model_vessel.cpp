// SPDX-License-Identifier: Apache-2.0
// Small vessels: segmental arteries and veins around the bodies, vertebral arteries. Drawn after anatomical
// atlases; no measurement.
#include <cmath>

#include "datasets/spine_model.h"
#include "imaging/core/units.h"

namespace spinetherm {

void SpineModel::place_vessels() {
  const StructureValue vessel = *structure_value("vessel");
  for (const PlacedVertebra& v : vertebrae_) {
    const VertebraSize& s = v.shape.size();
    if (s.level[0] != 'T' && s.level[0] != 'L') continue;
    for (const int side : {1, -1}) {
      const StructureValue artery =
          *structure_value("segmental_artery_" + s.level + (side > 0 ? "_left" : "_right"));
      // Around the waist, from the aorta before the left half of the body to below the pedicle.
      const auto around = [&](double z, double off, double from_deg) {
        std::vector<Eigen::Vector3d> points;
        const double a = v.shape.body_half(z).x() + off, front = v.shape.body_front(z) + off;
        for (double deg = from_deg; deg <= 126; deg += 14) {
          const double t = deg * kPi / 180;
          const double depth = t < kPi / 2 ? front : 1.15 * v.shape.wall_y();
          points.push_back(v.world_from_vertebra *
                           Eigen::Vector3d(side * a * std::sin(t), -depth * std::cos(t), z));
        }
        const double x = (s.canal_width_mm / 2 + s.pedicle_width_mm + 3.5),
                     low = v.shape.pedicle_z() - s.pedicle_height_mm / 2;
        points.push_back(v.world_from_vertebra *
                         Eigen::Vector3d(side * x, v.shape.wall_y() + 4, low - 2 + 0.3 * z));
        return points;
      };
      // The right artery crosses before the body.
      vessels_.add_line(around(0.5, 1.7, side > 0 ? 28 : -28), 0.9, artery, Material::blood);
      vessels_.add_line(around(-2.2, 2.0, side > 0 ? 34 : 40), 1.1, vessel, Material::blood);
    }
  }
  for (const int side : {1, -1}) {  // vertebral arteries, through the foramina from C6 up
    std::vector<Eigen::Vector3d> line;
    for (const PlacedVertebra& v : vertebrae_) {
      const auto f = v.shape.transverse_foramen(side);
      if (!f) continue;
      const double h = v.shape.size().posterior_height_mm / 2;
      if (v.shape.size().level == "C7") {
        line.push_back(v.world_from_vertebra * Eigen::Vector3d(f->x() + side * 2, f->y() - 11, 0));
        line.push_back(v.world_from_vertebra * Eigen::Vector3d(f->x() + side * 6, f->y() - 20, -h - 10));
        break;
      }
      if (line.empty()) line.push_back(v.world_from_vertebra * Eigen::Vector3d(f->x(), f->y(), h + 24));
      for (const double z : {h, -h})
        line.push_back(v.world_from_vertebra * Eigen::Vector3d(f->x(), f->y(), z));
    }
    vessels_.add_line(line, side > 0 ? 1.8 : 1.6, vessel, Material::blood);
  }
}

}  // namespace spinetherm
