// SPDX-License-Identifier: Apache-2.0
#include "thermal/electrode_drive.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "thermal/archive.h"
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

ElectrodeDrive::ElectrodeDrive(const ThermalProblem& problem, const ThermalProblem* patch,
                               const std::vector<std::uint8_t>& covered, int threads, bool repeatable)
    : problem_(problem),
      covered_(covered),
      threads_(threads),
      repeatable_(repeatable),
      sigma_table_(problem.tissue_map) {
  for (std::size_t n = 0; n < problem.sources.size(); ++n) {
    const auto* s = std::get_if<ElectrodesSource>(&problem.sources[n].what);
    if (s == nullptr) continue;
    Drive d;
    d.source = n;
    const auto add_channel = [&](const ElectrodeControl& control, const std::optional<RollOff>& roll_off,
                                 std::optional<int> output) {
      Channel c;
      c.output = output ? std::size_t(*output) : d.channels.size();
      outputs_ = std::max(outputs_, c.output + 1);
      c.control = control;
      if (const auto* hold = std::get_if<HoldTemperature>(&control)) c.hold.emplace(*hold);
      if (roll_off) c.roll_off.emplace(*roll_off);
      d.channels.push_back(std::move(c));
    };
    for (const ElectrodeChannel& c : s->channels) add_channel(c.control, c.roll_off, c.output);
    if (s->channels.empty()) add_channel(s->control, s->roll_off, {});
    const auto same = std::find_if(fields_.begin(), fields_.end(), [&](const Field& f) {
      const auto& o = std::get<ElectrodesSource>(problem.sources[f.source].what);
      const auto same_members = [](const ElectrodeChannel& a, const ElectrodeChannel& b) {
        return a.electrodes == b.electrodes;
      };
      return o.electrodes == s->electrodes && o.insulators == s->insulators &&
             o.outer_grounded == s->outer_grounded &&
             std::equal(o.channels.begin(), o.channels.end(), s->channels.begin(), s->channels.end(),
                        same_members);
    });
    d.field = std::size_t(same - fields_.begin());
    if (same == fields_.end()) {
      fields_.emplace_back();
      fields_.back().source = n;
      // Here, so that a problem that cannot be meant is refused before the first step.
      Part whole;
      whole.problem = &problem;
      whole.field = std::make_unique<ElectricField>(problem.grid(), *s, problem.voxel_applicators, threads);
      fields_.back().parts.push_back(std::move(whole));
      if (patch != nullptr) {
        Part part;
        part.problem = patch;
        part.field =
            std::make_unique<ElectricField>(ElectricField::part_of(fields_.back().whole(), patch->grid()));
        fields_.back().parts.push_back(std::move(part));
      }
    }
    drives_.push_back(std::move(d));
  }
}

void ElectrodeDrive::switch_to(const std::vector<bool>& on) {
  for (Drive& d : drives_) {
    const bool begins = on[d.source] && !d.on;
    d.on = on[d.source];
    if (!d.on) {
      d.power_W = 0;
      for (Channel& c : d.channels) c.power_W = 0;
    }
    if (!begins || !last_on_) continue;
    // The next step of a protocol goes on with what the controllers have learnt.
    for (Channel& channel : d.channels)
      for (const Channel& before : drives_[*last_on_].channels) {
        std::optional<HoldController>& hold = channel.hold;
        if (before.output != channel.output || !hold || !before.hold ||
            before.hold->target().sensor_mm != hold->target().sensor_mm)
          continue;
        const HoldTemperature target = hold->target();
        hold = before.hold;
        hold->retarget(target);
      }
  }
}

