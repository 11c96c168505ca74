// SPDX-License-Identifier: Apache-2.0
#include "thermal/electric_field.h"

#include <fmt/format.h>
#include <omp.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

#include "imaging/core/error.h"
#include "imaging/core/units.h"
#include "thermal/electrode_links.h"
#include "thermal/multigrid.h"

namespace spinetherm {
namespace {

/// Conductivity [S/m] that stands for "its half of the link takes no power": cells centred in an insulator.
constexpr float kNoShare = 1e20F;

/// Part of the power of the link from c to c + stride that belongs to c's half. The halves share it as
/// resistors do; in smooth tissue the drops of the links before and after tell how it falls off on the way
/// (exponentially), so that it does not creep away from an electrode, where it falls like 1/r^4.
inline float near_part(const float* g, const double* u, const float* w, std::ptrdiff_t c,
                       std::ptrdiff_t stride) {
  const std::ptrdiff_t d = c + stride;
  const bool before = g[c - stride] > 0, after = g[d] > 0;
  const auto drop = float(std::abs(u[d] - u[c]));
  const float low = before ? float(std::abs(u[c] - u[c - stride])) : drop;
  const float high = after ? float(std::abs(u[d + stride] - u[d])) : drop;
  // sqrt: the drops lie two links apart, or one where an end is missing.
  const float ratio = low / (high + 1e-30F);
  const float fall = before == after ? std::sqrt(ratio) : ratio;
  const auto alike = [&](std::ptrdiff_t other) { return w[other] < 1.5F * w[c] && w[c] < 1.5F * w[other]; };
  const bool smooth = alike(d) && (!before || alike(c - stride)) && (!after || alike(d + stride));
  const float tilt = smooth ? std::min(std::max(fall, 0.5F), 2.0F) : 1.0F;
  return w[d] * tilt / (w[d] * tilt + w[c]);
}

/// Adds the power of a row's halves of the links to the next cells along a stride, and to the ones before.
void add_near_halves(const float* g, const double* u, const float* w, std::ptrdiff_t row,
                     std::ptrdiff_t count, std::ptrdiff_t stride, float* q) {
  for (std::ptrdiff_t c = row; c < row + count; ++c) {
    const auto drop = float(u[c + stride] - u[c]);
    if (g[c] > 0) q[c] += g[c] * drop * drop * near_part(g, u, w, c, stride);
  }
}
void add_far_halves(const float* g, const double* u, const float* w, std::ptrdiff_t row, std::ptrdiff_t count,
                    std::ptrdiff_t stride, float* q) {
  for (std::ptrdiff_t c = row; c < row + count; ++c) {
    const std::ptrdiff_t from = c - stride;
    const auto drop = float(u[c] - u[from]);
    if (g[from] > 0) q[c] += g[from] * drop * drop * (1 - near_part(g, u, w, from, stride));
  }
}

void require_difference(const ElectrodesSource& source) {
  bool differ = false;
  for (const Electrode& e : source.electrodes)
    differ |= e.potential_V != (source.outer_grounded ? 0.0 : source.electrodes.front().potential_V);
  if (!differ)
    throw ConfigError("no difference of potential: no current can flow", "/electrodes",
                      source.outer_grounded ? "give an electrode a potential other than 0"
                                            : "give two electrodes different potentials, or ground the box");
}

}  // namespace

struct ElectricField::State {
  Grid grid;
  ElectrodesSource source;
  int threads = 1;
  ElectrodeLinks geometry;
  FlowSolver flow;
  Padded<float> b;
  Padded<double> u;
  Volume<float> potential, power;
  double current_A = 0, power_W = 0;

  State(const Grid& g, const ElectrodesSource& s, bool voxel, int n)
      : grid(g),
        source(s),
        threads(n > 0 ? n : omp_get_max_threads()),
        geometry(link_electrodes(g, s, voxel)),
        flow(g.size, threads),
        b(g.size),
        u(g.size),
        potential(g),
        power(g) {
    for (std::size_t c = 0; c < grid.count(); ++c)
      if (geometry.owner[c]) u[c] = source.electrodes[geometry.owner[c] - 1U].potential_V;
  }

  void check(const Volume<float>& sigma) const {
    if (sigma.grid.size != grid.size || sigma.values.size() != grid.count())
      throw ConfigError("the conductivity is given on another grid", "/grid", "use the grid of the field");
    for (std::size_t c = 0; c < sigma.values.size(); ++c)
      if (!(sigma[c] >= 0) || !std::isfinite(sigma[c]))
        throw ConfigError(fmt::format("electrical conductivity {} S/m in cell {}", sigma[c], c), "/tissues",
                          "it must be finite and not negative");
  }

  /// Link between whole cells [m]: area / spacing.
  double face_m(int axis) const {
    return grid.voxel_volume_mm3() / (grid.spacing_mm[axis] * grid.spacing_mm[axis]) * kMetre_per_mm;
  }

