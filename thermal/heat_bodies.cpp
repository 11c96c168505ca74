// SPDX-License-Identifier: Apache-2.0
#include "thermal/heat_bodies.h"

#include <algorithm>
#include <cmath>

#include "thermal/archive.h"
#include "thermal/cryo.h"
#include "thermal/electrode_links.h"
#include "thermal/fine_patch.h"
#include "thermal/radiator_shaft.h"
#include "thermal/tissue_law.h"

namespace spinetherm {
namespace {

constexpr double kAlong_mm = 0.5;  ///< from point to point of an idle probe

}  // namespace

double value_at(const Curve& curve, double t_s) {
  if (t_s <= curve.front()[0]) return curve.front()[1];
  for (std::size_t n = 1; n < curve.size(); ++n)
    if (t_s < curve[n][0]) {
      const double f = (t_s - curve[n - 1][0]) / (curve[n][0] - curve[n - 1][0]);
      return curve[n - 1][1] + f * (curve[n][1] - curve[n - 1][1]);
    }
  return curve.back()[1];
}

template <class Real>
HeatBodies<Real>::HeatBodies(const ThermalProblem& problem) : problem_(problem) {
  for (const Source& s : problem.sources)
    if (const auto* c = std::get_if<CryoprobeSource>(&s.what)) {
      const bool known = std::any_of(probes_.begin(), probes_.end(), [&](const Probe& p) {
        return p.entry_mm == c->entry_mm && p.tip_mm == c->tip_mm;
      });
      if (!known)
        probes_.push_back({c->entry_mm, c->tip_mm, c->active_from_tip_mm, c->active_to_tip_mm,
                           problem.initial_degC - kReference_degC});
    }
}

template <class Real>
void HeatBodies<Real>::hold(const Region& region, const Curve& curve) {
  bodies_.push_back({region, int(curves_.size())});
  curves_.push_back(curve);
  moving_ = moving_ || curve.size() > 1;
}

template <class Real>
void HeatBodies<Real>::close(const Region& region) {
  if (std::none_of(bodies_.begin(), bodies_.end(), [&](const Body& b) { return b.region == region; }))
    bodies_.push_back({region, -1});
}

template <class Real>
void HeatBodies<Real>::add_probe(std::size_t source, bool acting, double t_s) {
  const auto& what = std::get<CryoprobeSource>(problem_.sources[source].what);
  std::size_t n = 0;
  while (probes_[n].entry_mm != what.entry_mm || probes_[n].tip_mm != what.tip_mm) ++n;
  if (std::find(placed_.begin(), placed_.end(), n) != placed_.end()) return;  // by another of its steps
  Probe& probe = probes_[n];
  const int before = probe.source;
  probe.source = acting ? int(source) : -1;
  if (acting && probe.source != before) {
    probe.from_s = t_s;
    probe.from_theta = probe.last_mean_theta;
  }
  const PlacedProbe placed = place_probe(what);
  films_.add(int(curves_.size()), acting ? flowing(what) : idle(what));
  placed_.push_back(n);
  hold(placed.active, {{0, 0}});
  moving_ = true;
  for (const Region& r : placed.shaft) close(r);
}

template <class Real>
double HeatBodies<Real>::gas_theta(const Probe& probe, double t_s) const {
  if (probe.source < 0) return probe.last_mean_theta;
  const auto& what = std::get<CryoprobeSource>(problem_.sources[std::size_t(probe.source)].what);
  const double part = what.ramp_s > 0 ? std::clamp((t_s - probe.from_s) / what.ramp_s, 0.0, 1.0) : 1;
  return probe.from_theta + part * (what.gas_degC - kReference_degC - probe.from_theta);
}

template <class Real>
void HeatBodies<Real>::place(HeatLevel<Real>& level, const std::vector<bool>& on, double t_s) {
  bodies_.clear();
  curves_.clear();
  moving_ = false;
  films_.clear();
  placed_.clear();
  // Sources that act come first: where steps of a protocol share their electrodes, the walls are theirs.
  for (const bool acting : {true, false})
    for (std::size_t n = 0; n < problem_.sources.size(); ++n) {
      if (on[n] != acting) continue;
      const auto& what = problem_.sources[n].what;
      if (const auto* fixed = std::get_if<FixedTemperatureSource>(&what)) {
        if (acting)
          hold(fixed->region, fixed->degC);
        else if (fixed->insulated_when_off)
          close(fixed->region);
      }
      if (std::holds_alternative<CryoprobeSource>(what)) add_probe(n, acting, t_s);
      const auto add_shaft = [&](const Region& shaft, const std::optional<double>& cooled_degC) {
        if (cooled_degC && acting)
          hold(shaft, {{0, *cooled_degC}});
        else
          close(shaft);
      };
      if (const auto* antenna = std::get_if<AntennaSource>(&what)) {
        add_shaft(shaft_of(*antenna), antenna->cooled_degC);
        if (const auto sleeve = sleeve_of(*antenna)) close(*sleeve);
      }
      if (const auto* light = std::get_if<LightSource>(&what))
        if (const auto shaft = shaft_of(*light)) add_shaft(*shaft, light->cooled_degC);
      if (const auto* set = std::get_if<ElectrodesSource>(&what)) {
        for (const Electrode& e : set->electrodes) {
          if (e.cooled_degC && acting)
            hold(e.region, {{0, *e.cooled_degC}});
          else if (!std::holds_alternative<Outside>(e.region.shape) && !is_line(e.region, problem_.grid()))
            close(e.region);  // a remote return electrode is tissue to the heat, and so is a thin tine
        }
        for (const Region& r : set->insulators) close(r);
      }
    }
  links_ = link_bodies(problem_.tissue_map.labels, bodies_, problem_.voxel_applicators);
  if (!level.covered.empty()) cover(level.grid, level.covered, links_);
  level.fixes =
      make_fixes<Real>(level.grid, links_, curves_.size(), problem_.voxel_applicators, level.covered);
  films_.link(level.grid, links_, problem_.voxel_applicators, !level.covered.empty());
  held_.clear();
  for (std::size_t c = 0; c < links_.owner.size(); ++c)
    if (links_.owner[c] != 0 && bodies_[std::size_t(links_.owner[c]) - 1].wall >= 0) held_.push_back(c);
  film_cells_.assign(films_.size(), {});
  for (std::size_t f = 0; f < films_.size(); ++f)
    for (const std::size_t c : held_)
      if (bodies_[std::size_t(links_.owner[c]) - 1].wall == films_.wall(f)) film_cells_[f].push_back(c);
  walls_degC_.assign(curves_.size(), std::nan(""));
}

template <class Real>
double HeatBodies<Real>::switch_to(HeatLevel<Real>& level, DoseField<Real>* dose, const std::vector<bool>& on,
                                   double t_s, bool first) {
  const std::vector<double> walls_before = walls_degC_;
  const std::vector<Body> bodies_before = bodies_;
  const std::vector<std::int16_t> owner_before = links_.owner;
  place(level, on, t_s);

  // Cells that change sides carry their heat with them.
  double taken_J = 0;
  const auto is_hole = [](const std::vector<std::int16_t>& owner, std::size_t c) {
    return !owner.empty() && owner[c] != 0;
  };
  level.hole.assign(links_.owner.empty() ? 0 : level.grid.count(), 0);
  if (!links_.owner.empty() || !owner_before.empty())
    for (std::size_t c = 0; c < level.grid.count(); ++c) {
      const bool was = is_hole(owner_before, c), is = is_hole(links_.owner, c);
      if (is) level.hole[c] = 1;
      if (was == is) continue;
      const Real start = level.can_rest ? level.theta_rest : Real(0);
      // Stored in the patch, or in the far field.
      const bool elsewhere = (!level.covered.empty() && level.covered[c] != 0) ||
                             (!first && !level.can_rest && !level.rows.holds(c));
      const auto stored = [&](Real u) {
        if (elsewhere) return 0.0;
        return double(u - start) / double(level.inverse_capacity[c]) * level.cell_volume_m3();
      };
      if (is) {
        if (!first) taken_J += stored(level.y[std::size_t(level.now)][c]);
        continue;
      }
      // What was metal is tissue now and begins at the temperature it was held at.
      const Body& body = bodies_before[std::size_t(owner_before[c]) - 1];
      if (body.wall >= 0) {
        const double T = walls_before[std::size_t(body.wall)];
        const double u = u_of_theta(problem_.tissue_map.tissues[level.label[c]], T - kReference_degC);
        for (auto& stage : level.y) stage[c] = Real(u);
        if (dose != nullptr) dose->restart(c, T, t_s);
      }
      taken_J -= stored(level.y[std::size_t(level.now)][c]);
    }
  set_walls(level, t_s, level.y[std::size_t(level.now)]);
  fill_holes(level);
  return taken_J;
}

template <class Real>
void HeatBodies<Real>::set_walls(HeatLevel<Real>& level, double t_s, const std::vector<Real>& u) {
  std::vector<double> gas;
  for (const std::size_t n : placed_) gas.push_back(gas_theta(probes_[n], t_s));
  films_.update(level, u, gas);
  for (std::size_t f = 0; f < films_.size(); ++f) {
    probes_[placed_[f]].last_mean_theta = films_.state(f).mean_theta;
    walls_degC_[std::size_t(films_.wall(f))] = films_.state(f).mean_theta + kReference_degC;
  }
  const auto has_film = [&](std::size_t w) {
    for (std::size_t f = 0; f < films_.size(); ++f)
      if (films_.wall(f) == int(w)) return true;
    return false;
  };
  bool changed = false;
  for (std::size_t w = 0; w < curves_.size(); ++w) {
    if (has_film(w)) continue;
    const double T = value_at(curves_[w], t_s + skipped_s_);
    changed = changed || T != walls_degC_[w];
    walls_degC_[w] = T;
    level.fixes.wall_theta[w] = Real(T - kReference_degC);
  }
  if (!changed) return;
  const auto nx = std::size_t(level.grid.size[0]);
  for (std::size_t row = 0; row + 1 < level.fixes.wall_begin.size(); ++row)
    for (std::size_t n = level.fixes.wall_begin[row]; n < level.fixes.wall_begin[row + 1]; ++n) {
      WallFix<Real>& fix = level.fixes.walls[n];
      if (has_film(std::size_t(fix.wall))) continue;
      const std::size_t c = row * nx + std::size_t(fix.i);
      fix.k_wall = conductivity(level.table, level.label[c], level.fixes.wall_theta[std::size_t(fix.wall)]);
      if (level.conductivity_factor != nullptr) fix.k_wall *= Real(level.conductivity_factor[c]);
    }
}

template <class Real>
void HeatBodies<Real>::fill_holes(HeatLevel<Real>& level) const {
  if (links_.owner.empty()) return;
  std::vector<std::array<Real, 256>> u(curves_.size());
  const auto& tissues = problem_.tissue_map.tissues;
  for (std::size_t w = 0; w < curves_.size(); ++w)
    for (std::size_t n = 0; n < tissues.size(); ++n)
      u[w][n] = Real(u_of_theta(tissues[n], walls_degC_[w] - kReference_degC));
  for (const std::size_t c : held_) {
    const int wall = bodies_[std::size_t(links_.owner[c]) - 1].wall;
    for (auto& stage : level.y) stage[c] = u[std::size_t(wall)][level.label[c]];
    if (!level.theta.empty()) level.theta[c] = Real(walls_degC_[std::size_t(wall)] - kReference_degC);
  }
}

template <class Real>
void HeatBodies<Real>::fill_ghosts(HeatLevel<Real>& level) const {
  const Real* theta = level.theta_now();
  for (std::size_t n = 0; n < links_.ghosts.size();) {
    const std::size_t taken = links_.ghosts[n].taken;
    double sum = 0;
    int count = 0;
    for (; n < links_.ghosts.size() && links_.ghosts[n].taken == taken; ++n, ++count) {
      const BodyLinks::Ghost& g = links_.ghosts[n];
      const auto wall = double(Real(walls_degC_[std::size_t(g.wall)] - kReference_degC));
      sum += wall + g.ratio * (double(theta[g.cell]) - wall);
    }
    const double mean = sum / count;
    const double u = u_of_theta(problem_.tissue_map.tissues[level.label[taken]], mean);
    for (auto& stage : level.y) stage[taken] = Real(u);
    if (!level.theta.empty()) level.theta[taken] = Real(mean);
  }
}

template <class Real>
std::optional<double> HeatBodies<Real>::wall_degC(const Eigen::Vector3d& x_mm) const {
  for (const Body& b : bodies_)
    if (b.wall >= 0 && contains(b.region, x_mm)) return walls_degC_[std::size_t(b.wall)];
  return std::nullopt;
}

template <class Real>
void HeatBodies<Real>::record(double t_s, DoseField<Real>* dose, std::optional<CryoHistory>* kept) const {
  if (probes_.empty()) return;
  if (kept != nullptr) {
    if (!*kept) {
      kept->emplace();
      (*kept)->probes.resize(probes_.size());
    }
    (*kept)->times_s.push_back(t_s);
  }
  for (std::size_t f = 0; f < films_.size(); ++f) {
    const auto& state = films_.state(f);
    for (const std::size_t c : film_cells_[f]) {
      if (dose == nullptr) break;
      dose->restart(c, state.mean_theta + kReference_degC, t_s);
      if (dose->freezes) dose->freezes->add(c, state.mean_theta + kReference_degC);
    }
    if (kept == nullptr) continue;
    CryoHistory::Probe& p = (*kept)->probes[placed_[f]];
    p.extraction_W.push_back(state.extraction_W);
    p.gas_degC.push_back(probes_[placed_[f]].source < 0 ? std::nan("") : state.gas_theta + kReference_degC);
    p.wall_degC.push_back(state.mean_theta + kReference_degC);
    if (state.coldest_theta + kReference_degC < 0)
      p.free_from_s.reset();
    else if (!p.free_from_s)
      p.free_from_s = t_s;
  }
}

template <class Real>
void HeatBodies<Real>::see_films(const HeatLevel<Real>& level) {
  const Real* theta = level.theta_now();
  for (std::size_t f = 0; f < films_.size(); ++f) {
    Probe& probe = probes_[placed_[f]];
    const Eigen::Vector3d back = (probe.entry_mm - probe.tip_mm).normalized();
    double sum = 0, coldest = HUGE_VAL;
    int count = 0;
    const auto see = [&](const std::array<int, 3>& at) {
      const std::size_t c = level.grid.index(at[0], at[1], at[2]);
      if (level.is_hole(c)) return false;
      sum += double(theta[c]);
      coldest = std::min(coldest, double(theta[c]));
      ++count;
      return true;
    };
    for (double along_mm = probe.from_tip_mm; along_mm <= probe.to_tip_mm; along_mm += kAlong_mm) {
      const std::array<int, 3> at = level.grid.nearest(probe.tip_mm + along_mm * back);
      if (see(at)) continue;
      // The probe has taken the cell out: what is beside it.
      for (std::size_t a = 0; a < 3; ++a)
        for (const int side : {-1, 1}) {
          std::array<int, 3> beside = at;
          beside[a] = std::clamp(at[a] + side, 0, level.grid.size[a] - 1);
          see(beside);
        }
    }
    if (count == 0) continue;
    films_.set_state(f, {0, 0, sum / count, coldest});
    probe.last_mean_theta = sum / count;
  }
}

template <class Real>
void HeatBodies<Real>::take_films(const HeatBodies& other, bool all) {
  films_.take_states(other.films_, all);
  for (std::size_t f = 0; f < films_.size(); ++f) {
    probes_[placed_[f]].last_mean_theta = films_.state(f).mean_theta;
    walls_degC_[std::size_t(films_.wall(f))] = films_.state(f).mean_theta + kReference_degC;
  }
}

template <class Real>
bool HeatBodies<Real>::surroundings(const Grid& grid, std::array<int, 3>& low,
                                    std::array<int, 3>& high) const {
  low = grid.size;
  high = {0, 0, 0};
  for (const BodyLinks::Wall& w : links_.walls) {
    const auto nx = std::size_t(grid.size[0]), ny = std::size_t(grid.size[1]);
    const std::array<int, 3> c{int(w.cell % nx), int(w.cell / nx % ny), int(w.cell / (nx * ny))};
    for (std::size_t a = 0; a < 3; ++a) {
      low[a] = std::min(low[a], c[a] - 1);
      high[a] = std::max(high[a], c[a] + 2);
    }
  }
  return !links_.walls.empty();
}

template <class Real>
void HeatBodies<Real>::exchange_state(Archive& archive, HeatLevel<Real>& level, const std::vector<bool>& on,
                                      double t_s) {
  if (archive.reading()) place(level, on, t_s);
  archive(skipped_s_);
  for (Probe& p : probes_) archive(p.last_mean_theta, p.source, p.from_s, p.from_theta);
  if (archive.reading()) set_walls(level, t_s, level.y[std::size_t(level.now)]);
}

template class HeatBodies<float>;
template class HeatBodies<double>;

}  // namespace spinetherm
