// SPDX-License-Identifier: Apache-2.0
#include "thermal/closed_form.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>

#include "imaging/core/error.h"

// Expected numbers were worked out in 30 digits by other programs (mpmath); eight are given.
namespace spinetherm {
namespace {

MATCHER_P(Close, expected, "") { return std::abs(arg - expected) <= 1e-6 * std::abs(expected); }

constexpr double kForever = std::numeric_limits<double>::infinity();

UniformTissue perfused(double w) { return {.perfusion_per_s = w}; }

TEST(ClosedFormSphere, SteadyShellAndTransientRise) {
  EXPECT_THAT(37 + sphere_steady_K(perfused(0), 53, 1.5, 3), Close(63.5));
  EXPECT_THAT(37 + sphere_steady_K(perfused(0.003), 53, 1.5, 5), Close(46.374378));
  EXPECT_THAT(37 + sphere_in_shell_K(perfused(0), 53, 1.5, 8, 40), Close(45.25974));
  EXPECT_THAT(37 + sphere_in_shell_K(perfused(0.0005), 53, 1.5, 10, 40), Close(41.631963));
  EXPECT_THAT(37 + sphere_transient_K(perfused(0), 53, 1.5, 2, 30), Close(71.124076));
  EXPECT_THAT(37 + sphere_transient_K(perfused(0.003), 53, 1.5, 5, 120), Close(44.418477));
  EXPECT_THAT(37 + sphere_transient_K(perfused(0.01), 53, 1.5, 15, 600), Close(37.127882));
}

TEST(ClosedFormSphere, PowerAndIsotherm) {
  EXPECT_THAT(sphere_power_W(perfused(0), 53, 1.5), Close(0.49951323));
  EXPECT_THAT(sphere_power_W(perfused(0.01), 53, 1.5), Close(0.70601423));
  EXPECT_THAT(sphere_isotherm_mm(perfused(0), 53, 1.5, 6), Close(13.25));
  EXPECT_THAT(sphere_isotherm_mm(perfused(0.003), 53, 1.5, 13), Close(4.118616));
  EXPECT_THAT(sphere_isotherm_mm(perfused(0.01), 53, 1.5, 23), Close(2.5721996));
}

TEST(ClosedFormSphere, CubeLimits) {
  EXPECT_DOUBLE_EQ(sphere_in_cube_K(53, 1.5, 1.5, 60), 53);
  EXPECT_THAT(sphere_in_cube_K(53, 1.5, 6, 1e9), Close(53 / 4.0));
}

TEST(ClosedFormSource, Point) {
  EXPECT_THAT(point_source_K(perfused(0), 5, 5, 60), Close(32.996979));
  EXPECT_THAT(point_source_K(perfused(0.003), 5, 10, 300), Close(12.718575));
  EXPECT_THAT(point_source_K(perfused(0), 5, 5, kForever), Close(5 / (4 * M_PI * 0.5 * 0.005)));
  const auto t = perfused(0.003);
  EXPECT_THAT(point_source_K(t, 5, 5, kForever),
              Close(5 / (4 * M_PI * 0.5 * 0.005) * std::exp(-t.inverse_length() * 0.005)));
}

TEST(ClosedFormSource, GaussianAndBox) {
  EXPECT_THAT(gaussian_source_K(perfused(0), 5, 3, 0, 900), Close(171.06836));
  EXPECT_THAT(gaussian_source_K(perfused(0.003), 5, 3, 0, 60), Close(78.574426));
  EXPECT_THAT(gaussian_source_K(perfused(0.003), 5, 3, 6, 300), Close(47.403598));
  const Eigen::Vector3d half(2, 2, 6);
  EXPECT_THAT(box_source_K(perfused(0), 5, half, {0, 0, 0}, 10), Close(57.138586));
  EXPECT_THAT(box_source_K(perfused(0.003), 5, half, {2, 0, 0}, 60), Close(95.92484));
  EXPECT_THAT(box_source_K(perfused(0.003), 5, half, {5, 5, 5}, 900), Close(25.144696));
}

TEST(ClosedFormSource, LineIsTheSumOfItsPoints) {
  // Endless line without perfusion: Q'/(4 pi k) E1(r^2 / 4 alpha t).
  const auto t = perfused(0);
  const double x = 25e-6 / (4 * t.diffusivity() * 300);
  EXPECT_THAT(line_source_K(t, 500, kForever, 5, 0, 300), Close(-500 / (4 * M_PI * 0.5) * std::expint(-x)));
  const auto w = perfused(0.003);
  double sum = 0;
  for (int n = 0; n < 2000; ++n)
    sum += point_source_K(w, 500 * 20e-3 / 2000, std::hypot(4.0, (n + 0.5) * 0.01 - 10 - 3), 120);
  EXPECT_THAT(line_source_K(w, 500, 10, 4, 3, 120), Close(sum));
}

TEST(ClosedFormSlab, SurfaceStep) {
  EXPECT_THAT(semi_infinite_K(perfused(0), 30, 2, 60), Close(18.419814));
  EXPECT_THAT(semi_infinite_K(perfused(0.02), 30, 15, 1200), Close(0.086706658));
  EXPECT_THAT(slab_K(perfused(0), 30, 20, 10, 1200), Close(14.605425));
  EXPECT_THAT(slab_K(perfused(0.003), 30, 20, 15, 300), Close(1.4122936));
}

TEST(ClosedFormLayers, SlabsAndShells) {
  const std::vector<Layer> layers = {{10, 0.49}, {2, 0.32}, {10, 0.31}, {4, 20}};
  EXPECT_THAT(layers_flux_W_per_m2(layers, 90, 37), Close(896.53894));
  EXPECT_THAT(layers_degC(layers, 90, 37, 12), Close(66.099919));
  EXPECT_THAT(layers_degC(layers, 90, 37, 26), Close(37.0));
  EXPECT_THAT(heated_layer_degC({10, 0.5}, {20, 0.3}, 1e6, 37, 5), Close(100.46154));
  EXPECT_THAT(heated_layer_degC({10, 0.5}, {20, 0.3}, 1e6, 37, 15), Close(94.692308));
  EXPECT_THAT(sphere_layers_degC(2, 10, 40, 0.55, 0.31, 90, 37, 5), Close(60.172466));
  EXPECT_THAT(sphere_layers_degC(2, 10, 40, 0.55, 0.31, 90, 37, 20), Close(41.409985));
  const UniformTissue outside = {.conductivity_W_per_m_K = 0.31, .perfusion_per_s = 0.003};
  EXPECT_THAT(37 + necrotic_core_K(outside, 0.55, 2, 10, 53, 5), Close(55.496296));
  EXPECT_THAT(37 + necrotic_core_K(outside, 0.55, 2, 10, 53, 15), Close(38.788148));
}

TEST(ClosedFormLayers, HalfSpacesInContact) {
  const UniformTissue cement = {1180, 1466, 0.19, 0}, bone = {1178, 2274, 0.31, 0};
  EXPECT_THAT(contact_degC(cement, 70, bone, 37, 0, 30), Close(49.743712));
  EXPECT_THAT(contact_degC(cement, 70, bone, 37, -2, 30), Close(61.169699));
  EXPECT_THAT(contact_degC(cement, 70, bone, 37, 5, 120), Close(41.367884));
}

TEST(ClosedFormElectrode, SphereShellAndLayers) {
  EXPECT_THAT(sphere_resistance_ohm(0.2, 2), Close(198.94368));
  EXPECT_THAT(sphere_in_shell_resistance_ohm(0.2, 2, 30), Close(185.68077));
  EXPECT_THAT(layered_sphere_resistance_ohm(0.5, 0.08, 2, 10), Close(163.13382));
  EXPECT_THAT(sphere_power_density_W_per_m3(0.2, 20, 2, 5), Close(512000.0));
}

TEST(ClosedFormElectrode, TwoSpheres) {
  EXPECT_THAT(two_spheres_bipolar_A(0.2, 2, 6, 10), Close(0.077176139));
  EXPECT_THAT(two_spheres_bipolar_A(0.2, 2, 20, 10), Close(0.055856818));
  EXPECT_THAT(two_spheres_parallel_A(0.2, 2, 10, 10), Close(0.041945164));
  const auto [bipolar_V, bipolar_q] = two_spheres_field(0.2, 2, 6, 10, -10, 0, 5);
  EXPECT_NEAR(bipolar_V, 0, 1e-12);
  EXPECT_THAT(bipolar_q, Close(162249.4));
  const auto [both_V, both_q] = two_spheres_field(0.2, 2, 10, 10, 10, 0, 0);
  EXPECT_THAT(both_V, Close(6.5617108));
  EXPECT_NEAR(both_q, 0, 1e-9);
  EXPECT_THAT(two_spheres_field(0.2, 2, 10, 10, -10, -5, 2).first, Close(10.0));
}

TEST(ClosedFormElectrode, Prolate) {
  EXPECT_THAT(prolate_resistance_ohm(0.2, 10, 0.75), Close(130.95567));
  const auto [V, q] = prolate_field(0.2, 20, 10, 0.75, 0, 2);
  EXPECT_THAT(V, Close(14.074767));
  EXPECT_THAT(q, Close(1784940.2));
  EXPECT_THAT(prolate_field(0.2, 20, 10, 0.75, 12, 0).second, Close(371896.92));
}

TEST(ClosedFormElectrode, CooledSphere) {
  EXPECT_THAT(cooled_sphere_degC(0.2, 0.5, 15, 2, 70, 37, 4), Close(64.75));
  EXPECT_THAT(cooled_sphere_degC(0.2, 0.5, 18, 2, 10, 37, 10), Close(41.968));
  EXPECT_THAT(cooled_sphere_in_shell_degC(0.2, 0.5, 15, 2, 10, 37, 40, 6), Close(38.365651));
  EXPECT_THAT(cooled_sphere_in_shell_degC(0.2, 0.5, 15, 2, 70, 37, 40, 30), Close(38.354571));
}

TEST(ClosedFormDose, Cem43) {
  EXPECT_THAT(cem43_min({{{60, 41}}}), Close(3.75));
  EXPECT_THAT(cem43_min({{{2, 40}}, {{3, 44}}, {{1, 47.5}}, {{5, 41.2}}}), Close(29.071013));
  EXPECT_DOUBLE_EQ(cem43_min({{{600, 38.9}}}), 0);
  EXPECT_THAT(cem43_of_ramp_min(37, 43, 1), Close(0.71852976));
  EXPECT_THAT(cem43_of_ramp_min(37, 60, 30), Close(6303.2067));
  EXPECT_THAT(cem43_of_cooling_min(8, 2), Close(1.4831153));
  EXPECT_THAT(cem43_of_cooling_min(23, 1), Close(8818.7259));
}

TEST(ClosedFormDose, Arrhenius) {
  EXPECT_THAT(arrhenius_time_s(7.39e39, 2.577e5, 43), Close(510.49669));
  EXPECT_THAT(arrhenius_time_s(1.98e106, 6.67e5, 60), Close(0.019068917));
  EXPECT_THAT(arrhenius_time_s(5.2958549e108, 680321.68, 45, std::log(2.0)), Close(648.0));
}

TEST(ClosedFormFreezing, SharpFronts) {
  const FreezingTissue t;
  EXPECT_THAT(stefan_fronts(t, -140).lambda_solid, Close(0.64701463));
  const FreezingFronts neumann = neumann_fronts(t, -140, 37);
  EXPECT_THAT(neumann.lambda_solid, Close(0.52765201));
  EXPECT_THAT(neumann.solid_mm(600), Close(27.111251));
  EXPECT_THAT(neumann_degC(t, -140, 37, 10, 300), Close(-62.44545));
  EXPECT_THAT(neumann_degC(t, -140, 37, 30, 600), Close(15.08639));
  EXPECT_THAT(line_sink_fronts(t, 200, 37).lambda_solid, Close(0.1283533));
  EXPECT_THAT(line_sink_fronts(t, 500, 37).solid_mm(300), Close(8.906022));
  EXPECT_THAT(line_sink_degC(t, 1000, 37, 5, 600), Close(-91.298));
  EXPECT_THAT(line_sink_degC(t, 500, 37, 20, 600), Close(26.32534));
}

TEST(ClosedFormFreezing, MushyFronts) {
  const FreezingTissue t;
  EXPECT_THAT(t.mushy_c(), Close(36633.783784));
  const FreezingFronts slab = mushy_slab_fronts(t, -140, 37);
  EXPECT_THAT(slab.lambda_solid, Close(0.49639785));
  EXPECT_THAT(slab.lambda_liquid, Close(0.5281115));
  EXPECT_THAT(mushy_slab_degC(t, -140, 37, 15, 300), Close(-27.5536));
  EXPECT_THAT(mushy_slab_degC(t, -140, 37, 20, 300), Close(6.520541));
  for (const auto& [Q, solid, liquid] :
       {std::array{200.0, 0.095695143, 0.13784805}, std::array{500.0, 0.21453282, 0.25467145},
        std::array{1000.0, 0.33400194, 0.36871894}}) {
    const FreezingFronts f = mushy_line_sink_fronts(t, Q, 37);
    EXPECT_THAT(f.lambda_solid, Close(solid)) << Q;
    EXPECT_THAT(f.lambda_liquid, Close(liquid)) << Q;
  }
  EXPECT_THAT(mushy_line_sink_degC(t, 200, 37, 5, 600), Close(-7.617322));
  EXPECT_THAT(mushy_line_sink_degC(t, 500, 37, 10, 600), Close(-11.37846));
  EXPECT_THAT(mushy_line_sink_degC(t, 1000, 37, 20, 600), Close(5.88733));
}

TEST(ClosedFormFreezing, AWarmWallFreezesNothing) {
  EXPECT_THROW((void)neumann_fronts({}, 5, 37), ConfigError);
}

TEST(ScaledErfc, IsSmoothWhereTheExpansionTakesOver) {
  EXPECT_NEAR(scaled_erfc(25 - 1e-9) / scaled_erfc(25 + 1e-9), 1, 1e-9);
  EXPECT_THAT(scaled_erfc(1), Close(0.42758357615580700));
}

}  // namespace
}  // namespace spinetherm
