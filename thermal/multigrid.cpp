// SPDX-License-Identifier: Apache-2.0
#include "thermal/multigrid.h"

#include <omp.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>

namespace spinetherm {
namespace {

/// Below this a level is worked by one thread: starting a team costs more than the sweep.
constexpr std::size_t kParallelCells = 20000;

struct Level {
  std::array<int, 3> size{};
  FlowSystem a;
  Padded<float> d, inverse;  // diagonal; 1 / d, 0 for cells that take no part
  Padded<float> u, b;        // empty on the finest level, where conjugate gradients bring their own
  std::size_t count() const { return a.gx.count(); }
};

void set_diagonal(Level& level, int threads) {
  const FlowSystem& s = level.a;
  const auto nx = std::ptrdiff_t(s.size[0]), plane = nx * s.size[1];
  const float *gx = s.gx.data(), *gy = s.gy.data(), *gz = s.gz.data(), *anchor = s.anchor.data();
  float *d = level.d.data(), *inverse = level.inverse.data();
#pragma omp parallel for schedule(static) num_threads(threads)
  for (int k = 0; k < s.size[2]; ++k)
    for (std::ptrdiff_t c = k * plane; c < (k + 1) * plane; ++c) {
      // In pairs: a mirrored grid has the same round-off.
      d[c] = anchor[c] + ((gx[c] + gx[c - 1]) + (gy[c] + gy[c - nx]) + (gz[c] + gz[c - plane]));
      inverse[c] = d[c] > 0 ? 1 / d[c] : 0.0F;
    }
}

/// Sums of 2x2x2 cells; links inside an aggregate vanish, links between aggregates add up; all halved.
void aggregate(const FlowSystem& fine, FlowSystem& coarse) {
  for (Padded<float>* f : {&coarse.gx, &coarse.gy, &coarse.gz, &coarse.anchor})
    std::fill(f->data(), f->data() + f->count(), 0.0F);
  const auto nx = std::ptrdiff_t(fine.size[0]), plane = nx * fine.size[1];
  const auto cnx = std::ptrdiff_t(coarse.size[0]), cplane = cnx * coarse.size[1];
  const float *gx = fine.gx.data(), *gy = fine.gy.data(), *gz = fine.gz.data(), *anchor = fine.anchor.data();
  for (int k = 0; k < fine.size[2]; ++k)
    for (int j = 0; j < fine.size[1]; ++j)
      for (int i = 0; i < fine.size[0]; ++i) {
        const std::ptrdiff_t c = k * plane + j * nx + i;
        const std::ptrdiff_t cc = (k / 2) * cplane + (j / 2) * cnx + i / 2;
        coarse.anchor.data()[cc] += 0.5F * anchor[c];
        if (i % 2 == 1) coarse.gx.data()[cc] += 0.5F * gx[c];
        if (j % 2 == 1) coarse.gy.data()[cc] += 0.5F * gy[c];
        if (k % 2 == 1) coarse.gz.data()[cc] += 0.5F * gz[c];
      }
}

/// Gauss-Seidel on the cells of plane k with (i + j + k) % 2 == colour.
void relax_plane(const Level& level, float* u, const float* b, int k, int colour, float* row) {
  const FlowSystem& s = level.a;
  const auto nx = std::ptrdiff_t(s.size[0]), plane = nx * s.size[1];
  const float *gx = s.gx.data(), *gy = s.gy.data(), *gz = s.gz.data(), *inverse = level.inverse.data();
  for (int j = 0; j < s.size[1]; ++j) {
    const std::ptrdiff_t r = k * plane + j * nx;
    // The whole row is worked out in vector units, then every other cell is taken.
#pragma omp simd
    for (std::ptrdiff_t i = 0; i < nx; ++i) {
      const std::ptrdiff_t c = r + i;
      const float flow = (gx[c] * u[c + 1] + gx[c - 1] * u[c - 1]) +
                         (gy[c] * u[c + nx] + gy[c - nx] * u[c - nx]) +
                         (gz[c] * u[c + plane] + gz[c - plane] * u[c - plane]);
      row[i] = (b[c] + flow) * inverse[c];
    }
    for (std::ptrdiff_t i = (colour + j + k) % 2; i < nx; i += 2) u[r + i] = row[i];
  }
}

/// Sweeps of one colour after the other over the whole level, the same as if each were done alone, but in one
/// pass through memory: sweep p follows p planes behind the first. Each thread has a slab of planes; what its
/// sweeps may not touch before the neighbour's (p planes at either end) is made up for afterwards.
template <std::size_t Sweeps>
void smooth(const Level& level, float* u, const float* b, const std::array<int, Sweeps>& colours,
            int threads) {
  const int planes = level.size[2];
#pragma omp parallel num_threads(threads)
  {
    std::vector<float> row(std::size_t(level.size[0]));
    const int team = omp_get_num_threads(), me = omp_get_thread_num();
    const int begin = int(std::int64_t(planes) * me / team),
              end = int(std::int64_t(planes) * (me + 1) / team);
    const auto first = [&](int p) { return begin == 0 ? 0 : begin + p; };
    const auto last = [&](int p) { return end == planes ? end - 1 : end - 1 - p; };
    const auto relax = [&](int k, int p) {
      relax_plane(level, u, b, k, colours[std::size_t(p)], row.data());
    };
    constexpr int count = int(Sweeps);
    for (int front = begin; front < end + count - 1; ++front)
      for (int p = 0; p < count; ++p)
        if (front - p >= first(p) && front - p <= last(p)) relax(front - p, p);
    for (int p = 1; p < count; ++p) {
#pragma omp barrier
      for (int k = begin; k < end; ++k)
        if (k < first(p) || k > last(p)) relax(k, p);
    }
  }
}

/// b_coarse = sums of b - A u over the aggregates.
void restrict_residual(const Level& level, const float* u, const float* b, Level& coarse, int threads) {
  const FlowSystem& s = level.a;
  const auto nx = std::ptrdiff_t(s.size[0]), plane = nx * s.size[1];
  const auto cnx = std::ptrdiff_t(coarse.size[0]), cplane = cnx * coarse.size[1];
  const float *gx = s.gx.data(), *gy = s.gy.data(), *gz = s.gz.data(), *d = level.d.data();
  float* out = coarse.b.data();
#pragma omp parallel num_threads(threads)
  {
    std::vector<float> row(static_cast<std::size_t>(nx) + 1, 0.0F);
    float* t = row.data();
#pragma omp for schedule(static)
    for (int kc = 0; kc < coarse.size[2]; ++kc) {
      std::fill(out + kc * cplane, out + (kc + 1) * cplane, 0.0F);
      for (int k = 2 * kc; k < std::min(2 * kc + 2, s.size[2]); ++k)
        for (int j = 0; j < s.size[1]; ++j) {
          const std::ptrdiff_t r = k * plane + j * nx;
#pragma omp simd
          for (std::ptrdiff_t i = 0; i < nx; ++i) {
            const std::ptrdiff_t c = r + i;
            const float flow = (gx[c] * u[c + 1] + gx[c - 1] * u[c - 1]) +
                               (gy[c] * u[c + nx] + gy[c - nx] * u[c - nx]) +
                               (gz[c] * u[c + plane] + gz[c - plane] * u[c - plane]);
            t[i] = b[c] + flow - d[c] * u[c];
          }
          t[nx] = 0;
          float* o = out + kc * cplane + (j / 2) * cnx;
          for (std::ptrdiff_t ic = 0; ic < cnx; ++ic) o[ic] += t[2 * ic] + t[std::min(2 * ic + 1, nx)];
        }
    }
  }
}

void add_coarse(const Level& coarse, const std::array<int, 3>& size, float* u, int threads) {
  const auto nx = std::ptrdiff_t(size[0]), plane = nx * size[1];
  const auto cnx = std::ptrdiff_t(coarse.size[0]), cplane = cnx * coarse.size[1];
  const float* e = coarse.u.data();
#pragma omp parallel for schedule(static) num_threads(threads)
  for (int k = 0; k < size[2]; ++k)
    for (int j = 0; j < size[1]; ++j) {
      const float* from = e + (k / 2) * cplane + (j / 2) * cnx;
      float* to = u + k * plane + j * nx;
      for (std::ptrdiff_t i = 0; i < nx; ++i) to[i] += from[i / 2];
    }
}

}  // namespace

struct FlowSolver::State {
  std::vector<Level> levels;
  int threads = 1;
  Padded<float> r, z, p, ap;
  std::vector<double> partial;  // one sum a plane

