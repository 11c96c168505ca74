// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "apps/engine_options.h"
#include "apps/job.h"
#include "datasets/device_table.h"
#include "datasets/limit_table.h"
#include "datasets/tissue_table.h"
#include "imaging/core/error.h"
#include "planning/zone.h"
#include "thermal/canal_warming.h"
#include "thermal/cement.h"
#include "thermal/dissection.h"
#include "thermal/error_estimate.h"
#include "thermal/fine_patch.h"
#include "thermal/iso_zone.h"
#include "thermal/modality.h"
#include "thermal/mwa.h"
#include "thermal/rfa.h"

namespace spinetherm {
namespace {

constexpr double kPatch_mm = 0.5;
/// Beyond it the window's cells suffice: gradients have fallen to a few kelvin per millimetre.
constexpr double kPatchMargin_mm = 6;
/// Ice of 20 mm around the probes stops perfusion, and in front of it cold spreads for half an hour by
/// sqrt(4 k t / (rho c)), about 28 mm: more than heat does.
constexpr double kColdSpread = 1.6;
/// Microwaves heat tissue a few centimetres away, by a kelvin or so.
constexpr double kMicrowaveSpread = 1.6;

bool has_modality(const Plan& plan, std::string_view modality) {
  return std::ranges::any_of(plan.protocol, [&](const Protocol& p) { return p.modality == modality; });
}

double spread_of(const Plan& plan) {
  return std::max(is_cold(plan) ? kColdSpread : 1.0, has_modality(plan, "mwa") ? kMicrowaveSpread : 1.0);
}

std::vector<Device> devices_of(const Plan& plan) {
  std::vector<Device> out;
  for (const PlacedDevice& placed : placed_devices(plan, device_table())) out.push_back(placed.device);
  return out;
}

/// Soft tissue gives way to a medium; bone, tumour, nerves, disc and vessels do not.
bool gives_way(std::uint8_t label) {
  switch (TissueClass(label)) {
    case TissueClass::unknown:
    case TissueClass::fat:
    case TissueClass::muscle:
    case TissueClass::organ:
    case TissueClass::epidural_fat:
      return true;
    default:
      return false;
  }
}

/// The media of the plan whose shape is known, where they were put.
void dissect(const Plan& plan, ThermalProblem& problem) {
  for (const Protection& protection : plan.protections) {
    const auto* fluid = std::get_if<Dissection>(&protection);
    if (fluid == nullptr || !fluid->shape) continue;
    const Tissue& medium = dissection_medium(fluid->medium);
    const bool own = fluid->temperature_degC && *fluid->temperature_degC != problem.initial_degC;
    if (own && problem.initial_field.empty())
      problem.initial_field = Volume<float>(problem.grid(), float(problem.initial_degC));
    fill_with_medium(problem.tissue_map, *fluid->shape, medium, gives_way,
                     own ? &problem.initial_field : nullptr, fluid->temperature_degC.value_or(37));
    if (!problem.patch) continue;
    problem.patch->tissues = problem.tissue_map.tissues;
    fill_with_medium(*problem.patch, *fluid->shape, medium, gives_way);
    problem.patch->tissues.clear();
  }
}

PlannerOptions planner_options(const Job& job) {
  PlannerOptions o;
  o.energy = job.options.energy;
  o.device = job.options.device;
  o.applicators = job.options.applicators;
  o.exposure.kill.by_arrhenius = false;  // see thermal_problem()
  o.max_solves = job.options.max_solves;
  o.trajectory.threads = job.options.threads;
  return o;
}

PlannerInputs planner_inputs(const Job& job) {
  return {job.anatomy, job.ct_roi.volume, job.target, device_table(), limit_table(), job.level, {}};
}

/// The second run that a cold verdict needs.
void add_warm_canal(const Job& job, ThermalProblem problem, RankedPlan& plan, const Progress& progress,
                    const Checkpoints& checkpoints = {}) {
  if (!plan.thermal.summary.usable()) return;
  add_canal_warming(problem.tissue_map);
  plan.warm_canal = solve(problem, patient_options(job.options.threads), progress, next_of(checkpoints));
}

/// What a simulation of this plan leaves out or strains.
void warn(const Job& job, const Plan& plan, const TissueMapReport& tissue, ThermalResult& result) {
  for (std::string& w : mwa_warnings(plan.applicators, devices_of(plan)))
    result.warnings.push_back(std::move(w));
  if (job.options.energy != "rfa") return;
  for (std::string& w : rfa_warnings(plan.applicators, devices_of(plan)))
    result.warnings.push_back(std::move(w));
  if (tissue.metal_ml > 0)
    result.warnings.push_back(
        fmt::format("{:.1f} ml of metal in the heated box: cells at one potential, warmed like steel; screws "
                    "beside an electrode can "
                    "become hot where the current enters them",
                    tissue.metal_ml));
}

struct BoxedRun {
  ThermalProblem problem;
  ThermalResult thermal;
};
/// The plan in a box that heat and cold do not reach the edge of, if two enlargements suffice: at rest on the
/// faces is a wrong boundary where tissue is not at rest. `first`: of the box as it is.
BoxedRun run_in_wide_box(const Job& job, const Plan& plan, TissueMapReport& report,
                         std::optional<ThermalResult> first, const Progress& progress,
                         const Checkpoints& checkpoints = {}) {
  constexpr double kWider = 1.4;
  constexpr int kMostTimes = 2;
  const ExposureOptions rest;
  BoxedRun run;
  run.problem = thermal_problem(job, plan, &report);
  run.thermal =
      first ? *std::move(first)
            : solve(run.problem, patient_options(job.options.threads), progress, next_of(checkpoints));
  double spread = 1;
  for (int n = 0; n < kMostTimes && run.thermal.summary.usable() &&
                  disturbed_region(run.thermal, placed_devices(plan, device_table()), rest.rest_degC,
                                   rest.rest_tolerance_K)
                      .touches_box;
       ++n) {
    spread *= kWider;
    run.problem = thermal_problem(job, plan, &report, spread);
    run.thermal = solve(run.problem, patient_options(job.options.threads), progress, next_of(checkpoints));
  }
  return run;
}

/// The chosen plan's tissue, and how far its simulation is off.
void complete_chosen_plan(Job& job, const Progress& progress) {
  if (!job.plan()) return;
  RankedPlan& chosen = job.plans.plans[job.chosen];
  const Grid planned = chosen.thermal.peak_temperature.grid;
  BoxedRun run = run_in_wide_box(job, chosen.plan, job.tissue_report, std::move(chosen.thermal), progress);
  const ThermalProblem& problem = run.problem;
  const bool wider = !(problem.grid() == planned);
  chosen.thermal = std::move(run.thermal);
  job.tissue_map = problem.tissue_map;
  warn(job, chosen.plan, job.tissue_report, chosen.thermal);
  add_error_estimate(problem, patient_options(job.options.threads), chosen.thermal, progress);
  if (!is_cold(chosen.plan) && !wider) return;
  if (is_cold(chosen.plan)) add_warm_canal(job, problem, chosen, progress);
  job.structures = find_structures(job.anatomy, job.target, job.ct_roi.volume);
  assess(chosen, planner_inputs(job), job.structures, job.wall, planner_options(job));
}

}  // namespace

void judge_eligibility(Job& job, const Progress&) {
  job.wall = assess_posterior_wall(job.anatomy, job.target, job.ct_roi.volume);
  TargetFacts facts;
  facts.level = job.patient.level.name;
  facts.kind = job.patient.target.kind;
  facts.posterior_wall_defect_mm = job.wall.defect_mm;
  const CaseFindings& found = job.patient.findings;
  facts.escc = found.escc;
  facts.collapse = found.collapse;
  facts.body_involved = found.body_involved;
  facts.alignment_points = found.alignment_points;
  facts.posterolateral_sides = found.posterolateral_sides;
  job.eligibility = assess_eligibility(job.patient.clinical, facts, job.options.energy);
}

ThermalProblem thermal_problem(const Job& job, const Plan& plan, TissueMapReport* report, double spread) {
  const std::vector<Device> devices = devices_of(plan);
  ThermalProblem problem;
  TissueMapReport local;
  TissueMapOptions options;
  options.target = &job.target.mask;
  options.target_kind = job.target.kind;
  for (std::size_t n = 0; n < devices.size(); ++n)
    options.heat_centres_mm.push_back(active_centre_mm(plan.applicators[n], devices[n]));
  const Grid grid = thermal_grid(plan.applicators, devices, shape_of(job.target).centre_mm,
                                 job.options.spacing_mm, job.options.margin_mm * spread * spread_of(plan));
  problem.tissue_map =
      make_tissue_map(job.ct, job.anatomy, grid, tissue_table(), options, report ? *report : local);
  const bool fine = !is_cold(plan) && (has_modality(plan, "rfa") || has_modality(plan, "laser"));
  const double patch_mm = job.options.patch_mm.value_or(fine ? kPatch_mm : job.options.spacing_mm);
  if (const int ratio = int(std::lround(job.options.spacing_mm / patch_mm)); ratio > 1) {
    const ActiveBox box = active_box(plan.applicators, devices);
    const Eigen::Vector3d margin = Eigen::Vector3d::Constant(kPatchMargin_mm);
    TissueMapReport of_patch;
    problem.patch = make_tissue_map(job.ct, job.anatomy,
                                    patch_grid(grid, box.low_mm - margin, box.high_mm + margin, ratio),
                                    tissue_table(), options, of_patch);
    problem.patch->tissues.clear();
  }
  for (const Protocol& p : plan.protocol)
    if (p.saline_halo) {
      add_saline_halo(problem.tissue_map, plan.applicators, devices, *p.saline_halo);
      if (problem.patch) add_saline_halo(*problem.patch, plan.applicators, devices, *p.saline_halo);
    }
  dissect(plan, problem);
  problem.boundary.fill({BoundaryKind::fixed, 37, 0});
  PlanSchedule schedule = schedule_plan(plan.applicators, devices, plan.protocol);
  problem.sources = std::move(schedule.sources);
  problem.early_ends = std::move(schedule.early_ends);
  problem.duration_s = schedule.duration_s;
  problem.sensors = virtual_sensors(plan.protections);
  problem.until_dose_settled = true;
  // 37 degC everywhere is the patient's steady state, in which blood and conduction carry off what metabolism
  // makes: the equation is that of the departure from it, and metabolic heat is part of the state at rest.
  // Where perfusion stops, metabolism does too.
  for (Tissue& tissue : problem.tissue_map.tissues) tissue.metabolic_W_per_m3 = 0;
  // The Arrhenius integral is that of neural tissue alone. The liver's set calls 41 degC for a quarter of an
  // hour a kill, which no one would ablate by: coverage counts CEM43 >= 240 min. No rule of perfusion looks
  // at the integral.
  // Light is the exception: it follows coagulation, which is this integral.
  const bool by_light = std::ranges::any_of(
      problem.sources, [](const Source& s) { return std::holds_alternative<LightSource>(s.what); });
  for (std::size_t n = 0; n < problem.tissue_map.tissues.size() && !by_light; ++n) {
    Tissue& tissue = problem.tissue_map.tissues[n];
    const auto of = TissueClass(n);
    if (of != TissueClass::cord && of != TissueClass::nerve && of != TissueClass::csf) tissue.damage.reset();
  }
  problem.fields = {true, true, true, true, true, false, false};
  problem.fields.freezes = problem.fields.lowest_twice = is_cold(plan);
  return problem;
}

void plan_and_simulate(Job& job, const Progress& progress) {
  const auto solve_plan = [&](const Plan& plan) {
    return solve(thermal_problem(job, plan), patient_options(job.options.threads), progress);
  };
  job.plans = plan_ablation(planner_inputs(job), solve_plan, planner_options(job), progress);
  job.chosen = 0;
  for (RankedPlan& ranked : job.plans.plans) ranked.plan.case_path = job.patient.file.string();
  for (const std::string& reason : job.plans.reasons) job.warnings.push_back("planner: " + reason);
  complete_chosen_plan(job, progress);
}

namespace {

bool takes_cement(std::uint8_t label) {
  switch (TissueClass(label)) {
    case TissueClass::cancellous_bone_0:
    case TissueClass::cancellous_bone_1:
    case TissueClass::cancellous_bone_2:
    case TissueClass::cancellous_bone_3:
    case TissueClass::tumour_lytic:
    case TissueClass::tumour_mixed:
    case TissueClass::tumour_blastic:
      return true;
    default:
      return false;
  }
}

/// Cement after the ablation, as soon as the cavity is cool (thawed); what its curing does is added.
void add_cement(const Job& job, const ThermalProblem& problem, const Plan& plan, ThermalResult& result,
                const Progress& progress) {
  if (!plan.cement || !result.summary.usable()) return;
  CementStage stage;
  stage.volume_ml = plan.cement->volume_ml;
  stage.at_mm = plan.cement->at_mm;
  const BioheatOptions options = patient_options(job.options.threads);
  const double ended_s = result.summary.simulated_s;
  constexpr double kLook_s = 120, kPatience_s = 3600;
  for (double waited_s = 0;; waited_s += kLook_s) {
    const auto [coldest, warmest] = range_in_ball_degC(result.temperature, stage);
    if (std::isnan(coldest))
      throw ConfigError("the cement lies outside of the simulated box", "/cement/at_mm",
                        "place it where tissue was ablated");
    if (coldest > kCementAbove_degC && warmest < kCementBelow_degC) break;
    if (!(waited_s < kPatience_s)) {
      result.summary.termination = Termination::not_converged;
      result.summary.message = fmt::format(
          "no cement within an hour: its place has {:.0f} to {:.0f} degC (below {:g} after heat, above {:g} "
          "after ice)",
          coldest, warmest, kCementBelow_degC, kCementAbove_degC);
      return;
    }
    const ThermalResult rest = solve(rest_problem(problem, result, kLook_s), options, progress);
    if (!rest.summary.usable()) {
      result.summary = rest.summary;
      return;
    }
    add_stage(result, rest);
  }
  CementRecord record;
  record.volume_ml = stage.volume_ml;
  record.placed_s = result.summary.simulated_s;
  record.waited_s = record.placed_s - ended_s;
  const ThermalProblem next =
      cement_problem(problem, result, stage, std::uint8_t(TissueClass::cement), takes_cement);
  const ThermalResult curing = solve(next, options, progress);
  if (!curing.summary.usable()) {
    result.summary = curing.summary;
    return;
  }
  for (std::size_t c = 0; c < curing.peak_temperature.values.size(); ++c)
    if (TissueClass(next.tissue_map.labels[c]) == TissueClass::cement)
      record.hottest_degC = std::max(record.hottest_degC, double(curing.peak_temperature[c]));
  add_stage(result, curing);
  const std::vector<PlacedDevice> devices = placed_devices(plan, device_table());
  result.zones = result_zones(
      result.cem43.grid, without_shafts(result.peak_temperature, devices).values,
      without_shafts(result.lowest_temperature, devices, true).values,
      without_shafts(result.cem43, devices).values,
      result.arrhenius.empty() ? std::vector<float>{} : without_shafts(result.arrhenius, devices).values, {},
      options.threads > 0 ? options.threads : 1);
  result.cement = record;
}

}  // namespace

void simulate_plan(Job& job, const Plan& plan, const Progress& progress, const Checkpoints& checkpoints) {
  validate(plan);
  RankedPlan ranked;
  ranked.plan = plan;
  ranked.reasons = {"read from a file"};
  TissueMapReport report;
  BoxedRun run = run_in_wide_box(job, plan, report, std::nullopt, progress, checkpoints);
  const ThermalProblem& problem = run.problem;
  ranked.thermal = std::move(run.thermal);
  warn(job, plan, report, ranked.thermal);
  add_error_estimate(problem, patient_options(job.options.threads), ranked.thermal, progress,
                     next_of(checkpoints));
  if (is_cold(plan)) add_warm_canal(job, problem, ranked, progress, checkpoints);
  add_cement(job, problem, plan, ranked.thermal, progress);
  job.tissue_map = problem.tissue_map;
  job.tissue_report = report;
  judge_plan(job, std::move(ranked));
}

void judge_plan(Job& job, RankedPlan ranked) {
  job.structures = find_structures(job.anatomy, job.target, job.ct_roi.volume);
  PlannerInputs inputs = planner_inputs(job);
  inputs.protections = ranked.plan.protections;
  assess(ranked, inputs, job.structures, job.wall, planner_options(job));
  job.plans = {};
  job.plans.termination = Termination::reached_end;
  job.plans.plans = {std::move(ranked)};
  job.chosen = 0;
}

CaseResult case_result(const Job& job) {
  CaseResult r;
  r.eligibility = job.eligibility;
  r.exposure.level = job.level;
  r.warnings = job.warnings;
  r.provenance = job.provenance;
  if (const RankedPlan* plan = job.plan()) {
    r.exposure = plan->exposure;
    r.coverage = plan->coverage;
    r.error_estimate = plan->thermal.error_estimate;
    r.plan = "plan.json";
    for (const std::string& w : plan->thermal.warnings) r.warnings.push_back("simulation: " + w);
  } else if (!job.target.mask.empty()) {
    r.coverage.volume_ml = shape_of(job.target).volume_ml;
  }
  if (job.registration) r.registration = to_json(*job.registration);
  return r;
}

}  // namespace spinetherm
