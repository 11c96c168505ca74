// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "apps/io/points.h"
#include "imaging/core/error.h"
#include "imaging/transform_io.h"
#include "tests/cli/run_program.h"

namespace spinetherm {
namespace {

using ::testing::HasSubstr;

class MapTest : public ::testing::Test {
 protected:
  MapTest() {
    write_transform(scratch / "t.tfm", moving_from_fixed);
    std::ofstream(scratch / "p.json") << points_json(points).dump();
  }
  std::vector<NamedPoint> mapped(const std::string& file, const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"map", file, "--transform", "t.tfm", "--json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Ran ran = run_program(arguments, {scratch.path()});
    EXPECT_EQ(ran.code, 0) << ran.err;
    std::ofstream(scratch / "out.json") << ran.out;
    return read_points(scratch / "out.json");
  }
  ScratchFolder scratch;
  Rigid moving_from_fixed{
      Eigen::Quaterniond(Eigen::AngleAxisd(0.7, Eigen::Vector3d(-1, 2, 0.5).normalized())), {10, -20, 30}};
  std::vector<NamedPoint> points = {{"first", {1, 2, 3}}, {"second point", {-100.5, 0, 42}}};
};

TEST_F(MapTest, CarriesAPointOfFixedToMoving) {
  const auto result = mapped("p.json", {});
  ASSERT_EQ(result.size(), 2U);
  for (std::size_t n = 0; n < 2; ++n) {
    EXPECT_EQ(result[n].name, points[n].name);
    EXPECT_LT((result[n].at_mm - moving_from_fixed * points[n].at_mm).norm(), 1e-9);
  }
}

TEST_F(MapTest, InverseIsTheWayBack) {
  mapped("p.json", {});
  std::filesystem::rename(scratch / "out.json", scratch / "there.json");
  const auto back = mapped("there.json", {"--inverse"});
  for (std::size_t n = 0; n < 2; ++n) EXPECT_LT((back[n].at_mm - points[n].at_mm).norm(), 1e-9);
}

TEST_F(MapTest, PrintsALineAPoint) {
  const Ran ran = run_program({"map", "p.json", "--transform", "t.tfm"}, {scratch.path()});
  const Eigen::Vector3d x = moving_from_fixed * points[1].at_mm;
  char line[200];
  std::snprintf(line, sizeof line, "\n%.4f %.4f %.4f  second point\n", x[0], x[1], x[2]);
  EXPECT_THAT(ran.out, HasSubstr(line));
}

TEST_F(MapTest, RefusesWhatIsNoTransformOrNoPoints) {
  const auto refused = [&](const std::vector<std::string>& arguments, const std::string& part) {
    const Ran ran = run_program(arguments, {scratch.path()});
    EXPECT_EQ(ran.code, 2) << ran.err;
    EXPECT_THAT(ran.err, HasSubstr(part));
  };
  refused({"map", "p.json"}, "--transform is required");
  refused({"map", "p.json", "--transform", "missing.tfm"}, "missing.tfm");
  refused({"map", "p.json", "--transform", "p.json"}, "p.json");
  refused({"map", "t.tfm", "--transform", "t.tfm"}, "t.tfm");
}

}  // namespace
}  // namespace spinetherm
