// SPDX-License-Identifier: Apache-2.0
#include "thermal/electric_field.h"

#include <fmt/format.h>
#include <omp.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>

#include "imaging/core/error.h"
#include "imaging/core/units.h"
#include "thermal/archive.h"
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

/// Power of the link from c to c + stride.
inline float link_power(const float* g, const double* u, std::ptrdiff_t c, std::ptrdiff_t stride) {
  const auto drop = float(u[c + stride] - u[c]);
  return g[c] * drop * drop;
}

/// Adds the power of a row's halves of the links to the next cells along a stride, and to the ones before.
/// Links with less power than `little` are shared as two resistors.
void add_near_halves(const float* g, const double* u, const float* w, std::ptrdiff_t row,
                     std::ptrdiff_t count, std::ptrdiff_t stride, float little, float* q) {
  for (std::ptrdiff_t c = row; c < row + count; ++c) {
    const float power = link_power(g, u, c, stride);
    const float part =
        power > little ? near_part(g, u, w, c, stride) : w[c + stride] / (w[c + stride] + w[c]);
    if (g[c] > 0) q[c] += power * part;
  }
}
void add_far_halves(const float* g, const double* u, const float* w, std::ptrdiff_t row, std::ptrdiff_t count,
                    std::ptrdiff_t stride, float little, float* q) {
  for (std::ptrdiff_t c = row; c < row + count; ++c) {
    const std::ptrdiff_t from = c - stride;
    const float power = link_power(g, u, from, stride);
    const float near = power > little ? near_part(g, u, w, from, stride) : w[c] / (w[c] + w[from]);
    if (g[from] > 0) q[c] += power * (1 - near);
  }
}

