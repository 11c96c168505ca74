// SPDX-License-Identifier: Apache-2.0
#include "apps/device_zone.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "apps/engine_options.h"
#include "apps/validation_detail.h"
#include "imaging/core/error.h"
#include "imaging/core/text.h"
#include "planning/zone.h"
#include "thermal/error_estimate.h"
#include "thermal/fine_patch.h"
#include "thermal/modality.h"
#include "thermal/tissue_map.h"

namespace spinetherm {
namespace {

using Eigen::Vector3d;

/// As in a patient's simulation.
constexpr double kPatchMargin_mm = 6, kWideSpread = 1.6, kWider = 1.4, kRestTolerance_K = 0.5;

bool is_cold(const Device& d) { return d.cryo.has_value(); }

Protocol protocol_of(const Device& d) {
  Protocol p = d.protocol;
  if (d.published_zone && d.published_zone->steps > 0) p.steps.resize(std::size_t(d.published_zone->steps));
  return p;
}

Applicator along_z(const Device& d) {
  Applicator a;
  a.device = d.name;
  a.tip_mm.setZero();
  a.entry_mm = {0, 0, d.length_mm};
  a.deployment = d.articulation ? 0 : 1;
  return a;
}

/// At rest with its blood: what metabolism makes is part of the state at rest.
Tissue tissue_of(const ZoneMedium& medium) {
  if (medium.tissue == kWaterGel) return validation::water_gel();
  const auto c = tissue_class(medium.tissue);
  if (!c || *c == TissueClass::unknown) {
    std::vector<std::string> words(kTissueClassWords.begin(), kTissueClassWords.end());
    words.emplace_back(kWaterGel);
    throw ConfigError(fmt::format("unknown tissue '{}'", medium.tissue), "medium",
                      fmt::format("did you mean '{}'?", nearest_word(medium.tissue, words)));
  }
  Tissue t = medium.perfused ? validation::tissue(*c) : validation::excised(*c);
  t.metabolic_W_per_m3 = 0;
  return t;
}

/// The axis runs through the middle of cells, in this grid and in that of the error estimate: both are their
/// own mirror images across it, and thin electrodes meet the lines between the centres of cells.
Grid block(const ActiveBox& active, double spacing_mm, double margin_mm) {
  double across_mm = 0;
  for (int a = 0; a < 2; ++a)
    across_mm = std::max({across_mm, std::abs(active.low_mm[a]), std::abs(active.high_mm[a])});
  int to_side = int(std::ceil((across_mm + margin_mm) / spacing_mm));
  if (to_side % 3 == 1) ++to_side;  // 2 n + 1 cells, two thirds of which are an odd number too
  const int below = int(std::ceil((margin_mm - active.low_mm.z()) / spacing_mm));
  const int above = int(std::ceil((margin_mm + active.high_mm.z()) / spacing_mm));
  const Vector3d least(-to_side - 0.5, -to_side - 0.5, -below), most(to_side + 0.5, to_side + 0.5, above);
  return validation::cells_in(spacing_mm * least, spacing_mm * most, spacing_mm);
}

/// The cells beside the device, as symmetric.
Grid beside(const Grid& window, const ActiveBox& active, int ratio) {
  double across_mm = 0;
  for (int a = 0; a < 2; ++a)
    across_mm = std::max({across_mm, std::abs(active.low_mm[a]), std::abs(active.high_mm[a])});
  const double h = window.spacing_mm.x();
  const double side_mm = std::ceil((across_mm + kPatchMargin_mm) / h) * h;  // a cell's centre
  return patch_grid(window, {-side_mm, -side_mm, active.low_mm.z() - kPatchMargin_mm},
                    {side_mm, side_mm, active.high_mm.z() + kPatchMargin_mm}, ratio);
}

}  // namespace

void DeviceZoneOptions::validate() const {
  require(spacing_mm > 0 && std::isfinite(spacing_mm), "DeviceZoneOptions.spacing_mm", spacing_mm,
          "must be > 0 mm");
  require(patch_mm > 0 && std::isfinite(patch_mm), "DeviceZoneOptions.patch_mm", patch_mm, "must be > 0 mm");
  require(margin_mm > 0 && std::isfinite(margin_mm), "DeviceZoneOptions.margin_mm", margin_mm,
          "must be > 0 mm");
  require(most_widenings >= 0, "DeviceZoneOptions.most_widenings", most_widenings, "must be >= 0");
}

ZoneMedium zone_medium(const Device& d) {
  if (d.published_zone && d.published_zone->in) return *d.published_zone->in;
  return {
      std::string(to_string(TissueClass::cancellous_bone_1)),
      true,
      37,
      {"no zone with a known medium: living cancellous bone of grade 1, and what coverage counts, assumed",
       Confidence::placeholder}};
}

std::string zone_criterion(const Device& d) {
  if (d.published_zone && !d.published_zone->criterion.empty()) return d.published_zone->criterion;
  return is_cold(d) ? "under_minus20_degC" : "cem43_over_240";
}

ThermalProblem device_zone_problem(const Device& d, const DeviceZoneOptions& options, double wider) {
  options.validate();
  const ZoneMedium medium = zone_medium(d);
  const Protocol protocol = protocol_of(d);
  const std::vector<Applicator> applicators = {along_z(d)};
  const std::vector<Device> devices = {d};
  const ActiveBox active = active_box(applicators, devices);
  const double spread = is_cold(d) || d.antenna ? kWideSpread : 1;
  ThermalProblem p =
      validation::problem_in(block(active, options.spacing_mm, options.margin_mm * spread * wider),
                             {tissue_of(medium)}, medium.start_degC);
  // Light follows coagulation; nothing else here follows a damage integral, or is judged by one.
  if (!d.light) p.tissue_map.tissues.front().damage.reset();
  if (const int ratio = int(std::lround(options.spacing_mm / options.patch_mm)); ratio > 1 && !is_cold(d))
    p.patch = refined(p.tissue_map, beside(p.grid(), active, ratio));
  p.sources =
      energy_modality(protocol.modality).make_sources(applicators, devices, {TimedProtocol{protocol}});
  for (Source& source : p.sources)
    if (source.active_s.empty()) source.active_s = {{0, protocol.duration_s()}};
  p.early_ends = make_early_ends(applicators, devices, protocol);
  p.duration_s = protocol.duration_s();
  p.until_dose_settled = true;
  p.fields.peak_temperature = p.fields.lowest_temperature = true;  // to see what reaches the faces
  return p;
}

DeviceZone simulated_zone(const Device& d, const DeviceZoneOptions& options, const Progress& progress) {
  const auto begin = std::chrono::steady_clock::now();
  DeviceZone out;
  out.medium = zone_medium(d);
  out.criterion = zone_criterion(d);
  out.steps = int(protocol_of(d).steps.size());
  const BioheatOptions engine = patient_options(options.threads);
  const std::vector<PlacedDevice> placed = {{along_z(d), d}};
  ThermalProblem problem = device_zone_problem(d, options);
  ThermalResult result = solve(problem, engine, progress);
  double wider = 1;
  while (out.widenings < options.most_widenings && result.summary.usable() &&
         disturbed_region(result, placed, out.medium.start_degC, kRestTolerance_K).touches_box) {
    ++out.widenings;
    wider *= kWider;
    problem = device_zone_problem(d, options, wider);
    result = solve(problem, engine, progress);
  }
  if (result.summary.usable() && options.error_estimate)
    add_error_estimate(problem, engine, result, progress);
  out.wall_time_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  out.steps_taken = result.summary.steps;
  out.warnings = result.warnings;
  if (progress.cancelled() || !result.summary.usable()) {
    out.reason = result.summary.usable()
                     ? std::string("cancelled")
                     : fmt::format("{}: {}", to_string(result.summary.termination), result.summary.message);
    return out;
  }
  const auto zone = result.zones.find(out.criterion);
  if (zone == result.zones.end()) {
    out.reason = fmt::format("the run has no zone '{}'", out.criterion);
    return out;
  }
  const Vector3d& extent_mm = zone->second.extent_mm;
  out.length_mm = extent_mm.z();
  out.diameter_mm = (extent_mm.x() + extent_mm.y()) / 2;
  out.cut_by_box = zone->second.touches_box;
  out.error_radius_mm = result.error_estimate.zone_radius_mm;
  out.reason.clear();
  return out;
}

std::optional<double> deviation_percent(std::optional<double> simulated, std::optional<double> published) {
  if (!simulated || !published || !(*published > 0)) return {};
  return 100 * (*simulated / *published - 1);
}

}  // namespace spinetherm
