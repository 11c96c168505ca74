// SPDX-License-Identifier: Apache-2.0
#include "datasets/tissue_table.h"

#include <fmt/format.h>

#include "datasets/embedded_tables.h"
#include "datasets/table_reader.h"
#include "imaging/core/error.h"

namespace spinetherm {
namespace {

/// Reads the numbers of one row and keeps where each came from.
class RowReader {
 public:
  RowReader(const TableReader& table, TissueRow& row) : table_(table), row_(row) {}

  double required(const JsonReader& object, const std::string& key) { return keep(object.at(key), key); }
  double or_zero(const JsonReader& object, const std::string& key) {
    return optional(object, key).value_or(0);  // "no such effect"
  }
  std::optional<double> optional(const JsonReader& object, const std::string& key) {
    const auto child = object.find(key);
    return child ? std::optional(keep(*child, key)) : std::nullopt;
  }

  /// A group: its plain numbers share its source; calls `read` with the group as the object of the numbers.
  template <class Read>
  void group(const JsonReader& object, const std::string& name, const Read& read) {
    const auto child = object.find(name);
    if (!child) return;
    const auto outer_prefix = prefix_;
    const auto outer_group = group_;
    prefix_ += name + "/";
    group_ = table_.provenance(*child);
    read(*child);
    child->finish();
    prefix_ = outer_prefix;
    group_ = outer_group;
  }

 private:
  double keep(const JsonReader& value, const std::string& key) {
    const TableNumber n = table_.number(value, group_);
    row_.tissue.provenance[prefix_ + key] = n.provenance;
    if (n.range) row_.range[prefix_ + key] = *n.range;
    return n.value;
  }

