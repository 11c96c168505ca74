// SPDX-License-Identifier: Apache-2.0
#include "datasets/fluoroscopy.h"

#include "imaging/core/error.h"
#include "imaging/core/random.h"

namespace spinetherm {
namespace {

constexpr std::uint64_t kFluoroscopyStream = 5;  ///< after those of the other simulators

}  // namespace

void FluoroscopyOptions::validate() const {
  geometry.validate();
  if (isocentre_mm)
    require(isocentre_mm->allFinite(), "FluoroscopyOptions.isocentre_mm", isocentre_mm->sum(),
            "must be finite");
  beam.validate();
  detector.validate();
  for (const MetalNeedle& needle : needles) needle.validate();
}

FluoroscopyImages simulate_fluoroscopy(const Volume<float>& sharp_HU, const FluoroscopyOptions& options,
                                       std::uint64_t seed, const Progress& progress,
                                       const Volume<float>* surround_HU) {
  options.validate();
  progress(0, "fluoroscopy");
  ConeBeamGeometry geometry = options.geometry;
  geometry.isocentre_mm = options.isocentre_mm.value_or(sharp_HU.grid.centre_mm());
  const XrayBody body(sharp_HU, surround_HU, options.needles);
  const XrayDetector detector(options.beam, options.detector, geometry);
  FluoroscopyImages out;
  for (const RadiographView view : {RadiographView::ap, RadiographView::lateral}) {
    if (progress.cancelled()) return {};
    progress(view == RadiographView::ap ? 0.2 : 0.6, "fluoroscopy");
    auto rng = trial_rng(seed, (kFluoroscopyStream << 32) + std::uint64_t(view));
    const auto values = detector.expose(body.areas(geometry, angle_rad(view)), rng);
    (view == RadiographView::ap ? out.ap : out.lateral) = radiograph_image(geometry, angle_rad(view), values);
  }
  progress(1, "fluoroscopy");
  return out;
}

}  // namespace spinetherm
