// SPDX-License-Identifier: Apache-2.0
#include "thermal/electrode_drive.h"

#include <algorithm>
#include <cmath>

#include "thermal/tissue_law.h"

namespace spinetherm {

SigmaTable::SigmaTable(const TissueMap& map) {
  for (const Tissue& t : map.tissues) {
    std::vector<float> row;
    if (t.electrical_S_per_m)
      for (float T = kLow_degC; T <= kHigh_degC + kStep_K; T += kStep_K)
        row.push_back(float(electrical_S_per_m(t, double(T))));
    rows_.push_back(std::move(row));
  }
}

float SigmaTable::operator()(std::uint8_t label, float T_degC) const {
  const std::vector<float>& row = rows_[label];
  const float x = (std::clamp(T_degC, kLow_degC, kHigh_degC) - kLow_degC) / kStep_K;
  const auto n = std::size_t(x);
  return row[n] + (x - float(n)) * (row[n + 1] - row[n]);
}

ElectrodeDrive::ElectrodeDrive(const ThermalProblem& problem, int threads)
    : problem_(problem), threads_(threads), sigma_table_(problem.tissue_map) {
  for (std::size_t n = 0; n < problem.sources.size(); ++n) {
    const auto* s = std::get_if<ElectrodesSource>(&problem.sources[n].what);
    if (s == nullptr) continue;
    Drive d;
    d.source = n;
    if (const auto* hold = std::get_if<HoldTemperature>(&s->control)) d.hold.emplace(*hold);
    if (s->roll_off) d.roll_off.emplace(*s->roll_off);
    const auto same = std::find_if(fields_.begin(), fields_.end(), [&](const Field& f) {
      const auto& o = std::get<ElectrodesSource>(problem.sources[f.source].what);
      return o.electrodes == s->electrodes && o.insulators == s->insulators &&
             o.outer_grounded == s->outer_grounded;
    });
    d.field = std::size_t(same - fields_.begin());
    if (same == fields_.end()) {
      fields_.emplace_back();
      fields_.back().source = n;
      // Here, so that a problem that cannot be meant is refused before the first step.
      fields_.back().field =
          std::make_unique<ElectricField>(problem.grid(), *s, problem.voxel_applicators, threads);
    }
    drives_.push_back(std::move(d));
  }
}

void ElectrodeDrive::switch_to(const std::vector<bool>& on) {
  for (Drive& d : drives_) {
    const bool begins = on[d.source] && !d.on;
    d.on = on[d.source];
    if (!d.on) d.power_W = 0;
    if (!begins || !d.hold || !last_on_) continue;
    // The next step of a protocol goes on with what the controller has learnt.
    const Drive& before = drives_[*last_on_];
    if (before.field != d.field || !before.hold ||
        before.hold->target().sensor_mm != d.hold->target().sensor_mm)
      continue;
    const HoldTemperature target = d.hold->target();
    d.hold = before.hold;
    d.hold->retarget(target);
  }
}

void ElectrodeDrive::solve(Field& f, const Progress& progress) {
  // The first potential is that of the problem; later ones differ from it by what a few kelvin do, and the
  // power is the control's: they need only the shape.
  constexpr double kFirst = 1e-6, kLater = 1e-4;
  Progress quiet;
  quiet.stop = progress.stop;
  summary_ = f.field->solve(f.sigma, f.solved ? kLater : kFirst, quiet);
  f.solved = true;
  ++solves_;
  f.power = f.field->power_W_per_m3();
  const float largest = *std::max_element(f.power.values.begin(), f.power.values.end());
  f.powered.clear();
  for (std::size_t c = 0; c < f.power.values.size(); ++c)
    if (f.power[c] > 1e-3F * largest && f.sigma[c] > 0) f.powered.push_back(c);
  f.ratio.assign(f.powered.size(), 1);
  f.growth = 1;
}

double ElectrodeDrive::controlled_power_W(Drive& d, double t_s, double sensor_degC) {
  const Field& field = fields_[d.field];
  const auto& control = source(d).control;
  double power = power_W(field);  // constant voltage
  if (const auto* constant = std::get_if<ConstantPower>(&control)) power = constant->power_W;
  if (d.hold) power = d.hold->power_W(t_s, sensor_degC);
  if (!(power_W(field) > 0)) power = 0;  // no current can flow at any voltage
  if (d.roll_off && d.roll_off->is_off(t_s, resistance_ohm(field))) power = 0;
  return power;
}

std::optional<double> ElectrodeDrive::period_s() const {
  std::optional<double> period;
  const auto take = [&](double s) { period = std::min(period.value_or(s), s); };
  for (const Drive& d : drives_) {
    if (!d.on) continue;
    if (d.hold) take(d.hold->period_s());
    if (d.roll_off) take(1.0);
  }
  return period;
}

std::vector<ElectrodeDrive::Heating> ElectrodeDrive::heating() const {
  std::vector<Heating> list;
  for (const Drive& d : drives_) {
    if (!d.on || d.power_W <= 0) continue;
    const Field& f = fields_[d.field];
    list.push_back({d.power_W / f.field->power_W(), f.power.values.data()});
  }
  return list;
}

void ElectrodeDrive::record(double t_s, ElectricalHistory& history) const {
  double power = 0, current = 0;
  std::optional<double> resistance;
  int acting = 0;
  for (const Drive& d : drives_) {
    if (!d.on) continue;
    const Field& field = fields_[d.field];
    power += d.power_W;
    // I = I_solved sqrt(P / P_solved) where the resistance is that of the last solve, R = R_solved / growth.
    if (power_W(field) > 0)
      current += field.field->current_A() * field.growth * std::sqrt(d.power_W / power_W(field));
    resistance = resistance_ohm(field);
    ++acting;
  }
  if (!resistance) return;  // nothing to measure with
  if (acting > 1 && current > 0) resistance = power / (current * current);
  history.times_s.push_back(t_s);
  history.power_W.push_back(power);
  history.current_A.push_back(current);
  history.resistance_ohm.push_back(*resistance);
  history.voltage_V.push_back(current > 0 ? power / current : 0);
}

Volume<float> ElectrodeDrive::potential_V() const {
  if (!last_on_) return {};
  Volume<float> v = fields_[drives_[*last_on_].field].field->potential_V();
  for (float& x : v.values) x *= float(last_scale_);
  return v;
}

Volume<float> ElectrodeDrive::power_W_per_m3() const {
  if (!last_on_) return {};
  Volume<float> q = fields_[drives_[*last_on_].field].power;
  for (float& x : q.values) x *= float(last_scale_ * last_scale_);
  return q;
}

}  // namespace spinetherm
