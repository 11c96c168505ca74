// SPDX-License-Identifier: Apache-2.0
#include "thermal/multigrid.h"

#include <gmock/gmock.h>

#include <Eigen/Sparse>
#include <cmath>
#include <random>

namespace spinetherm {
namespace {

/// Conductances over four decades, a tenth of the links closed, a few anchors.
void fill_at_random(FlowSystem& s, unsigned seed) {
  std::mt19937 rng(seed);
  std::uniform_real_distribution<float> decade(-3, 1), chance(0, 1);
  const auto nx = std::size_t(s.size[0]), ny = std::size_t(s.size[1]), nz = std::size_t(s.size[2]);
  for (std::size_t c = 0; c < nx * ny * nz; ++c) {
    const auto draw = [&] { return chance(rng) < 0.1F ? 0.0F : std::pow(10.0F, decade(rng)); };
    const float x = draw(), y = draw(), z = draw();
    s.gx[c] = c % nx + 1 < nx ? x : 0.0F;
    s.gy[c] = c / nx % ny + 1 < ny ? y : 0.0F;
    s.gz[c] = c / (nx * ny) + 1 < nz ? z : 0.0F;
    s.anchor[c] = chance(rng) < 0.05F ? std::pow(10.0F, decade(rng)) : 0.0F;
  }
}

Eigen::VectorXd direct_answer(const FlowSystem& s, const Padded<float>& b) {
  const auto nx = std::size_t(s.size[0]), plane = nx * std::size_t(s.size[1]);
  const auto n = s.gx.count();
  std::vector<Eigen::Triplet<double>> t;
  Eigen::VectorXd rhs(static_cast<Eigen::Index>(n));
  const auto link = [&](std::size_t p, std::size_t q, double g) {
    if (g == 0) return;
    const int i = int(p), j = int(q);
    t.insert(t.end(), {{i, i, g}, {j, j, g}, {i, j, -g}, {j, i, -g}});
  };
  for (std::size_t c = 0; c < n; ++c) {
    rhs[Eigen::Index(c)] = double(b[c]);
    t.emplace_back(int(c), int(c), double(s.anchor[c]));
    link(c, c + 1, double(s.gx[c]));
    link(c, c + nx, double(s.gy[c]));
    link(c, c + plane, double(s.gz[c]));
  }
  Eigen::SparseMatrix<double> a{Eigen::Index(n), Eigen::Index(n)};
  a.setFromTriplets(t.begin(), t.end());
  return Eigen::SimplicialLDLT<Eigen::SparseMatrix<double>>(a).solve(rhs);
}

Padded<float> some_inflow(const FlowSystem& s) {
  Padded<float> b(s.size);
  for (std::size_t c = 0; c < b.count(); ++c)
    if (s.anchor[c] > 0) b[c] = s.anchor[c] * float(c % 7);
  return b;
}

TEST(FlowSolver, AgreesWithADirectSolver) {
  FlowSolver solver({13, 9, 6});
  // Every cell anchored a little, so that no closed pocket makes the direct solver singular.
  fill_at_random(solver.system(), 1);
  for (std::size_t c = 0; c < solver.system().anchor.count(); ++c) solver.system().anchor[c] += 1e-4F;
  solver.prepare();
  const Padded<float> b = some_inflow(solver.system());
  Padded<double> u({13, 9, 6});
  const FlowSummary summary = solver.solve(b, u, {.tolerance = 1e-9});
  ASSERT_EQ(summary.termination, Termination::converged);
  const Eigen::VectorXd expected = direct_answer(solver.system(), b);
  for (std::size_t c = 0; c < u.count(); ++c) EXPECT_NEAR(u[c], expected[Eigen::Index(c)], 1e-5) << c;
}

TEST(FlowSolver, NeedsFewIterationsWhateverTheSize) {
  for (const int n : {16, 32, 64}) {
    FlowSolver solver({n, n, n}, 1);
    FlowSystem& s = solver.system();
    const auto m = std::size_t(n);
    for (std::size_t c = 0; c < m * m * m; ++c) {
      s.gx[c] = c % m + 1 < m;
      s.gy[c] = c / m % m + 1 < m;
      s.gz[c] = c / (m * m) + 1 < m;
      if (c % m == 0) s.anchor[c] = 2;
    }
    solver.prepare();
    Padded<float> b(s.size);
    b[b.count() / 2 + m / 2] = 1;
    Padded<double> u(s.size);
    const FlowSummary summary = solver.solve(b, u);
    EXPECT_EQ(summary.termination, Termination::converged);
    EXPECT_LE(summary.iterations, 15) << n;
  }
}

TEST(FlowSolver, TheAnswerDoesNotDependOnTheThreads) {
  const std::array<int, 3> size = {41, 33, 29};
  std::vector<Padded<double>> answers;
  for (const int threads : {1, 2, 3}) {
    FlowSolver solver(size, threads);
    fill_at_random(solver.system(), 5);
    solver.prepare();
    Padded<double>& u = answers.emplace_back(size);
    ASSERT_EQ(solver.solve(some_inflow(solver.system()), u).termination, Termination::converged);
  }
  for (std::size_t c = 0; c < answers[0].count(); ++c) {
    ASSERT_EQ(answers[0][c], answers[1][c]);
    ASSERT_EQ(answers[0][c], answers[2][c]);
  }
}

TEST(FlowSolver, SaysWhenItDidNotConvergeAndWhenItWasCancelled) {
  FlowSolver solver({32, 32, 32}, 1);
  fill_at_random(solver.system(), 3);
  solver.prepare();
  const Padded<float> b = some_inflow(solver.system());
  Padded<double> u({32, 32, 32});
  const FlowSummary early = solver.solve(b, u, {.max_iterations = 1});
  EXPECT_EQ(early.termination, Termination::not_converged);
  EXPECT_GT(early.relative_residual, 1e-6);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(solver.solve(b, u, {}, {.stop = stop.get_token()}).termination, Termination::cancelled);
  // A guess that is right already costs nothing.
  EXPECT_EQ(solver.solve(b, u).termination, Termination::converged);
  EXPECT_EQ(solver.solve(b, u).iterations, 0);
}

TEST(FlowSolver, NotANumberIsDivergence) {
  FlowSolver solver({4, 4, 4});
  fill_at_random(solver.system(), 3);
  solver.system().anchor[5] = std::nanf("");
  solver.prepare();
  Padded<double> u({4, 4, 4});
  EXPECT_EQ(solver.solve(some_inflow(solver.system()), u).termination, Termination::diverged);
}

}  // namespace
}  // namespace spinetherm
