// SPDX-License-Identifier: Apache-2.0
#include "apps/io/case_result_file.h"

namespace spinetherm {
namespace {

using Json = nlohmann::ordered_json;

template <class T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json to_json(const Eigen::Vector3d& v) { return Json::array({v[0], v[1], v[2]}); }

Json to_json(const std::optional<FieldExtreme>& extreme) {
  if (!extreme) return nullptr;
  return {{"value", extreme->value}, {"t_s", or_null(extreme->t_s)}, {"at_mm", to_json(extreme->at_mm)}};
}

Json to_json(const std::optional<AppliedLimit>& limit) {
  if (!limit) return nullptr;
  return {{"id", limit->id},
          {"kind", limit->kind},
          {"value", limit->value},
          {"source", limit->source},
          {"confidence", limit->confidence}};
}

Json to_json(const StructureExposure& e) {
  return {{"structure", e.structure},
          {"status", to_string(e.status)},
          {"verdict", to_string(e.verdict)},
          {"peak_degC", to_json(e.peak_degC)},
          {"lowest_degC", to_json(e.lowest_degC)},
          {"cem43_min", or_null(e.cem43_min)},
          {"arrhenius", or_null(e.arrhenius)},
          {"time_above_limit_s", or_null(e.time_above_limit_s)},
          {"distance_to_applicator_mm", or_null(e.distance_to_applicator_mm)},
          {"distance_to_zone_mm", or_null(e.distance_to_zone_mm)},
          {"limit", to_json(e.limit)},
          {"reason", e.reason}};
}

}  // namespace

bool CaseResult::needs_attention() const {
  const Verdict v = exposure.verdict();
  return v == Verdict::unsafe || v == Verdict::unknown || eligibility.verdict == EligibilityVerdict::refer;
}

Json to_json(const CaseResult& r) {
  Json exposures = Json::array();
  for (const auto& e : r.exposure.exposures) exposures.push_back(to_json(e));
  return {
      {"format", "spinetherm.case_result"},
      {"version", 1},
      {"verdict", to_string(r.exposure.verdict())},
      {"reasons", r.exposure.reasons()},
      {"eligibility", {{"verdict", to_string(r.eligibility.verdict)}, {"reasons", r.eligibility.reasons}}},
      {"level", {{"name", r.exposure.level.name}, {"confirmed", r.exposure.level.confirmed}}},
      {"target",
       {{"volume_ml", r.coverage.volume_ml},
        {"coverage", or_null(r.coverage.coverage)},
        {"min_margin_mm", or_null(r.coverage.min_margin_mm)}}},
      {"exposures", exposures},
      {"plan", or_null(r.plan)},
      {"registration", r.registration},
      {"error_estimate",
       {{"zone_radius_mm", or_null(r.error_estimate.zone_radius_mm)},
        {"peak_K", or_null(r.error_estimate.peak_K)}}},
      {"warnings", r.warnings},
      {"provenance", to_json(r.provenance)}};
}

}  // namespace spinetherm