void ElectrodeDrive::solve(Field& f, const Progress& progress) {
  // The first potential is that of the problem; later ones differ from it by what a few kelvin do, and the
  // power is the control's: they need only the shape.
  constexpr double kFirst = 1e-6, kLater = 1e-4;
  Progress quiet;
  quiet.stop = progress.stop;
  const double tolerance = f.solved ? kLater : kFirst;
  // One that was cancelled goes on with the part where it was: a second solve of another would end elsewhere.
  if (f.next_part < f.from_part) f.next_part = f.from_part;
  for (; f.next_part < f.parts.size(); ++f.next_part) {
    const std::size_t p = f.next_part;
    if (p > 0 && f.from_part == 0) f.parts[p].field->take_outer_potential(f.whole());
    summary_ = f.parts[p].field->solve(f.parts[p].sigma, tolerance, quiet, repeatable_);
    if (repeatable_ && summary_.termination == Termination::cancelled) return;
    if (!summary_.usable()) break;
  }
  f.next_part = 0;
  f.solved = true;
  ++solves_;
  // The cells that matter whichever channel acts.
  const std::vector<double> scale(f.whole().scale().begin(),
                                  f.whole().scale().begin() + std::ptrdiff_t(f.whole().channels()));
  f.whole().drive(std::vector<double>(scale.size(), 1.0));
  take_power(f);
  float largest = 0;
  for (const Part& part : f.parts)
    largest = std::max(largest, *std::max_element(part.power.values.begin(), part.power.values.end()));
  for (std::size_t p = f.from_part; p < f.parts.size(); ++p) {
    Part& part = f.parts[p];
    part.powered.clear();
    for (std::size_t c = 0; c < part.power.values.size(); ++c) {
      const bool covered = p == 0 && !covered_.empty() && covered_[c] != 0;
      if (part.power[c] > 1e-3F * largest && part.sigma[c] > 0 && !covered) part.powered.push_back(c);
    }
    part.ratio.assign(part.powered.size(), 1);
  }
  f.growth = 1;
  if (scale.size() < 2) return;
  f.whole().drive(scale);
  take_power(f);
}

void ElectrodeDrive::take_power(Field& f) const {
  for (std::size_t p = 1; p < f.parts.size(); ++p) f.parts[p].field->follow(f.whole());
  double power = 0;
  for (std::size_t p = 0; p < f.parts.size(); ++p) {
    Part& part = f.parts[p];
    part.power = part.field->power_W_per_m3();
    if (f.parts.size() == 1) continue;
    if (p == 0) {
      part.share = std::pow(f.parts[1].field->outer_scale(), 2);
      for (float& q : part.power.values) q *= float(part.share);
    }
    double sum = 0;
    for (std::size_t c = 0; c < part.power.values.size(); ++c)
      if (p > 0 || covered_[c] == 0) sum += double(part.power[c]);
    power += sum * part.cell_m3();
  }
  f.shape = f.parts.size() > 1 && f.whole().power_W() > 0 ? power / f.whole().power_W() : 1;
}

void ElectrodeDrive::drive_channels(Field& f, const std::vector<std::optional<double>>& power_W) const {
  std::vector<double> scale = f.whole().scales_for(power_W);
  double largest = 0;
  for (const double s : scale) largest = std::max(largest, std::abs(s));
  if (!(largest > 0)) return;  // all off
  const bool fixed = std::ranges::any_of(power_W, [](const auto& P) { return !P; });
  if (!fixed)
    for (double& s : scale) s /= largest;
  double change = 0;
  for (std::size_t n = 0; n < scale.size(); ++n)
    change = std::max(change, std::abs(scale[n] - f.whole().scale()[n]) / (fixed ? largest : 1));
  if (change < kScale) return;
  f.whole().drive(scale);
  take_power(f);
  // As the conductivity has been followed since the last solve.
  double before = 0, now = 0;
  for (const Part& part : f.parts)
    for (std::size_t n = 0; n < part.powered.size(); ++n) {
      before += double(part.power[part.powered[n]]) * part.cell_m3();
      now += double(part.power[part.powered[n]]) * double(part.ratio[n]) * part.cell_m3();
    }
  if (!(now > 0)) return;
  for (Part& part : f.parts)
    for (std::size_t n = 0; n < part.powered.size(); ++n)
      part.power[part.powered[n]] =
          float(double(part.power[part.powered[n]]) * double(part.ratio[n]) * before / now);
}

