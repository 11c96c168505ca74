// SPDX-License-Identifier: Apache-2.0
#include "thermal/problem.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>

#include "imaging/core/error.h"
#include "thermal/cryo.h"
#include "thermal/fine_patch.h"
#include "thermal/radiation_law.h"

namespace spinetherm {
namespace {

using Eigen::Vector3d;

/// A run with every field asked for needs about this much; the labels come on top.
constexpr double kBytesPerCell = 72;

void check(bool holds, double value, const std::string& where, std::string_view rule) {
  if (!holds) throw ConfigError(fmt::format("{} is not possible", value), where, std::string(rule));
}
void temperature(double degC, const std::string& where) {
  check(degC > -273.15 && degC < 1000, degC, where, "give degrees Celsius between -273 and 1000");
}
void power(double power_W, const std::string& where) {
  check(power_W >= 0 && std::isfinite(power_W), power_W, where, "give a power of 0 W or above");
}
void inside_grid(const Grid& grid, const Vector3d& x_mm, const std::string& where) {
  if (!x_mm.allFinite() || !grid.covers(x_mm))
    throw ConfigError(fmt::format("({}, {}, {}) mm is outside the grid", x_mm[0], x_mm[1], x_mm[2]), where,
                      "move it into the box, or enlarge the grid");
}

Box box_of(const Grid& grid) {
  const Vector3d half = grid.spacing_mm / 2;
  return {grid.origin_mm - half, grid.to_world(grid.size[0] - 1, grid.size[1] - 1, grid.size[2] - 1) + half};
}
void meets_grid(const Grid& grid, const Region& region, const std::string& where) {
  const Box box = box_of(grid), b = bounding_box(region);
  if (((b.max_mm - box.min_mm).array() <= 0).any() || ((box.max_mm - b.min_mm).array() <= 0).any())
    throw ConfigError("the region is outside the grid", where, "move it into the box, or enlarge the grid");
}
/// Through a face that passes neither heat nor current an electrode may reach: it is a plane of symmetry.
void lies_in_grid(const ThermalProblem& problem, bool closed_to_current, const Region& region,
                  const std::string& where, std::string_view what = "electrode") {
  meets_grid(problem.grid(), region, where);
  if (std::holds_alternative<Outside>(region.shape)) return;
  const Box box = box_of(problem.grid()), b = bounding_box(region);
  for (std::size_t f = 0; f < 6; ++f) {
    const auto a = Eigen::Index(f / 2);
    const bool out = f % 2 == 0 ? b.min_mm[a] < box.min_mm[a] : b.max_mm[a] > box.max_mm[a];
    if (out && !(closed_to_current && problem.boundary[f].kind == BoundaryKind::insulated))
      throw ConfigError(
          fmt::format("the {} reaches out of the grid", what), where,
          "move it into the box, or enlarge the grid (only a face that is insulated to heat and current may "
          "cut it, as a plane of symmetry)");
  }
}

/// Foot point on the region (the point itself when inside): along the gradient of the distance.
Vector3d nearest_point(const Region& region, Vector3d x) {
  for (int n = 0; n < 3; ++n) {  // one step but for round-off and the crease of a distance
    const double d = signed_distance_mm(region, x);
    if (d <= 0) return x;
    const double h = 1e-5;
    Vector3d g;
    for (int a = 0; a < 3; ++a) {
      Vector3d e = Vector3d::Zero();
      e[a] = h;
      g[a] = (signed_distance_mm(region, x + e) - signed_distance_mm(region, x - e)) / (2 * h);
    }
    x -= d * g;
  }
  return x;
}

/// Convex bodies: projections in turn end at their closest points. What is outside something touches a body
/// that reaches out of it.
bool parts_touch(const Region& a, const Region& b) {
  constexpr double kTolerance_mm = 1e-3;
  if (std::holds_alternative<Outside>(b.shape)) {
    if (std::holds_alternative<Outside>(a.shape)) return true;
    const Box box = bounding_box(a);
    constexpr int kPoints = 24;
    for (int k = 0; k <= kPoints; ++k)
      for (int j = 0; j <= kPoints; ++j)
        for (int i = 0; i <= kPoints; ++i) {
          const Vector3d x =
              box.min_mm + (box.max_mm - box.min_mm).cwiseProduct(Vector3d(i, j, k) / double(kPoints));
          if (contains(a, x) && signed_distance_mm(b, x) <= kTolerance_mm) return true;
        }
    return false;
  }
  if (std::holds_alternative<Outside>(a.shape)) return parts_touch(b, a);
  const Box start = bounding_box(a);
  Vector3d x = (start.min_mm + start.max_mm) / 2;
  for (int n = 0; n < 500; ++n) {
    x = nearest_point(b, x);
    if (signed_distance_mm(a, x) <= kTolerance_mm) return true;
    x = nearest_point(a, x);
  }
  return signed_distance_mm(b, x) <= kTolerance_mm;
}
bool touch(const Region& a, const Region& b) {
  const std::vector<Region> others = convex_parts(b);
  for (const Region& part : convex_parts(a)) {
    const Box one = bounding_box(part);
    for (const Region& other : others) {
      const Box two = bounding_box(other);
      if (((one.min_mm - two.max_mm).array() > 1e-3).any() ||
          ((two.min_mm - one.max_mm).array() > 1e-3).any())
        continue;
      if (parts_touch(part, other)) return true;
    }
  }
  return false;
}

void validate_active(const ActiveTimes& active, const std::string& where) {
  for (std::size_t n = 0; n < active.size(); ++n) {
    const auto [from, to] = active[n];
    const std::string pointer = fmt::format("{}/active_s/{}", where, n);
    check(from >= 0 && std::isfinite(from), from, pointer + "/0", "give seconds of 0 or above");
    check(to > from, to, pointer + "/1", "an interval must end after it begins");
  }
}

void validate_scale(const Source& source, const std::string& where) {
  if (source.scale.empty()) return;
  if (std::holds_alternative<FixedTemperatureSource>(source.what) || has_field(source))
    throw ConfigError("this kind of source has no factor on its power", where + "/scale",
                      "give its own curve or control instead");
  for (std::size_t n = 0; n < source.scale.size(); ++n) {
    const auto [t, factor] = source.scale[n];
    const std::string pointer = fmt::format("{}/scale/{}", where, n);
    check(std::isfinite(t), t, pointer + "/0", "give seconds");
    if (n > 0) check(t > source.scale[n - 1][0], t, pointer + "/0", "times must increase");
    check(std::isfinite(factor), factor, pointer + "/1", "give a finite factor");
  }
}

struct SourceCheck {
  const ThermalProblem& problem;
  std::string where;

