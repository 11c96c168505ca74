// SPDX-License-Identifier: Apache-2.0
#include "thermal/radiation_drive.h"

#include <variant>

#include "imaging/core/error.h"
#include "imaging/core/units.h"
#include "thermal/antenna_cache.h"
#include "thermal/archive.h"
#include "thermal/radiator_shaft.h"

namespace spinetherm {
namespace {

using Eigen::Vector3d;

PlacedAntenna placed(const AntennaSource& s) { return {s.antenna, s.entry_mm, s.tip_mm}; }

bool same_field(const Source& a, const Source& b) {
  if (a.what.index() != b.what.index()) return false;
  if (const auto* x = std::get_if<AntennaSource>(&a.what)) {
    AntennaSource y = std::get<AntennaSource>(b.what);
    y.power_W = x->power_W;
    return *x == y;
  }
  LightSource y = std::get<LightSource>(b.what);
  const auto& x = std::get<LightSource>(a.what);
  y.power_W = x.power_W;
  return x == y;
}

/// Factor of a shield on the power density at a point: 1 in the mean over all angles. Its edge is smooth over
/// 20 degrees.
class ShieldFactor {
 public:
  explicit ShieldFactor(const AntennaSource& source) : source_(source) {
    const Vector3d back = (source.entry_mm - source.tip_mm).normalized();
    const Vector3d across = source.shield->towards - source.shield->towards.dot(back) * back;
    towards_ = across.norm() > 0 ? Vector3d(across.normalized()) : Vector3d(back.unitOrthogonal());
    back_ = back;
    constexpr int kAngles = 720;
    double mean = 0;
    for (int n = 0; n < kAngles; ++n) mean += at_angle(kPi * (n + 0.5) / kAngles) / kAngles;
    scale_ = 1 / mean;
  }
  double operator()(const Vector3d& x_mm) const {
    const Vector3d from_tip = x_mm - source_.tip_mm, across = from_tip - from_tip.dot(back_) * back_;
    const double r = across.norm();
    return scale_ * at_angle(r > 0 ? std::acos(std::clamp(across.dot(towards_) / r, -1.0, 1.0)) : 0);
  }

