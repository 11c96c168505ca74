// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Eigen/Dense>
#include <Eigen/Geometry>

namespace spinetherm {

/// Rigid motion, millimetres, LPS. Name every instance target_from_source:
///   x_in_cbct = cbct_from_mri * x_in_mri
struct Rigid {
  Eigen::Quaterniond rotation = Eigen::Quaterniond::Identity();
  Eigen::Vector3d translation_mm = Eigen::Vector3d::Zero();
  bool operator==(const Rigid& o) const {
    return rotation.coeffs() == o.rotation.coeffs() && translation_mm == o.translation_mm;
  }
};

inline Eigen::Vector3d operator*(const Rigid& b_from_a, const Eigen::Vector3d& x_in_a) {
  return b_from_a.rotation * x_in_a + b_from_a.translation_mm;
}
inline Rigid operator*(const Rigid& c_from_b, const Rigid& b_from_a) {
  return {c_from_b.rotation * b_from_a.rotation, c_from_b * b_from_a.translation_mm};
}
inline Rigid inverse(const Rigid& b_from_a) {
  const Eigen::Quaterniond back = b_from_a.rotation.conjugate();
  return {back, -(back * b_from_a.translation_mm)};
}
/// Rotation angle [deg], in [0, 180].
inline double angle_deg(const Rigid& motion) {
  return motion.rotation.angularDistance(Eigen::Quaterniond::Identity()) * 180.0 / 3.14159265358979323846;
}

/// Covariance of a small motion about `centre_mm`: rotation vector [deg] first, then translation [mm].
struct RigidUncertainty {
  Eigen::Vector3d centre_mm = Eigen::Vector3d::Zero();
  Eigen::Matrix<double, 6, 6> covariance = Eigen::Matrix<double, 6, 6>::Zero();
};

}  // namespace spinetherm