  int team(std::size_t cells) const { return cells < kParallelCells ? 1 : threads; }

  /// z = M^-1 r: one symmetric V(2,2) cycle from zero.
  void cycle(std::size_t l, float* u, const float* b) {
    Level& level = levels[l];
    const int n = team(level.count());
    std::fill(u, u + level.count(), 0.0F);
    if (l + 1 == levels.size()) {
      // At most 2 cells an axis: a few sweeps solve them.
      for (int sweep = 0; sweep < 8; ++sweep) smooth(level, u, b, std::array{0, 1}, n);
      for (int sweep = 0; sweep < 8; ++sweep) smooth(level, u, b, std::array{1, 0}, n);
      return;
    }
    smooth(level, u, b, std::array{0, 1, 0, 1}, n);
    Level& next = levels[l + 1];
    restrict_residual(level, u, b, next, n);
    cycle(l + 1, next.u.data(), next.b.data());
    add_coarse(next, level.size, u, n);
    smooth(level, u, b, std::array{1, 0, 1, 0}, n);
  }

  double ordered_sum() const {
    double sum = 0;
    for (const double v : partial) sum += v;
    return sum;
  }

  double dot(const float* x, const float* y) {
    const Level& fine = levels[0];
    const auto plane = std::ptrdiff_t(fine.size[0]) * fine.size[1];
#pragma omp parallel for schedule(static) num_threads(team(fine.count()))
    for (int k = 0; k < fine.size[2]; ++k) {
      double sum = 0;
#pragma omp simd reduction(+ : sum)
      for (std::ptrdiff_t c = k * plane; c < (k + 1) * plane; ++c) sum += double(x[c]) * double(y[c]);
      partial[std::size_t(k)] = sum;
    }
    return ordered_sum();
  }

