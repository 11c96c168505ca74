// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <random>
#include <vector>

#include "datasets/xray_attenuation.h"
#include "imaging/cone_beam.h"

namespace spinetherm {

struct XrayDetectorOptions {
  /// Photons a pixel would count in one view without a patient: the dose. Empty: no noise.
  std::optional<double> photons = 1.5e5;
  double blur_sigma_mm = 0.35;  ///< on the detector: scintillator, pixel and focal spot
  /// Scatter over primary behind 20 cm of water, after the grid. 0.5-3 without a grid.
  double scatter_to_primary = 0.5;
  double scatter_sigma_mm = 70;    ///< width of the scatter's spread on the detector
  double scatter_corrected = 0.7;  ///< share that the scanner's own correction takes away; its noise stays
  bool operator==(const XrayDetectorOptions&) const = default;
  void validate() const;
};

/// Turns area densities into what a flat panel that sums energy reports:
///   primary  I = sum_e N_e E_e exp(-sum_m (mu/rho)_m,e a_m) / sum_e N_e E_e      (Beer-Lambert)
///   scatter  S = k G * (-I ln I), G a wide Gaussian (Swindell and Evans 1996; Ohnesorge 1999), with k from
///            `scatter_to_primary`
///   counts   Poisson, with the spread of photon energies: variance of (I + S) is (I + S) <E2> / (<E> E0 N)
///   output   -ln of (counts - corrected share of S), at least half a photon
class XrayDetector {
 public:
  XrayDetector(const XrayBeamOptions& beam, const XrayDetectorOptions& options,
               const ConeBeamGeometry& geometry);
  const XrayBeam& beam() const { return beam_; }
  /// `areas` as XrayBody::areas gives them. Draws from `rng` only when there is noise.
  std::vector<float> expose(const std::vector<float>& areas, std::mt19937_64& rng) const;

 private:
  std::vector<float> scatter(const std::vector<float>& primary) const;

  XrayBeam beam_;
  XrayDetectorOptions options_;
  int columns_, rows_;
  double pitch_mm_;
};

/// Water (first-order) beam-hardening correction: the thickness of water [m] that gives a line integral.
class WaterThickness {
 public:
  explicit WaterThickness(const XrayBeam& beam);
  /// Linear between the table's values; below 0 and beyond 1 m of water by the slope at the end.
  double operator()(double line_integral) const;

 private:
  double step_ = 0;                  ///< of line integral
  std::vector<double> thickness_m_;  ///< at multiples of the step
};

}  // namespace spinetherm