  bool takes_heat(std::size_t c) const { return !geometry.owner[c] && !geometry.insulated[c]; }

  template <class F>
  void for_each_grounded_face(F&& f) const {
    if (!source.outer_grounded) return;
    for (int axis = 0; axis < 3; ++axis) {
      const int u_axis = (axis + 1) % 3, v_axis = (axis + 2) % 3;
      for (const int side : {0, grid.size[std::size_t(axis)] - 1})
        for (int v = 0; v < grid.size[std::size_t(v_axis)]; ++v)
          for (int w = 0; w < grid.size[std::size_t(u_axis)]; ++w) {
            std::array<int, 3> at{};
            at[std::size_t(axis)] = side;
            at[std::size_t(u_axis)] = w;
            at[std::size_t(v_axis)] = v;
            const std::size_t c = grid.index(at[0], at[1], at[2]);
            // The half cell between centre and face; one cell across an axis has two such faces.
            if (takes_heat(c)) f(c, 2 * face_m(axis) * (grid.size[std::size_t(axis)] == 1 ? 2 : 1));
          }
    }
  }

  void assemble(const Volume<float>& sigma) {
    FlowSystem& s = flow.system();
    const std::ptrdiff_t nx = grid.size[0], ny = grid.size[1], nz = grid.size[2], plane = nx * ny;
    const float mx = float(face_m(0)), my = float(face_m(1)), mz = float(face_m(2));
    const float* in = sigma.values.data();
    float *gx = s.gx.data(), *gy = s.gy.data(), *gz = s.gz.data();
    const auto harmonic = [](float a, float c) { return a + c > 0 ? 2 * a * c / (a + c) : 0.0F; };
#pragma omp parallel for schedule(static) num_threads(threads)
    for (std::ptrdiff_t k = 0; k < nz; ++k)
      for (std::ptrdiff_t j = 0; j < ny; ++j) {
        const std::ptrdiff_t r = k * plane + j * nx;
        for (std::ptrdiff_t i = 0; i + 1 < nx; ++i) gx[r + i] = mx * harmonic(in[r + i], in[r + i + 1]);
        gx[r + nx - 1] = 0;
        for (std::ptrdiff_t i = 0; i < nx; ++i)
          gy[r + i] = j + 1 < ny ? my * harmonic(in[r + i], in[r + i + nx]) : 0.0F;
        for (std::ptrdiff_t i = 0; i < nx; ++i)
          gz[r + i] = k + 1 < nz ? mz * harmonic(in[r + i], in[r + i + plane]) : 0.0F;
      }
    for (const FaceOpening& f : geometry.faces) {
      Padded<float>& g = f.axis == 0 ? s.gx : f.axis == 1 ? s.gy : s.gz;
      g[f.cell] *= f.open;
    }
    std::fill(s.anchor.data(), s.anchor.data() + s.anchor.count(), 0.0F);
    std::fill(b.data(), b.data() + b.count(), 0.0F);
    for_each_grounded_face([&](std::size_t c, double m) { s.anchor[c] += float(m * double(sigma[c])); });
    for (const SurfaceLink& l : geometry.links) {
      const double g = l.metres * double(sigma[l.cell]);
      s.anchor[l.cell] += float(g);
      b[l.cell] += float(g * source.electrodes[std::size_t(l.electrode)].potential_V);
    }
    flow.prepare();
  }

  void share_power(const Volume<float>& sigma) {
    const FlowSystem& s = flow.system();
    const std::ptrdiff_t nx = grid.size[0], plane = nx * grid.size[1];
    Padded<float> shares(grid.size);  // conductivities that share the power of a link between its ends
    for (std::size_t c = 0; c < grid.count(); ++c)
      shares[c] = geometry.insulated[c] ? kNoShare : std::max(sigma[c], 1e-20F);
    float* q = power.values.data();
#pragma omp parallel for schedule(static) num_threads(threads)
    for (int k = 0; k < grid.size[2]; ++k)
      for (int j = 0; j < grid.size[1]; ++j) {
        const std::ptrdiff_t row = k * plane + j * nx;
        std::fill(q + row, q + row + nx, 0.0F);
        const auto add = [&](const Padded<float>& g, std::ptrdiff_t stride, bool before, bool after) {
          if (before) add_far_halves(g.data(), u.data(), shares.data(), row, nx, stride, q);
          if (after) add_near_halves(g.data(), u.data(), shares.data(), row, nx, stride, q);
        };
        add(s.gx, 1, true, true);
        add(s.gy, nx, j > 0, j + 1 < grid.size[1]);
        add(s.gz, plane, k > 0, k + 1 < grid.size[2]);
      }
    for_each_grounded_face(
        [&](std::size_t c, double m) { q[c] += float(m * double(sigma[c]) * u[c] * u[c]); });
    for (const SurfaceLink& l : geometry.links) {
      const double drop = source.electrodes[std::size_t(l.electrode)].potential_V - u[l.cell];
      q[l.cell] += float(l.metres * double(sigma[l.cell]) * drop * drop);
    }
    hand_on_insulated();
    // mm3 to m3.
    const double volume_m3 = grid.voxel_volume_mm3() * 1e-9;
    power_W = 0;
    for (int k = 0; k < grid.size[2]; ++k) {
      double sum = 0;
      for (std::ptrdiff_t c = k * plane; c < (k + 1) * plane; ++c) {
        sum += double(q[c]);
        q[c] = float(double(q[c]) / volume_m3);
      }
      power_W += sum;
    }
  }