  void validate_control(const ElectrodeControl& control, const std::optional<RollOff>& roll_off,
                        const std::string& pointer) const {
    if (const auto* c = std::get_if<ConstantPower>(&control)) power(c->power_W, pointer + "/constant_W");
    if (const auto* c = std::get_if<HoldTemperature>(&control)) {
      temperature(c->degC, pointer + "/hold_degC");
      check(c->max_W > 0 && std::isfinite(c->max_W), c->max_W, pointer + "/max_W", "give a power above 0 W");
      inside_grid(problem.grid(), c->sensor_mm, pointer + "/sensor_mm");
    }
    if (!roll_off) return;
    check(roll_off->rise > 0 && std::isfinite(roll_off->rise), roll_off->rise, pointer + "/roll_off/rise",
          "give a fraction above 0");
    check(roll_off->off_s > 0 && std::isfinite(roll_off->off_s), roll_off->off_s, pointer + "/roll_off/off_s",
          "give seconds above 0");
  }

  void validate_channels(const ElectrodesSource& s) const {
    if (s.channels.empty()) return;
    std::vector<int> channel_of(s.electrodes.size(), -1);
    for (std::size_t n = 0; n < s.channels.size(); ++n) {
      const std::string pointer = fmt::format("{}/channels/{}", where, n);
      if (s.channels[n].electrodes.empty())
        throw ConfigError("a channel without electrodes", pointer + "/electrodes", "give their numbers");
      for (std::size_t m = 0; m < s.channels[n].electrodes.size(); ++m) {
        const int e = s.channels[n].electrodes[m];
        const std::string at = fmt::format("{}/electrodes/{}", pointer, m);
        if (e < 0 || e >= int(s.electrodes.size()))
          throw ConfigError(fmt::format("there is no electrode {}", e), at, "they count from 0");
        if (channel_of[std::size_t(e)] >= 0)
          throw ConfigError(fmt::format("electrode {} is in two channels", e), at, "keep one");
        if (s.electrodes[std::size_t(e)].floating)
          throw ConfigError(fmt::format("electrode {} floats", e), at, "floating metal has no channel");
        channel_of[std::size_t(e)] = int(n);
      }
      validate_control(s.channels[n].control, s.channels[n].roll_off, pointer + "/control");
      if (const auto output = s.channels[n].output) {
        check(*output >= 0 && *output < 100, *output, pointer + "/output", "give a number of 0 to 99");
        for (std::size_t m = 0; m < n; ++m)
          if (s.channels[m].output.value_or(int(m)) == *output)
            throw ConfigError(fmt::format("channels {} and {} are one output", m, n), pointer + "/output",
                              "give each its own number");
      }
    }
    for (std::size_t e = 0; e < channel_of.size(); ++e)
      if (channel_of[e] < 0 && !s.electrodes[e].floating)
        throw ConfigError(fmt::format("electrode {} is in no channel", e), where + "/channels",
                          "give it one, or let it float");
  }

