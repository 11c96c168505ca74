// SPDX-License-Identifier: Apache-2.0
#include "planning/zone.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "imaging/core/distance.h"
#include "imaging/core/error.h"

namespace spinetherm {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
/// Doses are compared within this many decades of the criterion.
constexpr double kDecades = 12;
/// Scale on which cold enters the level function [K]; only the sign matters beside heat.
constexpr double kColdScale_K = 10;
/// Layers of outer cells in which a region counts as reaching the box: a wall at rest hides it in the last
/// one.
constexpr int kBoxLayers = 2;
constexpr double kMostCells = 6e6;

double decades(double dose, double criterion) {
  return dose > 0 ? std::clamp(std::log10(dose / criterion), -kDecades, kDecades) : -kDecades;
}

void look_at_cells(LevelRegion& region) {
  const Grid& g = region.level.grid;
  for (int k = 0; k < g.size[2]; ++k)
    for (int j = 0; j < g.size[1]; ++j)
      for (int i = 0; i < g.size[0]; ++i)
        if (region.level(i, j, k) >= 0) {
          region.exists = true;
          if (std::min({i, j, k, g.size[0] - 1 - i, g.size[1] - 1 - j, g.size[2] - 1 - k}) < kBoxLayers)
            region.touches_box = true;
        }
}

/// A cell of the 26 around that is still to be filled.
bool hidden_beside(const Volume<std::uint8_t>& hidden, const std::array<int, 3>& at) {
  for (int w = -1; w <= 1; ++w)
    for (int v = -1; v <= 1; ++v)
      for (int u = -1; u <= 1; ++u)
        if ((u != 0 || v != 0 || w != 0) && hidden.grid.contains(at[0] + u, at[1] + v, at[2] + w) &&
            hidden(at[0] + u, at[1] + v, at[2] + w))
          return true;
  return false;
}

}  // namespace

void KillCriterion::validate() const {
  require(arrhenius > 0, "KillCriterion.arrhenius", arrhenius, "must be > 0");
  require(cem43_min > 0, "KillCriterion.cem43_min", cem43_min, "must be > 0 min");
  require(lowest_degC < 0, "KillCriterion.lowest_degC", lowest_degC, "must be < 0 degC");
  require(lowest_twice_degC < 0, "KillCriterion.lowest_twice_degC", lowest_twice_degC, "must be < 0 degC");
}

Volume<float> without_shafts(const Volume<float>& field, const std::vector<PlacedDevice>& applicators,
                             bool smallest) {
  Volume<float> out = field;
  if (field.empty()) return out;
  const Grid& g = field.grid;
  std::vector<std::array<int, 3>> covered;
  Volume<std::uint8_t> hidden(g);
  for (int k = 0; k < g.size[2]; ++k)
    for (int j = 0; j < g.size[1]; ++j)
      for (int i = 0; i < g.size[0]; ++i)
        for (const auto& placed : applicators)
          if (shaft_distance_mm(placed, g.to_world(i, j, k), 1) <= 0) {
            covered.push_back({i, j, k});
            hidden(i, j, k) = 1;
            break;
          }
  while (!covered.empty()) {  // from the rim of the shaft inwards, one layer at a time
    std::vector<std::array<int, 3>> left, done;
    for (const auto& [i, j, k] : covered) {
      bool found = false;
      float best = 0;
      for (int w = -1; w <= 1; ++w)
        for (int v = -1; v <= 1; ++v)
          for (int u = -1; u <= 1; ++u) {
            if (!g.contains(i + u, j + v, k + w) || hidden(i + u, j + v, k + w)) continue;
            const float value = out(i + u, j + v, k + w);
            if (std::isnan(value)) continue;  // no damage law there
            if (!found || (smallest ? value < best : value > best)) best = value;
            found = true;
          }
      if (!found && !hidden_beside(hidden, {i, j, k})) {  // nothing around it is known, nor will be
        out(i, j, k) = std::numeric_limits<float>::quiet_NaN();
        done.push_back({i, j, k});
        continue;
      }
      if (!found) {
        left.push_back({i, j, k});
        continue;
      }
      out(i, j, k) = best;
      done.push_back({i, j, k});
    }
    if (done.empty()) break;  // the whole grid is shaft
    for (const auto& [i, j, k] : done) hidden(i, j, k) = 0;
    covered = std::move(left);
  }
  return out;
}

LevelRegion ablation_zone(const ThermalResult& thermal, const std::vector<PlacedDevice>& applicators,
                          const KillCriterion& kill) {
  kill.validate();
  LevelRegion zone;
  const Volume<float> none;
  const Volume<float>& arrhenius = kill.by_arrhenius ? thermal.arrhenius : none;
  const bool heat = !arrhenius.empty() || !thermal.cem43.empty();
  const bool cold = !thermal.lowest_temperature.empty();
  if (!heat && !cold) return zone;
  const Volume<float> omega = without_shafts(arrhenius, applicators);
  const Volume<float> cem43 = without_shafts(thermal.cem43, applicators);
  const Volume<float> lowest = without_shafts(thermal.lowest_temperature, applicators, true);
  const Volume<float> twice = without_shafts(thermal.lowest_twice, applicators, true);
  zone.level = Volume<float>(!omega.empty() ? omega.grid : !cem43.empty() ? cem43.grid : lowest.grid);
  for (std::size_t n = 0; n < zone.level.values.size(); ++n) {
    double level = -kDecades;
    if (!omega.empty() && std::isfinite(omega[n]))
      level = decades(omega[n], kill.arrhenius);
    else if (!cem43.empty())
      level = decades(cem43[n], kill.cem43_min);
    if (cold) level = std::max(level, (kill.lowest_degC - double(lowest[n])) / kColdScale_K);
    if (!twice.empty()) level = std::max(level, (kill.lowest_twice_degC - double(twice[n])) / kColdScale_K);
    zone.level[n] = float(level);
  }
  if (!omega.empty()) zone.criterion = fmt::format("Arrhenius integral >= {:g}", kill.arrhenius);
  if (!cem43.empty() && omega.empty()) zone.criterion = fmt::format("CEM43 >= {:g} min", kill.cem43_min);
  if (cold)
    zone.criterion +=
        fmt::format("{}ever <= {:g} degC", zone.criterion.empty() ? "" : " or ", kill.lowest_degC);
  if (!twice.empty()) zone.criterion += fmt::format(" or twice <= {:g} degC", kill.lowest_twice_degC);
  look_at_cells(zone);
  return zone;
}

