// SPDX-License-Identifier: Apache-2.0
#include "datasets/image_material.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <set>

#include "datasets/embedded_tables.h"
#include "imaging/core/error.h"

namespace spinetherm {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

const MaterialProperties& of(Material m) { return material_table()[std::size_t(m)]; }
nlohmann::json document() { return embedded_document("image_materials.json"); }
void expect_refused(const nlohmann::json& json, const std::string& part) {
  EXPECT_THAT([&] { read_materials(JsonReader(json)); }, ThrowsMessage<ConfigError>(HasSubstr(part)));
}

TEST(ImageMaterials, EveryMaterialHasItsRowAndSources) {
  std::set<std::string_view> names;
  for (std::size_t n = 0; n < kMaterialCount; ++n) {
    const MaterialProperties& p = material_table()[n];
    EXPECT_GT(p.ct.source.size(), 3u) << to_string(Material(n));
    EXPECT_GT(p.mr.source.size(), 3u) << to_string(Material(n));
    EXPECT_GE(p.hu, -1000) << to_string(Material(n));
    names.insert(to_string(Material(n)));
  }
  EXPECT_EQ(names.size(), kMaterialCount);
}

TEST(ImageMaterials, CtNumbersAreInTheOrderOfDensity) {
  EXPECT_EQ(of(Material::air).hu, -1000);
  EXPECT_LT(of(Material::air).hu, of(Material::lung).hu);
  EXPECT_LT(of(Material::lung).hu, of(Material::fat).hu);
  EXPECT_LT(of(Material::fat).hu, of(Material::csf).hu);
  EXPECT_LT(of(Material::csf).hu, of(Material::muscle).hu);
  EXPECT_LT(of(Material::muscle).hu, of(Material::trabecular_bone).hu);
  EXPECT_LT(of(Material::trabecular_bone).hu, of(Material::cortical_bone).hu);
  EXPECT_LT(of(Material::tumour_lytic).hu, of(Material::trabecular_bone).hu);
  EXPECT_GT(of(Material::tumour_blastic).hu, of(Material::trabecular_bone).hu);
}

TEST(ImageMaterials, CsfIsBrightestOnT2AndDarkOnT1) {
  for (std::size_t n = 0; n < kMaterialCount; ++n) {
    EXPECT_GE(of(Material::csf).t1_ms, material_table()[n].t1_ms) << to_string(Material(n));
    EXPECT_GE(of(Material::csf).t2_ms, material_table()[n].t2_ms) << to_string(Material(n));
    EXPECT_GE(material_table()[n].t1_ms, material_table()[n].t2_ms) << "T2 is never above T1";
  }
}

TEST(ImageMaterials, BrokenDocumentsAreRefusedAtTheirPlace) {
  auto json = document();
  json["materials"].erase(0);
  expect_refused(json, "'air'");
  json = document();
  json["materials"].push_back(json["materials"][3]);
  expect_refused(json, "named twice");
  json = document();
  json["materials"][2]["mr"]["t2_ms"] = 0;
  expect_refused(json, "/materials/2/mr");
  json = document();
  json["materials"][2]["ct"].erase("source");
  expect_refused(json, "source");
  json = document();
  json["materials"][2]["colour"] = 1;
  expect_refused(json, "unknown key 'colour'");
  json = document();
  json["materials"][2]["name"] = "jelly";
  expect_refused(json, "/materials/2/name");
}

}  // namespace
}  // namespace spinetherm
