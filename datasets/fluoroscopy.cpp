// SPDX-License-Identifier: Apache-2.0
#include "datasets/fluoroscopy.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "imaging/core/error.h"
#include "imaging/core/random.h"

namespace spinetherm {
namespace {

constexpr std::uint64_t kFluoroscopyStream = 5;  ///< after those of the other simulators

/// Pixels of `image` whose rays stay within the body's volume between its near and its far face. The
/// isocentre's plane, in which the image lies, is at the distance source_axis_mm from the source.
Volume<float> behind_shutter(const Volume<float>& image, const Grid& body, const ConeBeamGeometry& geometry,
                             RadiographView view) {
  const int across = view == RadiographView::ap ? 0 : 1, along = 1 - across;
  const auto face = [&](int axis, bool far_end) {
    return body.origin_mm[axis] +
           body.spacing_mm[axis] * (far_end ? body.size[std::size_t(axis)] - 0.5 : -0.5);
  };
  const double source = geometry.source_mm(angle_rad(view))[along];
  const double sign = source < geometry.isocentre_mm[along] ? 1 : -1;
  // Range of the image's plane that both faces leave, for the axis across and for z.
  std::array<double, 2> low{-1e9, -1e9}, high{1e9, 1e9};
  for (const bool far_end : {false, true}) {
    const double depth = sign * (face(along, far_end) - source);
    if (depth <= 0) continue;  // the source stands within the volume
    for (const std::size_t a : {0u, 1u}) {
      const int axis = a == 0 ? across : 2;
      const double middle = geometry.isocentre_mm[axis], scale = geometry.source_axis_mm / depth;
      low[a] = std::max(low[a], middle + (face(axis, false) - middle) * scale);
      high[a] = std::min(high[a], middle + (face(axis, true) - middle) * scale);
    }
  }
  const Grid& grid = image.grid;
  std::array<int, 3> first{grid.size[0], grid.size[1], 0}, last{-1, -1, 0};
  for (const std::size_t a : {0u, 1u})
    for (int n = 0; n < grid.size[a]; ++n) {
      const double at = a == 0 ? grid.to_world(n, 0, 0)[across] : grid.to_world(0, n, 0).z();
      if (at < low[a] || at > high[a]) continue;
      first[a] = std::min(first[a], n);
      last[a] = std::max(last[a], n);
    }
  if (last[0] - first[0] < 1 || last[1] - first[1] < 1)
    throw ConfigError("the " + std::string(to_string(view)) + " view sees nothing through the body's volume",
                      "simulate_fluoroscopy", "move the isocentre into the body, or set shutter to false");
  Volume<float> out(sub_grid(grid, first, {last[0] - first[0] + 1, last[1] - first[1] + 1, 1}));
  for (int j = 0; j < out.grid.size[1]; ++j)
    for (int i = 0; i < out.grid.size[0]; ++i) out(i, j, 0) = image(first[0] + i, first[1] + j, 0);
  return out;
}

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
    Volume<float> image = radiograph_image(geometry, angle_rad(view), values);
    if (options.shutter)
      image =
          behind_shutter(image, surround_HU != nullptr ? surround_HU->grid : sharp_HU.grid, geometry, view);
    (view == RadiographView::ap ? out.ap : out.lateral) = std::move(image);
  }
  progress(1, "fluoroscopy");
  return out;
}

}  // namespace spinetherm