  void operator()(const VolumetricSource& s) const {
    if (s.power_W_per_m3.grid != problem.grid() || s.power_W_per_m3.values.size() != problem.grid().count())
      throw ConfigError("the power density is on another grid than the labels", where + "/file",
                        "resample it");
    for (const float q : s.power_W_per_m3.values)
      check(std::isfinite(q), q, where + "/file", "the field holds a value that is not a finite number");
  }
  void operator()(const PointSource& s) const {
    power(s.power_W, where + "/power_W");
    inside_grid(problem.grid(), s.at_mm, where + "/at_mm");
  }
  void operator()(const GaussianSource& s) const {
    power(s.power_W, where + "/power_W");
    check(s.sigma_mm > 0 && std::isfinite(s.sigma_mm), s.sigma_mm, where + "/sigma_mm",
          "give a length above 0 mm");
    inside_grid(problem.grid(), s.at_mm, where + "/at_mm");
  }
  void operator()(const BoxSource& s) const {
    power(s.power_W, where + "/power_W");
    check(s.half_mm.minCoeff() > 0 && s.half_mm.allFinite(), s.half_mm.minCoeff(), where + "/half_mm",
          "give lengths above 0 mm");
    inside_grid(problem.grid(), s.centre_mm - s.half_mm, where + "/centre_mm");
    inside_grid(problem.grid(), s.centre_mm + s.half_mm, where + "/centre_mm");
  }
  void operator()(const LineSource& s) const {
    check(std::isfinite(s.W_per_m), s.W_per_m, where + "/W_per_m", "give a finite number");
    inside_grid(problem.grid(), s.a_mm, where + "/a_mm");
    inside_grid(problem.grid(), s.b_mm, where + "/b_mm");
    if (!((s.b_mm - s.a_mm).norm() > 0))
      throw ConfigError("a line of length 0", where + "/b_mm", "give two different ends");
  }
  void operator()(const FixedTemperatureSource& s) const {
    validate(s.region, where + "/region");
    meets_grid(problem.grid(), s.region, where + "/region");
    if (s.degC.empty())
      throw ConfigError("there is no temperature", where + "/degC", "give a number or a curve");
    for (std::size_t n = 0; n < s.degC.size(); ++n) {
      const std::string pointer = fmt::format("{}/degC/{}", where, n);
      check(std::isfinite(s.degC[n][0]), s.degC[n][0], pointer + "/0", "give seconds");
      if (n > 0) check(s.degC[n][0] > s.degC[n - 1][0], s.degC[n][0], pointer + "/0", "times must increase");
      temperature(s.degC[n][1], pointer + "/1");
    }
  }
  void operator()(const CryoprobeSource& s) const {
    check(s.diameter_mm > 0 && s.diameter_mm < 20, s.diameter_mm, where + "/diameter_mm",
          "give a diameter above 0 and below 20 mm");
    const double path_mm = (s.tip_mm - s.entry_mm).norm();
    check(path_mm > 0 && std::isfinite(path_mm), path_mm, where + "/entry_mm",
          "give an entry away from the tip");
    check(s.active_from_tip_mm >= 0, s.active_from_tip_mm, where + "/active_from_tip_mm",
          "give millimetres of 0 or above");
    check(s.active_to_tip_mm > s.active_from_tip_mm && s.active_to_tip_mm < path_mm, s.active_to_tip_mm,
          where + "/active_to_tip_mm", "it lies beyond active_from_tip_mm and within the path");
    check(s.gas_degC > -200 && s.gas_degC < 100, s.gas_degC, where + "/gas_degC",
          "give degrees Celsius between -200 and 100");
    check(s.film_W_per_m2_K > 0 && std::isfinite(s.film_W_per_m2_K), s.film_W_per_m2_K,
          where + "/film_W_per_m2_K", "give a value above 0");
    check(s.max_W_per_m > 0 && std::isfinite(s.max_W_per_m), s.max_W_per_m, where + "/max_W_per_m",
          "give a value above 0");
    check(s.ramp_s >= 0 && std::isfinite(s.ramp_s), s.ramp_s, where + "/ramp_s",
          "give seconds of 0 or above");
    check(s.duty > 0 && s.duty <= 1, s.duty, where + "/duty", "give a share above 0 and at most 1");
    lies_in_grid(problem, false, place_probe(s).active, where + "/tip_mm", "cooling part");
    if (s.gas_degC >= 0) return;
    std::array<bool, 256> used{};
    for (const std::uint8_t label : problem.tissue_map.labels.values) used[label] = true;
    for (std::size_t n = 0; n < problem.tissue_map.tissues.size(); ++n)
      if (used[n] && !problem.tissue_map.tissues[n].frozen)
        throw ConfigError(
            fmt::format("tissue '{}' has no frozen properties", problem.tissue_map.tissues[n].name),
            fmt::format("/tissues/{}/frozen", n),
            "cryoprobes need them: give them, with no latent heat for what does not freeze");
  }
  /// Tissues in the box must have what the field needs.
  template <class Has>
  void properties(const Has& has, std::string_view what) const {
    std::array<bool, 256> used{};
    for (const std::uint8_t label : problem.tissue_map.labels.values) used[label] = true;
    if (problem.patch)
      for (const std::uint8_t label : problem.patch->labels.values) used[label] = true;
    for (std::size_t n = 0; n < problem.tissue_map.tissues.size(); ++n)
      if (used[n] && !has(problem.tissue_map.tissues[n]))
        throw ConfigError(fmt::format("tissue '{}' has no {}", problem.tissue_map.tissues[n].name, what),
                          fmt::format("/tissues/{}", n), "give them, or relabel its cells");
  }
  void cooling(const std::optional<double>& cooled_degC) const {
    if (cooled_degC)
      check(*cooled_degC > -20 && *cooled_degC < 100, *cooled_degC, where + "/cooled_degC",
            "give degrees Celsius between -20 and 100");
  }
  void path(const Vector3d& entry_mm, const Vector3d& tip_mm, double longer_than_mm) const {
    const double path_mm = (tip_mm - entry_mm).norm();
    check(path_mm > longer_than_mm && std::isfinite(path_mm), path_mm, where + "/entry_mm",
          fmt::format("give an entry more than {:g} mm away from the tip", longer_than_mm));
  }
  void operator()(const AntennaSource& s) const {
    power(s.power_W, where + "/power_W");
    try {
      validate(s.antenna);
    } catch (Error& e) {
      e.within(where);
      throw;
    }
    path(s.entry_mm, s.tip_mm, s.antenna.slot_to_tip_mm);
    inside_grid(problem.grid(), s.tip_mm, where + "/tip_mm");
    check(s.cable_loss >= 0 && s.cable_loss < 1, s.cable_loss, where + "/cable_loss",
          "give a share of 0 or above and below 1");
    cooling(s.cooled_degC);
    if (s.shield) {
      check(s.shield->towards.norm() > 0 && s.shield->towards.allFinite(), s.shield->towards.norm(),
            where + "/shield/towards", "give a direction");
      check(s.shield->width_deg > 0 && s.shield->width_deg < 360, s.shield->width_deg,
            where + "/shield/width_deg", "give degrees between 0 and 360");
      check(s.shield->leak >= 0 && s.shield->leak <= 1, s.shield->leak, where + "/shield/leak",
            "give a share between 0 and 1");
    }
    const double MHz = s.antenna.frequency_MHz;
    check(is_microwave_MHz(MHz), MHz, where + "/frequency_MHz",
          "tissue is known at 915 and 2450 MHz (within 5 %)");
    properties([&](const Tissue& t) { return microwave_of(t, MHz).has_value(); },
               fmt::format("relative permittivity and conductivity at {:g} MHz", MHz));
  }
  void operator()(const LightSource& s) const {
    power(s.power_W, where + "/power_W");
    inside_grid(problem.grid(), s.a_mm, where + "/a_mm");
    inside_grid(problem.grid(), s.b_mm, where + "/b_mm");
    check(s.radius_mm >= 0 && s.radius_mm < 5, s.radius_mm, where + "/radius_mm",
          "give millimetres of 0 or above and below 5");
    if (s.entry_mm.has_value() != s.tip_mm.has_value())
      throw ConfigError("an entry without a tip, or a tip without an entry", where + "/entry_mm",
                        "give both, or none");
    if (s.entry_mm) path(*s.entry_mm, *s.tip_mm, 0);
    cooling(s.cooled_degC);
    if (s.cooled_degC && s.radius_mm == 0)
      throw ConfigError("a cooled fibre that takes no room", where + "/radius_mm",
                        "give the radius of its catheter");
    check(s.wavelength_nm == 980 || s.wavelength_nm == 1064, s.wavelength_nm, where + "/wavelength_nm",
          "tissue is known at 980 and 1064 nm");
    properties([&](const Tissue& t) { return optical_of(t, s.wavelength_nm) != nullptr; },
               fmt::format("optical properties at {:g} nm", s.wavelength_nm));
    for (std::size_t n = 0; n < problem.tissue_map.tissues.size(); ++n) {
      const Optical* optical = optical_of(problem.tissue_map.tissues[n], s.wavelength_nm);
      if (optical != nullptr && !(optical->native.absorption_per_m > 0 &&
                                  (!optical->coagulated || optical->coagulated->absorption_per_m > 0)))
        throw ConfigError(fmt::format("tissue '{}' absorbs no light", problem.tissue_map.tissues[n].name),
                          fmt::format("/tissues/{}", n), "give it an absorption above 0");
    }
  }
  void operator()(const ElectrodesSource& s) const {
    const std::string list = where + "/electrodes";
    if (s.electrodes.empty()) throw ConfigError("there is no electrode", list, "give at least one");
    bool differ = false;
    std::optional<double> first_V;
    const auto apart = [&](std::size_t a, std::size_t b) {  // in different channels: one may be off
      const auto holds_both = [&](const ElectrodeChannel& c) {
        return std::count(c.electrodes.begin(), c.electrodes.end(), int(a)) > 0 &&
               std::count(c.electrodes.begin(), c.electrodes.end(), int(b)) > 0;
      };
      return !s.channels.empty() && std::none_of(s.channels.begin(), s.channels.end(), holds_both);
    };
    for (std::size_t n = 0; n < s.electrodes.size(); ++n) {
      const Electrode& e = s.electrodes[n];
      const std::string pointer = fmt::format("{}/{}", list, n);
      validate(e.region, pointer + "/region");
      if (e.floating)
        meets_grid(problem.grid(), e.region, pointer + "/region");
      else
        lies_in_grid(problem, !s.outer_grounded, e.region, pointer + "/region");
      check(std::isfinite(e.potential_V), e.potential_V, pointer + "/potential_V", "give volts");
      if (e.cooled_degC) temperature(*e.cooled_degC, pointer + "/cooled_degC");
      if (!e.floating) {
        if (!first_V) first_V = e.potential_V;
        differ = differ || e.potential_V != *first_V || (s.outer_grounded && e.potential_V != 0);
      }
      for (std::size_t m = 0; m < n; ++m)
        if ((s.electrodes[m].potential_V != e.potential_V || e.floating || s.electrodes[m].floating ||
             apart(m, n)) &&
            touch(e.region, s.electrodes[m].region))
          throw ConfigError(fmt::format("electrodes {} and {} touch", m, n), pointer + "/region",
                            "leave a gap between electrodes of different potential");
    }
    if (!differ)
      throw ConfigError("no current can flow: all potentials are equal", list,
                        "give different potentials, or ground the outer faces");
    for (std::size_t n = 0; n < s.insulators.size(); ++n)
      validate(s.insulators[n], fmt::format("{}/insulators/{}", where, n));
    if (s.channels.empty()) validate_control(s.control, s.roll_off, where + "/control");
    validate_channels(s);
    std::array<bool, 256> used{};
    for (const std::uint8_t label : problem.tissue_map.labels.values) used[label] = true;
    for (std::size_t n = 0; n < problem.tissue_map.tissues.size(); ++n)
      if (used[n] && !problem.tissue_map.tissues[n].electrical_S_per_m)
        throw ConfigError(
            fmt::format("tissue '{}' has no electrical conductivity", problem.tissue_map.tissues[n].name),
            fmt::format("/tissues/{}/electrical_S_per_m", n), "electrodes need it: give a value in S/m");
  }
};

bool overlap(const Source& a, const Source& b) {
  const ActiveTimes always{{0, 1e300}};
  for (const auto& [from, to] : a.active_s.empty() ? always : a.active_s)
    for (const auto& [other_from, other_to] : b.active_s.empty() ? always : b.active_s)
      if (from < other_to && other_from < to) return true;
  return false;
}

/// One probe cannot do two things at once, and two probes cannot be in one place.
/// Tip of what radiates.
std::optional<Vector3d> radiates_at(const Source& source) {
  if (const auto* antenna = std::get_if<AntennaSource>(&source.what)) return antenna->tip_mm;
  if (const auto* light = std::get_if<LightSource>(&source.what)) return light->a_mm;
  return std::nullopt;
}

void validate_radiators(const ThermalProblem& problem) {
  for (std::size_t n = 0; n < problem.sources.size(); ++n)
    for (std::size_t m = 0; m < n && radiates_at(problem.sources[n]); ++m)
      if (radiates_at(problem.sources[m]) == radiates_at(problem.sources[n]) &&
          overlap(problem.sources[n], problem.sources[m]))
        throw ConfigError(fmt::format("sources {} and {} at the same place act at once", m, n),
                          fmt::format("/sources/{}/active_s", n), "let one end before the other begins");
}

void validate_probes(const ThermalProblem& problem) {
  for (std::size_t n = 0; n < problem.sources.size(); ++n) {
    const auto* a = std::get_if<CryoprobeSource>(&problem.sources[n].what);
    for (std::size_t m = 0; a != nullptr && m < n; ++m) {
      const auto* b = std::get_if<CryoprobeSource>(&problem.sources[m].what);
      if (b == nullptr) continue;
      const std::string where = fmt::format("/sources/{}", n);
      if (a->entry_mm == b->entry_mm && a->tip_mm == b->tip_mm) {
        if (overlap(problem.sources[n], problem.sources[m]))
          throw ConfigError(fmt::format("sources {} and {} are one probe, and act at the same time", m, n),
                            where + "/active_s", "let one end before the other begins");
      } else if (touch(place_probe(*a).active, place_probe(*b).active)) {
        throw ConfigError(fmt::format("the probes of sources {} and {} touch", m, n), where + "/tip_mm",
                          "leave a gap between them");
      }
    }
  }
}

void validate_early_ends(const ThermalProblem& problem) {
  for (std::size_t n = 0; n < problem.early_ends.size(); ++n) {
    const EarlyEnd& e = problem.early_ends[n];
    const std::string where = fmt::format("/early_ends/{}", n);
    check(e.between_s[0] >= 0 && std::isfinite(e.between_s[0]), e.between_s[0], where + "/between_s/0",
          "give seconds of 0 or above");
    check(e.between_s[1] > e.between_s[0], e.between_s[1], where + "/between_s/1",
          "an interval must end after it begins");
    inside_grid(problem.grid(), e.sensor_mm, where + "/sensor_mm");
    if (e.below_degC.has_value() == e.above_degC.has_value())
      throw ConfigError(e.below_degC ? "two bounds" : "no bound", where,
                        "give one of below_degC, above_degC");
    if (e.below_degC) temperature(*e.below_degC, where + "/below_degC");
    if (e.above_degC) temperature(*e.above_degC, where + "/above_degC");
    for (std::size_t m = 0; m < n; ++m)
      if (e.between_s[0] < problem.early_ends[m].between_s[1] &&
          problem.early_ends[m].between_s[0] < e.between_s[1])
        throw ConfigError(fmt::format("it overlaps number {}", m), where + "/between_s",
                          "let one end before the other begins");
  }
}

void validate_grid(const Grid& grid) {
  grid.validate("/grid");
  if ((grid.direction - Eigen::Matrix3d::Identity()).cwiseAbs().maxCoeff() > 1e-9)
    throw ConfigError("the grid is turned", "/grid/direction",
                      "thermal problems live on an axis-aligned LPS grid: resample the labels");
  if (grid.spacing_mm.maxCoeff() >= 10 * grid.spacing_mm.minCoeff())
    throw ConfigError(fmt::format("spacings of {} x {} x {} mm", grid.spacing_mm[0], grid.spacing_mm[1],
                                  grid.spacing_mm[2]),
                      "/grid/spacing_mm", "they must not differ tenfold: resample to similar spacings");
  const double need = kBytesPerCell * double(grid.count());
  const double have = double(sysconf(_SC_PHYS_PAGES)) * double(sysconf(_SC_PAGE_SIZE));
  if (have > 0 && need > have)
    throw ConfigError(fmt::format("{} x {} x {} cells need {:.0f} GB of memory and there are {:.0f}",
                                  grid.size[0], grid.size[1], grid.size[2], need / 1e9, have / 1e9),
                      "/grid/size", "take a smaller box or a coarser spacing");
}

}  // namespace

bool has_field(const Source& source) {
  return std::holds_alternative<ElectrodesSource>(source.what) ||
         std::holds_alternative<AntennaSource>(source.what) ||
         std::holds_alternative<LightSource>(source.what);
}

bool is_active(const Source& source, double t_s) {
  if (source.active_s.empty()) return true;
  return std::any_of(source.active_s.begin(), source.active_s.end(),
                     [&](const auto& interval) { return t_s >= interval[0] && t_s < interval[1]; });
}

namespace {

/// Sources whose power is worked out for the cells of one grid have no patch.
void validate_patch(const ThermalProblem& problem) {
  const TissueMap& patch = *problem.patch;
  patch_box(problem.grid(), patch.labels.grid);
  for (const std::uint8_t label : patch.labels.values)
    if (label >= problem.tissue_map.tissues.size())
      throw ConfigError(fmt::format("label {} has no row of properties", label), "/patch",
                        "use the tissues of the grid");
  if (problem.voxel_applicators)
    throw ConfigError("whole-cell applicators with a fine patch", "/patch", "leave one of them out");
  for (std::size_t n = 0; n < problem.sources.size(); ++n) {
    const auto& what = problem.sources[n].what;
    if (const auto* probe = std::get_if<CryoprobeSource>(&what)) {
      const Grid& grid = patch.labels.grid;
      const Vector3d back = (probe->entry_mm - probe->tip_mm).normalized();
      for (const double from_tip_mm : {probe->active_from_tip_mm, probe->active_to_tip_mm}) {
        const Vector3d at = grid.to_index(probe->tip_mm + from_tip_mm * back);
        for (Eigen::Index a = 0; a < 3; ++a)
          if (at[a] < 1 || at[a] > grid.size[std::size_t(a)] - 2)
            throw ConfigError("the cooling part of a cryoprobe reaches out of the fine patch",
                              fmt::format("/sources/{}", n), "enlarge the patch");
      }
    }
    if (has_field(problem.sources[n]) || std::holds_alternative<FixedTemperatureSource>(what) ||
        std::holds_alternative<CryoprobeSource>(what) || std::holds_alternative<GaussianSource>(what))
      continue;
    throw ConfigError("a fine patch with a source that is spread over the cells of one grid",
                      fmt::format("/sources/{}", n), "leave the patch out, or use a Gaussian");
  }
}

}  // namespace

void validate(const ThermalProblem& problem) {
  validate_grid(problem.grid());
  validate(problem.tissue_map);
  const Grid& grid = problem.grid();

  const Blood& b = problem.blood;
  check(b.density_kg_per_m3 > 0 && std::isfinite(b.density_kg_per_m3), b.density_kg_per_m3,
        "/blood/density_kg_per_m3", "give a value above 0");
  check(b.specific_heat_J_per_kg_K > 0 && std::isfinite(b.specific_heat_J_per_kg_K),
        b.specific_heat_J_per_kg_K, "/blood/specific_heat_J_per_kg_K", "give a value above 0");
  temperature(b.temperature_degC, "/blood/temperature_degC");
  if (problem.initial_field.empty()) {
    temperature(problem.initial_degC, "/initial/degC");
  } else {
    if (problem.initial_field.grid != grid || problem.initial_field.values.size() != grid.count())
      throw ConfigError("the initial temperature is on another grid than the labels", "/initial/file",
                        "resample it");
    for (const float T : problem.initial_field.values) temperature(T, "/initial/file");
  }
  constexpr std::array<std::string_view, 6> kFaces{"x_min", "x_max", "y_min", "y_max", "z_min", "z_max"};
  for (std::size_t f = 0; f < 6; ++f) {
    const std::string where = fmt::format("/boundary/{}", kFaces[f]);
    if (problem.boundary[f].kind != BoundaryKind::insulated)
      temperature(problem.boundary[f].degC, where + "/degC");
    if (problem.boundary[f].kind == BoundaryKind::convective) {
      const double h = problem.boundary[f].h_W_per_m2_K;
      check(h >= 0 && std::isfinite(h), h, where + "/h_W_per_m2_K", "give a value of 0 or above");
    }
  }

  check(problem.duration_s >= 0 && std::isfinite(problem.duration_s), problem.duration_s, "/duration_s",
        "give seconds of 0 or above");
  if (problem.duration_s == 0 && !problem.until_dose_settled)
    throw ConfigError("the run has no length", "/duration_s",
                      "give a duration, or \"until\": \"dose_settled\"");
  for (std::size_t n = 0; n < problem.sample.points_mm.size(); ++n)
    inside_grid(grid, problem.sample.points_mm[n], fmt::format("/sample/points_mm/{}", n));
  for (std::size_t n = 0; n < problem.sample.times_s.size(); ++n) {
    const double t = problem.sample.times_s[n];
    const std::string where = fmt::format("/sample/times_s/{}", n);
    check(t >= 0 && std::isfinite(t), t, where, "give seconds of 0 or above");
    if (!problem.until_dose_settled)
      check(t <= problem.duration_s * (1 + 1e-9), t, where, "the run ends earlier: see duration_s");
  }

  for (std::size_t n = 0; n < problem.sources.size(); ++n) {
    const std::string where = fmt::format("/sources/{}", n);
    validate_active(problem.sources[n].active_s, where);
    validate_scale(problem.sources[n], where);
    std::visit(SourceCheck{problem, where}, problem.sources[n].what);
  }
  validate_probes(problem);
  for (std::size_t n = 0; n < problem.sensors.size(); ++n) {
    const std::string where = fmt::format("/sensors/{}", n);
    validate(problem.sensors[n], where);
    inside_grid(grid, problem.sensors[n].at_mm, where + "/at_mm");
  }
  validate_radiators(problem);
  validate_early_ends(problem);
  if (problem.patch) validate_patch(problem);
}

}  // namespace spinetherm
