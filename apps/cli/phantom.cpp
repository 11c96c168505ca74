// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "apps/cli/command.h"
#include "apps/cli/phantom_images.h"
#include "apps/cli/phantom_spine.h"
#include "apps/cli/phantom_virtual.h"
#include "apps/cli/table_command.h"
#include "apps/phantom_cohort.h"
#include "datasets/cohort.h"
#include "datasets/level_measures.h"
#include "datasets/patient_presets.h"
#include "datasets/scanner_family.h"

namespace spinetherm {
namespace {

using Json = nlohmann::ordered_json;

struct PhantomOptions {
  std::string levels = "L2-L4", lesion = "lytic,posterior", lesion_level, preset, primary;
  bool list_presets = false;
  std::optional<int> cohort;
  SpinePhantomOptions phantom;
  PhantomSpineOptions spine;
  PhantomImageOptions images;
  std::string from;  ///< case.json of a real CT: a virtual patient
};

int print_presets(bool json) {
  if (json) {
    Json all = Json::array();
    for (const PatientPreset& p : patient_presets())
      all.push_back({{"name", p.name},
                     {"title", p.title},
                     {"teaches", p.teaches},
                     {"levels", p.levels},
                     {"lesion", p.lesion},
                     {"seed", p.seed},
                     {"escc", p.escc},
                     {"sins", p.sins},
                     {"eligibility", to_string(p.eligibility)}});
    print_json(all);
    return kExitDone;
  }
  std::vector<std::vector<std::string>> rows = {{"preset", "ESCC", "SINS", "eligibility", "patient"}};
  for (const PatientPreset& p : patient_presets())
    rows.push_back({p.name, p.escc, std::to_string(p.sins), std::string(to_string(p.eligibility)), p.title});
  print_columns(rows);
  std::cout << '\n';
  for (const PatientPreset& p : patient_presets())
    std::cout << fmt::format("{} ({}, {})\n  {}\n", p.name, p.levels, p.lesion, p.teaches);
  return kExitDone;
}

void print_mix(const std::string& head, const std::vector<CohortRow>& mix) {
  std::vector<std::vector<std::string>> rows = {{head, "patients", "share", "table"}};
  for (const CohortRow& r : mix)
    rows.push_back({r.word, std::to_string(r.count), fmt::format("{:.0f} %", 100 * r.share),
                    fmt::format("{:.0f} %", 100 * r.table)});
  print_columns(rows);
  std::cout << '\n';
}

/// What the labels measure over the table's means.
void print_levels(const CohortStatistics& statistics) {
  if (statistics.levels.empty()) return;
  std::vector<std::string> head = {"labels / table", "levels"};
  for (const LevelMeasure& m : level_measure_list()) {
    std::string name = m.name;
    std::ranges::replace(name, '_', ' ');
    head.push_back(name.substr(0, name.rfind(' ')));
  }
  std::vector<std::vector<std::string>> rows = {head};
  for (const LevelRatios& l : statistics.levels) {
    std::vector<std::string> row = {l.level, std::to_string(l.measures.front().count)};
    for (const MeasureRatio& m : l.measures)
      row.push_back(m.count == 0   ? "-"
                    : m.count == 1 ? fmt::format("{:.2f}", m.mean)
                                   : fmt::format("{:.2f} +/- {:.2f}", m.mean, m.sd));
    rows.push_back(std::move(row));
  }
  print_columns(rows);
  std::cout
      << "whole levels without tumour, from the written label maps; body, canal and cord are volumes\n\n";
}

void print_cohort(const CohortRun& run, std::size_t asked) {
  std::vector<std::string> verdicts;
  std::vector<double> sizes;
  double volume_ml = 0;
  for (std::size_t n = 0; n < asked; ++n) {
    const CohortEntry& e = run.index.patients[n];
    if (e.state == "refused") std::cout << fmt::format("{} was not made: {}\n", e.name, e.reason);
    if (e.state != "done") continue;
    verdicts.push_back(e.eligibility);
    sizes.push_back(e.largest_diameter_mm);
    volume_ml += e.volume_ml;
  }
  for (const auto& [head, rows] : run.statistics.mixes) print_mix(head, rows);
  print_levels(run.statistics);
  if (sizes.empty()) return;
  std::ranges::sort(sizes);
  const double count = double(sizes.size());
  std::cout << fmt::format(
      "largest diameter {:.0f} to {:.0f} mm, median {:.0f} mm with soft tissue (table: {:g} mm in bone); "
      "mean volume "
      "{:.1f} ml\n",
      sizes.front(), sizes.back(), sizes[sizes.size() / 2], cohort_mix().size_median_mm, volume_ml / count);
  for (const char* verdict : {"proceed", "proceed_with", "unknown", "refer"})
    std::cout << fmt::format("{} {}{}", verdict, std::ranges::count(verdicts, verdict),
                             std::string_view(verdict) == "refer" ? "\n" : ", ");
}

int make_cohort(const PhantomOptions& options, const CommandContext& context) {
  if (!context.out)
    throw ConfigError("a cohort without a folder", "--cohort",
                      "give --out DIR: a run that was stopped goes on there");
  const CohortRequest request{*options.cohort, context.seed, *context.out, context.force, options.phantom};
  const CohortRun run = make_cohort(request, context.progress);
  const auto done = std::ranges::count(run.index.patients, "done", &CohortEntry::state);
  if (run.termination == Termination::cancelled)
    throw ComputationFailed("cancelled", request.folder.string(),
                            fmt::format("{} patients are finished; the same command goes on", done));
  const auto index = request.folder / "cohort.json";
  const auto refused = std::ranges::count(run.index.patients, "refused", &CohortEntry::state);
  if (context.json) {
    print_json({{"cohort", index.string()},
                {"made", run.made},
                {"kept", run.kept},
                {"refused", refused},
                {"seed", request.seed},
                {"statistics", to_json(run.statistics)}});
  } else {
    print_cohort(run, std::size_t(request.count));
    std::cout << fmt::format("{} made, {} kept, {} refused\n{}\n", run.made, run.kept, refused,
                             index.string());
  }
  return kExitDone;
}

int make_patient(const PhantomOptions& options, const CommandContext& context) {
  const std::string name = !options.from.empty()    ? "virtual"
                           : options.preset.empty() ? options.levels
                                                    : options.preset;
  OutputDirectory output(context.output("phantom", name));
  const SpinePhantom made = options.from.empty()
                                ? make_spine_phantom(options.phantom, context.progress)
                                : make_virtual_patient_of(options.from, options.phantom, context.progress);
  const SpinePhantomOptions& o = made.options;
  throw_if_cancelled(context.progress);
  write_phantom(made, output.working(), options.images.files());
  output.commit();

  const auto file = output.final_path() / "case.json";
  const PhantomLesion& l = made.lesion;
  const Eligibility eligible = assess_eligibility(o.clinical, l.grade.facts);
  if (context.json) {
    print_json({{"case", file.string()},
                {"level", l.level},
                {"lesion",
                 {{"kind", to_string(l.options.kind)},
                  {"centre_mm", {l.centre_mm.x(), l.centre_mm.y(), l.centre_mm.z()}},
                  {"radius_mm", l.options.radius_mm.value()},
                  {"volume_ml", l.volume_ml},
                  {"largest_diameter_mm", l.extent.largest_diameter_mm},
                  {"escc", l.grade.epidural.escc},
                  {"sins", {l.grade.sins.lowest, l.grade.sins.highest}}}},
                {"eligibility", to_string(eligible.verdict)},
                {"seed", o.seed}});
  } else {
    const auto& size = made.ct.volume.grid.size;
    std::cout << fmt::format(
        "{} patient {} to {}, {} x {} x {} voxels of {:g} mm; {} lesion of {:.1f} ml in {}\n"
        "ESCC {}, SINS {} to {} by the images (pain 0 to 3); {}: {}\n{}\n",
        made.virtual_of ? "virtual" : "synthetic", o.levels.front(), o.levels.back(), size[0], size[1],
        size[2], made.ct.volume.grid.spacing_mm.x(), to_string(l.options.kind), l.volume_ml, l.level,
        l.grade.epidural.escc, l.grade.sins.lowest, l.grade.sins.highest, to_string(eligible.verdict),
        eligible.reasons.front(), file.string());
  }
  return kExitDone;
}

int phantom(PhantomOptions options, const CommandContext& context) {
  if (options.list_presets || options.preset == "list") return print_presets(context.json);
  SpinePhantomOptions& o = options.phantom;
  options.spine.apply_to(o.spine);
  if (o.spine.held_out) use_held_out_scanners(o);
  options.images.apply_to(o);
  if (options.cohort) return make_cohort(options, context);
  if (!options.primary.empty()) o.clinical.primary = known_primary(options.primary);
  if (!options.from.empty()) {
    o.lesion = parse_lesion(options.lesion, o.lesion);
    o.lesion_level = options.lesion_level;
    o.seed = context.seed;
    return make_patient(options, context);
  }
  if (options.preset.empty()) {
    o.levels = parse_levels(options.levels, o.spine.variant);
    o.lesion = parse_lesion(options.lesion, o.lesion);
    o.lesion_level = options.lesion_level == "S1" ? "sacrum" : options.lesion_level;
    o.seed = context.seed;
  } else {
    apply_preset(find_preset(options.preset), o);
    const bool seed_given =
        std::ranges::any_of(context.argv, [](const std::string& a) { return a.starts_with("--seed"); });
    if (seed_given)
      throw ConfigError("--seed with --preset", "spinetherm phantom",
                        "a preset has its own seed: leave --seed out, or give --levels and --lesion");
  }
  o.validate();
  return make_patient(options, context);
}

}  // namespace

Run phantom_command(CLI::App& app) {
  auto o = std::make_shared<PhantomOptions>();
  std::vector<CLI::Option*> of_one_patient;
  const auto describes = [&](CLI::Option* option) {
    of_one_patient.push_back(option);
    return option;
  };
  describes(app.add_option("--levels", o->levels, "one level or a range, C3 to S1"))->capture_default_str();
  describes(
      app.add_option("--lesion", o->lesion,
                     "words: lytic, blastic, mixed, marrow; anterior, central, posterior, pedicle (beside "
                     "another place: grows into it); left, right, both (pedicles); size:18 (mm); "
                     "wall-defect:6 (mm); epidural:0, 1a, 1b, 1c, 2, 3; paraspinal; fracture:0.3"))
      ->capture_default_str();
  describes(
      app.add_option("--lesion-level", o->lesion_level, "level of the lesion; without it the middle one"));
  describes(
      app.add_option("--lesion-radius", o->phantom.lesion.radius_mm,
                     "half of its largest diameter in bone [mm]; without it 7, or less in a small body"))
      ->type_name("MM");
  describes(
      app.add_option("--wall-gap", o->phantom.lesion.wall_gap_mm,
                     "bone between the lesion and the posterior wall [mm]; without it 7, or less in a small "
                     "body"))
      ->type_name("MM");
  describes(
      app.add_option("--primary", o->primary,
                     "the primary tumour: lung, breast, prostate, RCC, colon, thyroid, myeloma; without it "
                     "drawn with the shares of the review"));
  CLI::Option* preset =
      app.add_option("--preset", o->preset, "a named teaching patient; 'list' tells them all");
  app.add_flag("--presets", o->list_presets, "list the teaching patients");
  CLI::Option* cohort =
      app.add_option("--cohort", o->cohort,
                     "so many patients with the levels and lesions of the tables, each in a folder of --out")
          ->type_name("N");
  preset->excludes(cohort);
  for (CLI::Option* option : of_one_patient) {
    option->excludes(preset);
    option->excludes(cohort);
  }
  app.add_option("--spacing", o->phantom.spacing_mm, "voxels of CT and CBCT [mm]; the MRI's are never finer")
      ->type_name("MM")
      ->capture_default_str();
  add_phantom_spine_options(app, o->spine);
  add_phantom_image_options(app, o->images);
  add_phantom_from_option(app, o->from);
  app.footer(
      "Writes CT (of the spine, and ct_body of the whole cross section at about 2 mm), CBCT, T1, T2 and STIR "
      "MRI,\nlabels of each, landmarks, the true transforms, the lesion with its grades and case.json, which "
      "'spinetherm run'\nreads. CT and CBCT are of the prone patient, the MRI is of the supine one. A cohort "
      "has "
      "an index, cohort.json;\npatients that are finished are kept when the command is given again.");
  return [o](const CommandContext& context) { return phantom(*o, context); };
}

}  // namespace spinetherm
