// SPDX-License-Identifier: Apache-2.0
#include "thermal/fingerprint.h"

#include <bit>
#include <cstring>
#include <map>
#include <tuple>
#include <type_traits>

namespace spinetherm {
namespace {

// The members that count, of every struct of a problem. A structured binding names them all: whoever adds a
// member to one of them is stopped here by the compiler.
auto members(const Grid& s) {
  const auto& [size, spacing, origin, direction] = s;
  return std::tie(size, spacing, origin, direction);
}
template <class T>
auto members(const Volume<T>& s) {
  const auto& [grid, values] = s;
  return std::tie(grid, values);
}
auto members(const PerfusionRule& s) {
  const auto& [arrhenius, above, returns, falls] = s;
  return std::tie(arrhenius, above, returns, falls);
}
auto members(const Drying& s) {
  const auto& [from, to, residual] = s;
  return std::tie(from, to, residual);
}
auto members(const Boiling& s) {
  const auto& [latent, from, to] = s;
  return std::tie(latent, from, to);
}
auto members(const Frozen& s) {
  const auto& [density, heat, conductivity, latent, solidus, liquidus] = s;
  return std::tie(density, heat, conductivity, latent, solidus, liquidus);
}
auto members(const OpticalProperties& s) {
  const auto& [absorption, scattering] = s;
  return std::tie(absorption, scattering);
}
auto members(const Optical& s) {
  const auto& [native, coagulated] = s;
  return std::tie(native, coagulated);
}
auto members(const Arrhenius& s) {
  const auto& [frequency, energy] = s;
  return std::tie(frequency, energy);
}
auto members(const Tissue& s) {
  // Where a number comes from changes no answer.
  const auto& [name, density, heat, conductivity, conductivity_slope, metabolic, perfusion, rule, electrical,
               electrical_slope, permittivity, microwave, permittivity_915, microwave_915, drying, boiling,
               frozen, optical, optical_1064, damage, provenance] = s;
  return std::tie(name, density, heat, conductivity, conductivity_slope, metabolic, perfusion, rule,
                  electrical, electrical_slope, permittivity, microwave, permittivity_915, microwave_915,
                  drying, boiling, frozen, optical, optical_1064, damage);
}
auto members(const CellFactors& s) {
  const auto& [conductivity, heat, perfusion, electrical] = s;
  return std::tie(conductivity, heat, perfusion, electrical);
}
auto members(const TissueMap& s) {
  const auto& [labels, tissues, factors] = s;
  return std::tie(labels, tissues, factors);
}
auto members(const Sphere& s) {
  const auto& [centre, radius] = s;
  return std::tie(centre, radius);
}
auto members(const Capsule& s) {
  const auto& [a, b, radius] = s;
  return std::tie(a, b, radius);
}
auto members(const Cylinder& s) {
  const auto& [a, b, radius] = s;
  return std::tie(a, b, radius);
}
auto members(const Tube& s) {
  const auto& [points, radius, flat] = s;
  return std::tie(points, radius, flat);
}
auto members(const Prolate& s) {
  const auto& [centre, axis, long_half, short_half] = s;
  return std::tie(centre, axis, long_half, short_half);
}
auto members(const Box& s) {
  const auto& [low, high] = s;
  return std::tie(low, high);
}
auto members(const Outside& s) {
  const auto& [inside] = s;
  return std::tie(*inside);
}
auto members(const Region& s) {
  const auto& [shape] = s;
  return std::tie(shape);
}
auto members(const Blood& s) {
  const auto& [density, heat, temperature] = s;
  return std::tie(density, heat, temperature);
}
auto members(const Boundary& s) {
  const auto& [kind, degC, h] = s;
  return std::tie(kind, degC, h);
}
auto members(const VolumetricSource& s) {
  const auto& [power] = s;
  return std::tie(power);
}
auto members(const PointSource& s) {
  const auto& [power, at] = s;
  return std::tie(power, at);
}
auto members(const GaussianSource& s) {
  const auto& [power, sigma, at] = s;
  return std::tie(power, sigma, at);
}
auto members(const BoxSource& s) {
  const auto& [power, centre, half] = s;
  return std::tie(power, centre, half);
}
auto members(const LineSource& s) {
  const auto& [power, a, b] = s;
  return std::tie(power, a, b);
}
auto members(const FixedTemperatureSource& s) {
  const auto& [region, degC, insulated] = s;
  return std::tie(region, degC, insulated);
}
auto members(const Electrode& s) {
  const auto& [region, potential, cooled, floating] = s;
  return std::tie(region, potential, cooled, floating);
}
auto members(const ConstantVoltage&) { return std::tuple<>(); }
auto members(const ConstantPower& s) {
  const auto& [power] = s;
  return std::tie(power);
}
auto members(const HoldTemperature& s) {
  const auto& [degC, sensor, most] = s;
  return std::tie(degC, sensor, most);
}
auto members(const RollOff& s) {
  const auto& [rise, off] = s;
  return std::tie(rise, off);
}
auto members(const ElectrodeChannel& s) {
  const auto& [electrodes, control, roll_off, output] = s;
  return std::tie(electrodes, control, roll_off, output);
}
auto members(const ElectrodesSource& s) {
  const auto& [electrodes, insulators, grounded, control, roll_off, channels] = s;
  return std::tie(electrodes, insulators, grounded, control, roll_off, channels);
}
auto members(const CryoprobeSource& s) {
  const auto& [device, entry, tip, diameter, from, to, gas, film, most, ramp, duty] = s;
  return std::tie(device, entry, tip, diameter, from, to, gas, film, most, ramp, duty);
}
auto members(const MetalSleeve& s) {
  const auto& [radius, from] = s;
  return std::tie(radius, from);
}
auto members(const CoaxialAntenna& s) {
  const auto& [frequency, inner, dielectric, outer, catheter, permittivity, catheter_permittivity, slot_from,
               slot_to, cap_from, cap_to, sleeve] = s;
  return std::tie(frequency, inner, dielectric, outer, catheter, permittivity, catheter_permittivity,
                  slot_from, slot_to, cap_from, cap_to, sleeve);
}
auto members(const AntennaShield& s) {
  const auto& [towards, width, leak] = s;
  return std::tie(towards, width, leak);
}
auto members(const AntennaSource& s) {
  const auto& [device, antenna, entry, tip, power, loss, cooled, shield] = s;
  return std::tie(device, antenna, entry, tip, power, loss, cooled, shield);
}
auto members(const LightSource& s) {
  const auto& [device, power, wavelength, a, b, radius, entry, tip, cooled] = s;
  return std::tie(device, power, wavelength, a, b, radius, entry, tip, cooled);
}
auto members(const Source& s) {
  const auto& [what, active, scale] = s;
  return std::tie(what, active, scale);
}
auto members(const EarlyEnd& s) {
  const auto& [between, sensor, below, above] = s;
  return std::tie(between, sensor, below, above);
}
auto members(const VirtualSensor& s) {
  const auto& [name, at, lag, delay, stem, pickup, noise, period, seed, above, below] = s;
  return std::tie(name, at, lag, delay, stem, pickup, noise, period, seed, above, below);
}
auto members(const Sampling& s) {
  const auto& [points, times] = s;
  return std::tie(points, times);
}
auto members(const OutputFields& s) {
  const auto& [temperature, peak, lowest, cem43, arrhenius, potential, power, freezes, twice, death] = s;
  return std::tie(temperature, peak, lowest, cem43, arrhenius, potential, power, freezes, twice, death);
}
auto members(const ThermalProblem& s) {
  const auto& [map, patch, blood, initial, initial_field, boundary, sources, ends, sensors, duration, settled,
               quarter, voxel, sample, fields] = s;
  return std::tie(map, patch, blood, initial, initial_field, boundary, sources, ends, sensors, duration,
                  settled, quarter, voxel, sample, fields);
}
auto members(const BioheatOptions& s) {
  // The answer does not depend on the number of threads.
  const auto& [step_K, step_s, first_s, error_K, stages, fourth_order, coarse_far_field, threads, in_double] =
      s;
  return std::tie(step_K, step_s, first_s, error_K, stages, fourth_order, coarse_far_field, in_double);
}

struct Walk {
  Checksum sum;

