// SPDX-License-Identifier: Apache-2.0
#include "planning/eligibility.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "imaging/core/anatomy.h"
#include "imaging/core/error.h"

namespace spinetherm {
namespace {

struct Points {
  int lowest, highest;
};

/// Junctional 3, mobile 2, semirigid 1, rigid 0.
Points location_points(const std::string& level) {
  if (level == "S1") return {3, 3};  // the junction; the table of levels knows the sacrum as one
  const auto n = level_index(level);
  if (!n) return {0, 3};
  const auto between = [&](const char* first, const char* last) {
    return *n >= *level_index(first) && *n <= *level_index(last);
  };
  if (level == "C1" || level == "C2" || level == "C7" || level == "T1" || level == "T2" ||
      between("T11", "L1") || level == "L5" || level == "L6")
    return {3, 3};
  if (between("C3", "C6") || between("L2", "L4")) return {2, 2};
  if (between("T3", "T10")) return {1, 1};
  // S1 belongs to the junction, S2-S5 are rigid.
  return level == "sacrum" ? Points{0, 3} : Points{0, 0};
}

Points bone_points(const std::string& kind) {
  if (kind == "lytic") return {2, 2};
  if (kind == "mixed") return {1, 1};
  if (kind == "blastic") return {0, 0};
  return {0, 2};
}

Points collapse_points(const TargetFacts& target) {
  if (!target.collapse) return {0, 3};
  if (*target.collapse > 0.5) return {3, 3};
  if (*target.collapse > 0) return {2, 2};
  if (!target.body_involved) return {0, 1};
  return *target.body_involved > 0.5 ? Points{1, 1} : Points{0, 0};
}

Points posterolateral_points(const std::optional<int>& sides) {
  if (!sides) return {0, 3};
  return *sides == 2 ? Points{3, 3} : Points{*sides, *sides};
}

bool is_hypervascular(std::string primary) {
  std::transform(primary.begin(), primary.end(), primary.begin(),
                 [](unsigned char c) { return char(std::tolower(c)); });
  for (const char* word : {"rcc", "renal", "kidney", "thyroid", "hepatocellular", "hcc"})
    if (primary.find(word) != std::string::npos) return true;
  return false;
}

void check_ranges(const ClinicalFacts& clinical, const TargetFacts& target) {
  if (clinical.sins_pain && *clinical.sins_pain != 0 && *clinical.sins_pain != 1 && *clinical.sins_pain != 3)
    throw ConfigError(fmt::format("SINS points for pain = {}", *clinical.sins_pain), "/clinical/sins_pain",
                      "use 0 (none), 1 (occasional) or 3 (mechanical)");
  if (clinical.previous_dose_Gy)
    require(*clinical.previous_dose_Gy >= 0, "clinical.previous_dose_Gy", *clinical.previous_dose_Gy,
            ">= 0 Gy");
  if (target.collapse)
    require(*target.collapse >= 0 && *target.collapse <= 1, "target.collapse", *target.collapse, "in [0, 1]");
  if (target.body_involved)
    require(*target.body_involved >= 0 && *target.body_involved <= 1, "target.body_involved",
            *target.body_involved, "in [0, 1]");
  if (target.alignment_points)
    require(*target.alignment_points == 0 || *target.alignment_points == 2 || *target.alignment_points == 4,
            "target.alignment_points", *target.alignment_points, "0, 2 or 4");
  if (target.posterolateral_sides)
    require(*target.posterolateral_sides >= 0 && *target.posterolateral_sides <= 2,
            "target.posterolateral_sides", *target.posterolateral_sides, "0, 1 or 2");
  static constexpr std::array<std::string_view, 6> kGrades = {"0", "1a", "1b", "1c", "2", "3"};
  if (target.escc && std::find(kGrades.begin(), kGrades.end(), *target.escc) == kGrades.end())
    throw ConfigError("epidural grade '" + *target.escc + "'", "/target/escc", "use 0, 1a, 1b, 1c, 2 or 3");
}

}  // namespace

Sins sins_range(const ClinicalFacts& clinical, const TargetFacts& target) {
  check_ranges(clinical, target);
  Sins sins{0, 0, {}, {}};
  const auto add = [&](Points p, const char* item) {
    sins.lowest += p.lowest;
    sins.highest += p.highest;
    sins.items.push_back({item, p.lowest, p.highest});
    if (p.lowest != p.highest) sins.unknown_items.emplace_back(item);
  };
  add(location_points(target.level), "location");
  add(clinical.sins_pain ? Points{*clinical.sins_pain, *clinical.sins_pain} : Points{0, 3}, "pain");
  add(bone_points(target.kind), "bone lesion");
  add(target.alignment_points ? Points{*target.alignment_points, *target.alignment_points} : Points{0, 4},
      "alignment");
  add(collapse_points(target), "collapse");
  add(posterolateral_points(target.posterolateral_sides), "posterolateral involvement");
  return sins;
}

Eligibility assess_eligibility(const ClinicalFacts& clinical, const TargetFacts& target,
                               const std::string& modality, bool monopolar) {
  Eligibility e;
  e.sins = sins_range(clinical, target);
  e.verdict = EligibilityVerdict::proceed;
  e.reasons.clear();
  const auto say = [&](EligibilityVerdict v, std::string reason) {
    e.verdict = worst(e.verdict, v);
    e.reasons.push_back(std::move(reason));
  };
  using enum EligibilityVerdict;

  if (!target.escc)
    say(unknown, "epidural grade (ESCC) not known: it needs an MRI");
  else if (*target.escc == "2" || *target.escc == "3")
    say(refer, "epidural grade " + *target.escc + ": surgeon and radiotherapy first");
  else if (*target.escc == "1c")
    say(proceed_with, "epidural grade 1c: expert centre with decompression at hand");

  if (!clinical.deficit)
    say(unknown, "neurological deficit not told");
  else if (*clinical.deficit)
    say(refer, "new neurological deficit: surgeon and radiotherapy first");

  const Sins& sins = e.sins;
  const std::string score = sins.lowest == sins.highest
                                ? fmt::format("SINS {}", sins.lowest)
                                : fmt::format("SINS {}-{} (not known: {})", sins.lowest, sins.highest,
                                              fmt::join(sins.unknown_items, ", "));
  if (sins.lowest >= 13)
    say(refer, score + ": unstable, surgeon first");
  else if (sins.highest >= 13)
    say(unknown, score + ": stability not settled");
  else if (sins.lowest >= 7)
    say(proceed_with, score + ": add augmentation");
  else if (sins.highest >= 7)
    say(unknown, score + ": augmentation may be needed");

  if (!clinical.anticoagulated)
    say(unknown, "anticoagulation and platelets not told");
  else if (*clinical.anticoagulated)
    say(proceed_with, "anticoagulated: stop or bridge first");

  if (!clinical.pacemaker)
    say(unknown, "pacemaker not told");
  else if (*clinical.pacemaker)
    say(proceed_with, modality == "rfa" && monopolar
                          ? "pacemaker with monopolar radiofrequency: use a bipolar device or another energy"
                          : "pacemaker: checked by cardiology before and after");

  if (!clinical.implants)
    say(unknown, "implants not told");
  else if (*clinical.implants)
    say(proceed_with, modality == "rfa" ? "implants: screws heat where radiofrequency current meets metal"
                                        : "implants: metal at the level changes the zone");

  if (!clinical.previous_dose_Gy)
    say(unknown, "previous radiotherapy dose to the cord not told");
  else if (*clinical.previous_dose_Gy > 0)
    say(proceed_with, fmt::format("{:.0f} Gy to the cord before: scar may not let dissection open, the cord "
                                  "tolerates less",
                                  *clinical.previous_dose_Gy));

  if (!clinical.primary)
    say(unknown, "primary tumour not told");
  else if (is_hypervascular(*clinical.primary))
    say(proceed_with, "hypervascular primary (" + *clinical.primary + "): embolise first?");

  if (target.posterior_wall_defect_mm && *target.posterior_wall_defect_mm > 0)
    say(proceed_with,
        fmt::format("posterior wall open over {:.0f} mm: sensor or dissection, cement only under "
                    "live view",
                    *target.posterior_wall_defect_mm));
  if (!clinical.goal) e.reasons.emplace_back("goal (palliation or local control) not told");
  std::stable_sort(e.reasons.begin(), e.reasons.end(), [](const std::string& a, const std::string& b) {
    const auto is_open = [](const std::string& r) { return r.find("not told") != std::string::npos; };
    return !is_open(a) && is_open(b);
  });
  if (e.reasons.empty()) e.reasons.emplace_back("nothing speaks against ablation");
  return e;
}

}  // namespace spinetherm
