// SPDX-License-Identifier: Apache-2.0
#include "datasets/evidence_checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "imaging/core/error.h"
#include "imaging/core/text.h"

namespace spinetherm {
namespace {

/// The rows without parts beneath `id`, itself when it has none.
void add_leaves(const EvidenceTable& table, const std::string& id, std::vector<const EvidenceRow*>& out) {
  const auto parts = parts_of(table, id);
  if (parts.empty()) out.push_back(&evidence_row(table, id));
  for (const EvidenceRow* part : parts) add_leaves(table, part->id, out);
}
std::vector<const EvidenceRow*> leaves_of(const EvidenceTable& table, const std::string& id) {
  std::vector<const EvidenceRow*> out;
  add_leaves(table, id, out);
  return out;
}
std::vector<const EvidenceRow*> all_leaves(const EvidenceTable& table) {
  std::vector<const EvidenceRow*> out;
  for (const EvidenceRow& row : table.rows)
    if (parts_of(table, row.id).empty()) out.push_back(&row);
  return out;
}

struct Sum {
  double least = 0, most = 0;
  std::vector<std::string> not_told_by;
};

bool is_site(const std::string& quantity) {
  const auto& sites = evidence_sites();
  return std::find(sites.begin(), sites.end(), quantity) != sites.end();
}

/// What one row adds to a sum of `quantity`: what it states, else what its parts add.
void add_row(const EvidenceTable& table, const EvidenceRow& row, const std::string& quantity,
             const std::map<std::string, int>& by_difference, Sum& sum) {
  if (const auto stated = stated_quantity(row, quantity)) {
    sum.least += *stated;
    sum.most += *stated;
    if (quantity == "sacral" || quantity == "coccyx")  // told together they may be of either
      sum.most += stated_quantity(row, "sacral_or_coccyx").value_or(0);
    return;
  }
  const auto parts = parts_of(table, row.id);
  for (const EvidenceRow* part : parts) add_row(table, *part, quantity, by_difference, sum);
  if (!parts.empty()) return;
  if (is_site(quantity) && !row.all_sites_in.empty()) {
    const auto lesions = by_difference.find(row.id);
    if (row.all_sites_in != quantity) return;
    if (lesions == by_difference.end())
      sum.not_told_by.push_back(row.id);
    else
      sum.most += lesions->second;
  } else {
    sum.not_told_by.push_back(row.id);
  }
}

CheckState state_of(const EvidenceCheck& check, double within) {
  if (!check.stated) return CheckState::not_stated;
  const double most = check.up_to.value_or(check.recounted);
  const double slack = within + 1e-9;
  if (!check.up_to && std::abs(*check.stated - check.recounted) <= slack) return CheckState::holds;
  if (*check.stated < check.recounted - slack) return CheckState::above;
  if (!check.not_told_by.empty()) return CheckState::open;
  if (*check.stated > most + slack) return CheckState::below;
  return CheckState::open;
}

EvidenceCheck compared(std::string id, std::string text, std::optional<double> stated, double recounted) {
  EvidenceCheck check{std::move(id), std::move(text), stated, recounted};
  check.state = state_of(check, 0);
  return check;
}

void add_checks_within(const EvidenceRow& row, std::vector<EvidenceCheck>& out) {
  out.push_back(compared(row.id + ".references", "references, against studies", row.articles,
                         double(reference_numbers(row.references).size())));
  if (!row.designs.empty()) {
    double designs = 0;
    for (const EvidenceDesign& d : row.designs) designs += d.articles;
    out.push_back(compared(row.id + ".designs", "studies by design, against studies", row.articles, designs));
  }
  if (const auto sexes = stated_quantity(row, "sexes"); sexes && row.patients)
    out.push_back(compared(row.id + ".sexes", "men + women, against patients", *row.patients, *sexes));
  if (const auto sites = stated_quantity(row, "sites"); sites && row.lesions) {
    EvidenceCheck check = compared(row.id + ".sites", "sites, against lesions", *row.lesions, *sites);
    if (row.sites_articles.value_or(row.articles) < row.articles) {
      check.text += fmt::format("; {} of {} studies tell them", *row.sites_articles, row.articles);
      if (check.state == CheckState::below) check.state = CheckState::open;
    }
    out.push_back(check);
  }
}

EvidenceCheck parts_check(const EvidenceTable& table, const EvidenceRow& group, const std::string& quantity,
                          const std::map<std::string, int>& by_difference) {
  Sum sum;
  for (const EvidenceRow* part : parts_of(table, group.id))
    add_row(table, *part, quantity, by_difference, sum);
  EvidenceCheck check{fmt::format("{}.parts.{}", group.id, quantity),
                      quantity + " of its parts, against its own", stated_quantity(group, quantity),
                      sum.least};
  std::replace(check.text.begin(), check.text.end(), '_', ' ');
  if (sum.most > sum.least) check.up_to = sum.most;
  check.not_told_by = sum.not_told_by;
  if (quantity == "lesions" && sum.not_told_by.size() == 1 &&
      by_difference.count(sum.not_told_by.front()) > 0)
    check.text += fmt::format("; {} has {} by difference", sum.not_told_by.front(),
                              by_difference.at(sum.not_told_by.front()));
  check.state = state_of(check, 0);
  return check;
}

/// References that group and parts share; all there are when a part has one that the group lacks.
EvidenceCheck references_of_parts(const EvidenceTable& table, const EvidenceRow& group) {
  const std::set<int> own = reference_numbers(group.references);
  std::set<int> of_parts, both = own;
  for (const EvidenceRow* part : parts_of(table, group.id))
    of_parts.merge(reference_numbers(part->references));
  both.insert(of_parts.begin(), of_parts.end());
  const std::size_t shared = own.size() + of_parts.size() - both.size();
  return compared(group.id + ".parts.references", "references of its parts, against its own",
                  double(own.size()), double(both.size() > own.size() ? both.size() : shared));
}

double counted(const EvidenceTable& table, const EvidenceCount& count,
               std::vector<std::string>& not_told_by) {
  double sum = 0;
  if (count.quantity != "mean_followup_months") {
    for (const std::string& id : count.rows)
      sum += stated_quantity(evidence_row(table, id), count.quantity).value();
    return sum;
  }
  double patients = 0;
  for (const std::string& id : count.rows)
    for (const EvidenceRow* row : leaves_of(table, id)) {
      if (!row->mean_followup_months || !row->patients) {
        not_told_by.push_back(row->id);
        continue;
      }
      sum += *row->patients * *row->mean_followup_months;
      patients += *row->patients;
    }
  return sum / patients;
}

EvidenceCheck statement_check(const EvidenceTable& table, const EvidenceStatement& s) {
  EvidenceCheck check{s.id, s.text, s.stated, 0};
  std::vector<std::string> not_told_by;
  if (s.part) {
    check.recounted = counted(table, *s.part, not_told_by);
    if (s.of) {
      check.part = check.recounted;
      check.of = counted(table, *s.of, not_told_by);
      check.recounted = *check.part / *check.of * (s.percent ? 100 : 1);
    }
  } else if (!s.cited.empty()) {
    const std::set<int> cited = reference_numbers(s.cited);
    const std::set<int> within = s.cited_within.empty() ? cited : reference_numbers(s.cited_within);
    check.recounted =
        double(std::count_if(cited.begin(), cited.end(), [&](int n) { return within.count(n) > 0; }));
  } else {
    check.recounted = double(s.listed.size());
  }
  check.state = state_of(check, s.within);
  check.not_told_by = not_told_by;  // after that: the mean of those who tell is not the least of a sum
  return check;
}

}  // namespace

std::string_view to_string(CheckState state) {
  switch (state) {
    case CheckState::holds:
      return "holds";
    case CheckState::below:
      return "below";
    case CheckState::above:
      return "above";
    case CheckState::open:
      return "open";
    case CheckState::not_stated:
      return "not stated";
  }
  return "not stated";
}

std::vector<EvidenceCheck> evidence_checks(const EvidenceTable& table) {
  std::vector<EvidenceCheck> out;
  const auto by_difference = lesions_by_difference(table);
  for (const EvidenceRow& row : table.rows) {
    add_checks_within(row, out);
    if (parts_of(table, row.id).empty()) continue;
    out.push_back(references_of_parts(table, row));
    std::vector<std::string> quantities = {"articles", "patients", "lesions", "complete_success_studies"};
    if (row.male) quantities.emplace_back("male");
    if (row.female) quantities.emplace_back("female");
    for (const auto& [site, count] : row.sites) quantities.push_back(site);
    for (const std::string& quantity : quantities)
      out.push_back(parts_check(table, row, quantity, by_difference));
  }
  for (const EvidenceStatement& s : table.statements) out.push_back(statement_check(table, s));
  return out;
}

const EvidenceCheck& evidence_check(const std::vector<EvidenceCheck>& checks, const std::string& id) {
  std::vector<std::string> ids;
  for (const EvidenceCheck& check : checks) {
    if (check.id == id) return check;
    ids.push_back(check.id);
  }
  throw ConfigError(fmt::format("unknown check '{}'", id), "evidence",
                    fmt::format("did you mean '{}'?", nearest_word(id, ids)));
}

std::map<std::string, int> lesions_by_difference(const EvidenceTable& table) {
  std::map<std::string, int> out;
  for (const EvidenceRow& group : table.rows) {
    if (!group.lesions || parts_of(table, group.id).empty()) continue;
    Sum sum;
    for (const EvidenceRow* part : parts_of(table, group.id)) add_row(table, *part, "lesions", {}, sum);
    const double rest = *group.lesions - sum.least;
    if (sum.not_told_by.size() == 1 && rest >= 0) out[sum.not_told_by.front()] = int(rest);
  }
  return out;
}

FlagFigures flag_figures(const EvidenceTable& table, const std::string& technique) {
  FlagFigures out;
  struct Side {
    double studies = 0, patients = 0, followed = 0, months = 0;
  } flagged, other;
  for (const EvidenceRow* row : all_leaves(table)) {
    if ((!technique.empty() && row->technique != technique) || !row->complete_success_studies) continue;
    out.studies += row->articles;
    out.flagged += *row->complete_success_studies;
    const bool all = row->complete_success_studies == row->articles;
    if ((!all && *row->complete_success_studies > 0) || !row->patients) continue;
    Side& side = all ? flagged : other;
    side.studies += row->articles;
    side.patients += *row->patients;
    if (!row->mean_followup_months) continue;
    side.followed += *row->patients;
    side.months += *row->patients * *row->mean_followup_months;
  }
  const auto ratio = [](double a, double b) {
    return b > 0 ? a / b : std::numeric_limits<double>::quiet_NaN();
  };
  out.patients_per_flagged_study = ratio(flagged.patients, flagged.studies);
  out.patients_per_other_study = ratio(other.patients, other.studies);
  out.followup_months_flagged = ratio(flagged.months, flagged.followed);
  out.followup_months_other = ratio(other.months, other.followed);
  return out;
}

int nerve_studies(const EvidenceTable& table, const std::string& row) {
  int studies = 0;
  for (const EvidenceRow* leaf : leaves_of(table, row))
    if (!leaf->nerve_references.empty()) studies += int(reference_numbers(leaf->nerve_references).size());
  return studies;
}

}  // namespace spinetherm