  /// Tissue slivers of cells centred in an insulator: their power goes to the neighbours, as the heat solver
  /// has no temperature there.
  void hand_on_insulated() {
    const FlowSystem& s = flow.system();
    const auto nx = std::size_t(grid.size[0]), plane = nx * std::size_t(grid.size[1]);
    for (std::size_t c = 0; c < grid.count(); ++c) {
      if (!geometry.insulated[c] || power[c] <= 0) continue;
      const std::array<std::pair<float, std::ptrdiff_t>, 6> links = {
          {{s.gx.data()[c], 1},
           {s.gx.data()[std::ptrdiff_t(c) - 1], -1},
           {s.gy.data()[c], std::ptrdiff_t(nx)},
           {s.gy.data()[std::ptrdiff_t(c) - std::ptrdiff_t(nx)], -std::ptrdiff_t(nx)},
           {s.gz.data()[c], std::ptrdiff_t(plane)},
           {s.gz.data()[std::ptrdiff_t(c) - std::ptrdiff_t(plane)], -std::ptrdiff_t(plane)}}};
      const auto target = [&](std::ptrdiff_t offset) { return std::size_t(std::ptrdiff_t(c) + offset); };
      float sum = 0;
      for (const auto& [g, offset] : links)
        if (g > 0 && takes_heat(target(offset))) sum += g;
      if (!(sum > 0)) continue;
      for (const auto& [g, offset] : links)
        if (g > 0 && takes_heat(target(offset))) power[target(offset)] += power[c] * (g / sum);
      power[c] = 0;
    }
  }

  void sum_currents(const Volume<float>& sigma) {
    std::vector<double> from(source.electrodes.size(), 0.0);
    for (const SurfaceLink& l : geometry.links) {
      const auto n = std::size_t(l.electrode);
      from[n] += l.metres * double(sigma[l.cell]) * (source.electrodes[n].potential_V - u[l.cell]);
    }
    double ground = 0;
    for_each_grounded_face([&](std::size_t c, double m) { ground -= m * double(sigma[c]) * u[c]; });
    current_A = std::max(ground, 0.0);
    for (const double i : from) current_A += std::max(i, 0.0);
  }
};

ElectricField::ElectricField(const Grid& grid, const ElectrodesSource& source, bool voxel_applicators,
                             int threads) {
  if (source.electrodes.empty()) throw ConfigError("no electrodes", "/electrodes", "give at least one");
  require_difference(source);
  state_ = std::make_unique<State>(grid, source, voxel_applicators, threads);
}
ElectricField::~ElectricField() = default;
ElectricField::ElectricField(ElectricField&&) noexcept = default;
ElectricField& ElectricField::operator=(ElectricField&&) noexcept = default;

ElectricSummary ElectricField::solve(const Volume<float>& sigma_S_per_m, double tolerance,
                                     const Progress& progress) {
  const auto start = std::chrono::steady_clock::now();
  State& s = *state_;
  s.check(sigma_S_per_m);
  s.assemble(sigma_S_per_m);
  const FlowSummary flow = s.flow.solve(s.b, s.u, {.tolerance = tolerance}, progress);
  for (std::size_t c = 0; c < s.grid.count(); ++c) s.potential[c] = float(s.u[c]);
  s.share_power(sigma_S_per_m);
  s.sum_currents(sigma_S_per_m);
  ElectricSummary summary;
  summary.termination = flow.termination;
  summary.iterations = flow.iterations;
  summary.relative_residual = flow.relative_residual;
  summary.message = fmt::format("potential {} after {} iterations, relative residual {:.1e}",
                                to_string(flow.termination), flow.iterations, flow.relative_residual);
  summary.wall_time_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return summary;
}

const Volume<float>& ElectricField::potential_V() const { return state_->potential; }
const Volume<float>& ElectricField::power_W_per_m3() const { return state_->power; }
double ElectricField::current_A() const { return state_->current_A; }
double ElectricField::power_W() const { return state_->power_W; }
double ElectricField::resistance_ohm() const {
  const double i = state_->current_A;
  return i > 0 ? state_->power_W / (i * i) : std::numeric_limits<double>::infinity();
}

}  // namespace spinetherm
