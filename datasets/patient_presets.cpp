// SPDX-License-Identifier: Apache-2.0
#include "datasets/patient_presets.h"

#include <algorithm>
#include <set>

#include "datasets/embedded_tables.h"
#include "imaging/core/error.h"
#include "imaging/core/text.h"

namespace spinetherm {
namespace {

const std::vector<std::string> kVerdicts = {"proceed", "proceed_with", "unknown", "refer"};
const std::vector<std::string> kSexes = {"female", "male"};
const std::vector<std::string> kGoals = {"palliation", "local_control"};

ClinicalFacts read_clinical(const JsonReader& c) {
  ClinicalFacts out;
  out.goal = kGoals[c.get_word("goal", kGoals)];
  out.deficit = c.get<bool>("deficit");
  out.sins_pain = c.get<int>("sins_pain");
  out.previous_dose_Gy = c.get<double>("previous_dose_Gy");
  out.anticoagulated = c.get<bool>("anticoagulated");
  out.implants = c.get<bool>("implants");
  out.pacemaker = c.get<bool>("pacemaker");
  out.primary = c.get<std::string>("primary");
  c.finish();
  return out;
}

PatientPreset read_preset(const JsonReader& p) {
  PatientPreset out;
  out.name = p.get<std::string>("name");
  out.title = p.get<std::string>("title");
  out.teaches = p.get<std::string>("teaches");
  out.levels = p.get<std::string>("levels");
  out.lesion_level = p.get_or<std::string>("lesion_level", "");
  out.lesion = p.get<std::string>("lesion");
  out.seed = std::uint64_t(p.get<int>("seed"));
  if (p.has("sex")) out.sex = Sex(p.get_word("sex", kSexes));
  if (p.has("variant")) out.variant = parse_spine_variant(p.get<std::string>("variant"));
  out.age_years = p.get_optional<double>("age_years");
  out.size = p.get_optional<double>("size");
  out.clinical = read_clinical(p.at("clinical"));
  const JsonReader expect = p.at("expect");
  out.escc = expect.get<std::string>("escc");
  out.sins = expect.get<int>("sins");
  out.eligibility = EligibilityVerdict(expect.get_word("eligibility", kVerdicts));
  expect.finish();
  p.finish();
  try {
    SpinePhantomOptions options;
    apply_preset(out, options);
    options.validate();
  } catch (Error& e) {
    e.within(p.pointer());
    throw;
  }
  return out;
}

}  // namespace

std::vector<PatientPreset> read_presets(const JsonReader& document) {
  expect_format(document, "presets");
  document.get_or<std::string>("notes", "");
  std::vector<PatientPreset> out;
  std::set<std::string> names;
  for (const JsonReader& p : document.at("presets").elements()) {
    out.push_back(read_preset(p));
    if (!names.insert(out.back().name).second)
      p.at("name").fail("two presets of one name", "give each its own");
  }
  document.finish();
  return out;
}

const std::vector<PatientPreset>& patient_presets() {
  static const std::vector<PatientPreset> presets = [] {
    const auto json = embedded_document("presets.json");
    return read_presets(JsonReader(json));
  }();
  return presets;
}

const PatientPreset& find_preset(std::string_view name) {
  std::vector<std::string> known;
  for (const PatientPreset& p : patient_presets()) {
    if (p.name == name) return p;
    known.push_back(p.name);
  }
  throw ConfigError("unknown preset '" + std::string(name) + "'", "--preset",
                    "did you mean '" + nearest_word(name, known) + "'? '--preset list' tells them all");
}

void apply_preset(const PatientPreset& preset, SpinePhantomOptions& options) {
  options.spine = {};
  options.spine.sex = preset.sex;
  options.spine.variant = preset.variant;
  options.spine.age_years = preset.age_years;
  options.spine.size = preset.size;
  options.levels = parse_levels(preset.levels, preset.variant);
  options.lesion_level = preset.lesion_level == "S1" ? "sacrum" : preset.lesion_level;
  options.lesion = parse_lesion(preset.lesion);
  options.seed = preset.seed;
  options.clinical = preset.clinical;
}

}  // namespace spinetherm