  template <class T>
  void operator()(const T& value) {
    if constexpr (std::is_arithmetic_v<T> || std::is_enum_v<T>)
      sum.add(&value, sizeof value);
    else if constexpr (requires { members(value); })
      std::apply([this](const auto&... m) { ((*this)(m), ...); }, members(value));
    else
      list(value);
  }
  void list(const std::string& text) {
    (*this)(text.size());
    sum.add(text.data(), text.size());
  }
  template <class T>
  void list(const std::vector<T>& values) {
    (*this)(values.size());
    if constexpr (std::is_arithmetic_v<T>)
      sum.add(values.data(), values.size() * sizeof(T));
    else
      for (const T& v : values) (*this)(v);
  }
  template <class T, std::size_t N>
  void list(const std::array<T, N>& values) {
    for (const T& v : values) (*this)(v);
  }
  template <class T>
  void list(const std::optional<T>& value) {
    (*this)(value.has_value());
    if (value) (*this)(*value);
  }
  template <class... T>
  void list(const std::variant<T...>& value) {
    (*this)(value.index());
    std::visit(*this, value);
  }
  template <int Rows, int Columns>
  void list(const Eigen::Matrix<double, Rows, Columns>& m) {
    sum.add(m.data(), std::size_t(m.size()) * sizeof(double));
  }
};

}  // namespace

void Checksum::add(const void* bytes, std::size_t count) {
  const auto* at = static_cast<const unsigned char*>(bytes);
  const auto mix = [this](std::uint64_t word) {
    value_ = std::rotl((value_ ^ word) * 0xff51afd7ed558ccd, 29);
  };
  mix(count);
  for (; count >= sizeof(std::uint64_t); count -= sizeof(std::uint64_t), at += sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, sizeof word);
    mix(word);
  }
  std::uint64_t rest = 0;
  if (count > 0) std::memcpy(&rest, at, count);
  mix(rest);
}

std::uint64_t fingerprint(const ThermalProblem& problem, const BioheatOptions& options) {
  Walk walk;
  walk(problem);
  walk(options);
  return walk.sum.value();
}

}  // namespace spinetherm