  /// ap = A p; returns p . A p.
  double apply() {
    const FlowSystem& s = levels[0].a;
    const auto nx = std::ptrdiff_t(s.size[0]), plane = nx * s.size[1];
    const float *gx = s.gx.data(), *gy = s.gy.data(), *gz = s.gz.data(), *d = levels[0].d.data();
    const float* x = p.data();
    float* out = ap.data();
#pragma omp parallel for schedule(static) num_threads(team(levels[0].count()))
    for (int k = 0; k < s.size[2]; ++k) {
      double sum = 0;
#pragma omp simd reduction(+ : sum)
      for (std::ptrdiff_t c = k * plane; c < (k + 1) * plane; ++c) {
        const float flow = (gx[c] * x[c + 1] + gx[c - 1] * x[c - 1]) +
                           (gy[c] * x[c + nx] + gy[c - nx] * x[c - nx]) +
                           (gz[c] * x[c + plane] + gz[c - plane] * x[c - plane]);
        out[c] = d[c] * x[c] - flow;
        sum += double(x[c]) * double(out[c]);
      }
      partial[std::size_t(k)] = sum;
    }
    return ordered_sum();
  }

  /// r = b - A u in double, flow by flow, rounded once; returns r . r.
  double residual(const Padded<float>& b, const Padded<double>& u) {
    const FlowSystem& s = levels[0].a;
    const auto nx = std::ptrdiff_t(s.size[0]), plane = nx * s.size[1];
    const float *gx = s.gx.data(), *gy = s.gy.data(), *gz = s.gz.data(), *anchor = s.anchor.data();
    const float* rhs = b.data();
    const double* v = u.data();
    float* out = r.data();
#pragma omp parallel for schedule(static) num_threads(team(levels[0].count()))
    for (int k = 0; k < s.size[2]; ++k) {
      double sum = 0;
#pragma omp simd reduction(+ : sum)
      for (std::ptrdiff_t c = k * plane; c < (k + 1) * plane; ++c) {
        const double here = v[c];
        const double flow =
            (double(gx[c]) * (v[c + 1] - here) + double(gx[c - 1]) * (v[c - 1] - here)) +
            (double(gy[c]) * (v[c + nx] - here) + double(gy[c - nx]) * (v[c - nx] - here)) +
            (double(gz[c]) * (v[c + plane] - here) + double(gz[c - plane]) * (v[c - plane] - here));
        const double value = double(rhs[c]) + flow - double(anchor[c]) * here;
        out[c] = float(value);
        sum += value * value;
      }
      partial[std::size_t(k)] = sum;
    }
    return ordered_sum();
  }

