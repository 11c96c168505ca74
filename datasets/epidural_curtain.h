// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Eigen/Dense>
#include <functional>
#include <vector>

namespace spinetherm {

struct SpineSection;

/// Tumour in the epidural space behind a body: a layer on the front of the canal, thickest beside the
/// midline, where the posterior longitudinal ligament is tethered to the wall ("draped curtain"), that thins
/// out to both ends. What lies behind it yields: the sac first, then the cord moves back in the sac, then it
/// is flattened. The yielding is a map of the canal, slice by slice, along y only, one to one and continuous.
struct EpiduralCurtain {
  double thickness_mm = 0;  ///< of the thicker lobe at its middle; 0: no tumour in the canal
  double z_mm = 0;          ///< of its middle
  double half_length_mm = 0;
  int side = 1;             ///< of the thicker lobe: +1 left
  double other_lobe = 0.8;  ///< thickness of the other lobe, as a share
  double tether_mm = 2;     ///< how far the ligament holds the middle back
  double shift_step_mm = 0.5;
  std::vector<double> shift_mm = {};  ///< of the cord, backwards, at z_mm - half_length_mm + n * step

  /// Whether the tumour reaches this height.
  bool at(double z) const { return thickness_mm > 0 && std::abs(z - z_mm) < half_length_mm; }
  /// Back surface of the tumour at (x, z); the canal's own front where there is none.
  double back_y(const SpineSection& s, double x, double z) const;
  /// Where what is now at x was before the tumour pushed; x itself outside the sac. For a point behind the
  /// tumour.
  Eigen::Vector3d before(const SpineSection& s, const Eigen::Vector3d& x) const;
  /// Works out `shift_mm` for the canal of this spine. Call after every change of the other members.
  void settle(const std::function<SpineSection(double z)>& section);

 private:
  double shift_at(double z) const;
};

/// The least thickness [mm] up to `most_mm` at which the grade, which rises with it, is `least` or more; by
/// bisection. `most_mm` where it never is.
double least_thickness_mm(const std::function<int(double thickness_mm)>& grade, int least, double most_mm);

}  // namespace spinetherm
