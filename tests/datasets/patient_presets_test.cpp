// SPDX-License-Identifier: Apache-2.0
#include "datasets/patient_presets.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <set>

#include "datasets/embedded_tables.h"
#include "datasets/spine_model.h"
#include "imaging/core/error.h"

namespace spinetherm {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

TEST(PatientPresets, AreADozenWithThreeThatAreNotToBeAblated) {
  const auto& all = patient_presets();
  EXPECT_GE(all.size(), 12u);
  EXPECT_GE(std::ranges::count_if(all, [](const auto& p) { return p.is_referred(); }), 3);
  std::set<std::string> regions, kinds, grades;
  for (const PatientPreset& p : all) {
    const LesionOptions l = parse_lesion(p.lesion);
    regions.insert(p.levels.substr(0, 1));
    kinds.emplace(to_string(l.kind));
    grades.insert(p.escc);
    EXPECT_EQ(l.escc, p.escc) << p.name;
    EXPECT_GT(p.teaches.size(), 30u) << p.name;
  }
  EXPECT_EQ(kinds.size(), 4u);
  EXPECT_EQ(regions, (std::set<std::string>{"C", "L", "T"}));
  EXPECT_THAT(grades, testing::IsSupersetOf({"0", "1b", "1c", "2", "3"}));
}

class EveryPreset : public testing::TestWithParam<std::string> {};
TEST_P(EveryPreset, ShowsWhatItPromises) {
  const PatientPreset& p = find_preset(GetParam());
  SpinePhantomOptions options;
  apply_preset(p, options);
  const SpineModel model(options);
  const LesionGrade grade = model.grade();
  EXPECT_EQ(grade.facts.escc, p.escc);
  EXPECT_EQ(sins_range(p.clinical, grade.facts).lowest, p.sins);
  // Bipolar radiofrequency, as most of these patients would get.
  EXPECT_EQ(assess_eligibility(p.clinical, grade.facts).verdict, p.eligibility)
      << testing::PrintToString(assess_eligibility(p.clinical, grade.facts).reasons);
}
INSTANTIATE_TEST_SUITE_P(
    All, EveryPreset,
    [] {
      std::vector<std::string> names;
      for (const PatientPreset& p : patient_presets()) names.push_back(p.name);
      return testing::ValuesIn(names);
    }(),
    [](const auto& i) { return i.param; });

TEST(PatientPresets, NegativeControlIsFarFromTheSac) {
  SpinePhantomOptions options;
  apply_preset(find_preset("breast_l3_control"), options);
  const SpineModel m(options);
  const Eigen::AlignedBox3d& box = m.lesion().box;
  double nearest = 1e9;
  for (double z = box.min().z(); z < box.max().z(); z += 0.5)
    for (double y = box.min().y(); y < box.max().y(); y += 0.5)
      for (double x = box.min().x(); x < box.max().x(); x += 0.5)
        if (m.at({x, y, z}).label == *structure_value("tumour")) {
          const SpineSection s = m.section(z);
          nearest = std::min(nearest, s.sac_y - s.sac_b - y);
        }
  EXPECT_GT(nearest, 15);
  EXPECT_LT(nearest, 40);
}

TEST(PatientPresets, MarrowLesionIsNotOnCt) {
  SpinePhantomOptions options;
  apply_preset(find_preset("myeloma_l2_marrow"), options);
  const SpineModel m(options);
  const auto hu = ct_numbers();
  const Eigen::Vector3d c = m.lesion().centre_mm;
  EXPECT_EQ(m.at(c).label, *structure_value("tumour"));
  EXPECT_NEAR(hu[m.at(c).material], hu[Material::trabecular_bone], 15);
}

TEST(PatientPresets, UnknownNameAndBrokenTableSaySo) {
  EXPECT_THAT([] { find_preset("rcc_t8_wal"); },
              ThrowsMessage<ConfigError>(HasSubstr("did you mean 'rcc_t8_wall'")));
  const auto broken = [](auto change, const std::string& message) {
    auto json = embedded_document("presets.json");
    change(json);
    EXPECT_THAT([&] { read_presets(JsonReader(json)); }, ThrowsMessage<ConfigError>(HasSubstr(message)));
  };
  broken([](auto& j) { j["presets"][1]["lesion"] = "lytik"; }, "/presets/1");
  broken([](auto& j) { j["presets"][2]["levels"] = "C1"; }, "/presets/2");
  broken([](auto& j) { j["presets"][1]["name"] = j["presets"][0]["name"]; }, "two presets of one name");
  broken([](auto& j) { j["presets"][0]["clinical"].erase("deficit"); }, "/presets/0/clinical");
  broken([](auto& j) { j["presets"][0]["title2"] = ""; }, "title2");
}

}  // namespace
}  // namespace spinetherm
