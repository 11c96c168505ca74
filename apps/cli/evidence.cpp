// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <iostream>
#include <nlohmann/json.hpp>

#include "apps/cli/command.h"
#include "apps/cli/table_command.h"
#include "datasets/evidence_table.h"
#include "imaging/core/error.h"
#include "imaging/core/text.h"

namespace spinetherm {
namespace {

using Json = nlohmann::ordered_json;

const EvidenceRow& find_row(const std::string& id) {
  std::vector<std::string> ids;
  for (const EvidenceRow& row : evidence_table().rows) {
    if (row.id == id) return row;
    ids.push_back(row.id);
  }
  throw ConfigError(
      fmt::format("unknown row '{}'", id), "NAME",
      fmt::format("did you mean '{}'? 'spinetherm evidence' lists them", nearest_word(id, ids)));
}

template <class T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json();
}
template <class T>
std::string or_dash(const std::optional<T>& value) {
  return value ? fmt::format("{}", *value) : "-";
}

Json row_json(const EvidenceRow& r) {
  return {{"id", r.id},
          {"guidance", r.guidance},
          {"energy", r.energy},
          {"articles", r.articles},
          {"references", r.references},
          {"patients", or_null(r.patients)},
          {"lesions", or_null(r.lesions)},
          {"complete_success_studies", or_null(r.complete_success_studies)},
          {"mean_followup_months", or_null(r.mean_followup_months)},
          {"complications", r.complications},
          {"note", r.note}};
}

void print_list() {
  std::vector<std::vector<std::string>> rows = {
      {"id", "guidance", "energy", "studies", "patients", "lesions", "complete", "months"}};
  for (const EvidenceRow& r : evidence_table().rows)
    rows.push_back({r.id, r.guidance, r.energy, std::to_string(r.articles), or_dash(r.patients),
                    or_dash(r.lesions), or_dash(r.complete_success_studies),
                    or_dash(r.mean_followup_months)});
  print_columns(rows);
  std::cout << '\n' << evidence_table().source << ".\n" << evidence_table().notes << '\n';
}

void print_row(const EvidenceRow& r) {
  std::cout << fmt::format("{}: {}, {}\n", r.id, r.guidance, r.energy);
  print_columns({{"studies", fmt::format("{} ({})", r.articles, r.references)},
                 {"patients", or_dash(r.patients)},
                 {"lesions", or_dash(r.lesions)},
                 {"complete success", or_dash(r.complete_success_studies) + " studies"},
                 {"mean follow-up", or_dash(r.mean_followup_months) + " months"},
                 {"complications", r.complications.empty() ? "-" : r.complications},
                 {"note", r.note.empty() ? "-" : r.note},
                 {"source", evidence_table().source}});
}

}  // namespace

Run evidence_command(CLI::App& app) {
  const auto request = add_table_request(app, "row");
  app.footer("Shown beside simulations, never used to tune them.");
  return [request](const CommandContext& context) {
    const bool one = wants_one(*request);
    if (context.json) {
      Json all = Json::array();
      for (const EvidenceRow& row : evidence_table().rows) all.push_back(row_json(row));
      print_json(
          one ? row_json(find_row(request->name))
              : Json{{"source", evidence_table().source}, {"notes", evidence_table().notes}, {"rows", all}});
    } else if (one) {
      print_row(find_row(request->name));
    } else {
      print_list();
    }
    return kExitDone;
  };
}

}  // namespace spinetherm