  /// u += alpha p, r -= alpha A p; returns r . r.
  double step(double alpha, Padded<double>& u) {
    const Level& fine = levels[0];
    const auto plane = std::ptrdiff_t(fine.size[0]) * fine.size[1];
    double* v = u.data();
    const float *x = p.data(), *ax = ap.data();
    float* out = r.data();
    const auto a = float(alpha);
#pragma omp parallel for schedule(static) num_threads(team(fine.count()))
    for (int k = 0; k < fine.size[2]; ++k) {
      double sum = 0;
#pragma omp simd reduction(+ : sum)
      for (std::ptrdiff_t c = k * plane; c < (k + 1) * plane; ++c) {
        v[c] += alpha * double(x[c]);
        out[c] -= a * ax[c];
        sum += double(out[c]) * double(out[c]);
      }
      partial[std::size_t(k)] = sum;
    }
    return ordered_sum();
  }

  /// p = z + beta p.
  void turn(double beta) {
    const auto count = std::ptrdiff_t(levels[0].count());
    float* x = p.data();
    const float* y = z.data();
    const auto b = float(beta);
#pragma omp parallel for simd schedule(static) num_threads(team(levels[0].count()))
    for (std::ptrdiff_t c = 0; c < count; ++c) x[c] = y[c] + b * x[c];
  }
};

FlowSolver::FlowSolver(const std::array<int, 3>& size, int threads) : state_(std::make_unique<State>()) {
  State& s = *state_;
  s.threads = threads > 0 ? threads : omp_get_max_threads();
  for (std::array<int, 3> n = size;;) {
    Level& level = s.levels.emplace_back();
    level.size = n;
    level.a = FlowSystem(n);
    level.d = level.inverse = Padded<float>(n);
    if (s.levels.size() > 1) level.u = level.b = Padded<float>(n);
    if (std::ranges::max(n) <= 2) break;
    for (int& v : n) v = (v + 1) / 2;
  }
  for (Padded<float>* f : {&s.r, &s.z, &s.p, &s.ap}) *f = Padded<float>(size);
  s.partial.resize(std::size_t(size[2]));
}
FlowSolver::~FlowSolver() = default;
FlowSolver::FlowSolver(FlowSolver&&) noexcept = default;
FlowSolver& FlowSolver::operator=(FlowSolver&&) noexcept = default;

FlowSystem& FlowSolver::system() { return state_->levels[0].a; }

void FlowSolver::prepare() {
  auto& levels = state_->levels;
  for (std::size_t l = 0; l < levels.size(); ++l) {
    if (l > 0) aggregate(levels[l - 1].a, levels[l].a);
    set_diagonal(levels[l], state_->team(levels[l].count()));
  }
}

FlowSummary FlowSolver::solve(const Padded<float>& b, Padded<double>& u, const FlowSolveOptions& options,
                              const Progress& progress) {
  State& s = *state_;
  FlowSummary summary;
  const double norm_b = std::sqrt(s.dot(b.data(), b.data()));
  double norm_r = std::sqrt(s.residual(b, u));
  const auto relative = [&] { return norm_b > 0 ? norm_r / norm_b : norm_r; };
  while (true) {
    summary.relative_residual = relative();
    if (!std::isfinite(summary.relative_residual)) {
      summary.termination = Termination::diverged;
      return summary;
    }
    if (summary.relative_residual <= options.tolerance) {
      summary.termination = Termination::converged;
      return summary;
    }
    if (summary.iterations >= options.max_iterations) {
      summary.termination = Termination::not_converged;
      return summary;
    }
    // Float recursions follow the true residual over some four digits; then it is worked out anew.
    const double goal =
        std::max(0.7 * options.tolerance, 1e-4 * summary.relative_residual) * (norm_b > 0 ? norm_b : 1.0);
    double rho = 0;
    double recursive = norm_r;
    for (bool first = true; recursive > goal && summary.iterations < options.max_iterations; first = false) {
      if (progress.cancelled()) {
        summary.termination = Termination::cancelled;
        return summary;
      }
      s.cycle(0, s.z.data(), s.r.data());
      const double next = s.dot(s.r.data(), s.z.data());
      s.turn(first ? 0.0 : next / rho);
      rho = next;
      const double curvature = s.apply();
      if (!(curvature > 0) || !(rho > 0)) break;
      recursive = std::sqrt(s.step(rho / curvature, u));
      ++summary.iterations;
      if (!std::isfinite(recursive)) break;
    }
    const double before = norm_r;
    norm_r = std::sqrt(s.residual(b, u));
    if (norm_r > 0.9 * before && relative() > options.tolerance) {
      summary.relative_residual = relative();
      summary.termination = std::isfinite(norm_r) ? Termination::not_converged : Termination::diverged;
      return summary;
    }
  }
}

}  // namespace spinetherm