void require_difference(const ElectrodesSource& source) {
  bool differ = false;
  for (const Electrode& e : source.electrodes)
    differ |=
        !e.floating && e.potential_V != (source.outer_grounded ? 0.0 : source.electrodes.front().potential_V);
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
  // Potentials are linear in those of the channels: u = sum of scale u_unit. Floating electrodes come last,
  // each a channel of its own.
  std::size_t driven = 0;
  std::vector<std::vector<int>> channels;  ///< their electrodes
  std::vector<Padded<double>> units;   ///< with one channel at its potentials, the others at 0 V; empty: one
  std::vector<double> scale;           ///< by channel
  std::vector<double> volts, amperes;  ///< by electrode, as driven
  Eigen::MatrixXd unit_A;              ///< current of an electrode (row) by channel
  Eigen::MatrixXd admittance_S;        ///< power = scale^T admittance scale, of all channels
  Eigen::MatrixXd floats_with;         ///< scale of floating electrodes = this times that of the driven
  Volume<float> last_sigma;            ///< of the last solve; kept when there are several channels
  bool voxel = false;
  /// Of a part: links from cells to the outermost ones, whose potential is given.
  struct HeldLink {
    std::size_t cell = 0, outer = 0;
    int axis = 0;
    float metres = 0;  ///< conductance over the harmonic mean of the conductivities
  };
  bool part = false;
  std::vector<HeldLink> held;
  std::vector<std::vector<float>> held_V;  ///< by channel, by held link
  double outer_scale = 1;                  ///< of held_V
  double whole_A = 0;                      ///< current of the only channel in the whole; 0: scale stays 1

  State(const Grid& g, const ElectrodesSource& s, bool as_voxels, int n, bool as_part = false)
      : grid(g),
        source(s),
        threads(n > 0 ? n : omp_get_max_threads()),
        geometry(link_electrodes(g, s, as_voxels, as_part)),
        flow(g.size, threads),
        b(g.size),
        u(g.size),
        potential(g),
        power(g),
        voxel(as_voxels),
        part(as_part) {
    divide_channels();
    if (part) hold_outer_cells();
    const std::size_t count = channels.size();
    scale.assign(count, 1.0);
    for (std::size_t m = driven; m < count; ++m) scale[m] = 0;
    if (count > 1) units.assign(count, Padded<double>(grid.size));
    unit_A = Eigen::MatrixXd::Zero(Eigen::Index(source.electrodes.size()), Eigen::Index(count));
    for (std::size_t m = 0; m < count; ++m)
      for (std::size_t c = 0; c < grid.count(); ++c)
        if (geometry.owner[c]) unit(m)[c] = unit_V(m, geometry.owner[c] - 1);
  }
  bool is_outer(std::size_t c) const {
    const auto nx = std::size_t(grid.size[0]), ny = std::size_t(grid.size[1]);
    const std::array<std::size_t, 3> at{c % nx, c / nx % ny, c / (nx * ny)};
    for (std::size_t a = 0; a < 3; ++a)
      if (at[a] == 0 || at[a] + 1 == std::size_t(grid.size[a])) return true;
    return false;
  }
  void hold_outer_cells() {
    const std::array<std::size_t, 3> stride{1, std::size_t(grid.size[0]),
                                            std::size_t(grid.size[0]) * std::size_t(grid.size[1])};
    std::map<std::pair<std::size_t, int>, float> open;
    for (const FaceOpening& f : geometry.faces) open[{f.cell, f.axis}] = f.open;
    for (std::size_t c = 0; c < grid.count(); ++c) {
      if (is_outer(c) || !takes_heat(c)) continue;
      for (int axis = 0; axis < 3; ++axis)
        for (const bool up : {false, true}) {
          const std::size_t outer = up ? c + stride[std::size_t(axis)] : c - stride[std::size_t(axis)];
          if (!is_outer(outer)) continue;
          const auto face = open.find({std::min(c, outer), axis});
          const float metres = float(face_m(axis)) * (face == open.end() ? 1.0F : face->second);
          if (metres > 0 && takes_heat(outer)) held.push_back({c, outer, axis, metres});
        }
    }
    std::erase_if(geometry.links, [&](const SurfaceLink& l) { return is_outer(l.cell); });
  }
  static float harmonic(float a, float b) { return a + b > 0 ? 2 * a * b / (a + b) : 0.0F; }
  float held_S(const HeldLink& l, const Volume<float>& sigma) const {
    return l.metres * harmonic(sigma[l.cell], sigma[l.outer]);
  }
  double held_volts(std::size_t link) const {
    double sum = 0;
    for (std::size_t n = 0; n < held_V.size(); ++n) sum += scale[n] * double(held_V[n][link]);
    return outer_scale * sum;
  }

  /// Of one channel alone the potential itself.
  Padded<double>& unit(std::size_t channel) { return units.empty() ? u : units[channel]; }

  void divide_channels() {
    for (const ElectrodeChannel& c : source.channels) channels.push_back(c.electrodes);
    if (channels.empty()) channels.emplace_back();
    driven = channels.size();
    for (std::size_t e = 0; e < source.electrodes.size(); ++e) {
      if (source.electrodes[e].floating)
        channels.push_back({int(e)});
      else if (source.channels.empty())
        channels.front().push_back(int(e));
    }
  }
  /// Potential of an electrode when one channel is at its potentials (floating metal: 1 V), the others at 0.
  double unit_V(std::size_t channel, int electrode) const {
    if (std::ranges::find(channels[channel], electrode) == channels[channel].end()) return 0;
    const Electrode& e = source.electrodes[std::size_t(electrode)];
    return e.floating ? 1 : e.potential_V;
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
    if (!source.outer_grounded || part) return;
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

  void assemble(const Volume<float>& sigma_S_per_m) {
    FlowSystem& s = flow.system();
    const std::ptrdiff_t nx = grid.size[0], ny = grid.size[1], nz = grid.size[2], plane = nx * ny;
    const float mx = float(face_m(0)), my = float(face_m(1)), mz = float(face_m(2));
    const float* in = sigma_S_per_m.values.data();
    float *gx = s.gx.data(), *gy = s.gy.data(), *gz = s.gz.data();
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
    if (part) close_outer_cells();
    for (const HeldLink& l : held) s.anchor[l.cell] += held_S(l, sigma_S_per_m);
    for_each_grounded_face(
        [&](std::size_t c, double m) { s.anchor[c] += float(m * double(sigma_S_per_m[c])); });
    for (const SurfaceLink& l : geometry.links) {
      s.anchor[l.cell] += float(l.metres * double(sigma_S_per_m[l.cell]));
    }
    flow.prepare();
  }

  /// Outermost cells take part through the held links alone.
  void close_outer_cells() {
    FlowSystem& s = flow.system();
    const std::array<Padded<float>*, 3> g{&s.gx, &s.gy, &s.gz};
    const std::array<std::ptrdiff_t, 3> stride{1, grid.size[0], std::ptrdiff_t(grid.size[0]) * grid.size[1]};
    for (std::size_t c = 0; c < grid.count(); ++c)
      if (is_outer(c))
        for (std::size_t a = 0; a < 3; ++a) {
          (*g[a]).data()[c] = 0;
          (*g[a]).data()[std::ptrdiff_t(c) - stride[a]] = 0;
        }
  }

  void assemble_channel(const Volume<float>& sigma_S_per_m, std::size_t channel) {
    std::fill(b.data(), b.data() + b.count(), 0.0F);
    for (const SurfaceLink& l : geometry.links)
      b[l.cell] += float(l.metres * double(sigma_S_per_m[l.cell]) * unit_V(channel, l.electrode));
    for (std::size_t n = 0; n < held.size(); ++n)
      b[held[n].cell] += held_S(held[n], sigma_S_per_m) * float(outer_scale) * held_V[channel][n];
  }

  void sum_unit_currents(const Volume<float>& sigma_S_per_m) {
    const auto count = Eigen::Index(channels.size());
    unit_A.setZero();
    for (Eigen::Index n = 0; n < count; ++n)
      for (const SurfaceLink& l : geometry.links)
        unit_A(l.electrode, n) += l.metres * double(sigma_S_per_m[l.cell]) *
                                  (unit_V(std::size_t(n), l.electrode) - unit(std::size_t(n))[l.cell]);
    admittance_S = Eigen::MatrixXd::Zero(count, count);
    for (Eigen::Index n = 0; n < count; ++n)
      for (const int e : channels[std::size_t(n)])
        admittance_S.row(n) += unit_V(std::size_t(n), e) * unit_A.row(e);
    admittance_S = ((admittance_S + admittance_S.transpose()) / 2).eval();
    const auto first = Eigen::Index(driven), floating = count - first;
    if (floating == 0 || part) return;
    floats_with = -admittance_S.bottomRightCorner(floating, floating)
                       .ldlt()
                       .solve(admittance_S.bottomLeftCorner(floating, first));
  }

  /// Potential, power and currents with the channels at `scale`.
  void combine(const Volume<float>& sigma_S_per_m) {
    const Eigen::Map<const Eigen::VectorXd> by(scale.data(), Eigen::Index(driven));
    if (driven < channels.size() && !part) {
      const Eigen::VectorXd floating = floats_with * by;
      std::ranges::copy(floating, scale.begin() + std::ptrdiff_t(driven));
    }
    volts.assign(source.electrodes.size(), 0.0);
    for (std::size_t n = 0; n < channels.size(); ++n)
      for (const int e : channels[n]) volts[std::size_t(e)] = scale[n] * unit_V(n, e);
    const auto cells = std::ptrdiff_t(grid.count());
#pragma omp parallel for schedule(static) num_threads(threads)
    for (std::ptrdiff_t c = 0; c < cells; ++c) {
      if (!units.empty()) {
        double sum = 0;
        for (std::size_t n = 0; n < units.size(); ++n) sum += scale[n] * units[n].data()[c];
        u.data()[c] = sum;
      }
      potential.values[std::size_t(c)] = float(u.data()[c]);
    }
    share_power(sigma_S_per_m);
    sum_currents(sigma_S_per_m);
  }

  void share_power(const Volume<float>& sigma_S_per_m) {
    const FlowSystem& s = flow.system();
    const std::ptrdiff_t nx = grid.size[0], plane = nx * grid.size[1];
    constexpr float kLittle = 1e-5F;  // of the largest power of a link
    float little = 0;
#pragma omp parallel for schedule(static) num_threads(threads) reduction(max : little)
    for (std::ptrdiff_t c = 0; c < std::ptrdiff_t(grid.count()); ++c)
      little =
          std::max({little, link_power(s.gx.data(), u.data(), c, 1), link_power(s.gy.data(), u.data(), c, nx),
                    link_power(s.gz.data(), u.data(), c, plane)});
    little *= kLittle;
    Padded<float> shares(grid.size);  // conductivities that share the power of a link between its ends
    float* q = power.values.data();
#pragma omp parallel for schedule(static) num_threads(threads)
    for (int k = 0; k < grid.size[2]; ++k)
      for (std::size_t c = grid.index(0, 0, k); c < grid.index(0, 0, k + 1); ++c)
        shares[c] = geometry.insulated[c] ? kNoShare : std::max(sigma_S_per_m[c], 1e-20F);
#pragma omp parallel for schedule(static) num_threads(threads)
    for (int k = 0; k < grid.size[2]; ++k)
      for (int j = 0; j < grid.size[1]; ++j) {
        const std::ptrdiff_t row = k * plane + j * nx;
        std::fill(q + row, q + row + nx, 0.0F);
        const auto add = [&](const Padded<float>& g, std::ptrdiff_t stride, bool before, bool after) {
          if (before) add_far_halves(g.data(), u.data(), shares.data(), row, nx, stride, little, q);
          if (after) add_near_halves(g.data(), u.data(), shares.data(), row, nx, stride, little, q);
        };
        add(s.gx, 1, true, true);
        add(s.gy, nx, j > 0, j + 1 < grid.size[1]);
        add(s.gz, plane, k > 0, k + 1 < grid.size[2]);
      }
    for_each_grounded_face(
        [&](std::size_t c, double m) { q[c] += float(m * double(sigma_S_per_m[c]) * u[c] * u[c]); });
    for (const SurfaceLink& l : geometry.links) {
      const double drop = volts[std::size_t(l.electrode)] - u[l.cell];
      q[l.cell] += float(l.metres * double(sigma_S_per_m[l.cell]) * drop * drop);
    }
    for (std::size_t n = 0; n < held.size(); ++n) {
      const HeldLink& l = held[n];
      const double drop = held_volts(n) - u[l.cell];
      // The half of the link in the inner cell; the rest is outside.
      const double own = double(sigma_S_per_m[l.outer]) /
                         (double(sigma_S_per_m[l.cell]) + double(sigma_S_per_m[l.outer]) + 1e-20);
      q[l.cell] += float(double(held_S(l, sigma_S_per_m)) * drop * drop * own);
    }
    hand_on_insulated();
    // mm3 to m3.
    const double volume_m3 = grid.voxel_volume_mm3() * 1e-9;
    std::vector<double> of_plane(std::size_t(grid.size[2]));
#pragma omp parallel for schedule(static) num_threads(threads)
    for (int k = 0; k < grid.size[2]; ++k) {
      double sum = 0;
      for (std::ptrdiff_t c = k * plane; c < (k + 1) * plane; ++c) {
        sum += double(q[c]);
        q[c] = float(double(q[c]) / volume_m3);
      }
      of_plane[std::size_t(k)] = sum;
    }
    power_W = std::accumulate(of_plane.begin(), of_plane.end(), 0.0);
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

  void sum_currents(const Volume<float>& sigma_S_per_m) {
    amperes.assign(source.electrodes.size(), 0.0);
    for (const SurfaceLink& l : geometry.links) {
      const auto n = std::size_t(l.electrode);
      amperes[n] += l.metres * double(sigma_S_per_m[l.cell]) * (volts[n] - u[l.cell]);
    }
    double ground = 0;
    for_each_grounded_face([&](std::size_t c, double m) { ground -= m * double(sigma_S_per_m[c]) * u[c]; });
    current_A = std::max(ground, 0.0);
    for (std::size_t n = 0; n < amperes.size(); ++n)
      if (!source.electrodes[n].floating) current_A += std::max(amperes[n], 0.0);
  }

  /// Current [A] out of the poles of a channel that are above its zero, by the currents of all electrodes.
  template <class Currents>
  double channel_A(std::size_t channel, const Currents& of_electrode) const {
    double positive = 0, negative = 0;
    for (const int e : channels[channel]) (unit_V(channel, e) > 0 ? positive : negative) += of_electrode(e);
    return positive != 0 ? positive : -negative;
  }
};

ElectricField::ElectricField(const Grid& grid, const ElectrodesSource& source, bool voxel_applicators,
                             int threads) {
  if (source.electrodes.empty()) throw ConfigError("no electrodes", "/electrodes", "give at least one");
  require_difference(source);
  state_ = std::make_unique<State>(grid, source, voxel_applicators, threads);
}
ElectricField::ElectricField(std::unique_ptr<State> state) : state_(std::move(state)) {}
ElectricField ElectricField::part_of(const ElectricField& whole, const Grid& grid) {
  const State& w = *whole.state_;
  return ElectricField(std::make_unique<State>(grid, w.source, w.voxel, w.threads, true));
}
void ElectricField::take_outer_potential(const ElectricField& whole) {
  State& s = *state_;
  State& w = *whole.state_;
  s.held_V.assign(s.channels.size(), std::vector<float>(s.held.size()));
  s.outer_scale = 1;
  s.whole_A = s.driven == 1 ? std::abs(w.channel_A(0, [&](int e) { return w.unit_A(e, 0); })) : 0;
  for (std::size_t n = 0; n < s.channels.size(); ++n) {
    const Padded<double>& u = w.unit(n);
    for (std::size_t l = 0; l < s.held.size(); ++l) {
      const std::size_t c = s.held[l].outer;
      const auto nx = std::size_t(s.grid.size[0]), ny = std::size_t(s.grid.size[1]);
      const Eigen::Vector3d at =
          w.grid.to_index(s.grid.to_world(int(c % nx), int(c / nx % ny), int(c / (nx * ny))));
      // Linear between the centres of the whole's cells, but for those that carry no current.
      double sum = 0, weights = 0;
      const std::array<int, 3> first{int(std::floor(at[0])), int(std::floor(at[1])), int(std::floor(at[2]))};
      for (int corner = 0; corner < 8; ++corner) {
        double weight = 1;
        std::array<int, 3> p = first;
        for (std::size_t a = 0; a < 3; ++a) {
          const double f = at[Eigen::Index(a)] - first[a];
          const int up = corner >> a & 1;
          weight *= up != 0 ? f : 1 - f;
          p[a] += up;
        }
        if (!w.grid.contains(p[0], p[1], p[2])) continue;
        const std::size_t q = w.grid.index(p[0], p[1], p[2]);
        if (!w.takes_heat(q)) continue;
        sum += weight * u[q];
        weights += weight;
      }
      if (!(weights > 1e-6))
        throw ConfigError("the edge of the fine patch lies where no cell around it carries current", "/patch",
                          "move or enlarge the patch, or use smaller cells");
      s.held_V[n][l] = float(sum / weights);
    }
  }
}
double ElectricField::outer_scale() const { return state_->outer_scale; }
void ElectricField::follow(const ElectricField& whole) {
  State& s = *state_;
  s.scale = whole.state_->scale;
  if (s.channels.size() > 1 && !s.last_sigma.empty()) s.combine(s.last_sigma);
}
ElectricField::~ElectricField() = default;
ElectricField::ElectricField(ElectricField&&) noexcept = default;
ElectricField& ElectricField::operator=(ElectricField&&) noexcept = default;

ElectricSummary ElectricField::solve(const Volume<float>& sigma_S_per_m, double tolerance,
                                     const Progress& progress, bool repeatable) {
  const auto start = std::chrono::steady_clock::now();
  State& s = *state_;
  s.check(sigma_S_per_m);
  s.assemble(sigma_S_per_m);
  std::vector<Padded<double>> before;
  const double scale_before = s.outer_scale;
  if (repeatable)
    for (std::size_t n = 0; n < s.channels.size(); ++n) before.push_back(s.unit(n));
  FlowSummary flow;
  const auto solve_channels = [&] {
    flow.relative_residual = 0;
    for (std::size_t n = 0; n < s.channels.size(); ++n) {
      s.assemble_channel(sigma_S_per_m, n);
      const FlowSummary one = s.flow.solve(s.b, s.unit(n), {.tolerance = tolerance}, progress);
      flow.iterations += one.iterations;
      if (one.relative_residual >= flow.relative_residual) flow.relative_residual = one.relative_residual;
      if (n == 0 || one.termination != Termination::converged) flow.termination = one.termination;
      if (one.termination != Termination::converged) break;
    }
  };
  solve_channels();
  constexpr int kRounds = 4;
  constexpr double kSame = 1e-3;
  for (int round = 0; round < kRounds && s.whole_A > 0 && flow.termination == Termination::converged;
       ++round) {
    s.sum_unit_currents(sigma_S_per_m);
    const double scale = std::abs(s.channel_A(0, [&](int e) { return s.unit_A(e, 0); })) / s.whole_A;
    if (!(scale > 0.2 && scale < 5) || std::abs(scale - s.outer_scale) < kSame * s.outer_scale) break;
    s.outer_scale = scale;
    solve_channels();
  }
  if (repeatable && flow.termination == Termination::cancelled) {
    for (std::size_t n = 0; n < before.size(); ++n) std::swap(s.unit(n), before[n]);
    s.outer_scale = scale_before;
  }
  s.sum_unit_currents(sigma_S_per_m);
  if (s.driven > 1 || s.part) s.last_sigma = sigma_S_per_m;
  s.combine(sigma_S_per_m);
  ElectricSummary summary;
  summary.termination = flow.termination;
  summary.iterations = flow.iterations;
  summary.relative_residual = flow.relative_residual;
  summary.message = fmt::format("potential {} after {} iterations, relative residual {:.1e}",
                                to_string(flow.termination), flow.iterations, flow.relative_residual);
  summary.wall_time_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return summary;
}

void ElectricField::exchange_state(Archive& archive) {
  State& s = *state_;
  archive(s.u, s.units, s.potential, s.power, s.current_A, s.power_W, s.scale, s.volts, s.amperes, s.unit_A,
          s.admittance_S, s.floats_with, s.last_sigma, s.held_V, s.outer_scale, s.whole_A);
  // Scales that change share the power anew by the links of the last solve.
  if (archive.reading() && !s.last_sigma.empty()) s.assemble(s.last_sigma);
}

const Volume<float>& ElectricField::potential_V() const { return state_->potential; }
const Volume<float>& ElectricField::power_W_per_m3() const { return state_->power; }
double ElectricField::current_A() const { return state_->current_A; }
double ElectricField::power_W() const { return state_->power_W; }

std::size_t ElectricField::channels() const { return state_->driven; }
const std::vector<double>& ElectricField::scale() const { return state_->scale; }
void ElectricField::drive(const std::vector<double>& scale) {
  State& s = *state_;
  require(scale.size() == s.driven, "ElectricField::drive", double(scale.size()),
          "one scale for each channel");
  std::ranges::copy(scale, s.scale.begin());
  if (s.driven > 1 && !s.last_sigma.empty()) s.combine(s.last_sigma);
}
double ElectricField::channel_power_W(std::size_t channel) const {
  const State& s = *state_;
  double sum = 0;
  for (const int e : s.channels[channel]) sum += s.volts[std::size_t(e)] * s.amperes[std::size_t(e)];
  return sum;
}
double ElectricField::channel_current_A(std::size_t channel) const {
  const State& s = *state_;
  return std::abs(s.channel_A(channel, [&](int e) { return s.amperes[std::size_t(e)]; }));
}
double ElectricField::channel_resistance_ohm(std::size_t channel) const {
  const State& s = *state_;
  if (s.driven == 1) return resistance_ohm();
  const double i = channel_current_A(channel), power = channel_power_W(channel);
  if (power > 1e-6 * s.power_W && i > 0) return power / (i * i);
  const auto n = Eigen::Index(channel);
  const double unit_A = s.channel_A(channel, [&](int e) { return s.unit_A(e, n); });
  return unit_A != 0 ? s.admittance_S(n, n) / (unit_A * unit_A) : std::numeric_limits<double>::infinity();
}

std::vector<double> ElectricField::scales_for(const std::vector<std::optional<double>>& power_W) const {
  const State& s = *state_;
  const auto count = Eigen::Index(s.driven), floating = Eigen::Index(s.channels.size()) - count;
  Eigen::MatrixXd Y = s.admittance_S.topLeftCorner(count, count);
  if (floating > 0) Y += s.admittance_S.topRightCorner(count, floating) * s.floats_with;
  Eigen::VectorXd scale = Eigen::VectorXd::Ones(count);
  for (Eigen::Index n = 0; n < count; ++n)
    if (const auto& P = power_W[std::size_t(n)]) scale[n] = Y(n, n) > 0 ? std::sqrt(*P / Y(n, n)) : 0;
  // One channel after the other; they disturb each other little, so that some rounds are enough.
  constexpr int kRounds = 200;
  for (int round = 0; round < kRounds; ++round) {
    const Eigen::VectorXd before = scale;
    for (Eigen::Index n = 0; n < count; ++n) {
      const auto& P = power_W[std::size_t(n)];
      if (!P || !(Y(n, n) > 0)) continue;
      const double others = Y.row(n).dot(scale) - Y(n, n) * scale[n];
      scale[n] = *P > 0 ? (-others + std::sqrt(others * others + 4 * Y(n, n) * *P)) / (2 * Y(n, n))
                        : -others / Y(n, n);
    }
    if ((scale - before).cwiseAbs().maxCoeff() <= 1e-9 * scale.cwiseAbs().maxCoeff()) break;
  }
  return {scale.begin(), scale.end()};
}
double ElectricField::resistance_ohm() const {
  const double i = state_->current_A;
  return i > 0 ? state_->power_W / (i * i) : std::numeric_limits<double>::infinity();
}

}  // namespace spinetherm
