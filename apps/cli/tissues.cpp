// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>

#include "apps/cli/command.h"
#include "apps/cli/table_command.h"
#include "apps/io/tissue_json.h"
#include "datasets/tissue_table.h"
#include "imaging/core/error.h"
#include "imaging/core/text.h"

namespace spinetherm {
namespace {

using Json = nlohmann::ordered_json;

const TissueRow& find_row(const std::string& word) {
  if (const auto c = tissue_class(word)) return tissue_rows()[std::size_t(*c)];
  for (const TissueRow& medium : dissection_media())
    if (medium.tissue.name == word) return medium;
  const std::vector<std::string> words(kTissueClassWords.begin(), kTissueClassWords.end());
  throw ConfigError(
      fmt::format("unknown tissue '{}'", word), "NAME",
      fmt::format("did you mean '{}'? 'spinetherm tissues' lists them", nearest_word(word, words)));
}

/// The numbers of a row by key of the problem format, with where they come from.
Json values_json(const TissueRow& row) {
  const Json numbers = to_json(row.tissue);
  Json values = Json::array();
  for (const auto& [key, provenance] : row.tissue.provenance) {
    Json v = {{"key", key}, {"value", numbers.at(Json::json_pointer("/" + key))}};
    if (const auto range = row.range.find(key); range != row.range.end()) v["range"] = range->second;
    v["confidence"] = to_string(provenance.confidence);
    v["source"] = provenance.source;
    values.push_back(std::move(v));
  }
  return values;
}

/// Its class; media have none.
std::string_view word_of(const TissueRow& row) {
  const bool medium = std::ranges::any_of(
      dissection_media(), [&](const TissueRow& m) { return m.tissue.name == row.tissue.name; });
  return medium ? "medium" : to_string(row.tissue_class);
}

Json row_json(const TissueRow& row) {
  Json out = {{"class", word_of(row)}, {"name", row.tissue.name}};
  if (!row.note.empty()) out["note"] = row.note;
  if (row.hu_band) out["hu_band"] = *row.hu_band;
  if (row.mixture)
    out["mixture"] = {{"bone_volume_fraction", row.mixture->bone_volume_fraction},
                      {"red_marrow_fraction", row.mixture->red_marrow_fraction}};
  out["values"] = values_json(row);
  return out;
}

std::string text_of(std::optional<double> value) { return value ? fmt::format("{:g}", *value) : "-"; }

void print_list() {
  std::vector<std::vector<std::string>> rows = {
      {"class", "kg/m3", "J/kg/K", "W/m/K", "perfusion 1/s", "S/m", "least sure", "name"}};
  const auto add = [&](const TissueRow& r, std::string_view word) {
    const Tissue& t = r.tissue;
    Confidence least = Confidence::measured;
    for (const char* key : {"density_kg_per_m3", "specific_heat_J_per_kg_K", "conductivity_W_per_m_K",
                            "perfusion_per_s", "electrical_S_per_m"})
      if (const auto p = t.provenance.find(key); p != t.provenance.end())
        least = std::max(least, p->second.confidence);
    rows.push_back({std::string(word), text_of(t.density_kg_per_m3), text_of(t.specific_heat_J_per_kg_K),
                    text_of(t.conductivity_W_per_m_K), text_of(t.perfusion_per_s),
                    text_of(t.electrical_S_per_m), std::string(to_string(least)), t.name});
  };
  for (const TissueRow& r : tissue_rows()) add(r, to_string(r.tissue_class));
  for (const TissueRow& r : dissection_media()) add(r, "medium");
  print_columns(rows);
}

void print_row(const TissueRow& row) {
  std::cout << fmt::format("{}: {}\n", word_of(row), row.tissue.name);
  if (!row.note.empty()) std::cout << row.note << '\n';
  if (row.hu_band)
    std::cout << fmt::format("CT number {:g} to {:g} HU\n", (*row.hu_band)[0], (*row.hu_band)[1]);
  if (row.mixture)
    std::cout << fmt::format("{:g} % bone by volume; {:g} % of the marrow red\n",
                             100 * row.mixture->bone_volume_fraction, 100 * row.mixture->red_marrow_fraction);
  std::vector<std::vector<std::string>> rows = {{"key", "value", "range", "source"}};
  for (const Json& v : values_json(row)) {
    const Json range = v.value("range", Json());
    rows.push_back(
        {v["key"].get<std::string>(), fmt::format("{:g}", v["value"].get<double>()),
         range.is_null() ? "" : fmt::format("{:g} .. {:g}", range[0].get<double>(), range[1].get<double>()),
         source_line(row.tissue.provenance.at(v["key"].get<std::string>()))});
  }
  print_columns(rows);
}

}  // namespace

Run tissues_command(CLI::App& app) {
  const auto request = add_table_request(app, "tissue");
  app.footer(
      "Electrical values at 480 kHz, microwave values at 2.45 GHz and 915 MHz, optical values at 980 and\n"
      "1064 nm. What a number is worth: measured, database, recalled, or placeholder (a guess that keeps\n"
      "its place).");
  return [request](const CommandContext& context) {
    const bool one = wants_one(*request);
    if (context.json) {
      Json all = Json::array();
      for (const TissueRow& row : tissue_rows()) all.push_back(row_json(row));
      Json media = Json::array();
      for (const TissueRow& row : dissection_media()) media.push_back(row_json(row));
      print_json(one ? row_json(find_row(request->name)) : Json{{"tissues", all}, {"media", media}});
    } else if (one) {
      print_row(find_row(request->name));
    } else {
      print_list();
    }
    return kExitDone;
  };
}

}  // namespace spinetherm
