// SPDX-License-Identifier: Apache-2.0
#include "apps/report/case_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <set>

#include "apps/report/figure.h"
#include "apps/report/page.h"
#include "apps/report/source_tables.h"
#include "apps/version.h"
#include "datasets/device_table.h"
#include "imaging/core/error.h"
#include "imaging/core/text.h"
#include "imaging/labels.h"
#include "imaging/write.h"

namespace spinetherm {
namespace {

std::string number(const std::optional<double>& value, int digits, const std::string& unit) {
  return value && std::isfinite(*value) ? fmt::format("{:.{}f} {}", *value, digits, unit) : "unknown";
}

std::string dose(const std::optional<double>& cem43_min) {
  if (!cem43_min) return "unknown";
  if (*cem43_min > 1000) return "> 1000 min";
  return fmt::format("{:.{}f} min", *cem43_min, *cem43_min < 10 ? 1 : 0);
}

std::string extreme(const std::optional<FieldExtreme>& e) {
  if (!e) return "unknown";
  return e->t_s ? fmt::format("{:.1f} degC at {:.0f} s", e->value, *e->t_s)
                : fmt::format("{:.1f} degC", e->value);
}

Volume<float> as_field(const Volume<std::uint8_t>& mask) {
  Volume<float> out(mask.grid);
  for (std::size_t n = 0; n < mask.values.size(); ++n) out[n] = mask[n] ? 1.0F : 0.0F;
  return out;
}

Volume<float> structure_field(const Volume<StructureValue>& labels, const std::vector<std::string>& names) {
  std::vector<StructureValue> values;
  for (const std::string& name : names)
    if (const auto v = structure_value(name)) values.push_back(*v);
  return as_field(mask_of(labels, values));
}

/// Everything that is drawn over the slices; owns the fields that the outlines point to.
struct Overlays {
  Volume<float> target, cord, sac, vessels;
  std::vector<Outline> anatomy, zone;
};

void add(std::vector<Outline>& to, const std::string& label, const char* colour, const Volume<float>& field,
         double level, bool dashed = false, double stroke_px = 1.6) {
  const bool shown =
      std::any_of(field.values.begin(), field.values.end(), [&](float v) { return v >= level; });
  if (shown) to.push_back({label, colour, &field, level, dashed, stroke_px});
}

void fill_overlays(Overlays& o, const Job& job, const Volume<float>* cold) {
  const Volume<StructureValue> labels = resample_labels(job.anatomy, job.ct_roi.volume.grid).labels;
  o.target = as_field(job.target.mask);
  o.cord = structure_field(labels, {"cord", "cauda"});
  o.sac = structure_field(labels, {"dural_sac", "canal", "cord", "cauda"});
  o.vessels = structure_field(labels, {"aorta", "vena_cava", "iliac_artery", "iliac_vein", "vessel"});
  add(o.anatomy, job.target.name + " (target)", "#ff5252", o.target, 0.5, false, 2);
  add(o.anatomy, "cord / cauda", "#ffe14d", o.cord, 0.5);
  add(o.anatomy, "canal or sac", "#5ac8fa", o.sac, 0.5, true);
  add(o.anatomy, "large vessels", "#e05fa0", o.vessels, 0.5);
  if (!job.plan()) return;
  const ThermalResult& t = job.plan()->thermal;
  if (!t.peak_temperature.empty()) {
    add(o.zone, "peak 43 degC", "#ffb300", t.peak_temperature, 43, true);
    add(o.zone, "peak 50 degC", "#ff9800", t.peak_temperature, 50);
    add(o.zone, "peak 60 degC", "#ff6f00", t.peak_temperature, 60);
  }
  if (!t.cem43.empty()) add(o.zone, "ablated (CEM43 240 min)", "#ffffff", t.cem43, 240, true, 2);
  if (cold &&
      !cold->empty()) {  // contours are drawn where a field exceeds its level: the negative of the cold
    add(o.zone, "0 degC (ice edge)", "#80d8ff", *cold, 0);
    add(o.zone, "-20 degC", "#4090ff", *cold, 20);
    add(o.zone, "-40 degC", "#2050d0", *cold, 40, true);
  }
}

std::vector<NeedleMark> needles_of(const Plan& plan) {
  std::vector<NeedleMark> out;
  for (const PlacedDevice& placed : placed_devices(plan, device_table())) {
    NeedleMark mark{placed.applicator.entry_mm, placed.applicator.tip_mm, 0, 0,
                    placed.device.shaft_diameter_mm};
    if (const auto active = active_part(placed.device)) {
      mark.active_from_mm = active->from_tip_mm;
      mark.active_to_mm = active->to_tip_mm;
    }
    if (placed.device.poles.empty() && placed.device.tines)
      mark.active_to_mm = mark.active_from_mm = 0;  // the shaft itself is insulated
    const Applicator& a = placed.applicator;
    mark.axis = shaft_line_mm(a, placed.device, 0, (a.tip_mm - a.entry_mm).norm());
    mark.tines = tine_lines_mm(a, placed.device);
    if (placed.device.tines) mark.tine_diameter_mm = placed.device.tines->diameter_mm;
    out.push_back(mark);
  }
  return out;
}

std::string pictures(const Job& job) {
  Overlays overlays;
  Volume<float> cold;
  if (job.plan() && !job.plan()->thermal.lowest_temperature.empty()) {
    cold = without_shafts(job.plan()->thermal.lowest_temperature,
                          placed_devices(job.plan()->plan, device_table()), true);
    for (float& v : cold.values) v = -v;
  }
  fill_overlays(overlays, job, &cold);
  std::vector<Outline> all = overlays.anatomy;
  all.insert(all.end(), overlays.zone.begin(), overlays.zone.end());
  std::vector<NeedleMark> needles;
  Eigen::Vector3d centre = shape_of(job.target).centre_mm;
  if (job.plan()) needles = needles_of(job.plan()->plan);
  const auto figure = [&](const std::string& title, const SlicePlane& plane, const Image& scan,
                          bool with_zone) {
    Figure f;
    f.title = title;
    f.plane = plane;
    f.scan = &scan.volume;
    f.window = is_mr(scan.modality) ? percentile_window(scan.volume) : kSpineWindow;
    f.outlines = with_zone ? all : overlays.anatomy;
    f.needles = needles;
    f.mark = synthetic_mark(job.patient);
    return svg(f);
  };
  std::string html = "<div class=\"figures\">";
  html += figure("axial CT", axial_plane(centre), job.ct_roi, true);
  html += figure("sagittal CT", sagittal_plane(centre), job.ct_roi, true);
  html += figure("coronal CT", coronal_plane(centre), job.ct_roi, true);
  for (std::size_t n = 0; n < needles.size(); ++n) {
    const std::string probe = needles.size() > 1 ? fmt::format("probe {}", n + 1) : "the probe";
    html += figure("along " + probe + ", axial",
                   along_probe_axial(needles[n].entry_mm, needles[n].tip_mm, centre), job.ct_roi, true);
    html += figure("along " + probe + ", sagittal",
                   along_probe_sagittal(needles[n].entry_mm, needles[n].tip_mm, centre), job.ct_roi, true);
  }
  for (const Image& mri : job.fused) {
    const std::string name(to_string(mri.modality));
    html += figure("axial " + name + " on CT", axial_plane(centre), mri, false);
    html += figure("sagittal " + name + " on CT", sagittal_plane(centre), mri, false);
  }
  html += "</div>" + legend_html(all);
  html +=
      "<p class=\"note\">Radiological convention: patient right on the left of the screen, seen from the "
      "feet. "
      "Slices through the centre of the target, along a probe through its straight axis. Bone window (level "
      "250 HU, width 1000 HU).</p>";
  return html;
}

Section exposure_section(const Job& job) {
  const ExposureReport& report = job.plan()->exposure;
  Table table{{"structure", "known from", "verdict", "peak", "lowest", "CEM43", "to shaft", "to zone",
               "limit", "why"},
              {}};
  for (const StructureExposure& e : report.exposures)
    table.rows.push_back(
        {e.structure, std::string(to_string(e.status)), std::string(to_string(e.verdict)),
         extreme(e.peak_degC), extreme(e.lowest_degC), dose(e.cem43_min),
         number(e.distance_to_applicator_mm, 1, "mm"), number(e.distance_to_zone_mm, 1, "mm"),
         e.limit ? fmt::format("{} ({:g})", e.limit->id, e.limit->value) : "unknown", e.reason});
  std::string html = table_html(table);
  html += list_html(report.notes);
  html +=
      "<p class=\"note\">The dural surface is judged before the cord, as the published limits were measured "
      "there. "
      "Nominal values of one simulation; no bound is claimed. The limits are a domain review, not a "
      "clinician's "
      "signature.</p>";
  return {"Exposure of structures at risk", html, false};
}

/// "from 120 s on, probes 1, 3": probes as the report counts them.
std::string schedule_text(const Protocol& p) {
  std::string text = p.start_s ? fmt::format("from {:g} s on", *p.start_s) : "after the one before";
  if (p.applicators.empty()) return text + ", all probes of this energy";
  text += p.applicators.size() > 1 ? ", probes" : ", probe";
  for (std::size_t n = 0; n < p.applicators.size(); ++n)
    text += fmt::format("{} {}", n > 0 ? "," : "", p.applicators[n] + 1);
  return text;
}

Section plan_section(const Job& job) {
  const RankedPlan& ranked = *job.plan();
  std::vector<std::pair<std::string, std::string>> facts;
  int n = 0;
  for (const Applicator& a : ranked.plan.applicators) {
    const std::string name = fmt::format("probe {}", ++n);
    facts.emplace_back(name, a.device);
    facts.emplace_back(name + ", entry", position_text(a.entry_mm) +
                                             (ranked.trajectory.entry_on_image_edge
                                                  ? " (on the edge of the image: the skin is not in the scan)"
                                                  : ""));
    facts.emplace_back(name + ", tip", position_text(a.tip_mm));
    facts.emplace_back(name + ", depth", fmt::format("{:.0f} mm", (a.entry_mm - a.tip_mm).norm()));
    const Device& d = device(a.device);
    if (d.articulation)
      facts.emplace_back(name + ", tip bent by", fmt::format("{:.0f} of {:g} deg, roll {:.0f} deg",
                                                             a.deployment * d.articulation->angle_deg,
                                                             d.articulation->angle_deg, a.roll_deg));
    if (d.tines)
      facts.emplace_back(name + ", tines",
                         fmt::format("{}, deployed to {:.0f} %", d.tines->count, 100 * a.deployment));
  }
  std::vector<Trajectory> paths = {ranked.trajectory};
  paths.insert(paths.end(), ranked.others.begin(), ranked.others.end());
  for (std::size_t p = 0; p < paths.size(); ++p) {
    if (paths[p].side.empty()) continue;
    const std::string probe = paths.size() > 1 ? fmt::format("probe {}, ", p + 1) : "";
    facts.emplace_back(probe + "approach", fmt::format("{}, {}", to_string(paths[p].kind), paths[p].side));
    for (const auto& [what, mm] : paths[p].clearance_mm)
      facts.emplace_back(probe + "clearance to " + what, number(mm, 1, "mm"));
  }
  for (const Protocol& p : ranked.plan.protocol) {
    if (!p.applicators.empty() || p.start_s) facts.emplace_back("schedule, " + p.modality, schedule_text(p));
    for (const ProtocolStep& s : p.steps) {
      std::string what = p.modality == "cryo" ? "passive thaw" : "off";
      if (s.duty) what = fmt::format("freeze, gas in {:g} % of the time", 100 * *s.duty);
      if (s.thaw_degC) what = fmt::format("active thaw at {:g} degC", *s.thaw_degC);
      if (s.hold_degC) what = fmt::format("hold {:g} degC at the control sensor", *s.hold_degC);
      if (s.power_W) what = fmt::format("{:g} W", *s.power_W);
      if (s.voltage_V) what = fmt::format("{:g} V", *s.voltage_V);
      if (s.max_W) what += fmt::format(", at most {:g} W", *s.max_W);
      if (s.roll_off)
        what += fmt::format(", off for {:g} s when the resistance has risen by {:g} %", s.roll_off->off_s,
                            100 * s.roll_off->rise);
      if (ranked.plan.applicators.size() > 1 && (s.hold_degC || s.power_W)) what += ", each probe by itself";
      facts.emplace_back("step, " + p.modality, fmt::format("{} for {:g} s", what, s.duration_s));
    }
  }
  facts.emplace_back("coverage of the target", percent_text(ranked.coverage.coverage));
  facts.emplace_back("smallest margin", number(ranked.coverage.min_margin_mm, 1, "mm"));
  facts.emplace_back("coverage, note", ranked.coverage.reason);
  std::string html = facts_html(facts) + list_html(ranked.reasons);
  Table alternatives{{"rank", "device", "approach", "verdict", "coverage", "margin", "simulated"}, {}};
  int rank = 0;
  for (const RankedPlan& p : job.plans.plans)
    alternatives.rows.push_back(
        {std::to_string(++rank), p.plan.applicators.empty() ? "" : p.plan.applicators[0].device,
         approach_of(p), std::string(to_string(p.exposure.verdict())), percent_text(p.coverage.coverage),
         number(p.coverage.min_margin_mm, 1, "mm"), p.thermal.summary.usable() ? "yes" : "no"});
  if (alternatives.rows.size() > 1) html += "<h2>Alternatives</h2>" + table_html(alternatives);
  return {"Plan", html, false};
}

std::string electrical_chart(const ThermalResult& t) {
  if (!t.electrical || t.electrical->times_s.size() < 2) return {};
  const ElectricalHistory& e = *t.electrical;
  std::vector<CurveLine> power = {{"power, W", "#c25b00", e.times_s, e.power_W}};
  std::vector<CurveLine> resistance = {{"resistance, ohm", "#25609f", e.times_s, e.resistance_ohm}};
  constexpr std::array<const char*, 4> kColours = {"#7a3fa0", "#1f8a4c", "#b0203a", "#8a7a1f"};
  if (!e.channels.empty()) resistance.clear();  // of all probes together it says little
  for (std::size_t n = 0; n < e.channels.size(); ++n) {
    const char* colour = kColours[n % kColours.size()];
    power.push_back({fmt::format("probe {}", n + 1), colour, e.times_s, e.channels[n].power_W});
    resistance.push_back(
        {fmt::format("probe {}, ohm", n + 1), colour, e.times_s, e.channels[n].resistance_ohm});
  }
  return "<div class=\"chart\">" + chart_svg("Generator", "time, s", "W", power) +
         chart_svg("Resistance", "time, s", "ohm", resistance) + "</div>";
}

std::string radiation_chart(const ThermalResult& t) {
  if (!t.radiation || t.radiation->times_s.size() < 2) return {};
  constexpr std::array<const char*, 4> kColours = {"#c25b00", "#25609f", "#1f8a4c", "#b0203a"};
  std::vector<CurveLine> power, lost;
  for (std::size_t n = 0; n < t.radiation->sources.size(); ++n) {
    const RadiationHistory::Source& s = t.radiation->sources[n];
    const char* colour = kColours[n % kColours.size()];
    power.push_back({fmt::format("probe {}, generator", n + 1), colour, t.radiation->times_s, s.power_W});
    power.push_back({fmt::format("probe {}, tissue", n + 1), colour, t.radiation->times_s, s.absorbed_W});
    std::vector<double> sum = s.reflected_W;
    for (std::size_t m = 0; m < sum.size(); ++m) sum[m] += s.cable_W[m] + s.radiated_W[m];
    lost.push_back({fmt::format("probe {}", n + 1), colour, t.radiation->times_s, sum});
  }
  return "<div class=\"chart\">" + chart_svg("Power, and what tissue takes of it", "time, s", "W", power) +
         chart_svg("Reflected, in the cable and out of the box", "time, s", "W", lost) + "</div>";
}

std::string sensor_chart(const ThermalResult& t) {
  constexpr std::array<const char*, 4> kColours = {"#c25b00", "#25609f", "#1f8a4c", "#b0203a"};
  std::vector<CurveLine> lines;
  for (std::size_t n = 0; n < t.sensors.size(); ++n) {
    const SensorHistory& s = t.sensors[n];
    if (s.times_s.size() < 2) continue;
    lines.push_back({s.name + ", reads", kColours[n % kColours.size()], s.times_s, s.reading_degC});
    lines.push_back({s.name + ", tissue", "#777777", s.times_s, s.truth_degC});
  }
  if (lines.empty()) return {};
  return "<div class=\"chart\">" + chart_svg("Sensors", "time, s", "degC", lines) + "</div>";
}

std::string cryo_chart(const ThermalResult& t) {
  if (!t.cryo || t.cryo->times_s.size() < 2) return {};
  static constexpr std::array<const char*, 8> kColours = {"#25609f", "#c25b00", "#2e7d32", "#8e24aa",
                                                          "#00838f", "#c62828", "#5d4037", "#455a64"};
  std::vector<CurveLine> power, wall;
  for (std::size_t n = 0; n < t.cryo->probes.size(); ++n) {
    const CryoHistory::Probe& p = t.cryo->probes[n];
    const char* colour = kColours[n % kColours.size()];
    power.push_back({fmt::format("probe {}, W", n + 1), colour, t.cryo->times_s, p.extraction_W});
    wall.push_back({fmt::format("probe {}, degC", n + 1), colour, t.cryo->times_s, p.wall_degC});
  }
  return "<div class=\"chart\">" + chart_svg("Heat that the probes take", "time, s", "W", power) +
         chart_svg("Wall of the probes", "time, s", "degC", wall) + "</div>";
}

Section simulation_section(const Job& job) {
  const ThermalResult& t = job.plan()->thermal;
  std::vector<std::pair<std::string, std::string>> facts = {
      {"ended", fmt::format("{} ({})", to_string(t.summary.termination), t.summary.message)},
      {"simulated time", fmt::format("{:.0f} s, until the dose has settled", t.summary.simulated_s)},
      {"steps", fmt::format("{}", t.summary.steps)},
      {"grid", job.tissue_map.labels.empty()
                   ? "unknown"
                   : fmt::format("{} x {} x {} cells of {:g} mm", job.tissue_map.labels.grid.size[0],
                                 job.tissue_map.labels.grid.size[1], job.tissue_map.labels.grid.size[2],
                                 job.tissue_map.labels.grid.spacing_mm[0])},
      {"energy balance, relative residual", fmt::format("{:.1e}", t.energy.relative_residual)},
      {"error estimate, zone radius", number(t.error_estimate.zone_radius_mm, 1, "mm")},
      {"error estimate, peak temperature", number(t.error_estimate.peak_K, 1, "K")}};
  for (const auto& [key, zone] : t.zones)
    if (zone.volume_ml > 0)
      facts.emplace_back(
          key, fmt::format("{:.2f} ml, {:.0f} x {:.0f} x {:.0f} mm{}", zone.volume_ml, zone.extent_mm[0],
                           zone.extent_mm[1], zone.extent_mm[2],
                           zone.touches_box ? " (reaches the edge of the box: a lower bound)" : ""));
  if (t.cryo)
    for (std::size_t n = 0; n < t.cryo->probes.size(); ++n)
      facts.emplace_back(fmt::format("cryoprobe {}", n + 1),
                         t.cryo->probes[n].free_from_s
                             ? fmt::format("stuck until {:.0f} s", *t.cryo->probes[n].free_from_s)
                             : std::string("still stuck at the end"));
  for (const SensorHistory& s : t.sensors) {
    if (s.times_s.empty()) continue;
    const double tissue = *std::max_element(s.truth_degC.begin(), s.truth_degC.end());
    const double read = *std::max_element(s.reading_degC.begin(), s.reading_degC.end());
    facts.emplace_back(
        s.name, fmt::format("read {:.0f} degC at most, the tissue there had {:.0f} degC{}", read, tissue,
                            s.stopped_s ? fmt::format("; ended the protocol after {:.0f} s", *s.stopped_s)
                                        : std::string()));
  }
  if (t.cement)
    facts.emplace_back("cement",
                       fmt::format("{:g} ml placed after {:.0f} min, {:.0f} degC at most while curing",
                                   t.cement->volume_ml, t.cement->placed_s / 60, t.cement->hottest_degC));
  for (const EndedEarly& e : t.ended_early)
    facts.emplace_back("step ended by a sensor", fmt::format("planned {:.0f} to {:.0f} s, ended at {:.0f} s",
                                                             e.from_s, e.planned_to_s, e.at_s));
  return {"Simulation",
          facts_html(facts) + electrical_chart(t) + radiation_chart(t) + cryo_chart(t) + sensor_chart(t) +
              list_html(t.warnings),
          false};
}

std::string summary_html(const Job& job) {
  const CaseResult r = case_result(job);
  const Verdict verdict = r.exposure.verdict();
  std::string html = "<p class=\"verdict\">" + badge_html(to_string(verdict), title(verdict)) + "</p>";
  html += list_html(r.exposure.reasons());
  std::vector<std::pair<std::string, std::string>> facts = {
      {"level", job.level.name.empty()
                    ? "unknown"
                    : fmt::format("{}, {}: {}", job.level.name, job.level.confirmed ? "confirmed" : "assumed",
                                  job.level.reason)},
      {"exposure alone", std::string(title(r.exposure.exposure_verdict()))},
      {"eligibility", std::string(to_string(r.eligibility.verdict))},
      {"target", fmt::format("{}, {:.1f} ml{}", job.target.name, r.coverage.volume_ml,
                             job.patient.target.centre_mm
                                 ? "; an ellipsoid given with the case, not segmented from the scan"
                                 : "")},
      {"coverage", r.coverage.coverage ? fmt::format("{} of the target, smallest margin {}",
                                                     percent_text(r.coverage.coverage),
                                                     number(r.coverage.min_margin_mm, 1, "mm"))
                                       : "unknown: " + r.coverage.reason}};
  if (!job.patient.notes.empty()) facts.emplace_back("notes of the case", job.patient.notes);
  html += facts_html(facts);
  if (!job.plan()) html += "<p><b>No plan was found.</b></p>" + list_html(job.plans.reasons);
  return html;
}

Section registration_section(const Job& job) {
  const JobRegistration& r = *job.registration;
  const RegistrationQuality& q = r.result.quality;
  const Rigid& motion = r.result.moving_from_fixed;
  return {
      "Registration",
      facts_html(
          {{"pair", fmt::format("{} to {}{}", r.moving, r.fixed, r.given ? ", given with the case" : "")},
           {"verdict", std::string(to_string(r.result.verdict))},
           {"motion", fmt::format("{:.1f} deg, {:.1f} mm", angle_deg(motion), motion.translation_mm.norm())},
           {"landmark error (TRE) against the truth", number(q.tre_mm, 2, "mm")},
           {"mutual information", number(q.mutual_information, 3, "nat")},
           {"one level up / down", number(q.level_up, 3, "nat") + " / " + number(q.level_down, 3, "nat")},
           {"inverse consistency", number(q.inverse_consistency_mm, 2, "mm")}}) +
          list_html(r.result.reasons) +
          "<p class=\"note\">One rigid motion; a spine that bends between the scans is not followed.</p>",
      false};
}

Section search_section(const Job& job) {
  const TrajectorySearch& s = job.plans.search;
  Table table{{"limit", "paths that it alone removes"}, {}};
  for (const auto& [limit, count] : s.rejected_by) table.rows.push_back({limit, std::to_string(count)});
  return {
      "Search for a path",
      facts_html({{"paths tried", std::to_string(s.tried)}, {"paths accepted", std::to_string(s.accepted)}}) +
          table_html(table) + list_html(s.reasons),
      true};
}

}  // namespace

void write_report(const Job& job, const std::filesystem::path& path) {
  Page page;
  page.title = "Ablation plan, " + job.patient.name();
  page.mark = synthetic_mark(job.patient);
  page.subtitle = fmt::format("{} of {}", energy_title(job.options.energy), job.target.name);
  page.summary_html = summary_html(job);
  page.sections.push_back({"Pictures", pictures(job), false});
  if (job.plan()) {
    page.sections.push_back(exposure_section(job));
    page.sections.push_back(plan_section(job));
    page.sections.push_back(simulation_section(job));
  }
  page.sections.push_back(
      {"Eligibility",
       facts_html(
           {{"verdict", std::string(to_string(job.eligibility.verdict))},
            {"SINS", fmt::format("{} to {}", job.eligibility.sins.lowest, job.eligibility.sins.highest)},
            {"epidural grade (ESCC)", job.patient.findings.escc.value_or("unknown: it needs an MRI")},
            {"posterior wall", job.wall.reason}}) +
           list_html(job.eligibility.reasons),
       false});
  if (job.registration) page.sections.push_back(registration_section(job));
  if (!job.warnings.empty()) page.sections.push_back({"Warnings", list_html(job.warnings), false});
  page.sections.push_back(search_section(job));
  page.sections.push_back({"Tissues of the simulation", tissue_section_html(job), true});
  page.sections.push_back({"Device", device_section_html(job), true});
  page.sections.push_back({"Limits", limit_section_html(), true});
  page.sections.push_back({"Settings and provenance", provenance_section_html(job), true});
  page.footer = fmt::format("SpineTherm {}. {}", version(), kBanner);
  write_renamed(path, [&](const std::filesystem::path& temporary) {
    std::ofstream out(temporary, std::ios::binary);
    out << page_html(page);
    if (!out.flush())
      throw IoError("cannot be written", path.string(), "check the folder and the free space");
  });
}

}  // namespace spinetherm
