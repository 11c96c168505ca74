// SPDX-License-Identifier: Apache-2.0
#include "datasets/fluoroscopy.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "imaging/core/error.h"
#include "imaging/core/random.h"

namespace spinetherm {
namespace {

constexpr double kShutter_kg_per_m2 = 2000;      ///< of water, that is: nothing passes
constexpr std::uint64_t kFluoroscopyStream = 5;  ///< after those of the other simulators

/// Pixels of the detector, as XrayBody::areas counts them.
struct Field {
  int column_from = 0, column_to = 0, row_from = 0, row_to = 0;
  bool holds(int c, int r) const { return c >= column_from && c < column_to && r >= row_from && r < row_to; }
};

/// Pixels whose rays stay within the body's volume between its near and its far face.
Field behind_shutter(const Grid& body, const ConeBeamGeometry& geometry, RadiographView view) {
  const int across = view == RadiographView::ap ? 0 : 1, along = 1 - across;
  const auto face = [&](int axis, bool far_end) {
    return body.origin_mm[axis] +
           body.spacing_mm[axis] * (far_end ? body.size[std::size_t(axis)] - 0.5 : -0.5);
  };
  const Eigen::Vector3d source = geometry.source_mm(angle_rad(view));
  const double sign = source[along] < geometry.isocentre_mm[along] ? 1 : -1;
  // Range on the detector that both faces leave, for the axis across and for z.
  std::array<double, 2> low{-1e9, -1e9}, high{1e9, 1e9};
  for (const bool far_end : {false, true}) {
    const double depth = sign * (face(along, far_end) - source[along]);
    if (depth <= 0) continue;  // the source stands within the volume
    for (const std::size_t a : {0u, 1u}) {
      const int axis = a == 0 ? across : 2;
      const double middle = geometry.isocentre_mm[axis], scale = geometry.source_detector_mm / depth;
      low[a] = std::max(low[a], middle + (face(axis, false) - middle) * scale);
      high[a] = std::min(high[a], middle + (face(axis, true) - middle) * scale);
    }
  }
  Field out{geometry.columns, 0, geometry.rows, 0};
  for (int c = 0; c < geometry.columns; ++c) {
    const double at = geometry.pixel_mm(angle_rad(view), c, 0)[across];
    if (at < low[0] || at > high[0]) continue;
    out.column_from = std::min(out.column_from, c);
    out.column_to = std::max(out.column_to, c + 1);
  }
  for (int r = 0; r < geometry.rows; ++r) {
    const double at = geometry.pixel_mm(angle_rad(view), 0, r).z();
    if (at < low[1] || at > high[1]) continue;
    out.row_from = std::min(out.row_from, r);
    out.row_to = std::max(out.row_to, r + 1);
  }
  return out;
}

/// Line integral of the primary beam in each pixel.
std::vector<double> line_integrals(const XrayBeam& beam, const std::vector<float>& areas,
                                   std::size_t pixels) {
  std::vector<double> out(pixels);
#pragma omp parallel for schedule(static)
  for (std::size_t n = 0; n < pixels; ++n) {
    std::array<double, kXrayMaterialCount> area{};
    for (std::size_t m = 0; m < areas.size() / pixels; ++m) area[m] = double(areas[m * pixels + n]);
    out[n] = beam.line_integral(area);
  }
  return out;
}

/// Takes away columns at either side in which most rays pass little.
void close_thin_columns(const std::vector<double>& integrals, int rows, double least, Field& field) {
  const auto thin = [&](int c) {
    int below = 0;
    for (int r = field.row_from; r < field.row_to; ++r)
      below += integrals[std::size_t(c) * std::size_t(rows) + std::size_t(r)] < least;
    return 2 * below > field.row_to - field.row_from;
  };
  while (field.column_from < field.column_to && thin(field.column_from)) ++field.column_from;
  while (field.column_from < field.column_to && thin(field.column_to - 1)) --field.column_to;
}

/// Share of the energy that passes in the middle third of the field.
double passed_in_the_middle(const std::vector<double>& integrals, int rows, const Field& f) {
  const int w = (f.column_to - f.column_from) / 3, h = (f.row_to - f.row_from) / 3;
  double sum = 0, count = 0;
  for (int c = f.column_from + w; c < f.column_to - w; ++c)
    for (int r = f.row_from + h; r < f.row_to - h; ++r, ++count)
      sum += std::exp(-integrals[std::size_t(c) * std::size_t(rows) + std::size_t(r)]);
  return sum / count;
}

/// The pixels of the field. The image's rows run downwards.
Volume<float> cropped(const Volume<float>& image, const ConeBeamGeometry& geometry, double angle,
                      const Field& field) {
  std::array<int, 3> first{image.grid.size[0], image.grid.size[1], 0}, last{-1, -1, 0};
  for (const auto& [c, r] :
       {std::pair{field.column_from, field.row_from}, std::pair{field.column_to - 1, field.row_to - 1}}) {
    // Where the pixel's ray meets the isocentre's plane, in which the image lies.
    const Eigen::Vector3d source = geometry.source_mm(angle);
    const Eigen::Vector3d at = source + (geometry.pixel_mm(angle, c, r) - source) *
                                            (geometry.source_axis_mm / geometry.source_detector_mm);
    const auto ijk = image.grid.nearest(at);
    for (const std::size_t a : {0u, 1u}) {
      first[a] = std::min(first[a], ijk[a]);
      last[a] = std::max(last[a], ijk[a]);
    }
  }
  Volume<float> out(sub_grid(image.grid, first, {last[0] - first[0] + 1, last[1] - first[1] + 1, 1}));
  for (int j = 0; j < out.grid.size[1]; ++j)
    for (int i = 0; i < out.grid.size[0]; ++i) out(i, j, 0) = image(first[0] + i, first[1] + j, 0);
  return out;
}

}  // namespace

XrayBeamOptions FluoroscopyOptions::lateral_beam() const {
  XrayBeamOptions out = beam;
  out.tube_kV = lateral_kV;
  return out;
}

void FluoroscopyOptions::validate() const {
  geometry.validate();
  if (isocentre_mm)
    require(isocentre_mm->allFinite(), "FluoroscopyOptions.isocentre_mm", isocentre_mm->sum(),
            "must be finite");
  beam.validate();
  detector.validate();
  lateral_beam().validate();
  if (exposure_photons)
    require(*exposure_photons >= 1 && *exposure_photons <= 1e7, "FluoroscopyOptions.exposure_photons",
            *exposure_photons, "must lie in [1, 1e7]");
  require(thinnest_line_integral >= 0 && thinnest_line_integral <= 3,
          "FluoroscopyOptions.thinnest_line_integral", thinnest_line_integral, "must lie in [0, 3]");
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
  const std::size_t pixels = geometry.pixels();
  FluoroscopyImages out;
  for (const RadiographView view : {RadiographView::ap, RadiographView::lateral}) {
    if (progress.cancelled()) return {};
    progress(view == RadiographView::ap ? 0.2 : 0.6, "fluoroscopy");
    const double angle = angle_rad(view);
    std::vector<float> areas = body.areas(geometry, angle);
    const XrayBeamOptions beam = view == RadiographView::ap ? options.beam : options.lateral_beam();
    const std::vector<double> integrals = line_integrals(make_xray_beam(beam), areas, pixels);
    Field field{0, geometry.columns, 0, geometry.rows};
    if (options.shutter) {
      field = behind_shutter(surround_HU != nullptr ? surround_HU->grid : sharp_HU.grid, geometry, view);
      close_thin_columns(integrals, geometry.rows, options.thinnest_line_integral, field);
      if (field.column_to - field.column_from < 2 || field.row_to - field.row_from < 2)
        throw ConfigError(
            "the " + std::string(to_string(view)) + " view sees nothing through the body's volume",
            "simulate_fluoroscopy", "move the isocentre into the body, or set shutter to false");
      for (int c = 0; c < geometry.columns; ++c)
        for (int r = 0; r < geometry.rows; ++r)
          if (!field.holds(c, r))
            areas[std::size_t(c) * std::size_t(geometry.rows) + std::size_t(r)] += kShutter_kg_per_m2;
    }
    XrayDetectorOptions panel = options.detector;
    if (panel.photons && options.exposure_photons)
      panel.photons = *options.exposure_photons / passed_in_the_middle(integrals, geometry.rows, field);
    auto rng = trial_rng(seed, (kFluoroscopyStream << 32) + std::uint64_t(view));
    const auto values = XrayDetector(beam, panel, geometry).expose(areas, rng);
    Volume<float> image = radiograph_image(geometry, angle, values);
    if (options.shutter) image = cropped(image, geometry, angle, field);
    (view == RadiographView::ap ? out.ap : out.lateral) = std::move(image);
  }
  progress(1, "fluoroscopy");
  return out;
}

}  // namespace spinetherm
