// SPDX-License-Identifier: Apache-2.0
#include "datasets/vertebra_table.h"

#include <algorithm>
#include <cmath>

#include "datasets/embedded_tables.h"
#include "datasets/table_reader.h"
#include "imaging/core/anatomy.h"
#include "imaging/core/error.h"

namespace spinetherm {
namespace {

/// Standard deviations of a column: "sd_percent" of the values or "sd" in their unit; one number or one a
/// row.
std::vector<double> read_deviations(const JsonReader& column, const std::vector<double>& values) {
  const auto percent = column.find("sd_percent"), plain = column.find("sd");
  if (bool(percent) == bool(plain))
    column.fail("a column without a spread, or with two", "give either sd_percent or sd");
  const JsonReader given = percent ? *percent : *plain;
  std::vector<double> out(values.size());
  if (given.json().is_array()) {
    out = given.as<std::vector<double>>();
    if (out.size() != values.size()) given.fail("a spread of another length than the rows", "one a level");
  } else {
    std::fill(out.begin(), out.end(), given.as<double>());
  }
  for (std::size_t n = 0; n < out.size(); ++n) {
    if (out[n] < 0) given.fail("a negative spread", "give standard deviations from 0");
    if (percent) out[n] *= std::abs(values[n]) / 100;
  }
  return out;
}

}  // namespace

const std::vector<VertebraColumn>& vertebra_columns() {
  using V = VertebraSize;
  static const std::vector<VertebraColumn> all = {{"body_width_upper_mm", &V::body_width_upper_mm},
                                                  {"body_width_lower_mm", &V::body_width_lower_mm},
                                                  {"body_depth_upper_mm", &V::body_depth_upper_mm},
                                                  {"body_depth_lower_mm", &V::body_depth_lower_mm},
                                                  {"posterior_height_mm", &V::posterior_height_mm},
                                                  {"wedge_deg", &V::wedge_deg},
                                                  {"canal_width_mm", &V::canal_width_mm},
                                                  {"canal_depth_mm", &V::canal_depth_mm},
                                                  {"pedicle_width_mm", &V::pedicle_width_mm},
                                                  {"pedicle_height_mm", &V::pedicle_height_mm},
                                                  {"pedicle_angle_deg", &V::pedicle_angle_deg},
                                                  {"disc_below_mm", &V::disc_below_mm},
                                                  {"cord_width_mm", &V::cord_width_mm},
                                                  {"cord_depth_mm", &V::cord_depth_mm},
                                                  {"cord_ventral_gap_mm", &V::cord_ventral_gap_mm},
                                                  {"cord_prone_shift_mm", &V::cord_prone_shift_mm},
                                                  {"sac_width_mm", &V::sac_width_mm},
                                                  {"sac_depth_mm", &V::sac_depth_mm},
                                                  {"epidural_ventral_mm", &V::epidural_ventral_mm},
                                                  {"spinous_length_mm", &V::spinous_length_mm},
                                                  {"spinous_height_mm", &V::spinous_height_mm},
                                                  {"spinous_slope_deg", &V::spinous_slope_deg},
                                                  {"transverse_tip_mm", &V::transverse_tip_mm},
                                                  {"facet_height_mm", &V::facet_height_mm},
                                                  {"facet_offset_mm", &V::facet_offset_mm},
                                                  {"facet_behind_mm", &V::facet_behind_mm},
                                                  {"facet_angle_deg", &V::facet_angle_deg},
                                                  {"facet_tilt_deg", &V::facet_tilt_deg},
                                                  {"joint_below_deg", &V::joint_below_deg},
                                                  {"rib_length_mm", &V::rib_length_mm},
                                                  {"root_diameter_mm", &V::root_diameter_mm},
                                                  {"ganglion_diameter_mm", &V::ganglion_diameter_mm}};
  return all;
}

VertebraTable read_vertebrae(const JsonReader& document) {
  expect_format(document, "vertebrae");
  document.get_or<std::string>("notes", "");
  const TableReader table(document);
  VertebraTable out;
  for (const JsonReader& r : document.at("rows").elements()) {
    const auto level = r.as<std::string>();
    if (!level_index(level)) r.fail("unknown level '" + level + "'", "use C3 .. L5, sacrum");
    out.rows.emplace_back();
    out.rows.back().level = level;
  }
  out.deviations = out.rows;
  const JsonReader all = document.at("columns");
  for (const auto& [name, member] : vertebra_columns()) {
    const JsonReader column = all.at(name);
    out.provenance[name] = table.provenance(column);
    const auto values = column.get<std::vector<double>>("values");
    if (values.size() != out.rows.size())
      column.at("values").fail("a column of another length than the rows", "give one number a level");
    const auto spread = read_deviations(column, values);
    column.finish();
    for (std::size_t n = 0; n < values.size(); ++n) {
      out.rows[n].*member = values[n];
      out.deviations[n].*member = spread[n];
    }
  }
  all.finish();
  document.finish();
  return out;
}

const VertebraTable& vertebra_table() {
  static const VertebraTable table = [] {
    const auto json = embedded_document("vertebrae.json");
    return read_vertebrae(JsonReader(json));
  }();
  return table;
}

const VertebraSize& vertebra_size(std::string_view level) {
  const auto& rows = vertebra_table().rows;
  for (const VertebraSize& row : rows)
    if (row.level == level) return row;
  throw ConfigError("no size is known of the level '" + std::string(level) + "'", "vertebrae.json",
                    "levels run from " + rows.front().level + " to " + rows.back().level);
}

}  // namespace spinetherm
