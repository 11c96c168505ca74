// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "apps/io/case_file.h"
#include "apps/io/case_result_file.h"
#include "apps/io/provenance.h"
#include "apps/roi.h"
#include "imaging/core/image.h"
#include "imaging/registration.h"
#include "planning/planner.h"
#include "thermal/bioheat_solver.h"
#include "thermal/tissue_map.h"

namespace spinetherm {

struct JobOptions {
  std::string energy = "rfa";
  std::string device;     ///< of the catalogue; empty: chosen by the target's size
  int applicators = 1;    ///< that the planner places: 1, or 2 (one through each pedicle)
  double spacing_mm = 1;  ///< of the thermal grid
  /// Of the cells around the applicators, rounded to a whole part of spacing_mm; not below that: no patch.
  /// Empty: 0.5 with current or light, whose sensors lie beside cooled poles and whose heat falls off within
  /// a millimetre; none with microwaves, which heat centimetres (with a patch the zone differs by 1 to 7 % of
  /// its volume, at twice the time), and none with cold, which has no such control and takes three times as
  /// long.
  std::optional<double> patch_mm = {};
  double margin_mm = 36;  ///< of the thermal box around the active parts: 5 perfusion lengths
  int max_solves = 4;     ///< simulations while planning
  std::uint64_t seed = 1;
  int threads = 0;
  RoiOptions roi;
  /// Landmarks of the registered pair, one by one the same points: for the error against a known truth.
  std::vector<Eigen::Vector3d> landmarks_fixed_mm, landmarks_moving_mm;
  /// Throws ConfigError naming the first field that breaks its rule.
  void validate() const;
};

/// A CBCT-MRI (or CT-MRI) pair that was registered.
struct JobRegistration {
  std::string fixed, moving;  ///< "cbct", "mri T2"
  RegistrationResult result;
  bool given = false;  ///< by the case, not computed
};

/// Everything that comes to be between a case and its report. Stages fill it from top to bottom; what a stage
/// has not reached yet is empty, missing or unknown.
struct Job {
  PatientCase patient;
  JobOptions options;
  RunProvenance provenance;

  Image ct;  ///< as read: the planning image
  std::optional<Image> cbct;
  std::vector<Image> mri;
  std::optional<JobRegistration> registration;
  Image ct_roi;              ///< the part of the CT that planning looks at: axis-aligned LPS
  std::vector<Image> fused;  ///< MRI on the grid of ct_roi; empty without a usable registration

  Anatomy anatomy;
  Target target;
  PosteriorWall wall;
  LevelCheck level;
  Eligibility eligibility;
  std::vector<Structure> structures;

  RankedPlans plans;       ///< best first
  std::size_t chosen = 0;  ///< the plan that is reported
  TissueMap tissue_map;    ///< of the chosen plan
  TissueMapReport tissue_report;
  std::vector<std::string> warnings;

  const RankedPlan* plan() const { return chosen < plans.plans.size() ? &plans.plans[chosen] : nullptr; }
};

/// The main job as stages, in order: the command line runs them all, a viewer one at a time. Bad input throws
/// Error; a computation that ends without a result is said in the job's summaries.
struct JobStage {
  std::string_view name;
  void (*run)(Job& job, const Progress& progress);
};
const std::vector<JobStage>& job_stages();

void read_images(Job& job, const Progress& progress);
void register_images(Job& job, const Progress& progress);
void find_anatomy(Job& job, const Progress& progress);
void find_target(Job& job, const Progress& progress);
void fuse_images(Job& job, const Progress& progress);
void judge_eligibility(Job& job, const Progress& progress);
void plan_and_simulate(Job& job, const Progress& progress);

Job make_job(const PatientCase& patient, const JobOptions& options, const RunProvenance& provenance);
/// All stages. Returns early when cancelled.
Job run_job(const PatientCase& patient, const JobOptions& options, const RunProvenance& provenance,
            const Progress& progress = {});

/// The thermal problem of a plan on the job's patient: tissue map, sources, box at rest, until the dose has
/// settled. `spread`: times the margin of the box.
ThermalProblem thermal_problem(const Job& job, const Plan& plan, TissueMapReport* report = nullptr,
                               double spread = 1);
/// Simulates a plan that was read from a file, and judges it, as the job's only plan. `checkpoints`: of its
/// runs, in their order.
void simulate_plan(Job& job, const Plan& plan, const Progress& progress, const Checkpoints& checkpoints = {});

/// Judges a plan that has been simulated, as the job's only plan. Needs the stages up to eligibility, and the
/// tissue map.
void judge_plan(Job& job, RankedPlan ranked);

/// What `run` and `check` print of the chosen plan.
CaseResult case_result(const Job& job);

/// Prints of a registration in result files: verdict, reasons, quality.
nlohmann::ordered_json to_json(const JobRegistration& registration);

/// Where a cold plan's second run lies beside its first: result.json and fields/.
inline constexpr std::string_view kWarmCanalFolder = "warm_canal";

/// Writes what `simulate` leaves behind: result.json (spinetherm.result), plan.json, case.json, fields/, and
/// warm_canal/ of a cold plan.
void write_simulation(const Job& job, const std::filesystem::path& folder);
/// Writes report.html, result.json (spinetherm.case_result), plan.json, case.json, plans/, simulation/, and
/// for 3D Slicer ct.nrrd, anatomy.seg.nrrd, needles.mrk.json and the transforms.
void write_job(const Job& job, const std::filesystem::path& folder);

}  // namespace spinetherm
