// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Eigen/Dense>
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "imaging/core/volume.h"

namespace spinetherm {

/// A plane through the patient as it is shown on the screen. Pixel (u, v) shows the point
///   centre_mm + mm_per_pixel * ((u - (width - 1) / 2) * right + (v - (height - 1) / 2) * down)
/// `right` and `down` are orthonormal, LPS.
struct SlicePlane {
  Eigen::Vector3d centre_mm{0, 0, 0};
  Eigen::Vector3d right{1, 0, 0}, down{0, 1, 0};
  int width = 360, height = 360;
  double mm_per_pixel = 0.4;

  Eigen::Vector3d to_world(double u, double v) const {
    return centre_mm + mm_per_pixel * ((u - (width - 1) / 2.0) * right + (v - (height - 1) / 2.0) * down);
  }
  /// Pixel coordinates (u, v) and, as third, the distance [mm] from the plane towards the viewer's back.
  Eigen::Vector3d to_pixel(const Eigen::Vector3d& x_mm) const;
};

/// Radiological convention: patient right on screen left, seen from the feet, anterior up.
SlicePlane axial_plane(const Eigen::Vector3d& centre_mm);
/// Anterior on screen left, head up.
SlicePlane sagittal_plane(const Eigen::Vector3d& centre_mm);
/// Patient right on screen left, head up.
SlicePlane coronal_plane(const Eigen::Vector3d& centre_mm);
/// Holds the axis of a needle from `entry` to `tip`, and the patient's left-right or head-foot direction as
/// far as the axis allows; the needle's tip points up (axial-like) or to the left (sagittal-like). The centre
/// is the point of the axis nearest to `near`.
SlicePlane along_probe_axial(const Eigen::Vector3d& entry_mm, const Eigen::Vector3d& tip_mm,
                             const Eigen::Vector3d& near_mm);
SlicePlane along_probe_sagittal(const Eigen::Vector3d& entry_mm, const Eigen::Vector3d& tip_mm,
                                const Eigen::Vector3d& near_mm);

/// Letters of the patient's sides at the screen's edges: left, right, top, bottom. Two letters for an oblique
/// direction, the stronger one first ("PL").
std::array<std::string, 4> edge_letters(const SlicePlane& plane);
std::string direction_letters(const Eigen::Vector3d& direction);

/// Grey values and where they apply.
struct Window {
  double level = 40, width = 400;
};
inline constexpr Window kBoneWindow{400, 1800};
inline constexpr Window kSoftWindow{40, 400};
inline constexpr Window kSpineWindow{250, 1000};
/// 1st to 99th percentile, for MR.
Window percentile_window(const Volume<float>& volume);

/// Grey picture of the plane, linear interpolation; outside the scan and NaN: `outside_grey`. Row by row.
std::vector<std::uint8_t> grey_slice(const Volume<float>& volume, const SlicePlane& plane,
                                     const Window& window, std::uint8_t outside_grey = 16);

/// Lines where a field, linear between its cells, takes the value `level` on the plane: polylines in pixel
/// coordinates (marching squares). Points outside the field count as below the level.
std::vector<std::vector<Eigen::Vector2d>> contour(const Volume<float>& field, const SlicePlane& plane,
                                                  double level);

/// PNG (8-bit grey) as bytes.
std::string png_grey(const std::vector<std::uint8_t>& pixels, int width, int height);
std::string base64(const std::string& bytes);

}  // namespace spinetherm
