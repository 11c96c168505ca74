// SPDX-License-Identifier: Apache-2.0
#include "planning/planner.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "imaging/core/error.h"
#include "imaging/core/text.h"
#include "planning/body.h"
#include "planning/trajectory_pair.h"

namespace spinetherm {
namespace {

/// Gentler protocols tried on one path before something else is.
constexpr int kEasings = 2;
/// A plan with something unsafe above this [degC] needs a smaller device, not a gentler protocol.
constexpr double kFarTooHot_degC = 60;
/// Devices whose geometry is searched before giving up.
constexpr int kDevicesSearched = 4;

/// Length and diameter of the zone to expect [mm]; of a device without a published one, its active part and a
/// ball.
std::array<double, 2> expected_zone_mm(const Device& device) {
  if (device.published_zone) return {device.published_zone->length_mm, device.published_zone->diameter_mm};
  const auto part = active_part(device);
  const double span = part ? part->to_tip_mm - part->from_tip_mm : 0;
  return {span, span};
}

double zone_volume(const Device& device) {
  const auto [length, diameter] = expected_zone_mm(device);
  return length * diameter * diameter;
}

/// Of the active part of the device.
double tip_beyond_goal_mm(const Device& device) {
  const auto part = active_part(device);
  return part ? part->centre_mm() - std::min(part->from_tip_mm, 0.0) : 0;
}

RankedPlan proposal(const std::vector<Trajectory>& paths, const Device& device, const PlannerInputs& inputs) {
  RankedPlan p;
  p.trajectory = paths.front();
  p.others.assign(paths.begin() + 1, paths.end());
  p.plan = plan_on(paths, device);
  p.plan.protections = inputs.protections;
  p.plan.score.geometric = 0;
  for (const Trajectory& t : paths) *p.plan.score.geometric += t.score;
  p.coverage.volume_ml = shape_of(inputs.target).volume_ml;
  p.exposure.level = inputs.level;
  for (const Trajectory& t : paths) p.reasons.insert(p.reasons.end(), t.reasons.begin(), t.reasons.end());
  if (paths.size() == 2)
    p.reasons.push_back(fmt::format("bipedicular: centres of the active parts {:.1f} mm apart",
                                    (paths[0].goal_mm - paths[1].goal_mm).norm()));
  const auto [length, diameter] = expected_zone_mm(device);
  p.reasons.push_back(device.published_zone
                          ? fmt::format("{}: expected zone {:g} x {:g} mm ({})", device.name, length,
                                        diameter, to_string(device.published_zone->provenance.confidence))
                          : fmt::format("{}: no published zone", device.name));
  return p;
}

/// Unsafe by heat or cold, so that a gentler protocol can help; not by where the device lies.
bool unsafe_by_dose(const ExposureReport& report) {
  bool by_dose = false;
  for (const auto& e : report.exposures) {
    if (e.verdict != Verdict::unsafe) continue;
    if (e.limit && e.limit->kind.ends_with("_distance_mm") && e.limit->kind != "ice_edge_distance_mm" &&
        e.limit->kind != "zone_distance_mm")
      return false;
    by_dose = true;
  }
  return by_dose;
}

/// A cold verdict is taken with the warming of the canal off and on, and the worse counts.
void add_second_run(RankedPlan& ranked, const std::vector<Structure>& structures,
                    const std::vector<PlacedDevice>& placed, const std::vector<ExposureLimit>& limits,
                    const ExposureFacts& facts, const ExposureOptions& options) {
  ExposureReport& report = ranked.exposure;
  if (!ranked.warm_canal) {
    report.notes_verdict = worst(report.notes_verdict, Verdict::unknown);
    report.notes.emplace_back(
        "unknown: cold was simulated without what moves in the canal only (CSF, venous plexus)");
    return;
  }
  const ExposureReport warm = assess_exposure(structures, *ranked.warm_canal, placed, limits, facts, options);
  const Verdict off = report.exposure_verdict(), on = warm.exposure_verdict();
  report = worse_of(report, warm, "with CSF and venous plexus warming the canal");
  report.notes.push_back(
      fmt::format("cold was simulated with CSF and venous plexus warming the canal off ({}) and on ({}); the "
                  "worse counts",
                  to_string(off), to_string(on)));
}

Volume<std::uint8_t> unimaged(const Volume<float>& ct_HU) {
  const BodyOptions body;
  Volume<std::uint8_t> mask;
  mask.grid = ct_HU.grid;
  mask.values.resize(ct_HU.values.size());
  for (std::size_t n = 0; n < mask.values.size(); ++n) mask[n] = !(ct_HU[n] > body.padding_HU);  // NaN too
  return mask;
}

/// Highest peak [degC] of what is unsafe; 0: nothing is, or not by heat.
double unsafe_peak_degC(const ExposureReport& report) {
  double peak = 0;
  for (const auto& e : report.exposures)
    if (e.verdict == Verdict::unsafe && e.peak_degC) peak = std::max(peak, e.peak_degC->value);
  return peak;
}

/// How far [K] what is unsafe is from rest, at its worst; 0: nothing is, or not by heat or cold.
double unsafe_departure_K(const ExposureReport& report, double rest_degC) {
  double most = 0;
  for (const auto& e : report.exposures) {
    if (e.verdict != Verdict::unsafe) continue;
    if (e.peak_degC) most = std::max(most, e.peak_degC->value - rest_degC);
    if (e.lowest_degC) most = std::max(most, rest_degC - e.lowest_degC->value);
  }
  return most;
}

/// The next smaller device by published zone that needs no other path; the smallest one when the last was far
/// too hot.
const Device* smaller_device(const Device& device, const std::vector<Device>& fitting, bool far_too_hot) {
  const Device* best = nullptr;
  for (const auto& d : fitting) {
    if (!d.published_zone || !device.published_zone) continue;
    const auto part = active_part(d), now = active_part(device);
    if (!part || !now || tip_beyond_goal_mm(d) > tip_beyond_goal_mm(device))
      continue;  // the tip would go deeper
    if (zone_volume(d) >= zone_volume(device) || d.shaft_diameter_mm > device.shaft_diameter_mm) continue;
    if (!best || (zone_volume(d) > zone_volume(*best)) != far_too_hot) best = &d;
  }
  return best;
}

bool better(const RankedPlan& a, const RankedPlan& b) {
  const bool a_solved = a.thermal.summary.usable(), b_solved = b.thermal.summary.usable();
  if (a_solved != b_solved) return a_solved;
  if (a_solved) {
    if (a.exposure.exposure_verdict() != b.exposure.exposure_verdict())
      return a.exposure.exposure_verdict() < b.exposure.exposure_verdict();
    // Where both do harm, less of it comes before coverage.
    if (a.exposure.exposure_verdict() == Verdict::unsafe) {
      const double rest = ExposureOptions{}.rest_degC;
      const double far_a = unsafe_departure_K(a.exposure, rest), far_b = unsafe_departure_K(b.exposure, rest);
      if (far_a != far_b) return far_a < far_b;
    }
    const double covered_a = a.coverage.coverage.value_or(-1), covered_b = b.coverage.coverage.value_or(-1);
    if (covered_a != covered_b) return covered_a > covered_b;
  }
  return a.plan.score.geometric.value_or(0) < b.plan.score.geometric.value_or(0);
}

}  // namespace

void PlannerOptions::validate() const {
  trajectory.validate();
  structures.validate();
  exposure.validate();
  require(geometric >= 1, "PlannerOptions.geometric", geometric, "must be >= 1");
  require(applicators == 1 || applicators == 2, "PlannerOptions.applicators", applicators,
          "must be 1 or 2: a path for each pedicle");
  require(max_solves >= 1, "PlannerOptions.max_solves", max_solves, "must be >= 1");
  require(enough >= 1, "PlannerOptions.enough", enough, "must be >= 1");
  require(margin_mm >= 0, "PlannerOptions.margin_mm", margin_mm, "must be >= 0 mm");
  require(hold_down_K > 0, "PlannerOptions.hold_down_K", hold_down_K, "must be > 0 K");
  require(power_factor > 0 && power_factor < 1, "PlannerOptions.power_factor", power_factor,
          "must lie in (0, 1)");
  require(time_factor > 0 && time_factor < 1, "PlannerOptions.time_factor", time_factor,
          "must lie in (0, 1)");
  require(lowest_duty > 0 && lowest_duty <= 1, "PlannerOptions.lowest_duty", lowest_duty,
          "must lie in (0, 1]");
  require(shortest_s > 0, "PlannerOptions.shortest_s", shortest_s, "must be > 0 s");
}

std::vector<Device> fitting_devices(const TargetShape& shape, const std::vector<Device>& catalogue,
                                    const PlannerOptions& options) {
  std::vector<Device> out;
  std::vector<std::string> names;
  std::set<std::string> energies;
  for (const auto& d : catalogue) {
    names.push_back(d.name);
    energies.insert(d.modality);
    if (d.modality == options.energy && active_part(d) && !d.tines) out.push_back(d);
  }
  if (!options.device.empty()) {
    const auto it = std::find(names.begin(), names.end(), options.device);
    if (it == names.end())
      throw ConfigError("unknown device '" + options.device + "'", "--device",
                        "did you mean '" + nearest_word(options.device, names) + "'?");
    const Device& chosen = catalogue[std::size_t(it - names.begin())];
    if (chosen.modality != options.energy)
      throw ConfigError("device '" + chosen.name + "' is of energy " + chosen.modality, "--energy",
                        "use --energy " + chosen.modality);
    if (!active_part(chosen))
      throw ConfigError("device '" + chosen.name + "' has no known active part", "--device",
                        "choose another one");
    return {chosen};
  }
  if (out.empty())
    throw ConfigError("no device of energy '" + options.energy + "'", "--energy",
                      fmt::format("known: {}", fmt::join(energies, ", ")));
  const double long_mm = 2 * (shape.half_mm[0] + options.margin_mm);
  const double wide_mm = 2 * (std::sqrt(shape.half_mm[1] * shape.half_mm[2]) + options.margin_mm);
  const auto misfit = [&](const Device& d) {  // logarithms of the ratios: twice too big is as bad as half
    const auto [length, diameter] = expected_zone_mm(d);
    if (length <= 0 || diameter <= 0) return 1e9;
    return std::abs(std::log(length / long_mm)) + 2 * std::abs(std::log(diameter / wide_mm));
  };
  std::stable_sort(out.begin(), out.end(), [&](const Device& a, const Device& b) {
    if (a.published_zone.has_value() != b.published_zone.has_value()) return a.published_zone.has_value();
    return misfit(a) < misfit(b);
  });
  return out;
}

std::string approach_of(const RankedPlan& plan) {
  if (plan.trajectory.side.empty()) return {};
  std::string text = fmt::format("{} {}", to_string(plan.trajectory.kind), plan.trajectory.side);
  for (const Trajectory& t : plan.others) text += fmt::format(" and {} {}", to_string(t.kind), t.side);
  return text;
}

Plan plan_on(const Trajectory& trajectory, const Device& device) {
  return plan_on(std::vector<Trajectory>{trajectory}, device);
}

Plan plan_on(const std::vector<Trajectory>& trajectories, const Device& device) {
  const auto part = active_part(device);
  if (!part)
    throw ConfigError("device '" + device.name + "' has no known active part", "--device",
                      "choose another one");
  Plan plan;
  for (const Trajectory& trajectory : trajectories) {
    Applicator a;
    a.device = device.name;
    a.entry_mm = trajectory.entry_mm;
    if (device.articulation) a.deployment = 0;  // straight: so the path was searched
    a.tip_mm = trajectory.goal_mm + part->centre_mm() * trajectory.direction();
    plan.applicators.push_back(a);
  }
  plan.protocol.push_back(device.protocol);
  return plan;
}

namespace {

/// One path each, or pairs of them.
std::vector<std::vector<Trajectory>> paths_for(const TrajectorySearch& search, const TargetShape& shape,
                                               const Device& device, const PlannerOptions& options) {
  std::vector<std::vector<Trajectory>> out;
  if (options.applicators == 1) {
    for (const Trajectory& t : search.ranked) out.push_back({t});
    return out;
  }
  TrajectoryPairOptions o;
  o.shaft_diameter_mm = device.shaft_diameter_mm;  // cannulas end far behind the tips, which come nearest
  o.half_mm = shape.half_mm.mean();
  o.keep = options.geometric;
  // Zones that overlap by a third, on a target that is wide enough for them.
  const double zone_mm = expected_zone_mm(device)[1];
  o.spread_mm =
      std::max(4 * device.shaft_diameter_mm, std::min(2 * zone_mm / 3, 1.2 * shape.half_mm.maxCoeff()));
  for (const TrajectoryPair& pair : bipedicular_pairs(search.ranked, shape.centre_mm, o))
    out.push_back({pair.left, pair.right});
  return out;
}

/// Ranked paths among which pairs are sought, and how near alternatives may be to each other.
constexpr int kPathsForPairs = 400;
constexpr double kApartForPairs_deg = 3, kApartForPairs_mm = 2;

}  // namespace

RankedPlans propose_plans(const PlannerInputs& inputs, const PlannerOptions& options,
                          const Progress& progress) {
  options.validate();
  RankedPlans out;
  const auto fitting = fitting_devices(shape_of(inputs.target), inputs.devices, options);
  std::set<std::array<double, 3>> searched;  // geometries that have no path
  for (const Device& device : fitting) {
    TrajectoryOptions t = options.trajectory;
    t.shaft_diameter_mm = std::max(t.shaft_diameter_mm, device.shaft_diameter_mm);
    if (device.length_mm > 0) t.length_mm = device.length_mm;
    t.tip_beyond_goal_mm = tip_beyond_goal_mm(device);
    if (options.applicators > 1) {
      t.keep = kPathsForPairs;
      t.apart_deg = kApartForPairs_deg;
      t.apart_mm = kApartForPairs_mm;
    }
    if (int(searched.size()) >= kDevicesSearched) break;
    if (!searched.insert({t.shaft_diameter_mm, t.length_mm, t.tip_beyond_goal_mm}).second) continue;
    out.search = find_trajectories(inputs.anatomy, inputs.target, inputs.ct_HU, t, progress);
    out.termination = out.search.termination;
    if (out.termination == Termination::cancelled) return out;
    if (out.search.ranked.empty()) {
      out.reasons.push_back(device.name + ": no path");
      continue;
    }
    const auto paths = paths_for(out.search, shape_of(inputs.target), device, options);
    if (paths.empty()) {
      out.reasons.push_back(device.name + ": no pair of paths, one through each pedicle");
      continue;
    }
    for (const auto& path : paths) {
      if (int(out.plans.size()) >= options.geometric) break;
      const Plan placed = plan_on(path, device);
      if (std::any_of(placed.applicators.begin(), placed.applicators.end(), [&](const Applicator& a) {
            return (a.tip_mm - a.entry_mm).norm() <= active_part(device)->to_tip_mm;
          }))
        continue;
      out.plans.push_back(proposal(path, device, inputs));
    }
    if (out.plans.empty()) {
      out.reasons.push_back(device.name +
                            ": its active part would reach out of the skin, so near is the target");
      continue;
    }
    break;
  }
  out.reasons.insert(out.reasons.end(), out.search.reasons.begin(), out.search.reasons.end());
  return out;
}

std::optional<Protocol> de_escalated(const Protocol& protocol, const PlannerOptions& options) {
  Protocol out = protocol;
  bool eased = false;
  for (auto& step : out.steps)
    if (step.hold_degC && *step.hold_degC > options.lowest_hold_degC) {
      step.hold_degC = std::max(*step.hold_degC - options.hold_down_K, options.lowest_hold_degC);
      eased = true;
    }
  if (eased) return out;
  for (auto& step : out.steps)
    if (step.power_W && *step.power_W * options.power_factor >= options.lowest_power_W) {
      step.power_W = *step.power_W * options.power_factor;
      eased = true;
    }
  for (auto& step : out.steps)
    if (step.duty && *step.duty * options.power_factor >= options.lowest_duty) {
      step.duty = *step.duty * options.power_factor;
      eased = true;
    }
  if (eased) return out;
  if (protocol.duration_s() * options.time_factor < options.shortest_s) return std::nullopt;
  const bool cold = std::any_of(out.steps.begin(), out.steps.end(), [](const auto& s) { return s.duty; });
  for (auto& step : out.steps)
    if (!cold || step.duty) step.duration_s *= options.time_factor;
  return out;
}

bool is_cold(const Plan& plan) {
  return std::any_of(plan.protocol.begin(), plan.protocol.end(),
                     [](const Protocol& p) { return p.modality == "cryo"; });
}

void assess(RankedPlan& ranked, const PlannerInputs& inputs, const std::vector<Structure>& structures,
            const PosteriorWall& wall, const PlannerOptions& options,
            const Volume<std::uint8_t>& unknown_tissue) {
  const auto placed = placed_devices(ranked.plan, inputs.devices);
  ranked.coverage = assess_coverage(inputs.target, ranked.thermal, placed, options.exposure.kill);
  ExposureFacts facts;
  facts.protections = ranked.plan.protections;
  facts.wall = wall;
  facts.level = inputs.level;
  facts.unknown_tissue = unknown_tissue.empty() ? unimaged(inputs.ct_HU) : unknown_tissue;
  ranked.exposure =
      assess_exposure(structures, ranked.thermal, placed, inputs.limits, facts, options.exposure);
  if (is_cold(ranked.plan))
    add_second_run(ranked, structures, placed, inputs.limits, facts, options.exposure);
  ranked.plan.score.coverage = ranked.coverage.coverage;
  ranked.plan.score.min_margin_mm = ranked.coverage.min_margin_mm;
  ranked.plan.score.verdict = std::string(to_string(ranked.exposure.verdict()));
}

RankedPlans plan_ablation(const PlannerInputs& inputs, const SolvePlan& solve, const PlannerOptions& options,
                          const Progress& progress) {
  RankedPlans out = propose_plans(inputs, options, progress);
  if (out.plans.empty() || out.termination == Termination::cancelled) return out;
  const auto structures = find_structures(inputs.anatomy, inputs.target, inputs.ct_HU, options.structures);
  const auto wall = assess_posterior_wall(inputs.anatomy, inputs.target, inputs.ct_HU);
  const auto fitting = fitting_devices(shape_of(inputs.target), inputs.devices, options);
  const auto proposals = std::move(out.plans);
  out.plans.clear();

  int good = 0;
  std::size_t next = 0;
  for (; next < proposals.size() && good < options.enough && out.solves < options.max_solves; ++next) {
    RankedPlan attempt = proposals[next];
    for (int easings = 0; out.solves < options.max_solves;) {
      if (progress.cancelled()) {
        out.termination = Termination::cancelled;
        break;
      }
      progress(double(out.solves) / options.max_solves, "heat of a plan");
      attempt.thermal = solve(attempt.plan);
      ++out.solves;
      assess(attempt, inputs, structures, wall, options);
      const bool unsafe = attempt.exposure.exposure_verdict() == Verdict::unsafe;
      const bool by_dose = unsafe_by_dose(attempt.exposure);
      out.plans.push_back(attempt);
      if (!attempt.thermal.summary.usable()) break;
      if (!unsafe) {
        ++good;
        break;
      }
      const Device current = placed_devices(attempt.plan, inputs.devices).front().device;
      const bool far_too_hot = unsafe_peak_degC(attempt.exposure) > kFarTooHot_degC;
      const auto gentler = by_dose && easings < kEasings && !far_too_hot
                               ? de_escalated(attempt.plan.protocol.front(), options)
                               : std::optional<Protocol>{};
      if (gentler) {
        ++easings;
        attempt.plan.protocol.front() = *gentler;
        attempt.reasons.emplace_back("gentler protocol, as the standard one is unsafe");
        continue;
      }
      const Device* smaller = smaller_device(current, fitting, far_too_hot);
      if (!smaller || !options.device.empty()) break;
      std::vector<std::string> why = {"smaller device, as " + current.name + " is unsafe"};
      std::vector<Trajectory> paths = {attempt.trajectory};
      paths.insert(paths.end(), attempt.others.begin(), attempt.others.end());
      attempt = proposal(paths, *smaller, inputs);
      attempt.reasons.insert(attempt.reasons.end(), why.begin(), why.end());
      easings = 0;
    }
    if (out.termination == Termination::cancelled) break;
  }
  for (; next < proposals.size(); ++next) out.plans.push_back(proposals[next]);
  std::stable_sort(out.plans.begin(), out.plans.end(), better);
  if (good == 0)
    out.reasons.push_back(fmt::format("no plan was found that is not unsafe, in {} solves", out.solves));
  return out;
}

}  // namespace spinetherm
