// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "planning/coverage.h"
#include "planning/limit.h"
#include "planning/structure.h"
#include "planning/verdict.h"

namespace spinetherm {

/// Extreme of a field over a structure: value, when, where.
struct FieldExtreme {
  double value = 0;
  std::optional<double> t_s = {};
  Eigen::Vector3d at_mm{0, 0, 0};
  bool operator==(const FieldExtreme&) const = default;
};
/// The limit that decided a verdict.
struct AppliedLimit {
  std::string id;
  std::string kind;  ///< the quantity
  double value = 0;  ///< the bound that was broken, or the nearest one that was not
  std::string source, confidence;
  bool operator==(const AppliedLimit&) const = default;
};

/// What one structure goes through; empty optionals: not computed, never 0.
struct StructureExposure {
  std::string structure, limit_class;
  StructureStatus status = StructureStatus::missing;
  Verdict verdict = Verdict::unknown;
  std::optional<FieldExtreme> peak_degC = {}, lowest_degC = {};
  std::optional<double> cem43_min = {}, arrhenius = {};
  std::optional<double> time_above_limit_s = {};  ///< empty: the run keeps no history
  std::optional<double> distance_to_applicator_mm = {}, distance_to_active_mm = {};
  std::optional<double> distance_to_zone_mm = {}, distance_to_ice_mm = {};
  std::optional<AppliedLimit> limit = {};
  std::string reason = "not evaluated";
};

/// One way in which the level was confirmed (case.json, level.confirmed_by).
struct LevelConfirmation {
  std::string method, image, who;
  bool operator==(const LevelConfirmation&) const = default;
};
struct LevelCheck {
  std::string name;
  bool confirmed = false;
  Verdict verdict = Verdict::unknown;
  std::string reason = "level not confirmed";
};
/// None: unknown; one method: caution; two different methods: within limits.
LevelCheck check_level(const std::string& name, const std::vector<LevelConfirmation>& confirmed_by);

/// Facts of the plan beside the applicators.
struct ExposureFacts {
  std::vector<Protection> protections;
  PosteriorWall wall;
  LevelCheck level;
  /// Where the tissue is not known (out of the scan's field), on any grid; what that grid does not reach is
  /// not known either. Empty: all is known.
  Volume<std::uint8_t> unknown_tissue = {};
};

struct ExposureOptions {
  double rest_degC = 37;
  /// A cell counts as heated or cooled beyond this [K]; a structure within it is at rest (clinical rule G2).
  double rest_tolerance_K = 0.5;
  /// Opening of the posterior wall from which it counts as a defect [mm] (verdict table).
  double wall_defect_mm = 3;
  KillCriterion kill;
  /// Throws ConfigError naming the first field that breaks its rule.
  void validate() const;
};

struct ExposureReport {
  std::vector<StructureExposure> exposures;
  LevelCheck level;
  std::vector<std::string> notes;  ///< that hold for all rows: number of runs, unknown tissue, box too small
  Verdict notes_verdict = Verdict::within_limits;  ///< what the notes alone allow

  /// Worst of the exposures and the notes; unknown when there is no exposure.
  Verdict exposure_verdict() const;
  /// Worst of exposure_verdict() and the level.
  Verdict verdict() const;
  /// Why, worst first: one line for each structure that is not within limits, then level and notes.
  std::vector<std::string> reasons() const;
};

/// The worse of two reports on the same structures in the same order, structure by structure; what only one
/// of them notes is kept, and the second one's is prefixed with its name ("with warming of the canal").
ExposureReport worse_of(const ExposureReport& a, const ExposureReport& b, const std::string& name_of_b);

/// Judges what each structure goes through against the limits of its class.
///  * Extremes are taken over all points of a structure (surface and interior) by linear interpolation.
///  * A point outside the box of the simulation is at rest (37 degC) only when the heated region (0.5 K)
///  stays
///    clear of the box; else its exposure is unknown, unless what lies inside is unsafe already.
///  * A structure that no label names is unknown, except that it is caution where the tissue without a label
///    (`unlabelled`) stays below every limit of temperature and dose of its class, and within limits where
///    the image ends before it and the heat ends before the image (`outside_image`).
///  * A cord known by its canal only is caution at best. No discount for the wall; while the wall is not
///  known,
///    both cases are judged: what both call unsafe is unsafe, what one calls unsafe is unknown.
///  * Cells inside a shaft hold no dose: the neighbours' is taken.
///  * `overshoot_K` is the rise at a sensor after it has ended the run; without that, a plan that a sensor
///  would
///    stop is unknown there, else it does not
///  apply.
/// One run, nominal values: the report says n = 1 and claims no bound. ConfigError for limits that are not
/// valid.
ExposureReport assess_exposure(const std::vector<Structure>& structures, const ThermalResult& thermal,
                               const std::vector<PlacedDevice>& applicators,
                               const std::vector<ExposureLimit>& limits, const ExposureFacts& facts = {},
                               const ExposureOptions& options = {});

}  // namespace spinetherm
