// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "datasets/xray_attenuation.h"
#include "imaging/cone_beam.h"

namespace spinetherm {

/// Needle or probe of solid metal: a capsule, that is a cylinder with round ends about `entry_mm` and
/// `tip_mm`.
struct MetalNeedle {
  Eigen::Vector3d entry_mm{0, 0, 0}, tip_mm{0, 0, 0};
  double diameter_mm = 2.4;  ///< of 13 G; 10 G is 3.4
  XrayMaterial metal = XrayMaterial::iron;
  bool operator==(const MetalNeedle&) const = default;
  void validate() const;
};

/// Length [mm] of the ray from `from_mm` through `through_mm` within the needle.
double chord_mm(const MetalNeedle& needle, const Eigen::Vector3d& from_mm, const Eigen::Vector3d& through_mm);

/// A body as partial densities [kg/m3] of water and cortical bone, chosen so that at 70 keV, about the
/// effective energy of CT, it attenuates as its CT number says:
///   up to 100 HU  water of density 1 + HU / 1000 (vacuum below -1000);
///   above         a mixture by volume of water at 100 HU and cortical bone (1.92 g/cm3, 1604 HU);
///   beyond bone   denser bone: cement and metal that is part of the CT harden as bone does.
struct XrayBasis {
  Volume<float> water, bone;
};
XrayBasis xray_basis(const Volume<float>& sharp_HU);

/// What rays meet, ready to be projected: a CT-like volume, a coarser one around it, and metal.
class XrayBody {
 public:
  /// `surround_HU`, when given, fills what lies outside the box of `sharp_HU`: the rest of the body at a
  /// coarse spacing; its voxels count by the share of them outside the box. Needles displace what is there.
  /// ConfigError for grids that do not lie along the patient's axes, and values that are not numbers.
  XrayBody(const Volume<float>& sharp_HU, const Volume<float>* surround_HU, std::vector<MetalNeedle> needles);

  /// Materials that rays meet: the first of XrayMaterial, in its order.
  std::size_t materials() const;
  /// Area densities [kg/m2] of one view: areas[(material * columns + column) * rows + row].
  std::vector<float> areas(const ConeBeamGeometry& geometry, double angle_rad) const;

 private:
  std::vector<ConeBeamProjector> parts_;
  std::vector<MetalNeedle> needles_;
};

}  // namespace spinetherm
