// SPDX-License-Identifier: Apache-2.0
#include "thermal/fine_patch.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "imaging/core/error.h"
#include "thermal/archive.h"
#include "thermal/parts_mean.h"
#include "thermal/tissue_law.h"

namespace spinetherm {
namespace {

/// Cells of the window that must be left around the patch: one to flow to, one for slopes along its faces.
constexpr int kRim = 2;

std::array<int, 3> index_of(const std::array<int, 3>& size, std::size_t c) {
  const auto nx = std::size_t(size[0]), ny = std::size_t(size[1]);
  return {int(c % nx), int(c / nx % ny), int(c / (nx * ny))};
}

/// The patch's grid with the halo.
Grid with_halo(const Grid& patch) {
  Grid grid = patch;
  for (std::size_t a = 0; a < 3; ++a) grid.size[a] += 2;
  grid.origin_mm -= patch.spacing_mm;
  return grid;
}
bool in_halo(const std::array<int, 3>& at, const std::array<int, 3>& size) {
  for (std::size_t a = 0; a < 3; ++a)
    if (at[a] == 0 || at[a] + 1 == size[a]) return true;
  return false;
}

/// Values of the patch, in the halo those of the window.
template <class T>
Volume<T> extended(const Volume<T>& window, const Volume<T>& patch, const Grid& grid, T missing) {
  if (window.empty() && patch.empty()) return {};
  Volume<T> out(grid);
  for (std::size_t c = 0; c < grid.count(); ++c) {
    const std::array<int, 3> at = index_of(grid.size, c);
    if (in_halo(at, grid.size)) {
      const std::array<int, 3> w =
          window.empty() ? at : window.grid.nearest(grid.to_world(at[0], at[1], at[2]));
      out[c] = window.empty() ? missing : window(w[0], w[1], w[2]);
    } else {
      out[c] = patch.empty() ? missing : patch(at[0] - 1, at[1] - 1, at[2] - 1);
    }
  }
  return out;
}

}  // namespace

PatchBox patch_box(const Grid& window, const Grid& patch) {
  PatchBox box;
  const double ratio = window.spacing_mm[0] / patch.spacing_mm[0];
  box.ratio = int(std::lround(ratio));
  const auto refuse = [](const std::string& what, const std::string& advice) {
    throw ConfigError(what, "/patch", advice);
  };
  if (box.ratio < 2 || box.ratio > 8)
    refuse(fmt::format("the patch's cells are {:.3g} times finer than the window's", ratio),
           "2 to 8 cells of the patch must lie along the edge of one");
  for (std::size_t a = 0; a < 3; ++a) {
    const auto axis = Eigen::Index(a);
    const double h = window.spacing_mm[axis];
    if (std::abs(patch.spacing_mm[axis] * box.ratio - h) > 1e-6 * h)
      refuse("the patch's cells do not divide those of the window", "give the same ratio along all axes");
    // Lower face of the patch in faces of the window.
    const double low =
        (patch.origin_mm[axis] - patch.spacing_mm[axis] / 2 - window.origin_mm[axis]) / h + 0.5;
    box.low[a] = int(std::lround(low));
    if (std::abs(low - box.low[a]) > 1e-4 || patch.size[a] % box.ratio != 0)
      refuse("the patch does not begin and end on faces of the window", "align it with the window's cells");
    box.high[a] = box.low[a] + patch.size[a] / box.ratio;
    if (box.low[a] < kRim || box.high[a] > window.size[a] - kRim)
      refuse("the patch comes too close to the outer faces", "leave two cells of the window on all sides");
  }
  return box;
}

Grid patch_grid(const Grid& window, const Eigen::Vector3d& low_mm, const Eigen::Vector3d& high_mm,
                int ratio) {
  const Eigen::Vector3d low = window.to_index(low_mm), high = window.to_index(high_mm);
  Grid grid = window;
  grid.spacing_mm = window.spacing_mm / ratio;
  for (std::size_t a = 0; a < 3; ++a) {
    const auto axis = Eigen::Index(a);
    const int first = std::clamp(int(std::lround(low[axis])), kRim, window.size[a] - kRim - 1);
    const int last = std::clamp(int(std::lround(high[axis])), first, window.size[a] - kRim - 1);
    grid.size[a] = (last + 1 - first) * ratio;
    grid.origin_mm[axis] =
        window.origin_mm[axis] + (first - 0.5) * window.spacing_mm[axis] + grid.spacing_mm[axis] / 2;
  }
  return grid;
}

TissueMap refined(const TissueMap& window, const Grid& patch) {
  const auto nearest = [&]<class T>(const Volume<T>& values) {
    if (values.empty()) return Volume<T>{};
    Volume<T> out(patch);
    for (int k = 0; k < patch.size[2]; ++k)
      for (int j = 0; j < patch.size[1]; ++j)
        for (int i = 0; i < patch.size[0]; ++i) {
          const std::array<int, 3> c = values.grid.nearest(patch.to_world(i, j, k));
          out(i, j, k) = values(c[0], c[1], c[2]);
        }
    return out;
  };
  TissueMap out;
  out.labels = nearest(window.labels);
  const CellFactors& f = window.factors;
  out.factors = {nearest(f.conductivity), nearest(f.heat_capacity), nearest(f.perfusion),
                 nearest(f.electrical)};
  return out;
}

ThermalProblem patch_problem(const ThermalProblem& problem) {
  const TissueMap& patch = *problem.patch;
  const PatchBox box = patch_box(problem.grid(), patch.labels.grid);
  const Grid grid = with_halo(patch.labels.grid);
  ThermalProblem out = problem;
  out.patch.reset();
  const TissueMap& window = problem.tissue_map;
  out.tissue_map.labels = extended<std::uint8_t>(window.labels, patch.labels, grid, 0);
  CellFactors& f = out.tissue_map.factors;
  f.heat_capacity = extended(window.factors.heat_capacity, patch.factors.heat_capacity, grid, 1.0F);
  Volume<float> ones(problem.grid(), 1.0F);
  f.perfusion = extended(window.factors.perfusion.empty() ? ones : window.factors.perfusion,
                         patch.factors.perfusion, grid, 1.0F);
  f.electrical = extended(window.factors.electrical, patch.factors.electrical, grid, 1.0F);
  f.conductivity = extended(window.factors.conductivity.empty() ? ones : window.factors.conductivity,
                            patch.factors.conductivity, grid, 1.0F);
  for (std::size_t c = 0; c < grid.count(); ++c)
    if (in_halo(index_of(grid.size, c), grid.size)) {
      f.conductivity[c] /= float(box.ratio);
      f.perfusion[c] = 0;  // counted in the window
    }
  if (!problem.initial_field.empty()) {
    out.initial_field = Volume<float>(grid);
    for (std::size_t c = 0; c < grid.count(); ++c) {
      const std::array<int, 3> at = index_of(grid.size, c);
      const std::array<int, 3> w = problem.grid().nearest(grid.to_world(at[0], at[1], at[2]));
      out.initial_field[c] = problem.initial_field(w[0], w[1], w[2]);
    }
  }
  return out;
}

ThermalProblem problem_under_patch(const ThermalProblem& problem) {
  const Grid& window = problem.grid();
  const PatchBox box = patch_box(window, problem.patch->labels.grid);
  Grid grid = window;
  for (std::size_t a = 0; a < 3; ++a) grid.size[a] = box.high[a] - box.low[a];
  grid.origin_mm = window.to_world(box.low[0], box.low[1], box.low[2]);
  const auto cut = [&]<class T>(const Volume<T>& values) {
    if (values.empty()) return Volume<T>{};
    Volume<T> out(grid);
    for (int k = 0; k < grid.size[2]; ++k)
      for (int j = 0; j < grid.size[1]; ++j)
        for (int i = 0; i < grid.size[0]; ++i)
          out(i, j, k) = values(box.low[0] + i, box.low[1] + j, box.low[2] + k);
    return out;
  };
  ThermalProblem out = problem;
  out.patch.reset();
  out.tissue_map.labels = cut(problem.tissue_map.labels);
  const CellFactors& f = problem.tissue_map.factors;
  out.tissue_map.factors = {cut(f.conductivity), cut(f.heat_capacity), cut(f.perfusion), cut(f.electrical)};
  out.initial_field = cut(problem.initial_field);
  return out;
}

template <class Real>
PatchLink<Real>::PatchLink(const ThermalProblem& problem, const HeatLevel<Real>& patch)
    : tissues_(problem.tissue_map.tissues) {
  const Grid& window = problem.grid();
  const Grid& grid = patch.grid;
  const PatchBox box = patch_box(window, problem.patch->labels.grid);
  const int m = box.ratio;
  patch_size_ = grid.size;
  ratio_ = m;
  covered_.assign(window.count(), 0);
  children_each_ = std::size_t(m) * std::size_t(m) * std::size_t(m);
  for (int k = box.low[2]; k < box.high[2]; ++k)
    for (int j = box.low[1]; j < box.high[1]; ++j)
      for (int i = box.low[0]; i < box.high[0]; ++i) {
        const std::size_t c = window.index(i, j, k);
        covered_[c] = 1;
        under_.push_back(c);
        const std::array<int, 3> at{i, j, k};
        std::array<int, 3> first{};
        for (std::size_t a = 0; a < 3; ++a) first[a] = 1 + (at[a] - box.low[a]) * m;
        for (int dk = 0; dk < m; ++dk)
          for (int dj = 0; dj < m; ++dj)
            for (int di = 0; di < m; ++di)
              children_.push_back(grid.index(first[0] + di, first[1] + dj, first[2] + dk));
      }

  const std::array<std::size_t, 3> stride{1, std::size_t(window.size[0]),
                                          std::size_t(window.size[0]) * std::size_t(window.size[1])};
  const auto& labels = problem.tissue_map.labels;
  std::map<std::size_t, std::vector<HaloCell>> by_window;
  for (std::size_t c = 0; c < grid.count(); ++c) {
    const std::array<int, 3> at = index_of(grid.size, c);
    int outer = 0, axis = 0;
    for (int a = 0; a < 3; ++a)
      if (at[std::size_t(a)] == 0 || at[std::size_t(a)] + 1 == grid.size[std::size_t(a)]) {
        ++outer;
        axis = a;
      }
    if (outer != 1) continue;  // inside, or on an edge, where no face of the patch is
    const bool lower = at[std::size_t(axis)] == 0;
    std::array<int, 3> w{};
    HaloCell halo;
    halo.cell = c;
    for (std::size_t a = 0; a < 3; ++a)
      w[a] = int(a) == axis ? (lower ? box.low[a] - 1 : box.high[a]) : box.low[a] + (at[a] - 1) / m;
    halo.window = window.index(w[0], w[1], w[2]);
    for (int n = 0; n < 2; ++n) {
      const auto along = std::size_t((axis + 1 + n) % 3);
      const std::size_t before = halo.window - stride[along], after = halo.window + stride[along];
      const bool alike = labels[before] == labels[halo.window] && labels[after] == labels[halo.window];
      halo.before[std::size_t(n)] = alike ? before : halo.window;
      halo.after[std::size_t(n)] = alike ? after : halo.window;
      // Of half the difference, in spacings of the window.
      halo.share[std::size_t(n)] = Real((((at[along] - 1) % m + 0.5) / m - 0.5) / 2);
    }
    std::array<int, 3> in = at;
    in[std::size_t(axis)] += lower ? 1 : -1;
    halo.inner = grid.index(in[0], in[1], in[2]);
    const std::size_t s = stride[std::size_t(axis)];
    halo.beyond = lower ? halo.window - s : halo.window + s;
    // Distances of the centres from the face, in spacings of the patch: a, then b and 3 b.
    const double a = 0.5, b = m / 2.0;
    if (labels[halo.beyond] == labels[halo.window] && patch.label[halo.inner] == labels[halo.window])
      halo.bend = Real((a + b) * (a - b) / (3 * b + a));
    const double h_m = grid.spacing_mm[axis] * 1e-3;
    halo.factor = Real(2 / (h_m * h_m) / double(children_each_));
    by_window[halo.window].push_back(halo);
  }
  face_begin_.push_back(0);
  for (const auto& [c, cells] : by_window) {
    beside_.push_back(c);
    halo_.insert(halo_.end(), cells.begin(), cells.end());
    face_begin_.push_back(std::uint32_t(halo_.size()));
  }
  for (std::size_t n = 0; n < halo_.size(); ++n) face_of_[{halo_[n].inner, halo_[n].cell}] = n;
  perfusion0_.reserve(children_.size());
  for (const std::size_t c : children_) perfusion0_.push_back(patch.perfusion[c]);
}

template <class Real>
std::size_t PatchLink<Real>::under_of(std::size_t patch_cell) const {
  const std::array<int, 3> at = index_of(patch_size_, patch_cell);
  std::array<std::size_t, 3> in{}, size{};
  for (std::size_t a = 0; a < 3; ++a) {
    size[a] = std::size_t((patch_size_[a] - 2) / ratio_);
    in[a] = std::size_t(std::clamp(at[a] - 1, 0, patch_size_[a] - 3) / ratio_);
  }
  return in[0] + size[0] * (in[1] + size[1] * in[2]);
}

template <class Real>
std::vector<std::uint8_t> PatchLink<Real>::closed_halo(const HeatLevel<Real>& window,
                                                       const HeatLevel<Real>& patch) const {
  std::vector<std::uint8_t> closed(patch.grid.count(), 0);
  for (const HaloCell& h : halo_) closed[h.cell] = window.is_hole(h.window) ? 1 : 0;
  return closed;
}

template <class Real>
void PatchLink<Real>::set_openings(const BodyLinks& links) {
  for (HaloCell& h : halo_) h.open = 1;
  const auto& size = patch_size_;
  const std::array<std::size_t, 3> stride{1, std::size_t(size[0]),
                                          std::size_t(size[0]) * std::size_t(size[1])};
  for (const BodyLinks::Face& f : links.faces) {
    const std::size_t s = stride[std::size_t(f.axis)];
    const auto face = face_of_.find({f.cell, f.side > 0 ? f.cell + s : f.cell - s});
    if (face != face_of_.end()) halo_[face->second].open = Real(f.open);
  }
}

template <class Real>
void PatchLink<Real>::fill(const HaloCell& h, const HeatLevel<Real>& window,
                           const std::vector<Real>& u_window, HeatLevel<Real>& patch, std::vector<Real>& u,
                           bool arrays) const {
  const auto b2 = Real(ratio_), ab = Real((1 + ratio_) / 2.0);  // distances of centres, as in the constructor
  Real value = u_window[h.window];
  for (std::size_t a = 0; a < 2; ++a)
    if (!window.is_hole(h.after[a]) && !window.is_hole(h.before[a]))
      value += h.share[a] * (u_window[h.after[a]] - u_window[h.before[a]]);
  const Real near = u[h.inner], far = u_window[h.beyond];
  const bool smooth = std::min({near, value, far}) > patch.table.calm_from &&
                      std::max({near, value, far}) < patch.table.calm_to;
  if (h.bend != 0 && smooth && !patch.is_hole(h.inner) && !window.is_hole(h.beyond))
    value += h.bend * ((far - u_window[h.window]) / b2 - (value - near) / ab);
  u[h.cell] = value;
  if (!arrays) return;
  const bool phases = !patch.theta.empty();
  const std::uint8_t label = patch.label[h.cell];
  const Real theta = phases ? theta_of_u(patch.table, label, value) : value;
  if (phases) patch.theta[h.cell] = theta;
  if (patch.table.varies_with_T)
    patch.resistivity.by_cell[h.cell] =
        Real(1) / (conductivity(patch.table, label, theta) * Real(patch.conductivity_factor[h.cell]));
}

/// Through one face, over the volume of the window's cell [W/m3].
template <class Real>
Real PatchLink<Real>::outflow(const HaloCell& h, const HeatLevel<Real>& patch,
                              const std::vector<Real>& u) const {
  const TissueTable<Real>& table = patch.table;
  Real t_in = u[h.inner], t_out = u[h.cell];
  const bool calm = std::min(t_in, t_out) > table.calm_from && std::max(t_in, t_out) < table.calm_to;
  if (!calm) {
    t_in = theta_of_u(table, patch.label[h.inner], t_in);
    t_out = theta_of_u(table, patch.label[h.cell], t_out);
  }
  Real g;  // 1/(r + r')
  if (table.varies_with_T) {
    const auto k = [&](std::size_t c, Real t) {
      const std::uint8_t l = patch.label[c];
      return (calm ? calm_conductivity(table, l, t) : conductivity(table, l, t)) *
             Real(patch.conductivity_factor[c]);
    };
    const Real k_in = k(h.inner, t_in), k_out = k(h.cell, t_out);
    g = k_in * k_out / (k_in + k_out);
  } else {
    g = 1 / (patch.resistivity[h.inner] + patch.resistivity[h.cell]);
  }
  return h.factor * h.open * ((t_in - t_out) * g);
}

template <class Real>
void PatchLink<Real>::exchange(HeatLevel<Real>& window, const std::vector<Real>& u_window,
                               HeatLevel<Real>& patch, std::vector<Real>& u, bool arrays) const {
  const auto count = std::ptrdiff_t(beside_.size());
#pragma omp parallel for num_threads(patch.team()) schedule(static)
  for (std::ptrdiff_t n = 0; n < count; ++n) {
    const std::size_t beside = beside_[std::size_t(n)];
    Real sum = 0;
    for (std::uint32_t f = face_begin_[std::size_t(n)]; f < face_begin_[std::size_t(n) + 1]; ++f) {
      const HaloCell& h = halo_[f];
      fill(h, window, u_window, patch, u, arrays);
      if (!patch.is_hole(h.inner)) sum += outflow(h, patch, u);
    }
    if (!window.is_hole(beside))
      window.heating[beside] = window.source[beside] + sum * window.inverse_capacity[beside];
  }
}

template <class Real>
void PatchLink<Real>::average(const HeatLevel<Real>& patch, HeatLevel<Real>& under) const {
  const Real* theta = patch.theta_now();
  const auto count = std::ptrdiff_t(under_.size());
  std::vector<Real>& u = under.y[std::size_t(under.now)];
#pragma omp parallel for num_threads(patch.team()) schedule(static)
  for (std::ptrdiff_t n = 0; n < count; ++n) {
    const auto c = std::size_t(n);
    double t = 0, r = 0;
    int open = 0;
    for (std::size_t m = 0; m < children_each_; ++m) {
      const std::size_t child = children_[c * children_each_ + m];
      if (patch.is_hole(child)) continue;
      t += double(theta[child]);
      r += double(patch.rate[child]);
      ++open;
    }
    if (open == 0) continue;
    const double mean = t / open;
    u[c] = Real(u_of_theta(tissues_[under.label[c]], mean));
    if (!under.theta.empty()) under.theta[c] = Real(mean);
    under.rate[c] = Real(r / open);
  }
}

template <class Real>
void PatchLink<Real>::hand_up(const HeatLevel<Real>& under, HeatLevel<Real>& window) const {
  std::vector<Real>& u = window.y[std::size_t(window.now)];
  const std::vector<Real>& from = under.y[std::size_t(under.now)];
  for (std::size_t n = 0; n < under_.size(); ++n) {
    const std::size_t c = under_[n];
    if (window.is_hole(c)) continue;
    u[c] = from[n];
    if (!window.theta.empty()) window.theta[c] = under.theta[n];
    window.rate[c] = under.rate[n];
  }
}

template <class Real>
void PatchLink<Real>::hand_over(const HeatLevel<Real>& patch, HeatLevel<Real>& window) const {
  for (std::size_t n = 0; n < under_.size(); ++n) {
    const std::size_t c = under_[n];
    PartsMean<Real> mean(window.label[c]);
    for (std::size_t m = 0; m < children_each_; ++m) mean.add(patch, children_[n * children_each_ + m]);
    if (window.is_hole(c) || mean.empty()) continue;
    for (auto& stage : window.y) stage[c] = Real(mean.u(tissues_));
  }
}

template <class Real>
void PatchLink<Real>::clear_rates(std::vector<Real>& rate) const {
  for (const std::size_t c : under_) rate[c] = 0;
}

template <class Real>
double PatchLink<Real>::follow_perfusion(const HeatLevel<Real>& under, HeatLevel<Real>& patch) {
  if (under.perfusion.by_cell.empty()) return 0;  // it never changes
  if (perfusion_.empty()) {
    perfusion_under0_.assign(under.perfusion.by_cell.begin(), under.perfusion.by_cell.end());
    perfusion_ = perfusion_under0_;
    return 0;
  }
  double change = 0;
  for (std::size_t n = 0; n < under_.size(); ++n) {
    const auto w = float(under.perfusion[n]);
    if (w == perfusion_[n]) continue;
    perfusion_[n] = w;
    const float share = perfusion_under0_[n] > 0 ? w / perfusion_under0_[n] : 1.0F;
    for (std::size_t m = n * children_each_; m < (n + 1) * children_each_; ++m) {
      const std::size_t c = children_[m];
      const Real before = patch.perfusion[c];
      patch.perfusion.by_cell[c] = perfusion0_[m] * Real(share);
      if (patch.is_out(c)) continue;
      const Real more = (patch.perfusion[c] - before) * (patch.theta_blood - patch.theta_now()[c]);
      patch.rate[c] += more * patch.inverse_capacity[c];
      change += double(more);
    }
  }
  return change * patch.cell_volume_m3();
}

template <class Real>
void PatchLink<Real>::exchange_state(Archive& archive) {
  archive(perfusion_, perfusion_under0_);
}

template class PatchLink<float>;
template class PatchLink<double>;

void cover(const Grid& window, const std::vector<std::uint8_t>& covered, BodyLinks& links) {
  const auto is_covered = [&](const auto& one) { return covered[one.cell] != 0; };
  std::erase_if(links.walls, is_covered);
  std::erase_if(links.ghosts, is_covered);
  const std::array<std::size_t, 3> stride{1, std::size_t(window.size[0]),
                                          std::size_t(window.size[0]) * std::size_t(window.size[1])};
  const auto beyond = [&](const BodyLinks::Face& f) {
    const std::size_t s = stride[std::size_t(f.axis)];
    return f.side > 0 ? f.cell + s : f.cell - s;
  };
  std::erase_if(links.faces,
                [&](const BodyLinks::Face& f) { return is_covered(f) || covered[beyond(f)] != 0; });
  for (std::size_t c = 0; c < covered.size(); ++c) {
    if (covered[c] == 0) continue;
    for (int axis = 0; axis < 3; ++axis)
      for (const int side : {-1, 1}) {
        const std::size_t s = stride[std::size_t(axis)], q = side > 0 ? c + s : c - s;
        const std::size_t at = c / s % std::size_t(window.size[std::size_t(axis)]);
        if (side > 0 ? at + 1 == std::size_t(window.size[std::size_t(axis)]) : at == 0) continue;
        if (covered[q] != 0) continue;
        if (!links.owner.empty() && links.owner[q] != 0) continue;
        links.faces.push_back({q, axis, -side, 0});
      }
  }
  std::ranges::stable_sort(links.faces, {}, &BodyLinks::Face::cell);
}

}  // namespace spinetherm