 private:
  double at_angle(double from_middle) const {
    constexpr double kEdge = 20 * kPi / 180;
    const double half = source_.shield->width_deg / 2 * kPi / 180;
    const double open = std::clamp((from_middle - half) / kEdge + 0.5, 0.0, 1.0);
    return source_.shield->leak + (1 - source_.shield->leak) * open * open * (3 - 2 * open);
  }
  const AntennaSource& source_;
  Vector3d towards_, back_;
  double scale_ = 1;
};

/// Half the square of the field is what a siemens per metre takes.
Volume<float> halved_squared_field(const Grid& grid, const AntennaSource& source, const AntennaField& field) {
  Volume<float> out = squared_field(grid, placed(source), field);
  for (float& x : out.values) x /= 2;
  if (!source.shield) return out;
  const ShieldFactor factor(source);
  for (int k = 0; k < grid.size[2]; ++k)
    for (int j = 0; j < grid.size[1]; ++j)
      for (int i = 0; i < grid.size[0]; ++i) out(i, j, k) *= float(factor(grid.to_world(i, j, k)));
  return out;
}

/// Cells whose middle lies in a shaft that passes no heat are no tissue: what they would take goes to the
/// others. A cooled wall takes its part itself.
void leave_out(const Region& shaft, Volume<float>& field) {
  const Grid& grid = field.grid;
  for (int k = 0; k < grid.size[2]; ++k)
    for (int j = 0; j < grid.size[1]; ++j)
      for (int i = 0; i < grid.size[0]; ++i)
        if (field(i, j, k) != 0 && contains(shaft, grid.to_world(i, j, k))) field(i, j, k) = 0;
}

/// Rings of the finer grid near the antenna's mouth, of the other one elsewhere.
DielectricAround nested(DielectricAround outer, DielectricAround inner, double radius_mm, double to_z_mm) {
  return [outer = std::move(outer), inner = std::move(inner), radius_mm, to_z_mm](double r_mm, double z_mm) {
    return r_mm < radius_mm && z_mm > -radius_mm && z_mm < to_z_mm ? inner(r_mm, z_mm) : outer(r_mm, z_mm);
  };
}
/// So far from the slot a patch holds what is around the antenna.
constexpr double kPatched_mm = 5;

}  // namespace

RadiationDrive::RadiationDrive(const ThermalProblem& problem, const ThermalProblem* patch,
                               const std::vector<std::uint8_t>& covered, int threads)
    : problem_(problem), threads_(threads) {
  for (std::size_t n = 0; n < problem.sources.size(); ++n) {
    const auto& what = problem.sources[n].what;
    if (!std::holds_alternative<AntennaSource>(what) && !std::holds_alternative<LightSource>(what)) continue;
    const auto same = std::find_if(fields_.begin(), fields_.end(), [&](const Field& f) {
      return same_field(problem.sources[f.source], problem.sources[n]);
    });
    drives_.push_back({n, std::size_t(same - fields_.begin()), false});
    if (same != fields_.end()) continue;
    Field f;
    f.source = n;
    f.parts.resize(patch != nullptr ? 2 : 1);
    f.parts[0].problem = &problem;
    if (patch != nullptr) {
      f.parts[0].covered = covered;
      f.parts[1].problem = patch;
    }
    fields_.push_back(std::move(f));
  }
}

bool RadiationDrive::is_antenna(const Field& f) const {
  return std::holds_alternative<AntennaSource>(problem_.sources[f.source].what);
}

double RadiationDrive::generator_W(const Drive& d) const {
  const auto& what = problem_.sources[d.source].what;
  if (const auto* antenna = std::get_if<AntennaSource>(&what)) return antenna->power_W;
  return std::get<LightSource>(what).power_W;
}

bool RadiationDrive::acting() const {
  return std::any_of(drives_.begin(), drives_.end(), [](const Drive& d) { return d.on; });
}

void RadiationDrive::switch_to(const std::vector<bool>& on) {
  for (Drive& d : drives_) d.on = on[d.source];
}

RadiationDrive::Coefficients RadiationDrive::coefficients(const Field& f, const Part& part, std::size_t cell,
                                                          float state) const {
  const Tissue& tissue = problem_.tissue_map.tissues[part.problem->tissue_map.labels[cell]];
  const auto& what = problem_.sources[f.source].what;
  if (const auto* antenna = std::get_if<AntennaSource>(&what)) {
    const Dielectric d = heated(*microwave_of(tissue, antenna->antenna.frequency_MHz), double(state));
    return {float(d.conductivity_S_per_m), float(d.relative_permittivity)};
  }
  const OpticalProperties o =
      coagulated(*optical_of(tissue, std::get<LightSource>(what).wavelength_nm), double(state));
  return {float(o.absorption_per_m), float(1 / (3 * (o.absorption_per_m + o.reduced_scattering_per_m)))};
}

bool RadiationDrive::follow(Field& f, const std::vector<std::vector<float>>& state, double& change) const {
  double taken_W = f.unlit_W, weighted_change = 0, moved_W = 0;
  std::vector<std::vector<float>> taken(f.parts.size());
  for (std::size_t p = 0; p < f.parts.size(); ++p) {
    const Part& part = f.parts[p];
    taken[p].resize(part.lit.size());
    std::vector<float> changes(part.lit.size());
#pragma omp parallel for num_threads(threads_) schedule(static)
    for (std::ptrdiff_t m = 0; m < std::ptrdiff_t(part.lit.size()); ++m) {
      const auto n = std::size_t(m);
      const Coefficients now = coefficients(f, part, part.lit[n], state[p][n]);
      taken[p][n] = now.absorption * part.field[part.lit[n]];
      changes[n] = std::max(std::abs(now.absorption / part.absorption[n] - 1),
                            std::abs(now.spread / part.spread[n] - 1));
    }
    for (std::size_t n = 0; n < part.lit.size(); ++n) {
      if (!part.counts(part.lit[n])) continue;
      const double q = double(taken[p][n]) * part.cell_m3();
      taken_W += q;
      weighted_change += q * double(changes[n]);
    }
  }
  change = taken_W > 0 ? weighted_change / taken_W : kSolveAtOnce;
  if (!(taken_W > 0)) return false;
  const double scale = f.brought_W / taken_W;
  for (std::size_t p = 0; p < f.parts.size(); ++p)
    for (std::size_t n = 0; n < taken[p].size(); ++n)
      if (f.parts[p].counts(f.parts[p].lit[n]))
        moved_W += std::abs(scale * double(taken[p][n]) - double(f.parts[p].taken[n])) * f.parts[p].cell_m3();
  if (moved_W < kFollow * f.brought_W) return false;
  for (std::size_t p = 0; p < f.parts.size(); ++p) {
    Part& part = f.parts[p];
    for (std::size_t n = 0; n < taken[p].size(); ++n) {
      const std::size_t c = part.lit[n];
      part.taken[n] = float(scale * double(taken[p][n]));
      part.unit[c] = part.taken[n] + (part.shaft.empty() ? 0 : part.shaft[c]);
    }
  }
  return true;
}

void RadiationDrive::solve(Field& f, const std::vector<std::vector<float>>& state, const Progress& progress) {
  summary_ = {Termination::converged, ""};
  ++solves_;
  if (!(is_antenna(f) ? solve_antenna_field(f, state) : solve_light_field(f, state, progress))) {
    --solves_;
    return;
  }
  find_lit(f, state);
  f.solved = true;
}

bool RadiationDrive::solve_antenna_field(Field& f, const std::vector<std::vector<float>>& state) {
  const auto& source = std::get<AntennaSource>(problem_.sources[f.source].what);
  const PlacedAntenna antenna = placed(source);
  const auto around = [&](std::size_t p) {
    return mean_around(f.parts[p].problem->grid(), antenna, [&, p](std::size_t c) {
      const Coefficients at = coefficients(f, f.parts[p], c, state[p][c]);
      return Dielectric{double(at.spread), double(at.absorption)};
    });
  };
  DielectricAround tissue = around(0);
  if (f.parts.size() > 1)
    tissue = nested(std::move(tissue), around(1), kPatched_mm, source.antenna.slot_to_tip_mm + kPatched_mm);
  std::shared_ptr<const AntennaField> field;
  try {
    field = cached_antenna_field(source.antenna, tissue);
  } catch (const ConfigError& e) {
    summary_ = {Termination::not_converged, e.what()};
    return false;
  }
  for (Part& p : f.parts) {
    p.field = halved_squared_field(p.problem->grid(), source, *field);
    if (!source.cooled_degC) leave_out(shaft_of(source), p.field);
    if (const auto sleeve = sleeve_of(source)) leave_out(*sleeve, p.field);
  }
  const double in_box_W = absorbed_in_box_W(problem_.grid(), antenna, *field);
  const double through = 1 - source.cable_loss;
  f.reflected = through * through * field->reflected_W;
  f.cable = source.cable_loss * (1 + through * field->reflected_W);
  f.absorbed = through * in_box_W;
  f.radiated = through * (1 - field->reflected_W - in_box_W);
  f.brought_W = f.absorbed;
  place_shaft_heat(f, source.cooled_degC ? 0 : f.cable);
  return true;
}

/// The cable's heat in the box: evenly over the cells beside the shaft behind the slot. What lies outside of
/// the box is left out, and so is that of a cooled shaft.
void RadiationDrive::place_shaft_heat(Field& f, double cable_W) const {
  const auto& source = std::get<AntennaSource>(problem_.sources[f.source].what);
  const PlacedAntenna antenna = placed(source);
  const double from_mm = source.antenna.slot_to_tip_mm, to_mm = (source.entry_mm - source.tip_mm).norm();
  std::vector<std::vector<std::size_t>> beside(f.parts.size());
  double volume_m3 = 0, last_mm = from_mm;
  for (std::size_t p = 0; p < f.parts.size(); ++p) {
    Part& part = f.parts[p];
    part.shaft.clear();
    const Grid& grid = part.problem->grid();
    const double thick_mm = grid.spacing_mm.maxCoeff();
    for (int k = 0; cable_W > 0 && k < grid.size[2]; ++k)
      for (int j = 0; j < grid.size[1]; ++j)
        for (int i = 0; i < grid.size[0]; ++i) {
          const auto [r, z] = antenna.r_z_mm(grid.to_world(i, j, k));
          if (z < from_mm || z > to_mm || source.antenna.holds(r, z) ||
              !source.antenna.holds(r - thick_mm, z))
            continue;
          beside[p].push_back(grid.index(i, j, k));
          last_mm = std::min(std::max(last_mm, z + thick_mm / 2), to_mm);
          if (part.counts(beside[p].back())) volume_m3 += part.cell_m3();
        }
  }
  if (!(volume_m3 > 0)) return;
  const double share = (last_mm - from_mm) / (to_mm - from_mm);
  for (std::size_t p = 0; p < f.parts.size(); ++p) {
    f.parts[p].shaft.assign(f.parts[p].problem->grid().count(), 0);
    for (const std::size_t c : beside[p]) f.parts[p].shaft[c] = float(cable_W * share / volume_m3);
  }
}

bool RadiationDrive::solve_light_field(Field& f, const std::vector<std::vector<float>>& state,
                                       const Progress& progress) {
  const auto& source = std::get<LightSource>(problem_.sources[f.source].what);
  const Part& whole = f.parts.front();
  const auto of_cell = [&](std::size_t c) {
    const Tissue& tissue = problem_.tissue_map.tissues[problem_.tissue_map.labels[c]];
    return coagulated(*optical_of(tissue, source.wavelength_nm), double(state[0][c]));
  };
  LightField light =
      solve_light(whole.problem->grid(), source, of_cell, threads_, progress, f.solved ? &f.light : nullptr);
  if (light.summary.termination != Termination::converged) {
    summary_ = {light.summary.termination, light.summary.termination == Termination::cancelled
                                               ? "cancelled"
                                               : "the light did not settle"};
    return false;
  }
  f.light = std::move(light);
  const std::optional<Region> shaft = source.cooled_degC ? std::nullopt : shaft_of(source);
  for (Part& p : f.parts) {
    p.field = fluence(p.problem->grid(), source, f.light, whole.problem->grid(), threads_);
    if (shaft) leave_out(*shaft, p.field);
  }
  f.absorbed = f.brought_W = f.light.absorbed_W;
  f.radiated = f.light.escaped_W;
  return true;
}

void RadiationDrive::find_lit(Field& f, const std::vector<std::vector<float>>& state) const {
  constexpr double kLit = 1e-3;
  float most = 0;
  double all_W = 0;
  for (std::size_t p = 0; p < f.parts.size(); ++p) {
    Part& part = f.parts[p];
    part.unit = Volume<float>(part.problem->grid());
    std::vector<float>& unit = part.unit.values;
#pragma omp parallel for num_threads(threads_) schedule(static)
    for (std::ptrdiff_t m = 0; m < std::ptrdiff_t(unit.size()); ++m) {
      const auto c = std::size_t(m);
      if (part.field[c] > 0) unit[c] = coefficients(f, part, c, state[p][c]).absorption * part.field[c];
    }
    for (std::size_t c = 0; c < unit.size(); ++c) {
      most = std::max(most, unit[c]);
      if (part.counts(c)) all_W += double(unit[c]) * part.cell_m3();
    }
  }
  const double scale = all_W > 0 ? f.brought_W / all_W : 0;
  f.unlit_W = all_W;
  for (std::size_t p = 0; p < f.parts.size(); ++p) {
    Part& part = f.parts[p];
    part.lit.clear();
    part.absorption.clear();
    part.spread.clear();
    part.taken.clear();
    for (std::size_t c = 0; c < part.unit.values.size(); ++c) {
      const float q = part.unit[c], scaled = float(scale * double(q));
      part.unit[c] = scaled + (part.shaft.empty() ? 0 : part.shaft[c]);
      if (!(double(q) > kLit * double(most))) continue;
      if (part.counts(c)) f.unlit_W -= double(q) * part.cell_m3();
      const Coefficients at = coefficients(f, part, c, state[p][c]);
      part.lit.push_back(c);
      part.absorption.push_back(at.absorption);
      part.spread.push_back(at.spread);
      part.taken.push_back(scaled);
    }
  }
  f.unlit_W = std::max(f.unlit_W, 0.0);
}

double RadiationDrive::power_W() const {
  double sum = 0;
  for (const Drive& d : drives_)
    if (d.on) sum += generator_W(d);
  return sum;
}

std::vector<UnitHeating> RadiationDrive::heating(std::size_t part, std::size_t first) const {
  std::vector<UnitHeating> list;
  for (std::size_t n = 0; n < drives_.size(); ++n) {
    const Field& f = fields_[drives_[n].field];
    if (drives_[n].on && f.solved)
      list.push_back({first + n, generator_W(drives_[n]), f.parts[part].unit.values.data()});
  }
  return list;
}

void RadiationDrive::record(double t_s, RadiationHistory& history) const {
  history.times_s.push_back(t_s);
  history.sources.resize(fields_.size());
  for (std::size_t n = 0; n < fields_.size(); ++n) {
    double power = 0;
    for (const Drive& d : drives_)
      if (d.on && d.field == n) power += generator_W(d);
    RadiationHistory::Source& s = history.sources[n];
    const Field& f = fields_[n];
    s.power_W.push_back(power);
    s.reflected_W.push_back(power * f.reflected);
    s.cable_W.push_back(power * f.cable);
    s.absorbed_W.push_back(power * f.absorbed);
    s.radiated_W.push_back(power * f.radiated);
  }
}

void RadiationDrive::add_power_W_per_m3(Volume<float>& power) const {
  for (const UnitHeating& h : heating(0, 0)) {
    if (power.empty()) power = Volume<float>(problem_.grid());
    for (std::size_t c = 0; c < power.values.size(); ++c) power[c] += float(h.scale) * h.unit_W_per_m3[c];
  }
}

void RadiationDrive::exchange_state(Archive& archive) {
  for (Field& f : fields_) {
    archive(f.solved, f.solved_s, f.reflected, f.cable, f.absorbed, f.radiated, f.unlit_W, f.brought_W);
    archive(f.light.beside, f.light.like_beside, f.light.correction, f.light.absorbed_W, f.light.escaped_W);
    for (Part& p : f.parts) archive(p.field, p.unit, p.lit, p.absorption, p.spread, p.taken, p.shaft);
  }
  for (Drive& d : drives_) archive(d.on);
  archive(summary_.termination, summary_.message, solves_);
}

}  // namespace spinetherm