  const TableReader& table_;
  TissueRow& row_;
  std::string prefix_;
  std::optional<Provenance> group_;
};

std::optional<Optical> read_optical(RowReader& in, const JsonReader& r, const std::string& name) {
  std::optional<Optical> optical;
  in.group(r, name, [&](const JsonReader& g) {
    optical = Optical{{in.required(g, "absorption_per_m"), in.required(g, "reduced_scattering_per_m")}};
    in.group(g, "coagulated", [&](const JsonReader& c) {
      optical->coagulated =
          OpticalProperties{in.required(c, "absorption_per_m"), in.required(c, "reduced_scattering_per_m")};
    });
  });
  return optical;
}

void read_properties(const JsonReader& r, const TableReader& table, TissueRow& row) {
  RowReader in(table, row);
  Tissue& t = row.tissue;
  t.density_kg_per_m3 = in.required(r, "density_kg_per_m3");
  t.specific_heat_J_per_kg_K = in.required(r, "specific_heat_J_per_kg_K");
  t.conductivity_W_per_m_K = in.required(r, "conductivity_W_per_m_K");
  t.conductivity_per_K = in.or_zero(r, "conductivity_per_K");
  t.metabolic_W_per_m3 = in.required(r, "metabolic_W_per_m3");
  t.perfusion_per_s = in.required(r, "perfusion_per_s");
  in.group(r, "perfusion", [&](const JsonReader& g) {
    t.perfusion_rule.stops_at_arrhenius = in.optional(g, "stops_at_arrhenius");
    t.perfusion_rule.stops_above_degC = in.optional(g, "stops_above_degC");
  });
  t.electrical_S_per_m = in.optional(r, "electrical_S_per_m");
  t.electrical_per_K = in.or_zero(r, "electrical_per_K");
  t.relative_permittivity = in.optional(r, "relative_permittivity");
  t.microwave_S_per_m = in.optional(r, "microwave_S_per_m");
  t.relative_permittivity_915MHz = in.optional(r, "relative_permittivity_915MHz");
  t.microwave_915MHz_S_per_m = in.optional(r, "microwave_915MHz_S_per_m");
  in.group(r, "drying", [&](const JsonReader& g) {
    t.drying = Drying{in.required(g, "from_degC"), in.required(g, "to_degC"), in.required(g, "residual")};
  });
  in.group(r, "boiling", [&](const JsonReader& g) {
    t.boiling =
        Boiling{in.required(g, "latent_J_per_kg"), in.required(g, "from_degC"), in.required(g, "to_degC")};
  });
  in.group(r, "frozen", [&](const JsonReader& g) {
    t.frozen = Frozen{in.required(g, "density_kg_per_m3"),      in.required(g, "specific_heat_J_per_kg_K"),
                      in.required(g, "conductivity_W_per_m_K"), in.required(g, "latent_J_per_kg"),
                      in.required(g, "solidus_degC"),           in.required(g, "liquidus_degC")};
  });
  t.optical = read_optical(in, r, "optical");
  t.optical_1064nm = read_optical(in, r, "optical_1064nm");
  in.group(r, "damage", [&](const JsonReader& g) {
    t.damage = Arrhenius{in.required(g, "frequency_per_s"), in.required(g, "energy_J_per_mol")};
  });
}

TissueRow read_row(const JsonReader& r, const TableReader& table) {
  TissueRow row;
  row.tissue.name = r.get<std::string>("name");
  row.note = r.get_or<std::string>("note", "");
  row.hu_band = r.get_optional<std::array<double, 2>>("hu_band");
  if (const auto mixture = r.find("mixture")) {
    row.mixture = BoneMixture{mixture->get<double>("bone_volume_fraction"),
                              mixture->get<double>("red_marrow_fraction")};
    mixture->finish();
  }
  read_properties(r, table, row);
  return row;
}

const std::vector<std::string>& class_words() {
  static const std::vector<std::string> words(kTissueClassWords.begin(), kTissueClassWords.end());
  return words;
}

const TissueDocument& tissue_document() {
  static const TissueDocument document = [] {
    const auto json = embedded_document("tissues.json");
    return read_tissues(JsonReader(json));
  }();
  return document;
}

}  // namespace

TissueDocument read_tissues(const JsonReader& document) {
  expect_format(document, "tissues");
  document.get_or<std::string>("notes", "");
  const TableReader table(document);
  TissueDocument out;
  for (const JsonReader& r : document.at("ingredients").elements()) {
    out.ingredients.push_back(read_row(r, table));
    r.get<std::string>("key");
    r.finish();
    validate(out.ingredients.back().tissue, r.pointer());
  }
  for (const JsonReader& r : document.at("media").elements()) {
    out.media.push_back(read_row(r, table));
    r.finish();
    validate(out.media.back().tissue, r.pointer());
  }
  std::vector<std::optional<TissueRow>> rows(class_words().size());
  std::vector<std::pair<std::size_t, JsonReader>> copies;  // rows that take their heat from another one
  const JsonReader list = document.at("tissues");
  for (const JsonReader& r : list.elements()) {
    const std::size_t n = r.get_word("class", class_words());
    if (rows[n]) r.at("class").fail("a tissue class is named twice", "keep one row of each class");
    if (r.has("heat_as")) {
      rows[n] = TissueRow{};
      copies.emplace_back(n, r);
      continue;
    }
    rows[n] = read_row(r, table);
    r.finish();
    validate(rows[n]->tissue, r.pointer());
  }
  for (const auto& [n, r] : copies) {
    const auto& source = rows[r.get_word("heat_as", class_words())];
    if (!source || source->tissue.name.empty())
      r.at("heat_as").fail("the tissue to copy has no values", "name a class with a row of its own");
    rows[n] = *source;
    rows[n]->tissue.name = r.get<std::string>("name");
    rows[n]->note = r.get<std::string>("note");
    r.finish();
  }
  for (std::size_t n = 0; n < rows.size(); ++n) {
    if (!rows[n]) list.fail("no row for the tissue class '" + class_words()[n] + "'", "add one");
    rows[n]->tissue_class = TissueClass(n);
    out.rows.push_back(*rows[n]);
  }
  document.finish();
  return out;
}

const std::vector<TissueRow>& tissue_rows() { return tissue_document().rows; }
const std::vector<TissueRow>& tissue_ingredients() { return tissue_document().ingredients; }
const std::vector<TissueRow>& dissection_media() { return tissue_document().media; }

const Tissue& dissection_medium(std::string_view name) {
  std::vector<std::string> known;
  for (const TissueRow& row : dissection_media()) {
    if (row.tissue.name == name) return row.tissue;
    known.push_back(row.tissue.name);
  }
  throw ConfigError(fmt::format("unknown medium '{}'", name), "medium",
                    fmt::format("known: {}", fmt::join(known, ", ")));
}

const std::vector<Tissue>& tissue_table() {
  static const std::vector<Tissue> tissues = [] {
    std::vector<Tissue> out;
    for (const TissueRow& row : tissue_rows()) out.push_back(row.tissue);
    return out;
  }();
  return tissues;
}

}  // namespace spinetherm
