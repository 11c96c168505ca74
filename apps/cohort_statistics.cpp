// SPDX-License-Identifier: Apache-2.0
#include "apps/cohort_statistics.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "apps/io/case_file.h"
#include "datasets/level_measures.h"
#include "imaging/core/json_reader.h"
#include "imaging/labels.h"
#include "imaging/read.h"

namespace spinetherm {
namespace {

using Json = nlohmann::ordered_json;

struct Found {
  std::string level;
  LevelMeasures ratio;  ///< measured over expected; 0: the table has none
};

MeasureRatio ratio_of(const LevelMeasure& measure, const std::vector<Found>& found,
                      const std::string& level) {
  MeasureRatio out;
  out.name = measure.name;
  double sum = 0, square = 0;
  for (const Found& f : found) {
    const double ratio = f.ratio.*measure.member;
    if ((level != "all" && f.level != level) || !(ratio > 0)) continue;
    ++out.count;
    sum += ratio;
    square += ratio * ratio;
  }
  if (out.count == 0) return out;
  out.mean = sum / out.count;
  if (out.count > 1)
    out.sd = std::sqrt(std::max(0.0, (square - out.count * out.mean * out.mean) / (out.count - 1)));
  return out;
}

LevelRatios ratios_of(const std::vector<Found>& found, const std::string& level) {
  LevelRatios out;
  out.level = level;
  for (const LevelMeasure& m : level_measure_list()) out.measures.push_back(ratio_of(m, found, level));
  return out;
}

std::vector<Found> measure(const PatientCase& patient) {
  std::vector<Found> out;
  const Anatomy anatomy =
      import_labels(read_label_volume(patient.labels.at(0).path), patient.labels[0].convention);
  for (const LevelMeasures& m : measure_levels(anatomy.labels)) {
    const LevelMeasures table = expected_measures(vertebra_size(m.level));
    Found f;
    f.level = m.level;
    for (const LevelMeasure& one : level_measure_list())
      f.ratio.*one.member = table.*one.member > 0 ? m.*one.member / table.*one.member : 0;
    out.push_back(f);
  }
  return out;
}

}  // namespace

CohortStatistics cohort_statistics(const std::vector<std::filesystem::path>& patients) {
  std::vector<std::string> regions, kinds, places, grades, primaries;
  std::vector<Found> found;
  CohortStatistics out;
  for (const std::filesystem::path& folder : patients) {
    const PatientCase patient = read_case(folder / "case.json");
    const nlohmann::json lesion = parse_json_file(folder / "lesion.json");
    const auto place = JsonReader(lesion).get<std::string>("place");
    ++out.patients;
    regions.push_back(region_of(patient.level.name));
    kinds.push_back(patient.target.kind);
    places.push_back(place);
    primaries.push_back(patient.clinical.primary.value_or("unknown"));
    // The table's grades are those of lesions that can reach the canal.
    if (place == "posterior" && patient.target.kind != "marrow")
      grades.push_back(patient.findings.escc.value_or("unknown"));
    const std::vector<Found> levels = measure(patient);
    found.insert(found.end(), levels.begin(), levels.end());
  }
  const CohortMix& mix = cohort_mix();
  out.mixes = {{"level", compare_with_mix(regions, mix.levels)},
               {"kind", compare_with_mix(kinds, mix.kinds)},
               {"place", compare_with_mix(places, mix.places)},
               {"ESCC of posterior lesions", compare_with_mix(grades, mix.escc)},
               {"primary", compare_with_mix(primaries, mix.primaries)}};
  if (found.empty()) return out;
  out.levels.push_back(ratios_of(found, "all"));
  for (const VertebraSize& row : vertebra_table().rows) {
    LevelRatios level = ratios_of(found, row.level);
    if (level.measures.front().count > 0) out.levels.push_back(std::move(level));
  }
  return out;
}

Json to_json(const CohortStatistics& statistics) {
  Json mixes = Json::object();
  for (const auto& [name, rows] : statistics.mixes)
    for (const CohortRow& r : rows)
      mixes[name][r.word] = {{"patients", r.count}, {"share", r.share}, {"table", r.table}};
  Json levels = Json::array();
  for (const LevelRatios& l : statistics.levels) {
    Json ratios = Json::object();
    for (const MeasureRatio& m : l.measures)
      if (m.count > 0)
        ratios[m.name] = {
            {"levels", m.count}, {"mean", m.mean}, {"sd", m.sd}, {"within_10_percent", m.within()}};
    levels.push_back({{"level", l.level}, {"measured_over_table", ratios}});
  }
  return {{"patients", statistics.patients}, {"mix", mixes}, {"levels", levels}};
}

}  // namespace spinetherm
