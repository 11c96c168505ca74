// SPDX-License-Identifier: Apache-2.0
#include "datasets/xray_detector.h"

#include <gmock/gmock.h>

#include "imaging/core/error.h"
#include "imaging/core/random.h"

namespace spinetherm {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

ConeBeamGeometry panel() {
  ConeBeamGeometry g;
  g.columns = 160;
  g.rows = 120;
  g.pitch_mm = 2;
  return g;
}
XrayDetectorOptions quiet() {
  XrayDetectorOptions options;
  options.photons = {};
  options.scatter_to_primary = 0;
  return options;
}
std::vector<float> water_everywhere(double thickness_m) {
  std::vector<float> areas(2 * panel().pixels(), 0.f);  // water, bone
  std::fill_n(areas.begin(), panel().pixels(), float(1000 * thickness_m));
  return areas;
}
double mean(const std::vector<float>& v) {
  double sum = 0;
  for (const float x : v) sum += x;
  return sum / double(v.size());
}
double sd(const std::vector<float>& v) {
  const double m = mean(v);
  double squares = 0;
  for (const float x : v) squares += (x - m) * (x - m);
  return std::sqrt(squares / double(v.size()));
}

TEST(XrayDetector, WithoutNoiseAndScatterItIsBeerLambert) {
  const XrayDetector detector({}, quiet(), panel());
  auto rng = trial_rng(1, 1);
  for (const double t : {0.0, 0.05, 0.2}) {
    const auto out = detector.expose(water_everywhere(t), rng);
    EXPECT_NEAR(out[1234], detector.beam().water_line_integral(t), 1e-4) << t;
  }
  EXPECT_EQ(rng(), trial_rng(1, 1)());  // nothing was drawn
}

TEST(XrayDetector, NoiseIsPoissonWithTheSpreadOfEnergies) {
  XrayDetectorOptions options = quiet();
  const double t = 0.2;
  double last = 0;
  for (const double photons : {1e4, 4e4, 1e6}) {  // behind the water 100 .. 10000 are left
    options.photons = photons;
    const XrayDetector detector({}, options, panel());
    auto rng = trial_rng(7, 1);
    const auto out = detector.expose(water_everywhere(t), rng);
    // sd(-ln N) = sqrt(<E2> / (<E>^2 n)) with n photons that arrive.
    double n = 0, energy = 0, square = 0;
    for (const XrayBin& bin : detector.beam().bins) {
      const double passed = photons * bin.photons * std::exp(-200 * bin.mass_attenuation_m2_per_kg[0]);
      n += passed;
      energy += passed * bin.energy_keV;
      square += passed * bin.energy_keV * bin.energy_keV;
    }
    const double expected = std::sqrt(square) / energy;
    EXPECT_GT(expected, 1 / std::sqrt(n));
    EXPECT_NEAR(sd(out) / expected, 1, 0.03) << photons;
    if (last > 0) {
      EXPECT_LT(sd(out), last);
    }
    last = sd(out);
  }
}

TEST(XrayDetector, StarvedPixelsStayNumbers) {
  XrayDetectorOptions options = quiet();
  options.photons = 100;
  const XrayDetector detector({}, options, panel());
  auto rng = trial_rng(7, 1);
  for (const float x : detector.expose(water_everywhere(1), rng)) ASSERT_TRUE(std::isfinite(x));
}

TEST(XrayDetector, ScatterIsTheShareThatWasAskedFor) {
  XrayDetectorOptions options = quiet();
  options.scatter_to_primary = 0.5;
  options.scatter_corrected = 0;
  const XrayDetector detector({}, options, panel());
  auto rng = trial_rng(1, 1);
  const double with = mean(detector.expose(water_everywhere(0.2), rng));
  EXPECT_NEAR(detector.beam().water_line_integral(0.2) - with, std::log(1.5), 0.01);
  EXPECT_NEAR(mean(detector.expose(water_everywhere(0), rng)), 0, 1e-6);  // the open beam has none
  options.scatter_corrected = 1;
  EXPECT_NEAR(mean(XrayDetector({}, options, panel()).expose(water_everywhere(0.2), rng)),
              detector.beam().water_line_integral(0.2), 1e-3);
}

TEST(XrayDetector, BlurSpreadsAnEdgeAndKeepsTheSignal) {
  XrayDetectorOptions options = quiet();
  options.blur_sigma_mm = 4;
  auto areas = water_everywhere(0);
  for (std::size_t n = 0; n < areas.size() / 4; ++n) areas[n] = 200;  // half of the columns behind 20 cm
  auto rng = trial_rng(1, 1);
  const auto out = XrayDetector({}, options, panel()).expose(areas, rng);
  const auto at = [&](int column) { return std::exp(-double(out[std::size_t(column) * 120 + 60])); };
  EXPECT_NEAR(at(79) + at(80), at(60) + at(100), 0.01);
  EXPECT_NEAR((at(82) - at(60)) / (at(100) - at(60)), 0.894, 0.01);  // Gauss at 2.5 columns of 2 mm over 4 mm
}

TEST(WaterThickness, InvertsTheBeam) {
  const XrayBeam beam = make_xray_beam({});
  const WaterThickness thickness(beam);
  for (const double t : {0.0, 0.003, 0.1, 0.25, 0.6})
    EXPECT_NEAR(thickness(beam.water_line_integral(t)), t, 1e-5) << t;
  EXPECT_NEAR(thickness(-0.1), -thickness(0.1), 1e-3);  // noise in air goes on below zero
}

TEST(XrayDetector, RefusesWhatCannotBeMeant) {
  const auto refused = [](auto change, const char* part) {
    XrayDetectorOptions options;
    change(options);
    EXPECT_THAT([&] { XrayDetector({}, options, panel()); }, ThrowsMessage<ConfigError>(HasSubstr(part)));
  };
  refused([](auto& o) { o.photons = 0; }, "photons = 0");
  refused([](auto& o) { o.blur_sigma_mm = -1; }, "blur_sigma_mm = -1");
  refused([](auto& o) { o.scatter_to_primary = -0.5; }, "scatter_to_primary = -0.5");
  refused([](auto& o) { o.scatter_sigma_mm = 0; }, "scatter_sigma_mm = 0");
  refused([](auto& o) { o.scatter_corrected = 1.5; }, "scatter_corrected = 1.5");
  auto rng = trial_rng(1, 1);
  EXPECT_THROW(XrayDetector({}, {}, panel()).expose(std::vector<float>(5), rng), ConfigError);
}

}  // namespace
}  // namespace spinetherm
