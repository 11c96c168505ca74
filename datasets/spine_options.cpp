// SPDX-License-Identifier: Apache-2.0
#include "datasets/spine_options.h"

#include <algorithm>

#include "datasets/vertebra_table.h"
#include "imaging/core/error.h"
#include "imaging/core/text.h"

namespace spinetherm {
namespace {

const std::vector<std::string> kVariantWords = {"none",         "t13",           "ribs_11",
                                                "cervical_rib", "lumbarised_s1", "sacralised_l5"};

void require_within(const std::optional<double>& value, const char* name, double low, double high,
                    const char* rule) {
  if (value) require(*value >= low && *value <= high, name, *value, rule);
}

}  // namespace

std::string_view to_string(Sex sex) { return sex == Sex::female ? "female" : "male"; }
std::string_view to_string(SpineVariant variant) { return kVariantWords[std::size_t(variant)]; }

SpineVariant parse_spine_variant(std::string_view word) {
  const auto it = std::find(kVariantWords.begin(), kVariantWords.end(), word);
  if (it == kVariantWords.end())
    throw ConfigError("unknown variant of the spine '" + std::string(word) + "'", "SpineOptions.variant",
                      "did you mean '" + nearest_word(word, kVariantWords) +
                          "'? known: none, t13, ribs_11, cervical_rib, lumbarised_s1, sacralised_l5");
  return SpineVariant(it - kVariantWords.begin());
}

void SpineOptions::validate() const {
  require(spread >= 0 && spread <= 1.5, "SpineOptions.spread", spread, "must lie in [0, 1.5]");
  require_within(size, "SpineOptions.size", 0.8, 1.2, "must lie in [0.8, 1.2]");
  require_within(age_years, "SpineOptions.age_years", 18, 100, "must lie in [18, 100] years: an adult");
  require_within(cervical_lordosis_deg, "SpineOptions.cervical_lordosis_deg", -15, 45,
                 "must lie in [-15, 45] deg");
  require_within(kyphosis_deg, "SpineOptions.kyphosis_deg", 0, 75, "must lie in [0, 75] deg");
  require_within(lordosis_deg, "SpineOptions.lordosis_deg", 0, 80, "must lie in [0, 80] deg");
  require(scoliosis_deg >= 0 && scoliosis_deg <= 40, "SpineOptions.scoliosis_deg", scoliosis_deg,
          "must lie in [0, 40] deg");
  require_within(degeneration, "SpineOptions.degeneration", 0, 1, "must lie in [0, 1]");
}

std::vector<std::string> spine_levels(SpineVariant variant) {
  std::vector<std::string> out;
  for (const VertebraSize& row : vertebra_table().rows) {
    if (row.level == "sacrum" && variant == SpineVariant::lumbarised_s1) out.push_back("L6");
    out.push_back(row.level);
    if (row.level == "T12" && variant == SpineVariant::t13) out.push_back("T13");
  }
  return out;
}

}  // namespace spinetherm
