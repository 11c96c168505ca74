// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "imaging/core/progress.h"
#include "imaging/core/volume.h"

namespace spinetherm {

/// A point source and a flat detector that turn together about an axis parallel to z (feet to head) through
/// the isocentre. LPS millimetres. At angle b the source stands at
///   S = isocentre + source_axis_mm (sin b, -cos b, 0):  b = 0 in front, b = 90 deg at the patient's left;
/// columns of the detector run along e_u = (cos b, sin b, 0), the right hand of who looks from the source
/// with the head up; rows run along e_v = (0, 0, 1). Pixels are square and are sampled at their centres.
struct ConeBeamGeometry {
  double source_axis_mm = 650, source_detector_mm = 1150;
  int columns = 512, rows = 384;
  double pitch_mm = 0.7;  ///< of the pixels, on the detector
  /// The detector's middle lies this far along e_u (half fan): a wider field from a full turn.
  double offset_mm = 0;
  Eigen::Vector3d isocentre_mm{0, 0, 0};

  bool operator==(const ConeBeamGeometry&) const = default;
  /// ConfigError naming the first field that cannot be meant.
  void validate() const;

  std::size_t pixels() const { return std::size_t(columns) * std::size_t(rows); }
  double u_mm(double column) const { return (column - 0.5 * (columns - 1)) * pitch_mm + offset_mm; }
  double v_mm(double row) const { return (row - 0.5 * (rows - 1)) * pitch_mm; }
  /// Pixel pitch carried to the isocentre.
  double isocentre_pitch_mm() const { return pitch_mm * source_axis_mm / source_detector_mm; }
  Eigen::Vector3d source_mm(double angle_rad) const;
  Eigen::Vector3d pixel_mm(double angle_rad, double column, double row) const;
  /// Largest fan angle, on the wider side when the detector is offset.
  double half_fan_rad() const;
  /// Radius about the axis that every view of a full turn sees (a half fan: every pair of opposite views).
  double fov_radius_mm() const;
  /// Half the height that every view sees at this distance from the axis; negative beyond the field.
  double fov_half_height_mm(double radius_mm) const;
  bool sees(const Eigen::Vector3d& x_mm) const;
};

/// View n of N is taken at first_deg + arc_deg n / N.
struct ConeBeamOrbit {
  int views = 360;
  double first_deg = 0;
  double arc_deg = 360;  ///< 360, or a short scan: at least 180 and the whole fan
  bool operator==(const ConeBeamOrbit&) const = default;
  /// ConfigError naming the first field that cannot be meant; a half fan needs the full turn.
  void validate(const ConeBeamGeometry& geometry) const;
  double angle_rad(int view) const;
  double step_rad() const;
};

/// Line integrals of an orbit: values[(view * columns + column) * rows + row].
struct Projections {
  ConeBeamGeometry geometry;
  ConeBeamOrbit orbit;
  std::vector<float> values;
  bool operator==(const Projections&) const = default;
};

/// Line integrals through one or several volumes on one grid, by Joseph's method (IEEE TMI 1982, 1:192):
/// along each ray, one sample in every plane of voxels across x or y, whichever the ray crosses more steeply,
/// linear between voxels, zero outside the volume. A column of pixels shares its way through x and y, so that
/// each plane is blended once and then read along z.
///   integral = sum of samples * path between planes [m]
/// An attenuation in 1/m gives the dimensionless line integral, a density in kg/m3 the area density in kg/m2.
class ConeBeamProjector {
 public:
  /// Keeps a copy of its own. ConfigError unless the volumes share one grid whose axes are those of the
  /// patient (direction: identity), free of NaN.
  explicit ConeBeamProjector(const std::vector<const Volume<float>*>& volumes);
  std::size_t count() const { return packed_.size(); }
  /// Adds one view to integrals[(volume * columns + column) * rows + row]. Parallel over columns unless
  /// called from a parallel loop; the same either way.
  void add_view(const ConeBeamGeometry& geometry, double angle_rad, std::vector<float>& integrals) const;

 private:
  Grid grid_;
  /// By volume: z fastest, then y, then x, with one layer of zeros all around.
  std::vector<std::vector<float>> packed_;
  std::vector<std::vector<std::uint8_t>> filled_;  ///< by volume and column of voxels: holds more than zeros
};

/// All views of one volume. Parallel over views; the same for any number of threads. Cancelled: no values.
Projections project(const Volume<float>& volume, const ConeBeamGeometry& geometry, const ConeBeamOrbit& orbit,
                    const Progress& progress = {});

/// ConfigError unless the grid's axes are those of the patient.
void require_patient_axes(const Grid& grid, std::string_view where);

}  // namespace spinetherm
