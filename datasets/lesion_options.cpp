// SPDX-License-Identifier: Apache-2.0
#include "datasets/lesion_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

#include "imaging/core/error.h"
#include "imaging/core/text.h"

namespace spinetherm {
namespace {

const std::vector<std::string> kKinds = {"lytic", "blastic", "mixed", "marrow"};
const std::vector<std::string> kPlaces = {"anterior", "central", "posterior", "pedicle"};
const std::vector<std::string> kSides = {"left", "right", "both"};
const std::vector<std::string> kGrades = {"0", "1a", "1b", "1c", "2", "3"};
const std::vector<std::string> kParts = {"size", "wall-defect", "epidural", "paraspinal", "fracture"};
constexpr const char* kHelp =
    "known: lytic, blastic, mixed, marrow; anterior, central, posterior, pedicle; left, right, both; "
    "size:MM, wall-defect:MM, epidural:GRADE, paraspinal, fracture:SHARE";
constexpr double kUsualDefect_mm = 6;
constexpr double kLeastFracture = 0.1, kMostFracture = 0.7;

int position(const std::vector<std::string>& words, std::string_view word) {
  const auto it = std::find(words.begin(), words.end(), word);
  return it == words.end() ? -1 : int(it - words.begin());
}

double number_of(const std::string& word, const std::string& text) {
  try {
    std::size_t read = 0;
    const double value = std::stod(text, &read);
    if (read == text.size() && std::isfinite(value)) return value;
  } catch (const std::exception&) {  // told below
  }
  throw ConfigError(fmt::format("'{}' needs a number after the colon", word), "--lesion",
                    "for instance size:18, wall-defect:6, fracture:0.3");
}

[[noreturn]] void exclude(const std::string& what, const std::string& advice) {
  throw ConfigError(what, "--lesion", advice);
}

}  // namespace

std::string_view to_string(LesionKind kind) { return kKinds[std::size_t(kind)]; }
std::string_view to_string(LesionPlace place) { return kPlaces[std::size_t(place)]; }

bool LesionOptions::opens_wall() const {
  const bool destroys = kind == LesionKind::lytic || kind == LesionKind::mixed;
  return wall_defect_mm ||
         (escc != "0" && destroys && place == LesionPlace::posterior && !wall_gap_mm.has_value());
}

void LesionOptions::validate() const {
  if (radius_mm)
    require(*radius_mm >= 2 && *radius_mm <= 30, "lesion.radius_mm", *radius_mm, "must lie in [2, 30] mm");
  if (wall_gap_mm)
    require(*wall_gap_mm >= 0.5 && *wall_gap_mm <= 30, "lesion.wall_gap_mm", *wall_gap_mm,
            "must lie in [0.5, 30] mm");
  require(side == 1 || side == -1, "lesion.side", side, "must be +1 or -1");
  require(pedicles >= 0 && pedicles <= 2, "lesion.pedicles", pedicles, "must be 0, 1 or 2");
  if (wall_defect_mm)
    require(*wall_defect_mm >= 2 && *wall_defect_mm <= 20, "lesion.wall_defect_mm", *wall_defect_mm,
            "must lie in [2, 20] mm");
  if (!(fracture == 0 || (fracture >= kLeastFracture && fracture <= kMostFracture)))
    throw ConfigError(fmt::format("fracture of {:g}", fracture), "--lesion",
                      fmt::format("a body loses {:g} to {:g} of its height, for instance fracture:0.3",
                                  kLeastFracture, kMostFracture));
  if (position(kGrades, escc) < 0)
    throw ConfigError("epidural grade '" + escc + "'", "--lesion", "use epidural:0, 1a, 1b, 1c, 2 or 3");
  if (wall_defect_mm) {
    if (kind == LesionKind::marrow)
      exclude("marrow and wall-defect exclude each other: a marrow lesion spares the bone", "say lytic");
    if (kind == LesionKind::blastic)
      exclude("blastic and wall-defect exclude each other: a blastic lesion builds bone",
              "say mixed, or lytic");
    if (place != LesionPlace::posterior)
      exclude(fmt::format("{} and wall-defect exclude each other: the lesion does not reach the posterior "
                          "wall",
                          to_string(place)),
              "say posterior");
    if (wall_gap_mm)
      exclude("a gap to the posterior wall and a wall-defect exclude each other", "leave one of them out");
  }
  if (pedicles > 0 && place == LesionPlace::pedicle)
    exclude("'both' with a lesion that lies in a pedicle alone", "name a place in the body too");
}

LesionOptions parse_lesion(std::string_view words, LesionOptions lesion) {
  const std::string all(words);
  std::set<std::string> given;
  const auto once = [&](const std::string& sort, const std::string& word) {
    if (!given.insert(sort).second) {
      const bool kinds = sort == "kind" && all.find("blastic") != std::string::npos &&
                         all.find("lytic") != std::string::npos;
      throw ConfigError("'" + word + "' is a second word of its kind", "--lesion " + all,
                        kinds ? "a lesion of both is 'mixed'" : "name one kind, one place and one side");
    }
  };
  bool in_body = false, in_pedicle = false, both = false;
  std::string_view left = words;
  while (!left.empty()) {
    const std::size_t comma = left.find(',');
    const std::string word(left.substr(0, comma));
    left.remove_prefix(comma == std::string_view::npos ? left.size() : comma + 1);
    const std::size_t colon = word.find(':');
    const std::string stem = word.substr(0, colon);
    const bool has_value = colon != std::string::npos;
    const std::string value = has_value ? word.substr(colon + 1) : "";
    const auto need = [&](bool wanted) {
      if (has_value != wanted)
        throw ConfigError(wanted ? "'" + word + "' lacks its value" : "'" + stem + "' takes no value",
                          "--lesion " + all, kHelp);
    };
    if (const int n = position(kKinds, word); n >= 0) {
      once("kind", word);
      lesion.kind = LesionKind(n);
    } else if (word == "pedicle") {
      once("pedicle", word);
      in_pedicle = true;
    } else if (const int p = position(kPlaces, word); p >= 0) {
      once("place", word);
      in_body = true;
      lesion.place = LesionPlace(p);
    } else if (const int s = position(kSides, word); s >= 0) {
      once("side", word);
      both = s == 2;
      if (!both) lesion.side = s == 0 ? 1 : -1;
    } else if (stem == "size") {
      once(stem, word);
      need(true);
      const double size = number_of(word, value);
      require(size >= 4 && size <= 60, "size", size, "must lie in [4, 60] mm");
      lesion.radius_mm = size / 2;
    } else if (stem == "wall-defect") {
      once(stem, word);
      lesion.wall_defect_mm = has_value ? number_of(word, value) : kUsualDefect_mm;
    } else if (stem == "epidural") {
      once(stem, word);
      need(true);
      lesion.escc = value;
    } else if (stem == "paraspinal") {
      once(stem, word);
      need(false);
      lesion.paraspinal = true;
    } else if (stem == "fracture") {
      once(stem, word);
      need(true);
      lesion.fracture = number_of(word, value);
      if (lesion.fracture == 0) lesion.fracture = -1;  // "fracture:0" cannot be meant: refused by validate()
    } else {
      std::vector<std::string> known;
      for (const auto* list : {&kKinds, &kPlaces, &kSides, &kParts})
        known.insert(known.end(), list->begin(), list->end());
      throw ConfigError("unknown lesion word '" + word + "'", "--lesion",
                        "did you mean '" + nearest_word(stem, known) + "'? " + kHelp);
    }
  }
  if (in_pedicle && in_body) lesion.pedicles = both ? 2 : 1;
  if (in_pedicle && !in_body) lesion.place = LesionPlace::pedicle;
  if (both && lesion.pedicles != 2)
    throw ConfigError("'both' without a pedicle to grow into", "--lesion " + all,
                      "for instance lytic,posterior,pedicle,both");
  lesion.validate();
  return lesion;
}

std::string lesion_words(const LesionOptions& l) {
  std::string words = fmt::format("{},{}", to_string(l.kind), to_string(l.place));
  if (l.pedicles > 0) words += ",pedicle";
  words += l.pedicles == 2 ? ",both" : l.side > 0 ? ",left" : ",right";
  if (l.radius_mm) words += fmt::format(",size:{:g}", 2 * *l.radius_mm);
  if (l.wall_defect_mm) words += fmt::format(",wall-defect:{:g}", *l.wall_defect_mm);
  if (l.escc != "0") words += ",epidural:" + l.escc;
  if (l.paraspinal) words += ",paraspinal";
  if (l.fracture > 0) words += fmt::format(",fracture:{:g}", l.fracture);
  return words;
}

}  // namespace spinetherm
