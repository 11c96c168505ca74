// SPDX-License-Identifier: Apache-2.0
#include "thermal/stencil_correction.h"

#include <gmock/gmock.h>

#include <cmath>

#include "tests/thermal/thermal_fixture.h"

namespace spinetherm {
namespace {

using Eigen::Vector3d;

/// A level at a given state, its rates of change by the plain stencil and then corrected.
struct Rates {
  HeatLevel<double> level;
  std::vector<double> plain, corrected;
  double excess_outflow_W = 0;

  template <class Theta>
  Rates(const ThermalProblem& problem, const Theta& theta_of_cell)
      : level(make_level<double>(problem, 1, true)) {
    level.rows = make_active_rows(level.grid.size, true);
    for (int k = 0; k < level.grid.size[2]; ++k)
      for (int j = 0; j < level.grid.size[1]; ++j)
        for (int i = 0; i < level.grid.size[0]; ++i)
          level.y[0][level.grid.index(i, j, k)] = theta_of_cell(level.grid.to_world(i, j, k));
    level.correctable =
        correctable_faces(problem.tissue_map.labels, {}, problem.tissue_map.factors.conductivity);
    level.heating = level.source;
    update_properties(level, level.y[0]);
    StepView<double> step;
    step.y1 = level.y[0].data();
    step.rate0 = step.rate1 = level.rate.data();
    run_rates(view_of(level, level.y[0]), step, level.scratch.data(), level.plane_findings.data(), 1);
    plain = level.rate;
    excess_outflow_W = correct_flows(level);
    corrected = level.rate;
  }
  /// Largest rate of cells at least `margin` cells away from the outer faces.
  double worst(const std::vector<double>& rate, int margin) const {
    double most = 0;
    const auto& n = level.grid.size;
    for (int k = margin; k < n[2] - margin; ++k)
      for (int j = margin; j < n[1] - margin; ++j)
        for (int i = margin; i < n[0] - margin; ++i)
          most = std::max(most, std::abs(rate[level.grid.index(i, j, k)]));
    return most;
  }
  /// Heat that the correction brings into the cells [W].
  double brought_W() const {
    double sum = 0;
    for (std::size_t c = 0; c < corrected.size(); ++c)
      sum += (corrected[c] - plain[c]) / level.inverse_capacity[c];
    return sum * level.cell_volume_m3();
  }
};

/// Cell averages of the harmonic cos(a (x - x0)) cos(b (y - y0)) cosh(c (z - z0)), c^2 = a^2 + b^2, in 1/mm:
/// steady without a source.
auto harmonic(double h) {
  const double a = 0.3, b = 0.2, c = std::hypot(a, b);
  const auto average = [h](double k) { return std::sin(k * h / 2) / (k * h / 2); };
  const double averages = average(a) * average(b) * std::sinh(c * h / 2) / (c * h / 2);
  return [=](const Vector3d& x) {
    return 20 * std::cos(a * (x[0] - 1.3)) * std::cos(b * (x[1] - 2.1)) * std::cosh(c * (x[2] - 4)) *
           averages;
  };
}

ThermalProblem box_of(double h, double side_mm = 8) {
  const int n = int(std::lround(side_mm / h));
  ThermalProblem p = uniform_problem({}, {n, n, n}, h);
  p.tissue_map.labels.grid.origin_mm.setConstant(h / 2);
  for (Boundary& b : p.boundary) b.kind = BoundaryKind::insulated;
  return p;
}

TEST(StencilCorrection, MakesASmoothSteadyFieldFourthOrderInSpace) {
  std::vector<double> plain, corrected;
  for (const double h : {1.0, 0.5, 0.25}) {
    const Rates r(box_of(h), harmonic(h));
    plain.push_back(r.worst(r.plain, int(std::lround(2 / h))));
    corrected.push_back(r.worst(r.corrected, int(std::lround(2 / h))));
  }
  EXPECT_NEAR(std::log2(plain[1] / plain[2]), 2, 0.1);
  EXPECT_NEAR(std::log2(corrected[0] / corrected[1]), 4, 0.4);
  EXPECT_NEAR(std::log2(corrected[1] / corrected[2]), 4, 0.3);
  EXPECT_LT(corrected[1], 0.05 * plain[1]);
}

TEST(StencilCorrection, IsHandedOnWithTheHeating) {
  ThermalProblem p = box_of(0.5);
  p.boundary[x_min] = {BoundaryKind::fixed, 57, 0};
  const Rates r(p, harmonic(0.5));
  for (std::size_t c = 0; c < r.plain.size(); ++c)
    EXPECT_NEAR(r.level.heating[c] - r.level.source[c], r.corrected[c] - r.plain[c], 1e-12) << c;
}

TEST(StencilCorrection, BringsNoHeatIntoAClosedBox) {
  const Rates r(box_of(0.5), harmonic(0.5));
  EXPECT_GT(r.worst(r.corrected, 0), 0);
  EXPECT_EQ(r.excess_outflow_W, 0);
  double moved = 0;
  for (std::size_t c = 0; c < r.corrected.size(); ++c)
    moved += std::abs(r.corrected[c] - r.plain[c]) / r.level.inverse_capacity[c] * r.level.cell_volume_m3();
  EXPECT_GT(moved, 1e-6);
  EXPECT_NEAR(r.brought_W(), 0, 1e-12 * moved);
}

TEST(StencilCorrection, ReportsWhatGoesThroughFixedFaces) {
  ThermalProblem p = box_of(0.5);
  const auto wave = [](double x) { return 3 + 10 * std::sin(0.35 * x); };
  p.boundary[x_min] = {BoundaryKind::fixed, 37 + wave(0), 0};
  p.boundary[x_max] = {BoundaryKind::fixed, 37 + wave(8), 0};
  p.boundary[y_min] = {BoundaryKind::convective, 20, 50};
  const Rates r(p, [&](const Vector3d& x) { return wave(x[0]); });
  EXPECT_GT(std::abs(r.excess_outflow_W), 1e-6);
  EXPECT_NEAR(r.brought_W(), -r.excess_outflow_W, 1e-10 * std::abs(r.excess_outflow_W));
}

TEST(StencilCorrection, BringsTheFlowThroughFixedFacesNearerToTheTruth) {
  for (const double h : {1.0, 0.5, 0.25}) {
    ThermalProblem p = box_of(h);
    p.boundary[x_min] = {BoundaryKind::fixed, 37, 0};
    const double mean = std::sin(0.35 * h / 2) / (0.35 * h / 2);
    const Rates r(p, [&](const Vector3d& x) { return 10 * std::sin(0.35 * x[0]) * mean; });
    const double exact_W = 0.5 * 3.5e3 * 64e-6;  // slope 3.5 K/mm at a face of 64 mm2
    const double plain_W = flows_of(r.level, r.level.plane_flows).boundary_out_W;
    EXPECT_LT(std::abs(plain_W + r.excess_outflow_W - exact_W), 0.6 * std::abs(plain_W - exact_W)) << h;
  }
}

TEST(StencilCorrection, LeavesAloneWhatIsLinear) {
  const Rates r(box_of(0.5), [](const Vector3d& x) { return 3 * x[0] - 2 * x[1] + x[2]; });
  EXPECT_LT(r.worst(r.corrected, 3), 1e-12);
}

TEST(StencilCorrection, NothingPassesAcrossFacesBetweenTissues) {
  ThermalProblem p = box_of(0.5);
  p.tissue_map.tissues.push_back(p.tissue_map.tissues[0]);
  p.tissue_map.tissues[1].conductivity_W_per_m_K = 0.1;
  const int n = p.grid().size[0], face = 9;
  for (std::size_t c = 0; c < p.grid().count(); ++c) p.tissue_map.labels[c] = int(c) % n >= face;
  const auto faces = correctable_faces(p.tissue_map.labels, {}, {});
  for (int i = 0; i < n; ++i) {
    const std::uint8_t bits = faces[p.grid().index(i, 7, 2)];
    const bool four_alike = i >= 1 && i + 2 < n && (i + 2 < face || i - 1 >= face);
    EXPECT_EQ((bits & 1) != 0, four_alike) << i;
    EXPECT_EQ((bits & 2) != 0, true) << i;  // along the layers all is uniform
    EXPECT_EQ((bits & 8) != 0, i == 0 || i + 1 == n);
  }
  // A field with a kink on the face: what the correction moves stays within each tissue.
  const Rates r(p, harmonic(0.5));
  std::array<double, 2> brought{0, 0};
  double moved = 0;
  for (std::size_t c = 0; c < p.grid().count(); ++c) {
    const double heat = (r.corrected[c] - r.plain[c]) / r.level.inverse_capacity[c];
    brought[p.tissue_map.labels[c]] += heat;
    moved += std::abs(heat);
  }
  EXPECT_GT(moved, 0);
  EXPECT_NEAR(brought[0], 0, 1e-12 * moved);
  EXPECT_NEAR(brought[1], 0, 1e-12 * moved);
}

TEST(StencilCorrection, LayersAtSteadyStateStayThere) {
  ThermalProblem p = box_of(0.5);
  p.tissue_map.tissues.push_back(p.tissue_map.tissues[0]);
  p.tissue_map.tissues[1].conductivity_W_per_m_K = 0.1;
  const int n = p.grid().size[0];
  for (std::size_t c = 0; c < p.grid().count(); ++c) p.tissue_map.labels[c] = int(c) % n >= 9;
  p.boundary[x_min] = {BoundaryKind::fixed, 77, 0};  // theta 40
  p.boundary[x_max] = {BoundaryKind::fixed, 37, 0};
  const std::vector<Layer> layers{{4.5, 0.5}, {3.5, 0.1}};
  const Rates r(p, [&](const Vector3d& x) { return layers_degC(layers, 40, 0, x[0]); });
  EXPECT_LT(r.worst(r.corrected, 0), 1e-12);
}

TEST(StencilCorrection, CellsOfDifferentFactorAreNotAlike) {
  ThermalProblem p = box_of(1, 10);
  Volume<float> factor(p.grid(), 1);
  factor[p.grid().index(5, 5, 2)] = 1.5F;
  const auto faces = correctable_faces(p.tissue_map.labels, {}, factor);
  for (const int i : {3, 4, 5, 6}) EXPECT_EQ(faces[p.grid().index(i, 5, 2)] & 1, 0) << i;
  EXPECT_EQ(faces[p.grid().index(2, 5, 2)] & 1, 1);
  EXPECT_EQ(faces[p.grid().index(7, 5, 2)] & 1, 1);
}

TEST(StencilCorrection, AStepIsNotTakenForASmoothField) {
  const Rates r(box_of(0.5), [](const Vector3d& x) { return x[0] < 4 ? 30.0 : 0; });
  for (std::size_t c = 0; c < r.plain.size(); ++c) {  // no new hot or cold spots beside it
    const double x = r.level.grid.to_world(int(c) % 16, 0, 0)[0];
    EXPECT_LE(x < 4 ? r.corrected[c] : -r.corrected[c], 1e-12);
  }
}

}  // namespace
}  // namespace spinetherm
