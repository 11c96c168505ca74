// SPDX-License-Identifier: Apache-2.0
#include "datasets/cbct_scanner.h"

#include <algorithm>
#include <cmath>

#include "imaging/core/error.h"
#include "imaging/core/random.h"
#include "imaging/core/units.h"

namespace spinetherm {
namespace {

constexpr std::uint64_t kProjectionStream = 4;  ///< after those of the image simulators
constexpr int kChunk = 8;                       ///< views between two reports of progress
constexpr double kProjectionShare = 0.65;       ///< of the time

Progress part_of(const Progress& whole, double from, double to) {
  Progress part{{}, whole.stop};
  if (whole.report)
    part.report = [whole, from, to](double fraction, std::string_view what) {
      whole(from + (to - from) * fraction, what);
    };
  return part;
}

}  // namespace

void ProjectionCbctOptions::validate() const {
  geometry.validate();
  orbit.validate(geometry);
  if (isocentre_mm)
    require(isocentre_mm->allFinite(), "ProjectionCbctOptions.isocentre_mm", isocentre_mm->sum(),
            "must be finite");
  beam.validate();
  detector.validate();
  fdk.validate();
  require(calibration_mm > 0 && calibration_mm <= 1000, "ProjectionCbctOptions.calibration_mm",
          calibration_mm, "must lie in (0, 1000] mm");
  for (const MetalNeedle& needle : needles) needle.validate();
}

CbctScan simulate_projection_cbct(const Volume<float>& sharp_HU, const Grid& grid,
                                  const ProjectionCbctOptions& options, std::uint64_t seed,
                                  const Progress& progress, const Volume<float>* surround_HU) {
  options.validate();
  require_patient_axes(grid, "the grid of the CBCT");
  ConeBeamGeometry geometry = options.geometry;
  geometry.isocentre_mm = options.isocentre_mm.value_or(grid.centre_mm());
  const ConeBeamOrbit& orbit = options.orbit;

  Projections views{geometry, orbit, {}};
  const XrayDetector detector(options.beam, options.detector, geometry);
  const double water_per_m =
      options.water_correction
          ? mass_attenuation_m2_per_kg(XrayMaterial::water, detector.beam().mean_energy_keV) *
                xray_table()[XrayMaterial::water].density_kg_per_m3
          : detector.beam().water_line_integral(options.calibration_mm * kMetre_per_mm) /
                (options.calibration_mm * kMetre_per_mm);
  {
    const XrayBody body(sharp_HU, surround_HU, options.needles);
    const WaterThickness thickness(detector.beam());
    views.values.resize(std::size_t(orbit.views) * geometry.pixels());
    for (int first = 0; first < orbit.views; first += kChunk) {
      progress(kProjectionShare * first / orbit.views, "CBCT: projections");
      if (progress.cancelled()) return {};
      const int last = std::min(first + kChunk, orbit.views);
#pragma omp parallel for schedule(dynamic)
      for (int view = first; view < last; ++view) {
        auto rng = trial_rng(seed, (kProjectionStream << 32) + std::uint64_t(view));
        std::vector<float> line = detector.expose(body.areas(geometry, orbit.angle_rad(view)), rng);
        if (options.water_correction)
          for (float& value : line) value = float(water_per_m * thickness(value));
        std::copy(line.begin(), line.end(),
                  views.values.begin() + std::ptrdiff_t(view) * std::ptrdiff_t(line.size()));
      }
    }
  }
  Volume<float> attenuation =
      reconstruct_fdk(std::move(views), grid, options.fdk, part_of(progress, kProjectionShare, 1));
  if (attenuation.empty()) return {};

  CbctScan out{{std::move(attenuation), Modality::cbct, "phantom CBCT (projections)", {}},
               Volume<std::uint8_t>(grid)};
  for (std::size_t n = 0; n < out.valid.values.size(); ++n) {
    float& value = out.image.volume[n];
    out.valid[n] = std::isnan(value) ? 0 : 1;
    value =
        out.valid[n] == 0
            ? kCbctOutside_HU
            : float(std::round(std::clamp(1000 * (value / water_per_m - 1), kCbctOutside_HU + 1.0, 3071.0)));
  }
  out.image.warnings.push_back("voxels outside the field of view hold -1024: not measured");
  progress(1, "CBCT");
  return out;
}

}  // namespace spinetherm
