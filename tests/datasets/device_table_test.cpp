// SPDX-License-Identifier: Apache-2.0
#include "datasets/device_table.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>

#include "datasets/embedded_tables.h"
#include "datasets/tissue_table.h"
#include "imaging/core/error.h"
#include "thermal/radiation_law.h"

namespace spinetherm {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

TEST(DeviceTable, HoldsTheRadiofrequencyDevices) {
  for (const char* name : {"bipolar-cooled-7", "bipolar-cooled-10", "bipolar-cooled-15", "bipolar-cooled-20",
                           "bipolar-articulating-10", "monopolar-cooled-10", "monopolar-cooled-20",
                           "monopolar-cooled-30", "monopolar-plain-17g-10"})
    EXPECT_EQ(device(name).modality, "rfa") << name;
}

TEST(DeviceTable, HoldsTheCryoprobes) {
  for (const char* name :
       {"cryo-17g-short", "cryo-17g-medium", "cryo-17g-long", "cryo-1.7mm", "cryo-2.4mm", "cryo-10g"}) {
    const Device& d = device(name);
    EXPECT_EQ(d.modality, "cryo") << name;
    ASSERT_TRUE(d.cryo) << name;
    EXPECT_TRUE(d.poles.empty()) << name;
    // What is not published is never called more than a placeholder.
    for (const char* key : {"film_W_per_m2_K", "max_W_per_m", "cooling_part"})
      EXPECT_EQ(d.provenance.at(key).confidence, Confidence::placeholder) << name << " " << key;
    if (d.published_zone) {
      EXPECT_EQ(d.published_zone->provenance.confidence, Confidence::placeholder) << name;
    }
    // 10-5-10
    ASSERT_EQ(d.protocol.steps.size(), 3u) << name;
    EXPECT_TRUE(d.protocol.steps[0].duty && !d.protocol.steps[1].duty && d.protocol.steps[2].duty) << name;
  }
}

const Device& first_of(const std::string& modality) {
  return *std::find_if(device_table().begin(), device_table().end(),
                       [&](const Device& d) { return d.modality == modality; });
}

TEST(DeviceTable, HoldsTheAntennas) {
  EXPECT_EQ(first_of("mwa").name, "mwa-2450-16g");
  // Khan 2018: median 4 min 30 s and 4.1 kJ.
  const ProtocolStep& spine = device("mwa-2450-16g").protocol.steps.at(0);
  EXPECT_NEAR(spine.duration_s * spine.power_W.value(), 4100, 100);
  int at_915 = 0, shielded = 0, liver = 0;
  for (const Device& d : device_table()) {
    EXPECT_EQ(d.antenna.has_value(), d.modality == "mwa") << d.name;
    if (!d.antenna) continue;
    at_915 += d.antenna->antenna.frequency_MHz == 915;
    shielded += d.antenna->shield_width_deg.has_value();
    liver += d.protocol.beyond_spine;
    EXPECT_EQ(d.protocol.beyond_spine, d.name.ends_with("-liver")) << d.name;
    EXPECT_EQ(d.name.find("915") != std::string::npos, d.antenna->antenna.frequency_MHz == 915) << d.name;
    // What is not published is never called more than a placeholder.
    EXPECT_EQ(d.provenance.at("antenna").confidence, Confidence::placeholder) << d.name;
    EXPECT_EQ(d.provenance.at("cable_loss").confidence, Confidence::placeholder) << d.name;
    if (d.protocol.beyond_spine && d.published_zone) {
      EXPECT_EQ(d.published_zone->provenance.confidence, Confidence::placeholder) << d.name;
      EXPECT_THAT(d.published_zone->medium, HasSubstr("liver")) << d.name;
    }
  }
  EXPECT_EQ(at_915, 1);
  EXPECT_EQ(shielded, 1);
  EXPECT_EQ(liver, 4);
}

TEST(DeviceTable, AntennasReflectLittleInBoneAndInTumour) {
  const AntennaFieldOptions coarse = {.radius_mm = 30, .before_mm = 20, .behind_mm = 40, .finest_mm = 0.05};
  const Tissue& tumour = tissue_table()[std::size_t(TissueClass::tumour_lytic)];
  const Tissue& bone = tissue_table()[std::size_t(TissueClass::cancellous_bone_1)];
  for (const Device& d : device_table()) {
    if (!d.antenna) continue;
    for (const Tissue& t : {tumour, bone}) {
      const auto around = microwave_of(t, d.antenna->antenna.frequency_MHz);
      ASSERT_TRUE(around) << t.name;
      const AntennaField field = solve_antenna(
          d.antenna->antenna, [&](double, double) { return *around; }, coarse);
      EXPECT_LT(std::norm(field.reflection), 0.15) << d.name << " in " << t.name;
    }
  }
}

TEST(DeviceTable, HoldsTheLaserFibres) {
  const Device& first = first_of("laser");
  EXPECT_EQ(first.name, "laser-980-cooled-10");
  EXPECT_EQ(first.protocol.steps.at(0).power_W, 10);
  EXPECT_EQ(first.protocol.steps.at(0).duration_s, 120);
  for (const Device& d : device_table()) {
    EXPECT_EQ(d.light.has_value(), d.modality == "laser") << d.name;
    if (!d.light) continue;
    EXPECT_EQ(d.cooled_degC.has_value(), d.light->to_tip_mm > d.light->from_tip_mm) << d.name;
    if (d.cooled_degC) {
      EXPECT_EQ(d.light->to_tip_mm - d.light->from_tip_mm, std::stod(d.name.substr(d.name.rfind('-') + 1)))
          << d.name;
    }
  }
  EXPECT_THAT(device("laser-980-bare").provenance.at("protocol").source, HasSubstr("805 nm"));
}

TEST(DeviceTable, EveryNumberHasItsSource) {
  for (const Device& d : device_table()) {
    std::vector<std::string> keys = {"shaft_diameter_mm", "length_mm", "protocol"};
    if (d.cryo)
      keys.insert(keys.end(), {"cooling_part", "gas_degC", "film_W_per_m2_K", "max_W_per_m", "ramp_s"});
    if (!d.poles.empty()) keys.emplace_back("poles");
    if (d.antenna) keys.insert(keys.end(), {"antenna", "cable_loss"});
    if (d.antenna && d.antenna->shield_width_deg) keys.emplace_back("shield");
    if (d.light) keys.emplace_back("light");
    if (d.cannula) keys.emplace_back("cannula");
    if (d.articulation) keys.emplace_back("articulation");
    if (d.tines) keys.emplace_back("tines");
    if (!d.sensors.empty()) keys.emplace_back("sensors");
    if (d.cooled_degC) keys.emplace_back("cooled_degC");
    if (d.max_power_W) keys.emplace_back("max_power_W");
    if (d.max_degC) keys.emplace_back("max_degC");
    if (d.published_zone) keys.emplace_back("published_zone");
    for (const std::string& key : keys) {
      ASSERT_TRUE(d.provenance.count(key)) << d.name << " " << key;
      EXPECT_GT(d.provenance.at(key).source.size(), 3u) << d.name << " " << key;
    }
  }
}

TEST(DeviceTable, PolesFitTheNameAndLeaveAGap) {
  for (const Device& d : device_table()) {
    if (d.modality != "rfa") continue;
    const double active = std::stod(d.name.substr(d.name.rfind('-') + 1));
    if (d.tines) {
      EXPECT_TRUE(d.poles.empty()) << d.name;
      Applicator a;
      a.tip_mm = {0, -100, 0};
      const Eigen::Vector3d end = tine_lines_mm(a, d)[0].back();
      EXPECT_NEAR(2 * std::hypot(end.x(), end.z()), active, 0.1) << d.name;
    } else if (d.poles.size() == 2) {
      EXPECT_EQ(d.poles[0].polarity, -d.poles[1].polarity) << d.name;
      EXPECT_GT(d.poles[1].from_tip_mm - d.poles[0].to_tip_mm, 0.5) << d.name;
    } else {
      ASSERT_EQ(d.poles.size(), 1u) << d.name;
      EXPECT_EQ(d.poles[0].to_tip_mm, active) << d.name;
    }
    EXPECT_FALSE(d.protocol.steps.empty()) << d.name;
    // A temperature can only be held where there is a sensor.
    for (const ProtocolStep& step : d.protocol.steps)
      if (step.hold_degC) {
        EXPECT_FALSE(d.sensors.empty()) << d.name;
      }
  }
}

TEST(DeviceTable, PlaceholdersAreNeverCalledMeasured) {
  EXPECT_EQ(device("bipolar-cooled-15").provenance.at("poles").confidence, Confidence::placeholder);
  EXPECT_EQ(device("bipolar-cooled-15").published_zone->provenance.confidence, Confidence::placeholder);
  EXPECT_FALSE(device("monopolar-cooled-20").published_zone);
}

TEST(DeviceTable, ArticulatingProbesBendAndSayThatTheBendIsAssumed) {
  for (const Device& d : device_table()) {
    EXPECT_EQ(d.articulation.has_value(), d.name.starts_with("bipolar-articulating")) << d.name;
    if (d.articulation) {
      EXPECT_EQ(d.provenance.at("articulation").confidence, Confidence::placeholder) << d.name;
    }
  }
}

TEST(DeviceTable, NamesTheNearestDevice) {
  EXPECT_THAT([] { device("bipolar-coold-15"); },
              ThrowsMessage<ConfigError>(
                  AllOf(HasSubstr("did you mean 'bipolar-cooled-15'"), HasSubstr("monopolar-cooled-30"))));
}

TEST(DeviceTable, RefusesAnUnknownEnergyAndPolesInsideOut) {
  auto json = embedded_document("devices.json");
  json["devices"][0]["modality"] = "sonar";
  EXPECT_THAT([&] { read_devices(JsonReader(json)); },
              ThrowsMessage<ConfigError>(HasSubstr("/devices/0/modality")));
  json = embedded_document("devices.json");
  json["devices"][1]["poles"]["list"][0]["to_tip_mm"] = -4;
  EXPECT_THAT([&] { read_devices(JsonReader(json)); }, ThrowsMessage<ConfigError>(HasSubstr("/devices/1")));
}

/// The document with one device of a name, changed.
nlohmann::json changed(const std::string& name, const std::function<void(nlohmann::json&)>& change) {
  auto json = embedded_document("devices.json");
  for (auto& d : json["devices"])
    if (d["name"] == name) change(d);
  return json;
}

TEST(DeviceTable, RefusesAntennasAndFibresThatCannotBe) {
  const auto expect = [](const char* name, const std::function<void(nlohmann::json&)>& change,
                         const char* words) {
    const auto json = changed(name, change);
    EXPECT_THAT([&] { read_devices(JsonReader(json)); }, ThrowsMessage<ConfigError>(HasSubstr(words)));
  };
  using J = nlohmann::json;
  expect(
      "mwa-2450-16g", [](J& d) { d.erase("antenna"); }, "antenna");
  expect(
      "mwa-2450-16g", [](J& d) { d["antenna"]["slotfrom"] = 1; }, "slotfrom");
  expect(
      "mwa-2450-16g", [](J& d) { d["antenna"].erase("source"); }, "source");
  expect(
      "mwa-2450-16g", [](J& d) { d["antenna"]["catheter_radius_mm"] = 0.9; }, "shaft_diameter_mm");
  expect(
      "mwa-2450-16g", [](J& d) { d["cable_loss"]["value"] = 1; }, "/cable_loss");
  expect(
      "mwa-2450-16g", [](J& d) { d["poles"] = J::object(); }, "poles");
  expect(
      "mwa-2450-16g", [](J& d) { d["protocol"]["steps"][0]["power_W"] = 50; }, "more than a spine bears");
  expect(
      "mwa-2450-14g-liver", [](J& d) { d["protocol"].erase("beyond_spine"); }, "more than a spine bears");
  expect(
      "laser-980-cooled-10", [](J& d) { d.erase("light"); }, "light");
  expect(
      "laser-980-cooled-10", [](J& d) { d["light"]["wavelength_nm"] = 805; }, "980 and 1064 nm");
  expect(
      "laser-980-bare",
      [](J& d) {
        d["max_power_W"]["value"] = 10;
        d["protocol"]["steps"][0]["power_W"] = 6;
      },
      "chars the tip of a bare fibre");
}

TEST(DeviceTable, ACannulaMayBelongToAnyEnergy) {
  const auto json = changed("cryo-17g-long", [](nlohmann::json& d) {
    d["cannula"] = {
        {"diameter_mm", 2.4}, {"back_off_mm", 5}, {"source", "cannula"}, {"confidence", "placeholder"}};
  });
  const auto devices = read_devices(JsonReader(json));
  EXPECT_EQ(find_device(devices, "cryo-17g-long").cannula, (Cannula{2.4, 5}));
}

TEST(DeviceTable, EveryPublishedZoneHasAMediumToSimulateItIn) {
  int with_zone = 0;
  for (const Device& d : device_table()) {
    if (!d.published_zone) continue;
    ++with_zone;
    const PublishedZone& z = *d.published_zone;
    ASSERT_TRUE(z.in) << d.name;
    EXPECT_FALSE(z.criterion.empty()) << d.name;
    EXPECT_EQ(z.in->tissue == kWaterGel, z.medium.find("gel") != std::string::npos) << d.name;
    EXPECT_EQ(z.in->tissue == "organ", z.medium.find("liver") != std::string::npos) << d.name;
    EXPECT_EQ(z.criterion.starts_with("under_"), d.modality == "cryo") << d.name;
    // What is assumed is said, and called no more than a placeholder.
    EXPECT_EQ(z.in->provenance.confidence, Confidence::placeholder) << d.name;
    EXPECT_EQ(d.provenance.at("published_zone/in"), z.in->provenance) << d.name;
    if (z.medium.find("not stated") != std::string::npos) {
      EXPECT_THAT(z.in->provenance.source, HasSubstr("assumed")) << d.name;
    }
  }
  EXPECT_EQ(with_zone, 17);
  EXPECT_EQ(device("cryo-17g-long").published_zone->steps, 1);
}

TEST(DeviceTable, RefusesAPublishedZoneThatCannotBe) {
  const auto expect = [](const char* key, const nlohmann::json& value,
                         const std::vector<const char*>& words) {
    const auto json = changed("bipolar-cooled-15", [&](nlohmann::json& d) {
      d["published_zone"][nlohmann::json::json_pointer(key)] = value;
    });
    for (const char* word : words)
      EXPECT_THAT([&] { read_devices(JsonReader(json)); }, ThrowsMessage<ConfigError>(HasSubstr(word)));
  };
  expect("/in/tissue", "musle", {"unknown word 'musle'", "did you mean 'muscle'", "water gel", "/in/tissue"});
  expect("/in/tissue", "unknown", {"unknown word 'unknown'"});
  expect("/in/perfused", 1, {"/published_zone/in/perfused"});
  expect("/in/start_degC", -4, {"/published_zone/in/start_degC"});
  expect("/in/source", "nowhere", {"nowhere"});
  expect("/in/at", 1, {"unknown key 'at'"});
  expect("/criterion", "over_55_degC", {"unknown word 'over_55_degC'", "over_50_degC"});
  expect("/steps", 2, {"/published_zone/steps"});
  expect("/length_mm", 0, {"/published_zone/length_mm"});
}

TEST(DeviceTable, APublishedZoneMayLeaveItsMediumInWords) {
  const auto json = changed("bipolar-cooled-15", [](nlohmann::json& d) {
    d["published_zone"].erase("in");
    d["published_zone"].erase("criterion");
  });
  const auto devices = read_devices(JsonReader(json));
  const Device& d = find_device(devices, "bipolar-cooled-15");
  EXPECT_FALSE(d.published_zone->in);
  EXPECT_EQ(d.published_zone->criterion, "");
}

class DeviceFile : public testing::Test {
 protected:
  void SetUp() override {
    path_ = std::filesystem::path(testing::TempDir()) /
            (std::string(testing::UnitTest::GetInstance()->current_test_info()->name()) + "_devices.json");
  }
  void TearDown() override { std::filesystem::remove(path_); }
  void write(const nlohmann::json& json) { std::ofstream(path_) << json; }
  std::filesystem::path path_;
};

TEST_F(DeviceFile, AUserMayAddDevices) {
  auto json = embedded_document("devices.json");
  json["devices"].erase(json["devices"].begin() + 1, json["devices"].end());
  json["devices"][0]["name"] = "mine-7";
  write(json);
  const auto mine = load_devices(path_);
  ASSERT_EQ(mine.size(), 1u);
  EXPECT_EQ(mine[0].poles, device("bipolar-cooled-7").poles);
  EXPECT_EQ(&find_device(mine, "mine-7"), mine.data());
}

TEST_F(DeviceFile, MayNotReplaceWhatIsBuiltIn) {
  write(embedded_document("devices.json"));
  EXPECT_THAT([&] { load_devices(path_); },
              ThrowsMessage<ConfigError>(AllOf(HasSubstr("is built in"), HasSubstr(path_.string()))));
}

TEST_F(DeviceFile, MissingFileIsSaid) {
  EXPECT_THAT([&] { load_devices(path_); }, ThrowsMessage<IoError>(HasSubstr(path_.string())));
}

}  // namespace
}  // namespace spinetherm