LevelRegion ice_region(const ThermalResult& thermal) {
  LevelRegion ice;
  if (thermal.lowest_temperature.empty()) return ice;
  ice.level = thermal.lowest_temperature;
  for (float& v : ice.level.values) v = -v;
  ice.criterion = "ever <= 0 degC";
  look_at_cells(ice);
  return ice;
}

LevelRegion disturbed_region(const ThermalResult& thermal, const std::vector<PlacedDevice>& applicators,
                             double rest_degC, double tolerance_K) {
  constexpr double kCoolant_mm = 15;
  LevelRegion region;
  const Volume<float>&hot = thermal.peak_temperature, &cold = thermal.lowest_temperature;
  if (hot.empty() || cold.empty()) return region;
  region.level = hot;
  const Grid& g = hot.grid;
  const auto by_coolant = [&](int i, int j, int k) {
    if (cold(i, j, k) <= 0) return false;
    return std::ranges::any_of(applicators, [&](const PlacedDevice& placed) {
      return placed.device.cooled_degC &&
             shaft_distance_mm(placed, g.to_world(i, j, k), kCoolant_mm) < kCoolant_mm;
    });
  };
#pragma omp parallel for schedule(static)
  for (int k = 0; k < g.size[2]; ++k)
    for (int j = 0; j < g.size[1]; ++j)
      for (int i = 0; i < g.size[0]; ++i) {
        double departure = double(hot(i, j, k)) - rest_degC;
        const double colder = rest_degC - double(cold(i, j, k));
        if (colder > std::max(departure, tolerance_K) && !by_coolant(i, j, k)) departure = colder;
        region.level(i, j, k) = float(departure - tolerance_K);
      }
  region.criterion = fmt::format("ever more than {:g} K from {:g} degC", tolerance_K, rest_degC);
  look_at_cells(region);
  return region;
}

RegionDistance::RegionDistance(const LevelRegion& region, double spacing_mm) {
  if (!region.exists) return;
  const Grid& g = region.level.grid;
  Eigen::Vector3d low = Eigen::Vector3d::Constant(kInf), high = -low;
  for (int k = 0; k < g.size[2]; ++k)
    for (int j = 0; j < g.size[1]; ++j)
      for (int i = 0; i < g.size[0]; ++i)
        if (region.level(i, j, k) >= 0) {
          low = low.cwiseMin(g.to_world(i, j, k));
          high = high.cwiseMax(g.to_world(i, j, k));
        }
  const double margin = 2 * g.spacing_mm.maxCoeff() + 6;
  low.array() -= margin;
  high.array() += margin;
  const double finest = std::cbrt((high - low).prod() / kMostCells);
  const double h = std::max(spacing_mm, finest);
  Volume<std::uint8_t> mask(box_grid(low, high, h));
  const Grid& fine = mask.grid;
#pragma omp parallel for schedule(static)
  for (int k = 0; k < fine.size[2]; ++k)
    for (int j = 0; j < fine.size[1]; ++j)
      for (int i = 0; i < fine.size[0]; ++i)
        mask(i, j, k) = sample_linear(region.level, fine.to_world(i, j, k)).value_or(-1) >= 0;
  signed_mm_ = signed_distance_mm(mask);
  for (int k = 0; k < fine.size[2]; ++k)
    for (int j = 0; j < fine.size[1]; ++j)
      for (int i = 0; i < fine.size[0]; ++i)
        if (mask(i, j, k) && signed_mm_(i, j, k) > -h) surface_mm_.push_back(fine.to_world(i, j, k));
  centre_mm_ = (low + high) / 2;
  for (const auto& s : surface_mm_) radius_mm_ = std::max(radius_mm_, (s - centre_mm_).norm());
}

double RegionDistance::operator()(const Eigen::Vector3d& x_mm) const {
  if (signed_mm_.empty() || surface_mm_.empty()) return kInf;
  if (const auto d = sample_linear(signed_mm_, x_mm)) return *d;
  double squared = kInf;
  for (const auto& s : surface_mm_) squared = std::min(squared, (s - x_mm).squaredNorm());
  return std::sqrt(squared) - signed_mm_.grid.spacing_mm[0] / 2;
}

double RegionDistance::nearest(const std::vector<Eigen::Vector3d>& points_mm) const {
  double best = kInf;
  if (signed_mm_.empty() || surface_mm_.empty()) return best;
  std::vector<std::pair<double, const Eigen::Vector3d*>> outside;  // lower bound of the distance, point
  for (const auto& x : points_mm) {
    if (const auto d = sample_linear(signed_mm_, x))
      best = std::min(best, *d);
    else
      outside.emplace_back((x - centre_mm_).norm() - radius_mm_ - signed_mm_.grid.spacing_mm[0], &x);
  }
  std::sort(outside.begin(), outside.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  for (const auto& [bound, x] : outside) {
    if (bound >= best) break;
    best = std::min(best, (*this)(*x));
  }
  return best;
}

}  // namespace spinetherm
