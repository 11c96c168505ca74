// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "datasets/mri_signal.h"

namespace spinetherm {

enum class MrPlane { sagittal, axial };

/// The stack of slices that all weightings share. Fast axis, rows and slices: sagittal from front to back,
/// from head to feet, from left to right; axial from right to left, from front to back, from feet to head.
struct MrStack {
  MrPlane plane = MrPlane::sagittal;
  double pixel_mm = 0.7;
  double slice_mm = 4;  ///< thickness, 3.5-4.4 usual; equal to pixel_mm without a gap: isotropic
  double gap_mm = 0.4;
  bool readout_along_rows = false;  ///< the chemical shift runs along the fast axis; else along the other
  void validate() const;
};

/// Where the scanner puts a point wrongly: true position = apparent position + displacement(apparent).
struct MrDistortion {
  /// Gradient non-linearity: towards the isocentre, by this at 100 mm from it, growing with the cube of the
  /// distance; 1-2 mm are usual before the scanner's own correction. 0: off.
  double gradient_mm = 0;
  Eigen::Vector3d isocentre_mm{0, 0, 0};
  /// Susceptibility of a piece of metal there: along the readout, as a dipole in a field along z,
  /// metal_shift_mm (3 cos^2 - 1) / 2 at 10 mm, falling with 1 / r^3 and held within 10 mm.
  std::optional<Eigen::Vector3d> metal_mm = {};
  double metal_shift_mm = 0;
  bool on() const { return gradient_mm != 0 || (metal_mm && metal_shift_mm != 0); }
  Eigen::Vector3d displacement_mm(const Eigen::Vector3d& apparent_mm, const Eigen::Vector3d& readout) const;
  void validate() const;
};

struct MrOptions {
  MrStack stack;
  double field_T = 1.5;  ///< of the chemical shift, 220 Hz at 1.5 T; relaxation times stay those of 1.5 T
  double psf_sigma_px = 0.35;  ///< in the slice
  double bias = 0.3;    ///< the surface coil's sensitivity varies by +/- this share, strongest at the back
  double scale = 1000;  ///< scanner units of water at full signal
  bool chemical_shift = true;
  MrDistortion distortion;
  MrSequence t1 = mr_sequence(Modality::mr_t1), t2 = mr_sequence(Modality::mr_t2),
             stir = mr_sequence(Modality::mr_stir);
  void validate() const;
};

/// Pixels by which fat appears shifted along the readout: 3.5 ppm as 220 Hz at 1.5 T over the bandwidth.
double chemical_shift_px(const MrSequence& sequence, double field_T);

/// Fine slices, some in each thick one, that the body is rendered on; centred at `centre_mm`, over
/// `extent_mm`.
Grid fine_stack_grid(const MrStack& stack, const Eigen::Vector3d& centre_mm,
                     const Eigen::Vector3d& extent_mm);
/// The grid of the image that simulate_mr() makes of it.
Grid stack_grid(const MrStack& stack, const Grid& fine);
/// Direction of the readout in the patient.
Eigen::Vector3d readout_direction(const MrStack& stack, const Grid& grid);

/// One weighting from its water and fat signals on the fine grid (render() with species_signals()): fat
/// shifted along the readout, slices of rectangular profile, blur in the slice, sensitivity of the coil (a
/// plane rising towards the patient's back plus a slow wave along the spine), Rician noise
/// |S + n1 + i n2| with the sequence's SNR, whole scanner units. The shift of fat along the slice axis is
/// left out. Depends on seed and options only.
Image simulate_mr(const Volume<float>& water, const Volume<float>& fat, const MrSequence& sequence,
                  const MrOptions& options, std::uint64_t seed);

}  // namespace spinetherm
