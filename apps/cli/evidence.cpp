// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "apps/cli/command.h"
#include "apps/cli/table_command.h"
#include "datasets/evidence_checks.h"
#include "datasets/evidence_table.h"
#include "imaging/core/error.h"
#include "imaging/core/text.h"

namespace spinetherm {
namespace {

using Json = nlohmann::ordered_json;

struct Evidence {
  const EvidenceTable& table;
  std::vector<EvidenceCheck> checks;
};

template <class T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json();
}
template <class T>
std::string or_dash(const std::optional<T>& value) {
  return value ? fmt::format("{}", *value) : "-";
}
std::string or_dash(const std::string& text) { return text.empty() ? "-" : text; }

std::string number(double value) { return fmt::format("{:.4g}", value); }

/// "43 of 69: 62.32", "891 to 912 (C1b do not tell)", "359".
std::string recounted_text(const EvidenceCheck& c) {
  std::string text = number(c.recounted);
  if (c.up_to) text += " to " + number(*c.up_to);
  if (c.of) text = fmt::format("{} of {}: {}", number(*c.part), number(*c.of), text);
  if (!c.not_told_by.empty()) text += fmt::format(" without {}", fmt::join(c.not_told_by, ", "));
  return text;
}
std::string stated_text(const EvidenceCheck& c) { return c.stated ? number(*c.stated) : "-"; }

Json check_json(const EvidenceCheck& c) {
  Json out = {{"id", c.id},
              {"text", c.text},
              {"state", to_string(c.state)},
              {"stated", or_null(c.stated)},
              {"recounted", c.recounted}};
  if (c.up_to) out["up_to"] = *c.up_to;
  if (c.of) {
    out["part"] = *c.part;
    out["of"] = *c.of;
  }
  if (!c.not_told_by.empty()) out["not_told_by"] = c.not_told_by;
  return out;
}

std::vector<EvidenceCheck> checks_named(const std::vector<EvidenceCheck>& checks,
                                        const std::vector<std::string>& ids) {
  std::vector<EvidenceCheck> out;
  for (const std::string& id : ids) out.push_back(evidence_check(checks, id));
  return out;
}

/// The checks of an inconsistency as they would be if its repair were true.
std::vector<EvidenceCheck> checks_after_repair(const Evidence& e, const EvidenceInconsistency& i) {
  return checks_named(evidence_checks(repaired(e.table, *i.repair)), i.checks);
}

Json checks_json(const std::vector<EvidenceCheck>& checks) {
  Json out = Json::array();
  for (const EvidenceCheck& c : checks) out.push_back(check_json(c));
  return out;
}

Json inconsistency_json(const Evidence& e, const EvidenceInconsistency& i) {
  Json out = {{"id", i.id}, {"rows", i.rows}, {"text", i.text}};
  out["source"] = i.source.empty() ? e.table.source : i.source;
  Json stated = Json::array(), recounted = Json::array();
  for (const EvidenceCheck& c : checks_named(e.checks, i.checks)) {
    stated.push_back(or_null(c.stated));
    recounted.push_back(c.recounted);
  }
  out["stated"] = stated;
  out["recounted"] = recounted;
  out["checks"] = checks_json(checks_named(e.checks, i.checks));
  out["repaired"] = nullptr;
  if (i.repair) {
    Json changes = Json::array();
    for (const EvidenceChange& c : i.repair->changes)
      changes.push_back({{"row", c.row}, {"key", c.key}, {"value", c.value}});
    out["repaired"] = {
        {"text", i.repair->text}, {"set", changes}, {"checks", checks_json(checks_after_repair(e, i))}};
  }
  return out;
}

Json inconsistencies_json(const Evidence& e, const std::string& row = "") {
  Json out = Json::array();
  for (const EvidenceInconsistency& i : e.table.inconsistencies)
    if (row.empty() || std::find(i.rows.begin(), i.rows.end(), row) != i.rows.end())
      out.push_back(inconsistency_json(e, i));
  return out;
}

template <class T>
Json object_of(const std::vector<std::pair<std::string, T>>& pairs) {
  Json out = Json::object();
  for (const auto& [name, value] : pairs) out[name] = value;
  return out;
}

Json row_json(const EvidenceTable& table, const EvidenceRow& r) {
  Json designs = Json::array();
  for (const EvidenceDesign& d : r.designs)
    designs.push_back({{"design", d.design}, {"articles", d.articles}, {"references", d.references}});
  Json sites = object_of(r.sites);
  if (!r.all_sites_in.empty()) sites["all"] = r.all_sites_in;
  return {{"id", r.id},
          {"part_of", r.part_of.empty() ? Json() : Json(r.part_of)},
          {"guidance", r.guidance},
          {"energy", r.energy},
          {"technique", r.technique.empty() ? Json() : Json(r.technique)},
          {"section", r.section},
          {"articles", r.articles},
          {"references", r.references},
          {"patients", or_null(r.patients)},
          {"lesions", or_null(r.lesions)},
          {"complete_success_studies", or_null(r.complete_success_studies)},
          {"complete_success_words", r.complete_success_words},
          {"complications", r.complications},
          {"nerve_references", r.nerve_references},
          {"nerve_studies", nerve_studies(table, r.id)},
          {"mean_followup_months", or_null(r.mean_followup_months)},
          {"mean_followup_articles", or_null(r.mean_followup_articles)},
          {"followup_months", or_null(r.followup_months)},
          {"mean_age_years", or_null(r.mean_age_years)},
          {"mean_age_articles", or_null(r.mean_age_articles)},
          {"age_years", or_null(r.age_years)},
          {"male", or_null(r.male)},
          {"female", or_null(r.female)},
          {"sites", sites},
          {"sites_articles", or_null(r.sites_articles)},
          {"primaries", object_of(r.primaries)},
          {"primary_shares_percent", object_of(r.primary_shares_percent)},
          {"designs", designs},
          {"note", r.note}};
}

/// The single studies with the fewest and the most patients.
std::pair<const EvidenceRow*, const EvidenceRow*> extreme_studies(const EvidenceTable& table) {
  const EvidenceRow *small = nullptr, *large = nullptr;
  for (const EvidenceRow& row : table.rows) {
    if (row.articles != 1 || !row.patients) continue;
    if (small == nullptr || *row.patients < *small->patients) small = &row;
    if (large == nullptr || *row.patients > *large->patients) large = &row;
  }
  if (small == nullptr) throw ConfigError("no row is a single study", "evidence", "see 'evidence --json'");
  return {small, large};
}

constexpr double kEventsPerPatient = 0.02;  // an example, not a figure of the review
double keeps_flag(int patients) { return std::pow(1 - kEventsPerPatient, patients); }

const std::vector<std::string>& techniques() {
  static const std::vector<std::string> words = {"rfa", "mwa", "cryo", "laser", "several"};
  return words;
}

Json flag_json(const EvidenceTable& table) {
  const FlagFigures all = flag_figures(table);
  const auto [small, large] = extreme_studies(table);
  Json by_technique = Json::object();
  for (const std::string& t : techniques()) {
    const FlagFigures f = flag_figures(table, t);
    by_technique[t] = {{"studies", f.studies}, {"flagged", f.flagged}};
  }
  return {
      {"criterion", table.complete_success},
      {"is_a_success_rate", false},
      {"studies", all.studies},
      {"flagged", all.flagged},
      {"patients_per_flagged_study", all.patients_per_flagged_study},
      {"patients_per_other_study", all.patients_per_other_study},
      {"followup_months_flagged", all.followup_months_flagged},
      {"followup_months_other", all.followup_months_other},
      {"example",
       {{"events_per_patient", kEventsPerPatient},
        {"keeps_flag",
         {{{"row", small->id}, {"patients", *small->patients}, {"probability", keeps_flag(*small->patients)}},
          {{"row", large->id},
           {"patients", *large->patients},
           {"probability", keeps_flag(*large->patients)}}}}}},
      {"by_technique", by_technique}};
}

/// "969 (964)": the stated number, and in brackets what the parts add up to where that differs.
std::string with_recount(const Evidence& e, const EvidenceRow& r, const std::string& quantity,
                         const std::optional<int>& stated) {
  if (parts_of(e.table, r.id).empty()) return or_dash(stated);
  const EvidenceCheck& c = evidence_check(e.checks, fmt::format("{}.parts.{}", r.id, quantity));
  if (c.state == CheckState::holds) return or_dash(stated);
  return fmt::format("{} ({}{})", or_dash(stated), number(c.recounted), c.not_told_by.empty() ? "" : "+");
}

int depth_of(const EvidenceTable& table, const EvidenceRow& row) {
  return row.part_of.empty() ? 0 : 1 + depth_of(table, evidence_row(table, row.part_of));
}

void print_rows(const Evidence& e) {
  std::vector<std::vector<std::string>> rows = {
      {"id", "guidance", "energy", "studies", "flagged", "nerve", "patients", "lesions", "months"}};
  for (const EvidenceRow& r : e.table.rows)
    rows.push_back({std::string(std::size_t(depth_of(e.table, r)), ' ') + r.id, r.guidance, r.energy,
                    with_recount(e, r, "articles", r.articles),
                    with_recount(e, r, "complete_success_studies", r.complete_success_studies),
                    std::to_string(nerve_studies(e.table, r.id)), with_recount(e, r, "patients", r.patients),
                    with_recount(e, r, "lesions", r.lesions), or_dash(r.mean_followup_months)});
  print_columns(rows);
  std::cout
      << "\nIn brackets what the parts add up to, where that is not what the review states; + where a part "
         "does not tell.\nflagged: studies called complete success. nerve: studies that name a nerve "
         "injury. months: mean follow-up.\n";
}

void print_flag(const Evidence& e) {
  const EvidenceTable& table = e.table;
  const FlagFigures all = flag_figures(table);
  const auto [small, large] = extreme_studies(table);
  std::cout << "\nComplete success is no success rate\n  The flag says of a whole study: "
            << table.complete_success << ".\n";
  std::cout << fmt::format(
      "  One event in one patient takes it away. If that happens to {:g} % of patients, a study of {} ({}) "
      "keeps "
      "it\n  with {:.0f} % and one of {} ({}) with {:.0f} % probability: it tells how small and short a "
      "study "
      "was.\n",
      100 * kEventsPerPatient, *small->patients, small->id, 100 * keeps_flag(*small->patients),
      *large->patients, large->id, 100 * keeps_flag(*large->patients));
  std::cout << fmt::format(
      "  The {} flagged studies have {:.0f} patients each, followed for {:.1f} months; the other {} have "
      "{:.0f}, "
      "for {:.1f} months.\n",
      all.flagged, all.patients_per_flagged_study, all.followup_months_flagged, all.studies - all.flagged,
      all.patients_per_other_study, all.followup_months_other);
  const EvidenceCheck &studies = evidence_check(e.checks, "ct-rfa-success"),
                      &patients = evidence_check(e.checks, "ct-rfa-patients");
  std::cout << fmt::format(
      "  \"{:.0f} % complete success\" of CT-guided RFA is {:g} of {:g} studies: {:g} of {:g} patients.\n",
      studies.recounted, *studies.part, *studies.of, *patients.part, *patients.of);
  std::string by_technique;
  for (const std::string& t : techniques()) {
    const FlagFigures f = flag_figures(table, t);
    by_technique += fmt::format("{}{} {} of {}", by_technique.empty() ? "" : ", ", t, f.flagged, f.studies);
  }
  std::cout << "  Flagged by technique, which is confounded with guidance: " << by_technique << ".\n";
}

std::string kind_of(const EvidenceCheck& c) {
  return c.id.find('.') == std::string::npos ? "statements" : c.id.substr(c.id.find('.') + 1);
}

/// Inconsistencies that name the check.
std::string explained_by(const EvidenceTable& table, const EvidenceCheck& c) {
  std::vector<std::string> ids;
  for (const EvidenceInconsistency& i : table.inconsistencies)
    if (std::find(i.checks.begin(), i.checks.end(), c.id) != i.checks.end()) ids.push_back(i.id);
  return ids.empty() ? "-" : fmt::format("{}", fmt::join(ids, ", "));
}

void print_checks(const Evidence& e) {
  std::vector<std::pair<std::string, std::vector<std::string>>> held;
  std::vector<std::vector<std::string>> rest = {
      {"check", "stated", "recounted", "", "see", "what is counted"}};
  int holding = 0;
  for (const EvidenceCheck& c : e.checks) {
    if (c.state != CheckState::holds) {
      rest.push_back({c.id, stated_text(c), recounted_text(c), std::string(to_string(c.state)),
                      explained_by(e.table, c), c.text});
      continue;
    }
    ++holding;
    const std::string kind = kind_of(c);
    auto found = std::find_if(held.begin(), held.end(), [&](const auto& h) { return h.first == kind; });
    if (found == held.end()) found = held.insert(held.end(), {kind, {}});
    found->second.push_back(kind == "statements" ? c.id : c.id.substr(0, c.id.find('.')));
  }
  std::cout << fmt::format("\n{} of {} recounts hold\n", holding, e.checks.size());
  for (const auto& [kind, rows] : held) std::cout << fmt::format("  {}: {}\n", kind, fmt::join(rows, ", "));
  std::cout << "\nThe others (above: more than there are; open: some do not tell)\n";
  print_columns(rest);
}

void print_list(const Evidence& e) {
  print_rows(e);
  print_flag(e);
  print_checks(e);
  std::cout << fmt::format(
      "\n{}.\n{}\n{} inconsistencies: 'spinetherm evidence --inconsistencies'; a row: 'spinetherm evidence "
      "X1b'.\n",
      e.table.source, e.table.notes, e.table.inconsistencies.size());
}

void print_inconsistency(const Evidence& e, const EvidenceInconsistency& i) {
  std::cout << fmt::format("{} ({}): {}\n", i.id, fmt::join(i.rows, ", "), i.text);
  if (!i.source.empty()) std::cout << "  source: " << i.source << '\n';
  std::vector<std::vector<std::string>> rows;
  const auto add = [&](const char* when, const std::vector<EvidenceCheck>& checks) {
    for (const EvidenceCheck& c : checks)
      rows.push_back({when, c.text, c.stated ? "stated " + stated_text(c) : "not stated",
                      "recounted " + recounted_text(c), std::string(to_string(c.state)), c.id});
  };
  add(" ", checks_named(e.checks, i.checks));
  print_columns(rows);
  if (!i.repair) return;
  std::cout << "  repaired: " << i.repair->text << '\n';
  rows.clear();
  add(" ", checks_after_repair(e, i));
  print_columns(rows);
}

template <class T>
std::string list_text(const std::vector<std::pair<std::string, T>>& pairs, const char* unit = "") {
  std::string out;
  for (const auto& [name, value] : pairs)
    out += fmt::format("{}{} {:g}{}", out.empty() ? "" : ", ", name, double(value), unit);
  return or_dash(out);
}

std::string of_articles(const std::optional<int>& articles) {
  return articles ? fmt::format(" ({} studies tell it)", *articles) : "";
}

void print_row(const Evidence& e, const EvidenceRow& r) {
  std::string designs;
  for (const EvidenceDesign& d : r.designs)
    designs += fmt::format("{}{} {}{}", designs.empty() ? "" : ", ", d.articles, d.design,
                           d.references.empty() ? "" : " [" + d.references + "]");
  const auto range = [](const std::optional<std::array<double, 2>>& v) {
    return v ? fmt::format(", {:g} to {:g}", (*v)[0], (*v)[1]) : std::string();
  };
  std::string sites = list_text(r.sites);
  if (!r.all_sites_in.empty()) sites = "all " + r.all_sites_in + ", not counted";
  std::cout << fmt::format("{}: {}, {} (section {})\n", r.id, r.guidance, r.energy, r.section);
  print_columns(
      {{"studies", fmt::format("{} [{}]", with_recount(e, r, "articles", r.articles), r.references)},
       {"designs", or_dash(designs)},
       {"patients", with_recount(e, r, "patients", r.patients)},
       {"men, women", or_dash(r.male) + ", " + or_dash(r.female)},
       {"mean age",
        or_dash(r.mean_age_years) + range(r.age_years) + " years" + of_articles(r.mean_age_articles)},
       {"lesions", with_recount(e, r, "lesions", r.lesions)},
       {"sites", sites + of_articles(r.sites_articles)},
       {"primaries",
        r.primaries.empty() ? list_text(r.primary_shares_percent, " %") : list_text(r.primaries)},
       {"complete success",
        with_recount(e, r, "complete_success_studies", r.complete_success_studies) + " studies" +
            (r.complete_success_words.empty() ? "" : ", called " + r.complete_success_words)},
       {"mean follow-up", or_dash(r.mean_followup_months) + range(r.followup_months) + " months" +
                              of_articles(r.mean_followup_articles)},
       {"complications", or_dash(r.complications)},
       {"nerve injury", r.nerve_references.empty() ? fmt::format("{} studies", nerve_studies(e.table, r.id))
                                                   : "[" + r.nerve_references + "]"},
       {"note", or_dash(r.note)},
       {"source", e.table.source}});
  std::cout << '\n';
  std::vector<std::vector<std::string>> rows = {{"recount", "stated", "recounted", "", "what is counted"}};
  for (const EvidenceCheck& c : e.checks)
    if (c.id.starts_with(r.id + "."))
      rows.push_back({c.id, stated_text(c), recounted_text(c), std::string(to_string(c.state)), c.text});
  print_columns(rows);
  for (const EvidenceInconsistency& i : e.table.inconsistencies)
    if (std::find(i.rows.begin(), i.rows.end(), r.id) != i.rows.end()) {
      std::cout << '\n';
      print_inconsistency(e, i);
    }
}

/// A row or an inconsistency.
int show(const Evidence& e, const std::string& name, bool json) {
  std::vector<std::string> names;
  for (const EvidenceInconsistency& i : e.table.inconsistencies) {
    names.push_back(i.id);
    if (i.id != name) continue;
    if (json)
      print_json(inconsistency_json(e, i));
    else
      print_inconsistency(e, i);
    return kExitDone;
  }
  for (const EvidenceRow& r : e.table.rows) {
    names.push_back(r.id);
    if (r.id != name) continue;
    if (json) {
      Json out = row_json(e.table, r);
      Json checks = Json::array();
      for (const EvidenceCheck& c : e.checks)
        if (c.id.starts_with(r.id + ".")) checks.push_back(check_json(c));
      out["checks"] = checks;
      out["inconsistencies"] = inconsistencies_json(e, r.id);
      print_json(out);
    } else {
      print_row(e, r);
    }
    return kExitDone;
  }
  throw ConfigError(
      fmt::format("unknown row '{}'", name), "NAME",
      fmt::format("did you mean '{}'? 'spinetherm evidence' lists them", nearest_word(name, names)));
}

void list(const Evidence& e, bool inconsistencies, bool json) {
  if (json) {
    Json out = {{"source", e.table.source}, {"notes", e.table.notes}};
    if (!inconsistencies) {
      out["complete_success"] = flag_json(e.table);
      Json rows = Json::array();
      for (const EvidenceRow& row : e.table.rows) rows.push_back(row_json(e.table, row));
      out["rows"] = rows;
      out["checks"] = checks_json(e.checks);
    }
    out["inconsistencies"] = inconsistencies_json(e);
    print_json(out);
  } else if (inconsistencies) {
    for (const EvidenceInconsistency& i : e.table.inconsistencies) {
      print_inconsistency(e, i);
      std::cout << '\n';
    }
    std::cout << e.table.source << ".\n";
  } else {
    print_list(e);
  }
}

}  // namespace

