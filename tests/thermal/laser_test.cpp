// SPDX-License-Identifier: Apache-2.0
#include "thermal/laser.h"

#include <gmock/gmock.h>

#include "imaging/core/error.h"
#include "thermal/modality.h"

namespace spinetherm {
namespace {

using Eigen::Vector3d;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

Device fibre_device() {
  Device d;
  d.name = "fibre";
  d.modality = "laser";
  d.light = LightPart{1, 11, 980};
  d.shaft_diameter_mm = 1.65;
  d.length_mm = 150;
  d.cooled_degC = 20;
  d.max_power_W = 15;
  d.protocol.modality = "laser";
  d.protocol.steps = {{.duration_s = 60, .power_W = 10}};
  return d;
}
Applicator placed() { return {"fibre", {0, 80, 0}, {0, 10, 0}}; }

TEST(Laser, EachStepWithPowerIsASourceOfEveryFibre) {
  const Device d = fibre_device();
  const auto sources = energy_modality("laser").make_sources({placed()}, {d}, {TimedProtocol{d.protocol}});
  ASSERT_EQ(sources.size(), 1U);
  const auto& s = std::get<LightSource>(sources[0].what);
  EXPECT_EQ(s.power_W, 10);
  EXPECT_EQ(s.radius_mm, 0.825);
  EXPECT_TRUE(s.a_mm.isApprox(Vector3d(0, 11, 0)));
  EXPECT_TRUE(s.b_mm.isApprox(Vector3d(0, 21, 0)));
  EXPECT_EQ(s.tip_mm, placed().tip_mm);
  Device other;
  other.name = "antenna";
  other.modality = "mwa";
  EXPECT_THAT([&] { make_laser_sources({placed()}, {other}, d.protocol); },
              ThrowsMessage<ConfigError>(HasSubstr("not with light")));
  Applicator shallow = placed();
  shallow.entry_mm = shallow.tip_mm + Vector3d(0, 10, 0);
  EXPECT_THAT([&] { make_laser_sources({shallow}, {d}, d.protocol); },
              ThrowsMessage<ConfigError>(HasSubstr("diffuser of 'fibre' ends 11 mm")));
}

}  // namespace
}  // namespace spinetherm
