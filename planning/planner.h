// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "planning/coverage.h"
#include "planning/plan.h"
#include "planning/safety.h"
#include "planning/trajectory.h"

namespace spinetherm {

struct PlannerOptions {
  std::string energy = "rfa";
  std::string device;   ///< name of the catalogue; empty: chosen by the target's size
  int applicators = 1;  ///< 1, or 2 of the same device: one through each pedicle
  TrajectoryOptions trajectory;
  StructureOptions structures;
  ExposureOptions exposure;
  int geometric = 3;     ///< plans that are proposed before any thermal solve
  int max_solves = 4;    ///< thermal solves in all, de-escalation included
  int enough = 1;        ///< simulated plans that are not unsafe, after which no more are simulated
  double margin_mm = 3;  ///< wanted around the target (local control: 3-5 mm)
  /// De-escalation of one step: target temperature [K], power [-], time [-].
  double hold_down_K = 10, power_factor = 0.75, time_factor = 0.6;
  double lowest_hold_degC = 60;  ///< below it a radiofrequency run no longer ablates within minutes
  double lowest_power_W = 3;
  double lowest_duty = 0.5;  ///< below it the core of the ice no longer reaches -40 degC (PMC4850244)
  double shortest_s = 120;
  /// Throws ConfigError naming the first field that breaks its rule.
  void validate() const;
};

/// What the planner works on; all must outlive the call. `ct_HU` may be an empty volume.
struct PlannerInputs {
  const Anatomy& anatomy;
  const Volume<float>& ct_HU;
  const Target& target;
  const std::vector<Device>& devices;
  const std::vector<ExposureLimit>& limits;
  LevelCheck level;
  std::vector<Protection> protections = {};
};

/// A plan with what is known of it; coverage and exposure begin as not computed.
struct RankedPlan {
  Plan plan;
  Trajectory trajectory;
  std::vector<Trajectory> others = {};  ///< of the second and later applicators
  Coverage coverage;
  ExposureReport exposure;
  ThermalResult thermal;  ///< summary "not run" while only geometry was looked at
  /// Cold plans: the same with what moves in the canal warming it (canal_warming.h); the worse of both
  /// counts.
  std::optional<ThermalResult> warm_canal = {};
  std::vector<std::string> reasons;
};
/// Ways of all applicators in words, "transpedicular left and transpedicular right"; empty for a plan whose
/// paths were given, not searched.
std::string approach_of(const RankedPlan& plan);

struct RankedPlans {
  Termination termination = Termination::not_run;
  std::vector<RankedPlan> plans;  ///< best first
  TrajectorySearch search;        ///< of the device that was chosen; holds rejected_by
  int solves = 0;
  std::vector<std::string> reasons;
};

/// Devices of the energy, arrays of tines only when named (a path is searched for their shaft alone), the
/// best fitting first: the published zone (else the poles' span) against the target's size along and across
/// the path, plus the margin. ConfigError for an energy or device nobody has.
std::vector<Device> fitting_devices(const TargetShape& shape, const std::vector<Device>& catalogue,
                                    const PlannerOptions& options);

/// Places a device on a path so that the centre of its active part lies on the goal; one on each of several
/// paths.
Plan plan_on(const Trajectory& trajectory, const Device& device);
Plan plan_on(const std::vector<Trajectory>& trajectories, const Device& device);

/// Geometry only: the best paths, or pairs of paths, for the best fitting device that has any.
RankedPlans propose_plans(const PlannerInputs& inputs, const PlannerOptions& options = {},
                          const Progress& progress = {});

/// A gentler protocol: lower target temperature first, then lower power (cold: duty cycle), then shorter;
/// empty when it is at its lowest. Pauses keep their length.
std::optional<Protocol> de_escalated(const Protocol& protocol, const PlannerOptions& options);

/// Simulates one plan: made by apps (tissue map, sources, solver); throws or returns an unusable summary on
/// failure.
using SolvePlan = std::function<ThermalResult(const Plan&)>;

/// Proposes plans, simulates the best few, eases the protocol (then the device) where the exposure is unsafe,
/// and ranks: exposure verdict first, of unsafe ones the cooler, then coverage, then geometry. A plan that
/// was never simulated ranks last and its verdict is unknown.
RankedPlans plan_ablation(const PlannerInputs& inputs, const SolvePlan& solve,
                          const PlannerOptions& options = {}, const Progress& progress = {});

/// Whether some step cools.
bool is_cold(const Plan& plan);

/// Coverage and exposure of one simulated plan. A cold one without its second run is unknown at best.
/// `unknown_tissue` as in ExposureFacts; empty: what the CT does not reach, holds no number for or shows as
/// padding is taken as unknown (with no CT, nothing is).
void assess(RankedPlan& ranked, const PlannerInputs& inputs, const std::vector<Structure>& structures,
            const PosteriorWall& wall, const PlannerOptions& options,
            const Volume<std::uint8_t>& unknown_tissue = {});

}  // namespace spinetherm
