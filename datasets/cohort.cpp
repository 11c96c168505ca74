// SPDX-License-Identifier: Apache-2.0
#include "datasets/cohort.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <functional>
#include <random>

#include "datasets/embedded_tables.h"
#include "datasets/table_reader.h"
#include "imaging/core/error.h"
#include "imaging/core/random.h"
#include "imaging/core/text.h"

namespace spinetherm {
namespace {

const std::vector<std::string> kShares = {
    "wall_defect", "pedicle_growth", "both_pedicles",  "paraspinal", "fracture",  "mechanical_pain",
    "no_pain",     "local_control",  "anticoagulated", "implants",   "pacemaker", "irradiated"};
/// Streams of a patient, besides those of his phantom's own seed.
constexpr std::uint64_t kPatientStream = 1000000;
constexpr std::uint64_t kPrimaryStream = 73;  ///< of one phantom's seed
constexpr double kIrradiated_Gy = 30;
/// A drawn body may be smaller than the mean: lesions are kept below this share of its mean width.
constexpr double kMostOfBody = 0.7;
constexpr double kLeastFracture = 0.12, kMostFracture = 0.5;  // of the height

CohortMix::Weights read_weights(const JsonReader& group) {
  CohortMix::Weights out;
  for (const auto& [word, value] : group.members())
    if (word != "source" && word != "confidence") {
      out.emplace_back(word, value.as<double>());
      if (!(out.back().second >= 0)) value.fail("a negative share", "give 0 or more");
    }
  if (out.empty()) group.fail("no shares", "give at least one word with its share");
  return out;
}

double total(const CohortMix::Weights& weights) {
  double sum = 0;
  for (const auto& [word, weight] : weights) sum += weight;
  return sum;
}

/// The word at `u` in [0, 1) of the heap of shares.
const std::string& pick(const CohortMix::Weights& weights, double u) {
  double left = u * total(weights);
  for (const auto& [word, weight] : weights) {
    if (left < weight) return word;
    left -= weight;
  }
  return weights.back().first;
}

/// Point n of a sequence that fills [0, 1) evenly, from a start that the seed gives.
double even(std::uint64_t seed, int n, double step) {
  auto rng = trial_rng(seed, kPatientStream - 1);
  const double start = std::uniform_real_distribution<double>(0, 1)(rng);
  const double u = start + n * step;
  return u - std::floor(u);
}
constexpr double kGolden = 0.6180339887498949, kSilver = 0.4142135623730951;

std::vector<std::string> levels_of(const std::string& region) {
  std::vector<std::string> out;
  for (const VertebraSize& row : vertebra_table().rows)
    if (region_of(row.level) == region) out.push_back(row.level);
  return out;
}

/// The level with its neighbours, as far as the phantom has them.
std::vector<std::string> with_neighbours(const std::string& level) {
  const auto& rows = vertebra_table().rows;
  const auto it = std::find_if(rows.begin(), rows.end(), [&](const auto& r) { return r.level == level; });
  const auto n = std::size_t(it - rows.begin());
  std::vector<std::string> out;
  for (std::size_t i = n > 0 ? n - 1 : 0; i <= std::min(n + 1, rows.size() - 1); ++i)
    out.push_back(rows[i].level);
  return out;
}

LesionOptions draw_lesion(const CohortMix& mix, const std::string& level, const std::string& kind,
                          const std::function<double()>& uniform, double normal) {
  std::string words = kind + ",";
  const auto happens = [&](const char* share) { return uniform() < mix.shares.at(share); };
  const std::string place = pick(mix.places, uniform());
  words += place;
  const VertebraSize& size = vertebra_size(level);
  const double width = std::min(size.body_width_upper_mm, size.body_width_lower_mm);
  const double most = place == "pedicle" ? 1.2 * size.pedicle_height_mm : kMostOfBody * width;
  const double wish = std::clamp(mix.size_median_mm * std::exp(mix.size_log_sd * normal), mix.size_least_mm,
                                 mix.size_most_mm);
  words += fmt::format(",size:{:.1f}", std::max(4.0, std::min(wish, most)));
  const bool destroys = kind == "lytic" || kind == "mixed";
  std::string side = uniform() < 0.5 ? "left" : "right";
  const std::string escc = pick(mix.escc, uniform());
  const double width_of_hole = 4 + 5 * uniform(),
               lost = kLeastFracture + (kMostFracture - kLeastFracture) * uniform();
  const bool hole = happens("wall_defect"), grows = happens("pedicle_growth"),
             both = happens("both_pedicles"), mass = happens("paraspinal"), breaks = happens("fracture");
  const bool sacral =
      level == "sacrum";  // its pedicles are the alae, and nothing stands behind S1's wall alone
  if (place == "posterior") {
    if (kind != "marrow" && escc != "0") words += ",epidural:" + escc;
    if (destroys && hole) words += fmt::format(",wall-defect:{:.1f}", width_of_hole);
    if (grows && !sacral) {
      words += ",pedicle";
      if (both) side = "both";
    }
  }
  if (mass && kind != "marrow" && place != "pedicle") words += ",paraspinal";
  if (breaks && destroys && !sacral) words += fmt::format(",fracture:{:.2f}", lost);
  return parse_lesion(words + "," + side);
}

}  // namespace

CohortMix read_cohort_mix(const JsonReader& document) {
  expect_format(document, "cohort_mix");
  document.get_or<std::string>("notes", "");
  const TableReader table(document);
  CohortMix out;
  const auto group = [&](const std::string& name) {
    JsonReader reader = document.at(name);
    out.provenance[name] = table.provenance(reader);
    return reader;
  };
  out.levels = read_weights(group("levels"));
  out.kinds = read_weights(group("kinds"));
  out.places = read_weights(group("places"));
  out.escc = read_weights(group("escc"));
  out.primaries = read_weights(group("primaries"));
  for (const auto& [word, weight] : out.levels)
    if (levels_of(word).empty()) document.at("levels").at(word).fail("unknown region", "use C, T, L and S");
  const JsonReader size = group("size_mm");
  out.size_median_mm = size.get<double>("median");
  out.size_log_sd = size.get<double>("log_sd");
  out.size_least_mm = size.get<double>("least");
  out.size_most_mm = size.get<double>("most");
  size.finish();
  const JsonReader shares = group("shares");
  for (const std::string& name : kShares) {
    out.shares[name] = shares.get<double>(name);
    if (!(out.shares[name] >= 0 && out.shares[name] <= 1))
      shares.at(name).fail("a share outside of 0 .. 1", "give a number between them");
  }
  shares.finish();
  document.finish();
  return out;
}

const CohortMix& cohort_mix() {
  static const CohortMix mix = [] {
    const auto json = embedded_document("cohort_mix.json");
    return read_cohort_mix(JsonReader(json));
  }();
  return mix;
}

std::string region_of(const std::string& level) { return level == "sacrum" ? "S" : level.substr(0, 1); }

std::string draw_primary(std::uint64_t seed) {
  auto rng = trial_rng(seed, kPrimaryStream);
  return pick(cohort_mix().primaries, std::uniform_real_distribution<double>(0, 1)(rng));
}

std::string known_primary(const std::string& word) {
  const auto lower = [](std::string text) {
    std::ranges::transform(text, text.begin(), [](unsigned char c) { return char(std::tolower(c)); });
    return text;
  };
  std::vector<std::string> known;
  for (const auto& [name, share] : cohort_mix().primaries) {
    if (lower(name) == lower(word)) return name;
    known.push_back(name);
  }
  throw ConfigError(
      "unknown primary tumour '" + word + "'", "--primary",
      fmt::format("did you mean '{}'? known: {}", nearest_word(word, known), fmt::join(known, ", ")));
}

CohortPatient draw_cohort_patient(std::uint64_t seed, int n, const SpinePhantomOptions& base) {
  const CohortMix& mix = cohort_mix();
  auto rng = trial_rng(seed, kPatientStream + std::uint64_t(n));
  std::uniform_real_distribution<double> unit(0, 1);
  std::normal_distribution<double> gauss(0, 1);
  const auto uniform = [&] { return unit(rng); };
  CohortPatient out;
  out.name = fmt::format("p{:04d}", n + 1);
  out.options = base;
  out.options.seed = rng() >> 12;  // fits a JSON number exactly
  const std::vector<std::string> choice = levels_of(pick(mix.levels, even(seed, n, kGolden)));
  const std::string level =
      choice[std::min(std::size_t(uniform() * double(choice.size())), choice.size() - 1)];
  const std::string kind = pick(mix.kinds, even(seed, n, kSilver));
  out.options.levels = with_neighbours(level);
  out.options.lesion_level = level;
  const double normal = gauss(rng);
  out.options.lesion = draw_lesion(mix, level, kind, uniform, normal);

  const auto happens = [&](const char* share) { return uniform() < mix.shares.at(share); };
  ClinicalFacts& c = out.options.clinical;
  c = {};
  c.goal = happens("local_control") ? "local_control" : "palliation";
  const bool compressed = out.options.lesion.escc == "2" || out.options.lesion.escc == "3";
  c.deficit = compressed && uniform() < 0.5;
  const bool mechanical = happens("mechanical_pain"), none = happens("no_pain");
  c.sins_pain = mechanical ? 3 : none ? 0 : 1;
  c.anticoagulated = happens("anticoagulated");
  c.implants = happens("implants");
  c.pacemaker = happens("pacemaker");
  c.previous_dose_Gy = happens("irradiated") ? kIrradiated_Gy : 0;
  c.primary = pick(mix.primaries, uniform());
  return out;
}

std::vector<CohortRow> compare_with_mix(const std::vector<std::string>& words,
                                        const CohortMix::Weights& mix) {
  std::vector<CohortRow> out;
  for (const auto& [word, weight] : mix) {
    CohortRow row{word, int(std::count(words.begin(), words.end(), word)), 0, weight / total(mix)};
    row.share = words.empty() ? 0 : double(row.count) / double(words.size());
    out.push_back(row);
  }
  return out;
}

}  // namespace spinetherm
