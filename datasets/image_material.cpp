// SPDX-License-Identifier: Apache-2.0
#include "datasets/image_material.h"

#include "datasets/embedded_tables.h"
#include "datasets/table_reader.h"

namespace spinetherm {
namespace {

const std::vector<std::string>& words() {
  static const std::vector<std::string> all = {"air",
                                               "lung",
                                               "skin",
                                               "fat",
                                               "muscle",
                                               "ligament",
                                               "organ",
                                               "blood",
                                               "cortical_bone",
                                               "trabecular_bone",
                                               "posterior_bone",
                                               "basivertebral_vein",
                                               "nucleus",
                                               "annulus",
                                               "csf",
                                               "cord",
                                               "cauda",
                                               "nerve",
                                               "epidural_fat",
                                               "tumour_lytic",
                                               "tumour_blastic",
                                               "tumour_marrow",
                                               "cartilage",
                                               "inner_annulus",
                                               "nucleus_worn",
                                               "nucleus_black",
                                               "epidural_vein",
                                               "kidney",
                                               "liver",
                                               "thyroid"};
  return all;
}

}  // namespace

std::string_view to_string(Material material) { return words().at(std::size_t(material)); }

MaterialTable read_materials(const JsonReader& document) {
  expect_format(document, "image_materials");
  document.get_or<std::string>("notes", "");
  const TableReader table(document);
  MaterialTable out;
  std::array<bool, kMaterialCount> found{};
  const JsonReader list = document.at("materials");
  for (const JsonReader& r : list.elements()) {
    const std::size_t n = r.get_word("name", words());
    if (found[n]) r.at("name").fail("a material is named twice", "keep one row of each");
    found[n] = true;
    MaterialProperties& p = out[n];
    const JsonReader ct = r.at("ct"), mr = r.at("mr");
    p.ct = table.provenance(ct);
    p.hu = table.number(ct.at("hu"), p.ct).value;
    p.mr = table.provenance(mr);
    p.t1_ms = table.number(mr.at("t1_ms"), p.mr).value;
    p.t2_ms = table.number(mr.at("t2_ms"), p.mr).value;
    p.proton_density = table.number(mr.at("proton_density"), p.mr).value;
    p.hu_texture = table.number(ct.at("hu_texture"), p.ct).value;
    p.signal_texture = table.number(mr.at("signal_texture"), p.mr).value;
    if (p.t1_ms <= 0 || p.t2_ms <= 0 || p.proton_density < 0)
      mr.fail("relaxation times must be positive", "give T1 and T2 in ms, proton density from 0");
    ct.finish();
    mr.finish();
    r.finish();
  }
  for (std::size_t n = 0; n < kMaterialCount; ++n)
    if (!found[n]) list.fail("no row for the material '" + words()[n] + "'", "add one");
  document.finish();
  return out;
}

const MaterialTable& material_table() {
  static const MaterialTable table = [] {
    const auto json = embedded_document("image_materials.json");
    return read_materials(JsonReader(json));
  }();
  return table;
}

}  // namespace spinetherm
