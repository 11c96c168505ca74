// SPDX-License-Identifier: Apache-2.0
#include "datasets/evidence_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "datasets/embedded_tables.h"
#include "imaging/core/error.h"
#include "imaging/core/text.h"

namespace spinetherm {
namespace {

constexpr std::string_view kDesign = "design: ";

std::optional<double> as_double(const std::optional<int>& value) {
  return value ? std::optional<double>(*value) : std::nullopt;
}

int count_of(const JsonReader& value) {
  const int count = value.as<int>();
  if (count < 0) value.fail(fmt::format("{} is no count", count), "give 0 or more");
  return count;
}
std::optional<int> optional_count(const JsonReader& object, const std::string& key) {
  const auto child = object.find(key);
  return child ? std::optional<int>(count_of(*child)) : std::nullopt;
}

/// "references" and the like; empty when absent.
std::string references_of(const JsonReader& object, const std::string& key) {
  const auto child = object.find(key);
  if (!child) return "";
  auto text = child->as<std::string>();
  try {
    reference_numbers(text);
  } catch (const ConfigError& e) {
    child->fail(e.what_is_wrong(), e.what_to_do());
  }
  return text;
}

void read_sites(const JsonReader& object, EvidenceRow& row) {
  row.all_sites_in = object.get_or<std::string>("all", "");
  for (const std::string& site : evidence_sites())
    if (const auto count = optional_count(object, site)) row.sites.emplace_back(site, *count);
  object.finish();
  if (row.all_sites_in.empty() == row.sites.empty())
    object.fail("sites are either counted or all in one region", "give counts, or 'all' alone");
}

template <class T>
std::vector<std::pair<std::string, T>> most_first(const JsonReader& object) {
  std::vector<std::pair<std::string, T>> out;
  for (const auto& [name, value] : object.members()) out.emplace_back(name, value.template as<T>());
  std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  return out;
}

EvidenceRow read_row(const JsonReader& r) {
  static const std::vector<std::string> techniques = {"rfa", "mwa", "cryo", "laser", "several"};
  EvidenceRow row;
  row.id = r.get<std::string>("id");
  row.part_of = r.get_or<std::string>("part_of", "");
  row.guidance = r.get<std::string>("guidance");
  row.energy = r.get<std::string>("energy");
  if (r.has("technique")) row.technique = techniques[r.get_word("technique", techniques)];
  row.section = r.get<std::string>("section");
  row.articles = count_of(r.at("articles"));
  r.at("references");
  row.references = references_of(r, "references");
  row.patients = optional_count(r, "patients");
  row.lesions = optional_count(r, "lesions");
  row.male = optional_count(r, "male");
  row.female = optional_count(r, "female");
  row.complete_success_studies = optional_count(r, "complete_success_studies");
  row.complete_success_words = r.get_or<std::string>("complete_success_words", "");
  row.complications = r.get_or<std::string>("complications", "");
  row.nerve_references = references_of(r, "nerve_references");
  row.mean_followup_months = r.get_optional<double>("mean_followup_months");
  row.mean_followup_articles = optional_count(r, "mean_followup_articles");
  row.followup_months = r.get_optional<std::array<double, 2>>("followup_months");
  row.mean_age_years = r.get_optional<double>("mean_age_years");
  row.mean_age_articles = optional_count(r, "mean_age_articles");
  row.age_years = r.get_optional<std::array<double, 2>>("age_years");
  if (const auto sites = r.find("sites")) read_sites(*sites, row);
  row.sites_articles = optional_count(r, "sites_articles");
  if (const auto primaries = r.find("primaries")) row.primaries = most_first<int>(*primaries);
  if (const auto shares = r.find("primary_shares_percent"))
    row.primary_shares_percent = most_first<double>(*shares);
  if (const auto designs = r.find("designs"))
    for (const JsonReader& d : designs->elements()) {
      row.designs.push_back(
          {d.get<std::string>("design"), count_of(d.at("articles")), references_of(d, "references")});
      d.finish();
    }
  row.note = r.get_or<std::string>("note", "");
  r.finish();
  if (row.complete_success_studies.value_or(0) > row.articles)
    r.at("complete_success_studies").fail("more successes than studies", "count studies");
  return row;
}

const EvidenceRow* row_or_null(const EvidenceTable& table, const std::string& id) {
  const auto found = std::find_if(table.rows.begin(), table.rows.end(),
                                  [&](const EvidenceRow& row) { return row.id == id; });
  return found == table.rows.end() ? nullptr : &*found;
}

const EvidenceRow& named_row(const EvidenceTable& table, const JsonReader& name) {
  try {
    return evidence_row(table, name.as<std::string>());
  } catch (const ConfigError& e) {
    name.fail(e.what_is_wrong(), e.what_to_do());
  }
}

std::vector<std::string> named_rows(const EvidenceTable& table, const JsonReader& names) {
  std::vector<std::string> out;
  for (const JsonReader& name : names.elements()) out.push_back(named_row(table, name).id);
  return out;
}

EvidenceCount read_count(const EvidenceTable& table, const JsonReader& c) {
  EvidenceCount count{c.get<std::string>("quantity"), named_rows(table, c.at("rows"))};
  c.finish();
  for (const std::string& id : count.rows) {
    try {
      if (!stated_quantity(evidence_row(table, id), count.quantity))
        c.at("rows").fail(fmt::format("the row '{}' does not say '{}'", id, count.quantity), "leave it out");
    } catch (const ConfigError& e) {
      if (!e.where().empty()) throw;
      c.at("quantity").fail(e.what_is_wrong(), e.what_to_do());
    }
  }
  return count;
}

EvidenceStatement read_statement(const EvidenceTable& table, const JsonReader& r) {
  EvidenceStatement s;
  s.id = r.get<std::string>("id");
  s.text = r.get<std::string>("text");
  s.stated = r.get_optional<double>("stated");
  s.within = r.get_or<double>("within", 0);
  if (const auto part = r.find("part")) s.part = read_count(table, *part);
  if (const auto of = r.find("of")) s.of = read_count(table, *of);
  s.percent = r.get_or<bool>("percent", false);
  if (const auto cited = r.find("cited")) {
    cited->at("references");
    s.cited = references_of(*cited, "references");
    s.cited_within = references_of(*cited, "within");
    if (const auto rows = cited->find("rows"))
      for (const std::string& id : named_rows(table, *rows))
        s.cited_within += (s.cited_within.empty() ? "" : ",") + evidence_row(table, id).references;
    cited->finish();
  }
  s.listed = r.get_or<std::vector<std::string>>("listed", {});
  r.finish();
  if (int(s.part.has_value()) + int(!s.cited.empty()) + int(!s.listed.empty()) != 1)
    r.fail("a statement is answered in one way", "give one of 'part', 'cited', 'listed'");
  if (s.of && !s.part) r.at("of").fail("a whole without its part", "give 'part' too");
  if (s.percent && !s.of) r.at("percent").fail("a percentage of nothing", "give 'of' too");
  return s;
}

int* changeable(EvidenceRow& row, const std::string& key) {
  if (key == "articles") return &row.articles;
  for (const auto& [name, member] :
       {std::pair{"patients", &EvidenceRow::patients}, std::pair{"lesions", &EvidenceRow::lesions},
        std::pair{"male", &EvidenceRow::male}, std::pair{"female", &EvidenceRow::female},
        std::pair{"complete_success_studies", &EvidenceRow::complete_success_studies}})
    if (key == name) return &(row.*member).emplace((row.*member).value_or(0));
  return nullptr;
}

EvidenceInconsistency read_inconsistency(const EvidenceTable& table, const JsonReader& r) {
  EvidenceInconsistency out;
  out.id = r.get<std::string>("id");
  out.rows = named_rows(table, r.at("rows"));
  out.checks = r.get<std::vector<std::string>>("checks");
  out.text = r.get<std::string>("text");
  out.source = r.get_or<std::string>("source", "");
  if (const auto repair = r.find("repair")) {
    out.repair = EvidenceRepair{repair->get<std::string>("text"), {}};
    for (const JsonReader& c : repair->at("set").elements()) {
      EvidenceRow row = named_row(table, c.at("row"));
      const EvidenceChange change{row.id, c.get<std::string>("key"), count_of(c.at("value"))};
      c.finish();
      if (changeable(row, change.key) == nullptr)
        c.at("key").fail("'" + change.key + "' cannot be repaired", "repair a count");
      out.repair->changes.push_back(change);
    }
    repair->finish();
  }
  r.finish();
  return out;
}

/// Refuses a second thing of one name.
template <class T>
void add_named(std::vector<T>& all, T one, const JsonReader& r, const char* what) {
  for (const T& other : all)
    if (other.id == one.id)
      r.at("id").fail(fmt::format("the {} '{}' is named twice", what, one.id), "rename one");
  all.push_back(std::move(one));
}

}  // namespace

EvidenceTable read_evidence(const JsonReader& document) {
  expect_format(document, "evidence");
  EvidenceTable out;
  out.source = document.get<std::string>("source");
  out.notes = document.get<std::string>("notes");
  out.complete_success = document.get<std::string>("complete_success");
  for (const JsonReader& r : document.at("rows").elements()) {
    EvidenceRow row = read_row(r);
    // A group stands before its parts, so that none can be part of itself.
    if (!row.part_of.empty()) named_row(out, r.at("part_of"));
    add_named(out.rows, std::move(row), r, "row");
  }
  for (const JsonReader& r : document.at("statements").elements())
    add_named(out.statements, read_statement(out, r), r, "statement");
  for (const JsonReader& r : document.at("inconsistencies").elements())
    add_named(out.inconsistencies, read_inconsistency(out, r), r, "inconsistency");
  document.finish();
  return out;
}

const EvidenceTable& evidence_table() {
  static const EvidenceTable table = [] {
    const auto json = embedded_document("evidence.json");
    return read_evidence(JsonReader(json));
  }();
  return table;
}

const std::vector<std::string>& evidence_sites() {
  static const std::vector<std::string> sites = {"cervical", "thoracic",         "lumbar", "sacral",
                                                 "coccyx",   "sacral_or_coccyx", "ilium",  "periacetabulum"};
  return sites;
}

const EvidenceRow& evidence_row(const EvidenceTable& table, const std::string& id) {
  if (const EvidenceRow* row = row_or_null(table, id)) return *row;
  std::vector<std::string> ids;
  for (const EvidenceRow& row : table.rows) ids.push_back(row.id);
  throw ConfigError(fmt::format("unknown row '{}'", id), "",
                    fmt::format("did you mean '{}'?", nearest_word(id, ids)));
}

std::vector<const EvidenceRow*> parts_of(const EvidenceTable& table, const std::string& id) {
  std::vector<const EvidenceRow*> out;
  for (const EvidenceRow& row : table.rows)
    if (row.part_of == id) out.push_back(&row);
  return out;
}

std::set<int> reference_numbers(const std::string& text) {
  const auto fail = [&](const std::string& word) {
    throw ConfigError(fmt::format("'{}' is no list of references", word), "", "write them as 21,49,63-65");
  };
  std::set<int> out;
  std::istringstream words(text);
  for (std::string word; std::getline(words, word, ',');) {
    if (word.empty() || word.size() > 9 || word.find_first_not_of("0123456789-") != std::string::npos)
      fail(word);
    const std::size_t dash = word.find('-');
    const std::string low = word.substr(0, dash),
                      high = dash == std::string::npos ? low : word.substr(dash + 1);
    if (low.empty() || high.empty() || high.find('-') != std::string::npos || low.size() > 4 ||
        high.size() > 4)
      fail(word);
    const int first = std::stoi(low), last = std::stoi(high);
    if (last < first) fail(word);
    for (int n = first; n <= last; ++n)
      if (!out.insert(n).second) fail(word);
  }
  if (out.empty()) fail(text);
  return out;
}

std::optional<double> stated_quantity(const EvidenceRow& row, const std::string& quantity) {
  const auto& sites = evidence_sites();
  if (quantity == "articles") return row.articles;
  if (quantity == "patients") return as_double(row.patients);
  if (quantity == "lesions") return as_double(row.lesions);
  if (quantity == "male") return as_double(row.male);
  if (quantity == "female") return as_double(row.female);
  if (quantity == "sexes")
    return row.male && row.female ? std::optional<double>(*row.male + *row.female) : std::nullopt;
  if (quantity == "sites") {
    if (row.sites.empty()) return {};
    double sum = 0;
    for (const auto& [site, count] : row.sites) sum += count;
    return sum;
  }
  if (std::find(sites.begin(), sites.end(), quantity) != sites.end()) {
    if (row.sites.empty()) return {};
    for (const auto& [site, count] : row.sites)
      if (site == quantity) return count;
    return 0;
  }
  if (quantity == "complete_success_studies") return as_double(row.complete_success_studies);
  if (quantity == "studies_not_flagged")
    return row.complete_success_studies ? std::optional<double>(row.articles - *row.complete_success_studies)
                                        : std::nullopt;
  if (quantity == "patients_in_flagged_studies") {
    if (row.complete_success_studies == 0) return 0;
    if (row.complete_success_studies == row.articles) return as_double(row.patients);
    return {};
  }
  if (quantity == "mean_followup_months") return row.mean_followup_months;
  if (quantity.starts_with(kDesign)) {
    if (row.designs.empty()) return {};
    double sum = 0;
    for (const EvidenceDesign& d : row.designs)
      if (d.design == quantity.substr(kDesign.size())) sum += d.articles;
    return sum;
  }
  std::vector<std::string> known = sites;
  for (const char* word :
       {"articles", "patients", "lesions", "male", "female", "sexes", "sites", "complete_success_studies",
        "studies_not_flagged", "patients_in_flagged_studies", "mean_followup_months"})
    known.emplace_back(word);
  throw ConfigError(fmt::format("unknown quantity '{}'", quantity), "",
                    fmt::format("did you mean '{}'?", nearest_word(quantity, known)));
}

EvidenceTable repaired(const EvidenceTable& table, const EvidenceRepair& repair) {
  EvidenceTable out = table;
  for (const EvidenceChange& change : repair.changes)
    for (EvidenceRow& row : out.rows)
      if (row.id == change.row) *changeable(row, change.key) = change.value;
  return out;
}

}  // namespace spinetherm
