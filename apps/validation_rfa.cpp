// SPDX-License-Identifier: Apache-2.0
// Radiofrequency experiments of the validation table (physics notes, section 5). The needle lies along z with
// the middle of its active part at the origin and its tip below.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "apps/validation_detail.h"
#include "datasets/device_table.h"
#include "imaging/core/error.h"
#include "thermal/rfa.h"

namespace spinetherm::validation {
namespace {

using Eigen::Vector3d;

constexpr double kUnbounded = std::numeric_limits<double>::infinity();
constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

/// Box around the needle. A lower bound of 0 in x or y is a plane of symmetry through its axis.
struct Surroundings {
  Vector3d min_mm, max_mm;
  double cell_mm = 0.5;
  double rest_degC = kRest_degC;
};

Protocol one_step(const ProtocolStep& step) { return {"rfa", {step}, {}}; }
ProtocolStep hold(double duration_s, double degC, double max_W) {
  ProtocolStep step;
  step.duration_s = duration_s;
  step.hold_degC = degC;
  step.max_W = max_W;
  return step;
}
ProtocolStep give(double duration_s, double power_W) {
  ProtocolStep step;
  step.duration_s = duration_s;
  step.power_W = power_W;
  return step;
}

/// The needle in its box. A pad is the outermost layer of cells, at rest, where no plane of symmetry lies;
/// power and its limit are those of the part that is simulated.
ThermalProblem needle_problem(const Device& device, const ProtocolStep& step, const Surroundings& around,
                              std::vector<Tissue> tissues,
                              const std::function<int(const Vector3d&)>& label = {}) {
  const double h = around.cell_mm;
  ThermalProblem p =
      problem_in(cells_in(around.min_mm, around.max_mm, h), std::move(tissues), around.rest_degC, label);
  const auto stretch = active_stretch_mm(device).value();
  Applicator applicator;
  applicator.device = device.name;
  applicator.tip_mm = {0, 0, -(stretch[0] + stretch[1]) / 2};
  applicator.entry_mm = {0, 0, around.max_mm.z() - 3};
  applicator.roll_deg = 225;  // off-axis sensors towards +x, +y: inside the part that is simulated
  p.sources = make_rfa_sources({applicator}, {device}, one_step(step));
  p.duration_s = step.duration_s;

  auto& source = std::get<ElectrodesSource>(p.sources.front().what);
  Box inside{around.min_mm.array() + h, around.max_mm.array() - h};
  double share = 1;
  for (const int a : {0, 1}) {
    if (around.min_mm[a] != 0) continue;
    p.boundary[2 * std::size_t(a)] = kInsulated;
    inside.min_mm[a] = -inside.max_mm[a];
    share /= 2;
  }
  if (source.outer_grounded) {
    source.outer_grounded = false;
    source.electrodes.push_back(
        {{Outside{std::make_shared<const Region>(Region{inside})}}, 0, around.rest_degC});
  }
  if (auto* power = std::get_if<ConstantPower>(&source.control)) power->power_W *= share;
  if (auto* held = std::get_if<HoldTemperature>(&source.control)) held->max_W *= share;
  return p;
}

/// Height and width of the zone above 50 degC of a quarter of the surroundings [mm].
struct Lesion {
  double width_mm = kUnknown, length_mm = kUnknown;
};
Lesion quarter_lesion(const ThermalResult& result) {
  const auto zone = result.zones.find("over_50_degC");
  if (!result.summary.usable() || zone == result.zones.end()) return {};
  return {2 * zone->second.extent_mm.x(), zone->second.extent_mm.z()};
}

/// The plain electrode of another gauge.
Device plain_electrode(double diameter_mm) {
  Device d = device("monopolar-plain-17g-10");
  d.name = fmt::format("monopolar-plain-{:g}mm-10", diameter_mm);
  d.shaft_diameter_mm = d.poles.front().diameter_mm = diameter_mm;
  return d;
}

double sampled(const ThermalResult& result, const Vector3d& at_mm, double t_s) {
  return verification::sample_at(result, at_mm, t_s).T_degC;
}

}  // namespace

// V1: a lytic cavity of 20 mm, stuffed with muscle, in a cadaver's vertebral body; canal behind 5 mm of bone.
std::vector<ValidationRow> run_v1(const VerificationOptions& options, const Progress& progress) {
  Runner runner(options, progress);
  constexpr double cavity_mm = 10, canal_from_mm = 15, cortex_mm = 1;
  const Vector3d epidural{canal_from_mm + 0.5, 0.5, 0.5}, foramen{13.5, 13.5, 0.5}, body{0.5, -12.5, 0.5};
  const auto label = [](const Vector3d& x) {
    if (x.norm() < cavity_mm) return 0;
    if (x.x() > canal_from_mm) return 3;
    return x.x() > canal_from_mm - cortex_mm ? 2 : 1;
  };
  struct Arm {
    const char *name, *device;
    double foramen, foramen_sd, epidural, epidural_sd, body, body_sd;
  };
  std::vector<ValidationRow> rows;
  for (const Arm& arm : {Arm{"needle", "monopolar-plain-17g-10", 46.4, 2.5, 46.8, 4.7, 50.6, 10.5},
                         Arm{"array", "monopolar-array-20", 52.2, 5.6, 49.5, 6.5, 61.9, 15.4}}) {
    ThermalProblem p =
        needle_problem(device(arm.device), hold(300, 90, 50), {{-24, -24, -24}, {24, 24, 28}, 1},
                       {excised(TissueClass::muscle), excised(TissueClass::cancellous_bone_1),
                        excised(TissueClass::cortical_bone), excised(TissueClass::csf)},
                       label);
    p.fields.peak_temperature = true;
    const ThermalResult result = runner.run(p, BioheatOptions{});
    const auto add = [&](const char* place, const Vector3d& at, double mean, double sd) {
      rows.push_back({"V1", fmt::format("highest at the {}, {}", place, arm.name), "degC",
                      cell_value(result.peak_temperature, at), fmt::format("{:g} +/- {:g}", mean, sd),
                      mean - sd, mean + sd, Confidence::placeholder,
                      "places of the sensors, baseline (37 degC here) and generator settings (90 degC, 300 s "
                      "here) are not known",
                      false});
    };
    add("foramen", foramen, arm.foramen, arm.foramen_sd);
    add("epidural space", epidural, arm.epidural, arm.epidural_sd);
    add("body, 2.5 mm outside the cavity", body, arm.body, arm.body_sd);
  }
  return rows;
}

// V2: a cooled probe in a soft tumour without a posterior wall, parallel to the canal, some millimetres from
// the dura; the last millimetre is epidural fat. In the canal 2 mm of CSF, the cord, CSF; elsewhere the
// tumour ends 12 mm from the probe, in cancellous bone. The sensor lies on the dura or in the canal behind
// it.
namespace {

constexpr double kStop_degC = 45;

struct Overshoot {
  double rise_K = kUnknown;  ///< of the dural point after the power has stopped
  double over_K = kUnknown;  ///< its highest temperature above that at which the sensor stops the power
};
Overshoot overshoot(const Device& probe, double power_W, double dura_mm, double sensor_behind_mm,
                    Runner& runner) {
  constexpr double most_s = 900, coast_s = 60, tumour_mm = 12, fat_mm = 1, csf_mm = 2, cord_mm = 8, h = 0.5;
  constexpr double canal_depth_mm = csf_mm + cord_mm + csf_mm, canal_half_width_mm = 8;
  // The dural point is the middle of the last cell before the canal.
  const double distance_mm = probe.shaft_diameter_mm / 2 + dura_mm;
  const Vector3d dura{h * std::round(distance_mm / h - 0.5) + h / 2, h / 2, h / 2};
  const double canal_mm = dura.x() + h / 2;
  ThermalProblem p =
      needle_problem(probe, give(most_s, power_W), {{-15, 0, -18}, {22, 15, 22}, h},
                     {tissue(TissueClass::tumour_lytic), tissue(TissueClass::cancellous_bone_1),
                      tissue(TissueClass::epidural_fat), tissue(TissueClass::csf), tissue(TissueClass::cord)},
                     [&](const Vector3d& x) {
                       const double beyond_mm = x.x() - canal_mm;
                       if (beyond_mm < -fat_mm) return std::hypot(x.x(), x.y()) < tumour_mm ? 0 : 1;
                       if (x.y() > canal_half_width_mm || beyond_mm > canal_depth_mm) return 1;
                       if (beyond_mm < 0) return 2;
                       return beyond_mm > csf_mm && beyond_mm < csf_mm + cord_mm ? 4 : 3;
                     });
  p.early_ends = {{{0, most_s}, dura + Vector3d(sensor_behind_mm, 0, 0), {}, kStop_degC}};
  p.fields.temperature = p.fields.peak_temperature = true;
  const ThermalResult stopped = runner.run(p, BioheatOptions{});
  if (stopped.ended_early.empty()) return {};
  p.duration_s += coast_s;
  const ThermalResult coasted = runner.run(p, BioheatOptions{});
  const double highest_degC = cell_value(coasted.peak_temperature, dura);
  return {highest_degC - cell_value(stopped.temperature, dura), highest_degC - kStop_degC};
}

}  // namespace

std::vector<ValidationRow> run_v2(const VerificationOptions& options, const Progress& progress) {
  Runner runner(options, progress);
  constexpr double power_W = 10, dura_mm = 4;
  const Device &bipolar = device("bipolar-cooled-20"), &monopolar = device("monopolar-cooled-20");
  std::vector<ValidationRow> rows;
  const auto add = [&](const std::string& what, double value_K, const char* cause, bool judged) {
    rows.push_back({"V2", what, "K", value_K, "0 to 3 (9 of 10 at 45, 1 at 48 degC)", 0, 3,
                    Confidence::placeholder, cause, judged});
  };
  const auto require = [&](const char* what, double value_K, const char* cause) {
    rows.push_back({"V2", what, "K", value_K, "> 0 (rule)", std::numeric_limits<double>::min(), kUnbounded,
                    Confidence::placeholder, cause, true, true});
  };
  /// Smallest step from one value to the next; NaN when one is unknown.
  const auto least_step = [](const std::vector<double>& values) {
    double least = kUnbounded;
    for (std::size_t n = 1; n < values.size(); ++n) {
      const double step = values[n] - values[n - 1];
      if (!(step >= least)) least = step;
    }
    return least;
  };
  const char* unknown = "power, electrode and its distance from the dura are not known of any patient";
  std::vector<double> by_power_K, by_depth_K;
  for (const double W : {6.0, power_W, 20.0}) {
    const Overshoot o = overshoot(bipolar, W, dura_mm, 0, runner);
    by_power_K.push_back(o.rise_K);
    if (W == power_W) by_depth_K.push_back(o.over_K);
    add(fmt::format("rise after the stop, {:g} W, sensor on the dura", W), o.rise_K, unknown, true);
  }
  for (const double behind_mm : {1.0, 2.0}) {
    by_depth_K.push_back(overshoot(bipolar, power_W, dura_mm, behind_mm, runner).over_K);
    add(fmt::format("dura above 45 degC, {:g} W, sensor {:g} mm behind it", power_W, behind_mm),
        by_depth_K.back(), "a sensor deeper in the canal reads less than the dura has", true);
  }
  const char* slower = "farther off the stop comes later, nearer to a steady state: at equal power it falls";
  for (const double mm : {2.0, 6.0})
    add(fmt::format("rise after the stop, {:g} W, dura {:g} instead of {:g} mm off", power_W, mm, dura_mm),
        overshoot(bipolar, power_W, mm, 0, runner).rise_K, slower, false);
  add(fmt::format("rise after the stop, {:g} W, monopolar", power_W),
      overshoot(monopolar, power_W, dura_mm, 0, runner).rise_K,
      "current to the pad crosses the epidural fat and heats it in place, which ends with the power; the pad "
      "lies near here, which may exaggerate this",
      false);
  const char* rule = "heat that is under way still arrives";
  double least_K = kUnbounded;
  for (const double rise_K : by_power_K)
    if (!(rise_K >= least_K)) least_K = rise_K;
  require("least rise after the stop", least_K, rule);
  require("least growth of it with power", least_step(by_power_K), rule);
  require("least growth of the dura above 45 with the sensor deeper", least_step(by_depth_K),
          "a deeper sensor stops the power later; with the sensor on the dura, the rise falls with its "
          "distance from the probe at equal power (printed above)");
  return rows;
}

// V3: a nidus of 10 mm, its reactive zone, a cortical layer of 1.5 mm with muscle on one side, trabecular
// bone elsewhere.
std::vector<ValidationRow> run_v3(const VerificationOptions& options, const Progress& progress) {
  Runner runner(options, progress);
  constexpr double nidus_mm = 5, cortex_mm = 1.5, h = 0.75;
  struct Outcome {
    double diameter_mm = kUnknown, outside_degC = kUnknown;
  };
  const auto run = [&](double zone_mm, double zone_S_per_m) {
    Tissue zone = tissue(TissueClass::cortical_bone);
    zone.name = "reactive zone";
    zone.electrical_S_per_m = zone_S_per_m;
    const double edge_mm = nidus_mm + zone_mm;
    ThermalProblem p = needle_problem(
        device("monopolar-plain-17g-10"), hold(300, 90, 50), {{-22.5, 0, -22.5}, {22.5, 22.5, 27}, h},
        {tissue(TissueClass::tumour_lytic), zone, tissue(TissueClass::cortical_bone),
         tissue(TissueClass::muscle), tissue(TissueClass::cancellous_bone_2)},
        [&](const Vector3d& x) {
          if (x.norm() < nidus_mm) return 0;
          if (x.norm() < edge_mm) return 1;
          if (x.x() > edge_mm + cortex_mm) return 3;
          return x.x() > edge_mm ? 2 : 4;
        });
    p.fields.peak_temperature = true;
    const ThermalResult result = runner.run(p, BioheatOptions{});
    const auto lesion = result.zones.find("over_50_degC");
    if (!result.summary.usable() || lesion == result.zones.end()) return Outcome{};
    return Outcome{lesion->second.extent_mm.x(),
                   cell_value(result.peak_temperature, {-edge_mm - h / 2, h / 2, h / 2})};
  };
  const Outcome none = run(0, 0.02), low = run(7.5, 0.02), high = run(7.5, 0.087);
  const char* cause =
      "nidus as lytic tumour, lesion as 50 degC, sensor at the very end of the tip and the point beside its "
      "middle are assumed; the paper's own properties are not known";
  return {{"V3", "lesion, reactive zone of 7.5 mm with 0.02 S/m", "mm", low.diameter_mm, "24", 22, 26,
           Confidence::placeholder, cause},
          {"V3", "lesion, reactive zone of 7.5 mm with 0.087 S/m", "mm", high.diameter_mm, "18", 16, 20,
           Confidence::placeholder, cause},
          {"V3", "beside the nidus, no reactive zone", "degC", none.outside_degC, "68", 64, 72,
           Confidence::placeholder, cause},
          {"V3", "beside a reactive zone of 7.5 mm with 0.02 S/m", "degC", low.outside_degC, "44", 40, 48,
           Confidence::placeholder, cause}};
}

std::vector<ValidationRow> run_v4(const VerificationOptions&, const Progress&) {
  return {unknown_row("V4", "ablation diameters, simulated less measured, median", "mm",
                      "-1 (quartiles -3, 3), 7 patients",
                      "needs the patients' images, tumours and electrode places, which are not public; the "
                      "paper fitted its tissue parameters, we do not")};
}

// V7: sharp cannulae in animal tissue, tip of 10 mm held at a temperature.
std::vector<ValidationRow> run_v7(const VerificationOptions& options, const Progress& progress) {
  Runner runner(options, progress);
  constexpr double gauge22_mm = 0.72, gauge18_mm = 1.27, gauge16_mm = 1.65, tip_mm = 10;
  const auto lesion = [&](double diameter_mm, double degC, double duration_s) {
    return quarter_lesion(
        runner.run(needle_problem(plain_electrode(diameter_mm), hold(duration_s, degC, 50),
                                  {{0, 0, -16}, {15, 15, 20}, 0.5}, {excised(TissueClass::muscle)})));
  };
  const Lesion base = lesion(gauge18_mm, 80, 120), short_time = lesion(gauge18_mm, 80, 60),
               long_time = lesion(gauge18_mm, 80, 180), cool = lesion(gauge18_mm, 60, 120),
               hot = lesion(gauge18_mm, 90, 120), thin = lesion(gauge22_mm, 80, 120),
               thick = lesion(gauge16_mm, 80, 120);
  const auto more = [](const Lesion& a, const Lesion& b) { return 100 * (a.width_mm / b.width_mm - 1); };
  const char* cause =
      "lesion as 50 degC from 37 degC in muscle assumed, the paper infers it from colour; no heat leaves "
      "along the metal here";
  return {{"V7", "width, 2 min against 1 min", "%", more(base, short_time), "+11 to +20", 11, 20,
           Confidence::recalled, cause},
          {"V7", "width, 3 min against 1 min", "%", more(long_time, short_time), "+23 to +32", 23, 32,
           Confidence::recalled, cause},
          {"V7", "width, 90 against 60 degC, 2 min", "%", more(hot, cool), "+108 to +152", 108, 152,
           Confidence::recalled,
           "depends on which temperature bounds a lesion: at 60 degC the tip is 10 K above it"},
          {"V7", "width, 16 against 22 G, 80 degC, 2 min", "%", more(thick, thin), "+58 to +65", 58, 65,
           Confidence::recalled, cause},
          {"V7", "width, 16 against 22 G, 80 degC, 2 min", "mm", thick.width_mm - thin.width_mm, "3 to 4", 3,
           4, Confidence::recalled, cause},
          {"V7", "length beyond the tip's 10 mm, 80 degC, 2 min", "mm", base.length_mm - tip_mm, "1 to 5", 1,
           5, Confidence::recalled, cause}};
}

// V16: a bipolar needle in excised bone.
std::vector<ValidationRow> run_v16(const VerificationOptions& options, const Progress& progress) {
  Runner runner(options, progress);
  constexpr double end_s = 600, steady = 0.95, published_s = 210, spread = 0.3;
  ThermalProblem p =
      needle_problem(device("bipolar-cooled-10"), hold(end_s, 70, 20), {{0, 0, -24}, {24, 24, 28}, 0.75},
                     {excised(TissueClass::cancellous_bone_1)});
  std::vector<ValidationRow> rows;
  for (double t = 0; t <= end_s; t += 10) p.sample.times_s.push_back(t);
  const std::vector<double> distances_mm = {3, 5, 10};
  for (const double r : distances_mm) p.sample.points_mm.emplace_back(r, 0, 0);
  const ThermalResult result = runner.run(p, BioheatOptions{});
  for (const double r : distances_mm) {
    const double final_K = sampled(result, {r, 0, 0}, end_s) - kRest_degC;
    double time_s = kUnknown;
    for (std::size_t n = 1; n < p.sample.times_s.size() && std::isnan(time_s); ++n) {
      const double before = sampled(result, {r, 0, 0}, p.sample.times_s[n - 1]) - kRest_degC;
      const double now = sampled(result, {r, 0, 0}, p.sample.times_s[n]) - kRest_degC;
      if (now >= steady * final_K)
        time_s = p.sample.times_s[n] - 10 * (now - steady * final_K) / (now - before);
    }
    rows.push_back({"V16", fmt::format("time to 95 % of the rise at 10 min, {:g} mm from the axis", r), "min",
                    time_s / 60, "3.5", published_s / 60 * (1 - spread), published_s / 60 * (1 + spread),
                    Confidence::placeholder,
                    "device, control and place of the sensor are not known (a 10 mm bipolar probe held at 70 "
                    "degC here); the time depends on the distance most of all"});
  }
  return rows;
}

// V17: half of the tip in liver, half in gel of the same conductivity near 450 kHz.
std::vector<ValidationRow> run_v17(const VerificationOptions& options, const Progress& progress) {
  Runner runner(options, progress);
  constexpr double end_s = 720, power_W = 30, start_degC = 20, distance_mm = 8, middle_mm = 7.5;
  const Tissue liver = excised(TissueClass::organ);
  Tissue gel = water_gel();
  gel.electrical_S_per_m = liver.electrical_S_per_m;
  gel.electrical_per_K = liver.electrical_per_K;
  gel.drying = liver.drying;
  gel.boiling = liver.boiling;
  ThermalProblem p = needle_problem(device("monopolar-cooled-30"), give(end_s, power_W),
                                    {{0, 0, -42}, {30, 30, 42}, 0.75, start_degC}, {liver, gel},
                                    [](const Vector3d& x) { return x.z() > 0 ? 0 : 1; });
  p.sample.times_s = {end_s};
  p.sample.points_mm = {{distance_mm, 0, middle_mm}, {distance_mm, 0, -middle_mm}};
  const ThermalResult result = runner.run(p, BioheatOptions{});
  const char* cause =
      "electrode (17 G, cooled, 30 mm), its coolant and the start (20 degC) are assumed; the liver is the "
      "table's generic organ";
  return {
      {"V17", "8 mm from the electrode, liver", "degC", sampled(result, p.sample.points_mm[0], end_s),
       "58.7 +/- 2.5", 55.7, 61.7, Confidence::placeholder, cause},
      {"V17", "8 mm from the electrode, tumour gel", "degC", sampled(result, p.sample.points_mm[1], end_s),
       "57.5 +/- 1.4", 54.5, 60.5, Confidence::placeholder, cause}};
}

}  // namespace spinetherm::validation
