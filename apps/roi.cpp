// SPDX-License-Identifier: Apache-2.0
#include "apps/roi.h"

#include <cmath>

#include "imaging/core/error.h"
#include "imaging/resample.h"

namespace spinetherm {

void RoiOptions::validate() const {
  require(side_mm > 0, "RoiOptions.side_mm", side_mm, "must be > 0 mm");
  require(front_mm > 0, "RoiOptions.front_mm", front_mm, "must be > 0 mm");
  require(back_mm > 0, "RoiOptions.back_mm", back_mm, "must be > 0 mm");
  require(up_down_mm > 0, "RoiOptions.up_down_mm", up_down_mm, "must be > 0 mm");
  require(spacing_mm > 0, "RoiOptions.spacing_mm", spacing_mm, "must be > 0 mm");
}

Grid roi_grid(const Grid& scan, const Eigen::Vector3d& centre_mm, const RoiOptions& options) {
  options.validate();
  Eigen::Vector3d low = Eigen::Vector3d::Constant(1e300), high = -low;
  for (int corner = 0; corner < 8; ++corner) {
    const Eigen::Vector3d x = scan.to_world(Eigen::Vector3d((corner & 1) ? scan.size[0] - 1 : 0,
                                                            (corner & 2) ? scan.size[1] - 1 : 0,
                                                            (corner & 4) ? scan.size[2] - 1 : 0));
    low = low.cwiseMin(x);
    high = high.cwiseMax(x);
  }
  low = low.cwiseMax(centre_mm - Eigen::Vector3d(options.side_mm, options.front_mm, options.up_down_mm));
  high = high.cwiseMin(centre_mm + Eigen::Vector3d(options.side_mm, options.back_mm, options.up_down_mm));
  if ((low.array() > high.array()).any())
    throw ConfigError("target lies outside the image", "/target",
                      "give its centre in LPS mm of the planning CT");
  Grid roi = box_grid(low, high, options.spacing_mm);
  for (int a = 0; a < 3; ++a)  // box_grid rounds up; stay within the scan
    roi.size[std::size_t(a)] =
        std::max(1, int(std::floor((high[a] - low[a]) / options.spacing_mm + 1e-9)) + 1);
  return roi;
}

Image crop_to_roi(const Image& scan, const Grid& roi) {
  Image out;
  out.modality = scan.modality;
  out.source = scan.source;
  out.warnings = scan.warnings;
  const bool finer = scan.volume.grid.spacing_mm.minCoeff() < 0.9 * roi.spacing_mm.minCoeff();
  out.volume = finer ? resample_mean(scan.volume, roi) : resample_linear(scan.volume, roi);
  return out;
}

}  // namespace spinetherm