std::optional<double> ElectrodeDrive::controlled_power_W(const Field& f, std::size_t number, Channel& channel,
                                                         double t_s, double sensor_degC) const {
  const ElectricField& field = f.whole();
  std::optional<double> power;  // constant voltage
  if (const auto* constant = std::get_if<ConstantPower>(&channel.control)) power = constant->power_W;
  if (channel.hold) power = channel.hold->power_W(t_s, sensor_degC);
  if (!(power_W(f) > 0)) power = 0;  // no current can flow at any voltage
  if (channel.roll_off &&
      channel.roll_off->is_off(t_s, field.channel_resistance_ohm(number) / (f.shape * f.growth)))
    power = 0;
  return power;
}

double ElectrodeDrive::power_W() const {
  double power = 0;
  for (const Drive& d : drives_) power += d.on ? d.power_W : 0;
  return power;
}

std::optional<double> ElectrodeDrive::period_s(double t_s) const {
  std::optional<double> period;
  const auto take = [&](double s) { period = std::min(period.value_or(s), s); };
  for (const Drive& d : drives_) {
    if (!d.on) continue;
    for (const Channel& c : d.channels) {
      if (c.roll_off) take(c.roll_off->period_s(t_s));
      if (c.hold && !(c.roll_off && c.roll_off->on_again_s())) take(c.hold->period_s());
    }
  }
  return period;
}

std::vector<UnitHeating> ElectrodeDrive::heating(std::size_t part) const {
  std::vector<UnitHeating> list;
  for (std::size_t n = 0; n < drives_.size(); ++n) {
    const Drive& d = drives_[n];
    const Field& f = fields_[d.field];
    if (!d.on || !f.solved) continue;
    list.push_back({n, d.power_W > 0 ? d.power_W / f.solved_W() : 0, f.parts[part].power.values.data()});
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
      current +=
          field.whole().current_A() * field.shape * field.growth * std::sqrt(d.power_W / power_W(field));
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
  if (outputs_ < 2) return;
  history.channels.resize(outputs_);
  for (std::size_t output = 0; output < outputs_; ++output) {
    double channel_W = 0, channel_ohm = std::numeric_limits<double>::infinity();
    for (const Drive& d : drives_)
      for (std::size_t c = 0; d.on && c < d.channels.size(); ++c) {
        if (d.channels[c].output != output) continue;
        channel_W += d.channels[c].power_W;
        channel_ohm = fields_[d.field].whole().channel_resistance_ohm(c);
      }
    const double channel_A = channel_W > 0 && channel_ohm > 0 ? std::sqrt(channel_W / channel_ohm) : 0;
    ChannelHistory& h = history.channels[output];
    h.power_W.push_back(channel_W);
    h.resistance_ohm.push_back(channel_ohm);
    h.current_A.push_back(channel_A);
    h.voltage_V.push_back(channel_A > 0 ? channel_W / channel_A : 0);
  }
}

void ElectrodeDrive::exchange_state(Archive& archive) {
  for (Field& f : fields_) {
    archive(f.solved, f.due, f.shape, f.growth, f.solved_s, f.whole_solved_s, f.from_part, f.next_part);
    for (Part& p : f.parts) archive(*p.field, p.sigma, p.powered, p.ratio, p.power, p.share);
  }
  for (Drive& d : drives_) {
    archive(d.on, d.power_W);
    for (Channel& c : d.channels) {
      archive(c.power_W);
      if (c.hold) archive(*c.hold);
      if (c.roll_off) archive(*c.roll_off);
    }
  }
  archive(last_on_, last_scale_, summary_.termination, summary_.message, solves_, next_drive_);
}

Volume<float> ElectrodeDrive::potential_V() const {
  if (!last_on_) return {};
  Volume<float> v = fields_[drives_[*last_on_].field].whole().potential_V();
  for (float& x : v.values) x *= float(last_scale_);
  return v;
}

Volume<float> ElectrodeDrive::power_W_per_m3() const {
  if (!last_on_) return {};
  Volume<float> q = fields_[drives_[*last_on_].field].parts.front().power;
  for (float& x : q.values) x *= float(last_scale_ * last_scale_);
  return q;
}

}  // namespace spinetherm
