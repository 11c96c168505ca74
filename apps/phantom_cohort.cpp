// SPDX-License-Identifier: Apache-2.0
#include "apps/phantom_cohort.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "apps/io/json_file.h"
#include "apps/io/phantom_files.h"
#include "apps/output_directory.h"
#include "datasets/cohort.h"
#include "imaging/core/error.h"
#include "imaging/core/json_reader.h"

namespace spinetherm {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr const char* kIndex = "cohort.json";
constexpr int kMostPatients = 9999;
const std::vector<std::string> kStates = {"to_do", "done", "refused"};

Json json_of(const CohortEntry& e) {
  Json out = {
      {"name", e.name}, {"level", e.level}, {"lesion", e.words}, {"seed", e.seed}, {"state", e.state}};
  if (e.state == "refused") out["reason"] = e.reason;
  if (e.state != "done") return out;
  out["case"] = e.name + "/case.json";
  out["volume_ml"] = e.volume_ml;
  out["largest_diameter_mm"] = e.largest_diameter_mm;
  out["escc"] = e.escc;
  out["sins"] = {e.sins_low, e.sins_high};
  out["eligibility"] = e.eligibility;
  return out;
}

std::uint64_t read_seed(const JsonReader& value) {
  if (!value.json().is_number_unsigned()) value.fail("not a seed", "give a whole number, 0 or more");
  return value.json().get<std::uint64_t>();
}

CohortEntry read_entry(const JsonReader& e) {
  CohortEntry out;
  out.name = e.get<std::string>("name");
  out.level = e.get<std::string>("level");
  out.words = e.get<std::string>("lesion");
  out.seed = read_seed(e.at("seed"));
  out.state = kStates[e.get_word("state", kStates)];
  out.reason = e.get_or<std::string>("reason", "");
  if (out.state == "done") {
    e.get<std::string>("case");
    out.volume_ml = e.get<double>("volume_ml");
    out.largest_diameter_mm = e.get<double>("largest_diameter_mm");
    out.escc = e.get<std::string>("escc");
    const auto sins = e.get<std::array<double, 2>>("sins");
    out.sins_low = int(sins[0]);
    out.sins_high = int(sins[1]);
    out.eligibility = e.get<std::string>("eligibility");
  }
  e.finish();
  return out;
}

/// The index that lies in the folder, empty when there is none yet.
CohortIndex earlier_run(const CohortRequest& request) {
  std::error_code error;
  if (!fs::exists(request.folder, error) || fs::is_empty(request.folder, error)) return {};
  if (!fs::exists(request.folder / kIndex))
    throw IoError("exists and holds no cohort", request.folder.string(), "give another --out");
  CohortIndex index = read_cohort(request.folder / kIndex);
  if (index.seed != request.seed || index.spacing_mm != request.base.spacing_mm)
    throw ConfigError(
        fmt::format("holds another cohort, of seed {} and {:g} mm", index.seed, index.spacing_mm),
        request.folder.string(), "give the same --seed and --spacing, or another --out");
  if (request.force)
    for (CohortEntry& e : index.patients) e.state = "to_do";
  return index;
}

void tell_outcome(const SpinePhantom& made, CohortEntry& entry) {
  const PhantomLesion& l = made.lesion;
  const Eligibility e = assess_eligibility(made.options.clinical, l.grade.facts);
  entry.state = "done";
  entry.volume_ml = l.volume_ml;
  entry.largest_diameter_mm = l.extent.largest_diameter_mm;
  entry.escc = l.grade.epidural.escc;
  entry.sins_low = e.sins.lowest;
  entry.sins_high = e.sins.highest;
  entry.eligibility = to_string(e.verdict);
}

}  // namespace

CohortIndex read_cohort(const fs::path& path) {
  const nlohmann::json json = parse_json_file(path);
  try {
    const JsonReader document(json);
    expect_format(document, "cohort");
    CohortIndex out;
    out.seed = read_seed(document.at("seed"));
    out.spacing_mm = document.get<double>("spacing_mm");
    for (const JsonReader& e : document.at("patients").elements()) out.patients.push_back(read_entry(e));
    document.find("statistics");  // of these patients: made anew by every run
    document.finish();
    return out;
  } catch (Error& e) {
    e.within(path.string());
    throw;
  }
}

void write_cohort(const CohortIndex& index, const fs::path& path, const CohortStatistics& statistics) {
  Json patients = Json::array();
  for (const CohortEntry& e : index.patients) patients.push_back(json_of(e));
  Json json = {{"format", "spinetherm.cohort"},
               {"version", 1},
               {"seed", index.seed},
               {"spacing_mm", index.spacing_mm},
               {"patients", patients}};
  if (statistics.patients > 0) json["statistics"] = to_json(statistics);
  write_json_file(json, path);
}

CohortRun make_cohort(const CohortRequest& request, const Progress& progress) {
  if (request.count < 1 || request.count > kMostPatients)
    throw ConfigError(fmt::format("a cohort of {} patients", request.count), "--cohort",
                      fmt::format("ask for 1 to {}", kMostPatients));
  request.base.validate();
  CohortRun run;
  run.index = earlier_run(request);
  run.index.seed = request.seed;
  run.index.spacing_mm = request.base.spacing_mm;
  std::error_code error;
  fs::create_directories(request.folder, error);
  if (error)
    throw IoError("cannot make a folder: " + error.message(), request.folder.string(),
                  "choose one that can be written");
  const auto count = std::size_t(request.count);
  if (run.index.patients.size() < count) run.index.patients.resize(count);
  for (std::size_t n = 0; n < count; ++n) {
    const CohortPatient patient = draw_cohort_patient(request.seed, int(n), request.base);
    CohortEntry drawn;
    drawn.name = patient.name;
    drawn.level = patient.options.lesion_level;
    drawn.words = lesion_words(patient.options.lesion);
    drawn.seed = patient.options.seed;
    CohortEntry& entry = run.index.patients[n];
    const bool same = entry.name == drawn.name && entry.words == drawn.words && entry.seed == drawn.seed;
    if (same && entry.state == "done" && fs::exists(request.folder / entry.name / "case.json")) {
      ++run.kept;
      continue;
    }
    entry = drawn;
    Progress part = progress;
    part.report = [&](double fraction, std::string_view what) {
      progress((double(n) + fraction) / double(count), fmt::format("{} of {}: {}", n + 1, count, what));
    };
    try {
      const SpinePhantom made = make_spine_phantom(patient.options, part);
      if (made.summary.termination == Termination::cancelled) {
        write_cohort(run.index, request.folder / kIndex);
        run.termination = Termination::cancelled;
        return run;
      }
      OutputDirectory out({request.folder / entry.name, true, "phantom", entry.name});
      write_phantom(made, out.working());
      out.commit();
      tell_outcome(made, entry);
      ++run.made;
    } catch (const ConfigError& e) {
      entry.state = "refused";
      entry.reason = e.what();
    }
    write_cohort(run.index, request.folder / kIndex);
  }
  progress(1, "statistics of the labels");
  std::vector<fs::path> done;
  for (std::size_t n = 0; n < count; ++n)
    if (run.index.patients[n].state == "done") done.push_back(request.folder / run.index.patients[n].name);
  run.statistics = cohort_statistics(done);
  write_cohort(run.index, request.folder / kIndex, run.statistics);
  run.termination = Termination::reached_end;
  return run;
}

}  // namespace spinetherm