Run evidence_command(CLI::App& app) {
  const auto request = std::make_shared<TableRequest>();
  const auto inconsistencies = std::make_shared<bool>(false);
  app.add_option("ACTION", request->action, "list, show, or at once the row or inconsistency to show")
      ->capture_default_str();
  app.add_option("NAME", request->name, "the row (X1b) or inconsistency (I13) to show");
  app.add_flag("--inconsistencies", *inconsistencies,
               "where the review contradicts itself or its sources: stated beside recounted");
  app.footer(
      "Shown beside simulations, never used to tune them. Every recount is computed from the rows.\n"
      "Complete success is a flag of whole studies, and no success rate.");
  return [request, inconsistencies](const CommandContext& context) -> int {
    TableRequest wanted = *request;
    if (wanted.action != "list" && wanted.action != "show" && wanted.name.empty())
      wanted = {"show", wanted.action};
    const bool one = wants_one(wanted);
    if (one && *inconsistencies)
      throw ConfigError("--inconsistencies is of the whole list", "NAME", "leave one of them out");
    const Evidence evidence{evidence_table(), evidence_checks(evidence_table())};
    if (one) return show(evidence, wanted.name, context.json);
    list(evidence, *inconsistencies, context.json);
    return kExitDone;
  };
}

}  // namespace spinetherm
