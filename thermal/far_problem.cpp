// SPDX-License-Identifier: Apache-2.0
#include "thermal/far_problem.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <variant>

#include "thermal/cryo.h"

namespace spinetherm {
namespace {

/// A volumetric source is strong where it has this share of its largest power density.
constexpr double kStrong = 0.05;
constexpr double kRadiated_mm = 8;

}  // namespace

Grid far_grid(const Grid& window) {
  Grid grid = window;
  grid.spacing_mm *= kFarRatio;
  for (std::size_t a = 0; a < 3; ++a) {
    grid.size[a] = (window.size[a] + kFarRatio - 1) / kFarRatio;
    grid.origin_mm[Eigen::Index(a)] += window.spacing_mm[Eigen::Index(a)] * (kFarRatio - 1) / 2;
  }
  return grid;
}

std::vector<Box> near_boxes(const ThermalProblem& problem) {
  std::vector<Box> boxes;
  const auto add_point = [&](const Eigen::Vector3d& x_mm) { boxes.push_back({x_mm, x_mm}); };
  for (const Eigen::Vector3d& x : problem.sample.points_mm) add_point(x);
  for (const EarlyEnd& e : problem.early_ends) add_point(e.sensor_mm);
  for (const VirtualSensor& s : problem.sensors) add_point(s.at_mm);
  const auto add_sensor = [&](const ElectrodeControl& control) {
    if (const auto* hold = std::get_if<HoldTemperature>(&control)) add_point(hold->sensor_mm);
  };
  for (const Source& s : problem.sources) {
    if (const auto* fixed = std::get_if<FixedTemperatureSource>(&s.what))
      boxes.push_back(bounding_box(fixed->region));
    if (const auto* cryo = std::get_if<CryoprobeSource>(&s.what))
      boxes.push_back(bounding_box(place_probe(*cryo).active));
    // Most of what they radiate is taken up within some millimetres of where it leaves them.
    const Eigen::Vector3d beside = Eigen::Vector3d::Constant(kRadiated_mm);
    if (const auto* antenna = std::get_if<AntennaSource>(&s.what)) {
      const Eigen::Vector3d back = (antenna->entry_mm - antenna->tip_mm).normalized();
      for (const double z_mm : {0.0, antenna->antenna.slot_to_tip_mm}) {
        const Eigen::Vector3d x = antenna->tip_mm + z_mm * back;
        boxes.push_back({x - beside, x + beside});
      }
    }
    if (const auto* light = std::get_if<LightSource>(&s.what))
      boxes.push_back(
          {light->a_mm.cwiseMin(light->b_mm) - beside, light->a_mm.cwiseMax(light->b_mm) + beside});
    if (const auto* set = std::get_if<ElectrodesSource>(&s.what)) {
      for (const Electrode& e : set->electrodes)
        if (!e.floating && !std::holds_alternative<Outside>(e.region.shape))
          boxes.push_back(bounding_box(e.region));
      add_sensor(set->control);
      for (const ElectrodeChannel& c : set->channels) add_sensor(c.control);
    }
    if (const auto* given = std::get_if<VolumetricSource>(&s.what)) {
      const Volume<float>& q = given->power_W_per_m3;
      const float most = *std::max_element(q.values.begin(), q.values.end());
      Box box{Eigen::Vector3d::Constant(HUGE_VAL), Eigen::Vector3d::Constant(-HUGE_VAL)};
      for (int k = 0; k < q.grid.size[2]; ++k)
        for (int j = 0; j < q.grid.size[1]; ++j)
          for (int i = 0; i < q.grid.size[0]; ++i) {
            if (!(q(i, j, k) > float(kStrong) * most)) continue;
            const Eigen::Vector3d x = q.grid.to_world(i, j, k);
            box.min_mm = box.min_mm.cwiseMin(x);
            box.max_mm = box.max_mm.cwiseMax(x);
          }
      if (box.min_mm.x() <= box.max_mm.x()) boxes.push_back(box);
    }
  }
  if (problem.patch) {
    const Grid& patch = problem.patch->labels.grid;
    const Eigen::Vector3d h = patch.spacing_mm / 2;
    boxes.push_back({patch.to_world(0, 0, 0) - h,
                     patch.to_world(patch.size[0] - 1, patch.size[1] - 1, patch.size[2] - 1) + h});
  }
  return boxes;
}

ThermalProblem far_problem(const ThermalProblem& problem) {
  const Grid& window = problem.grid();
  const Grid grid = far_grid(window);
  const TissueMap& map = problem.tissue_map;
  ThermalProblem out = problem;
  out.patch.reset();
  out.sample = {};
  Volume<std::uint8_t>& labels = out.tissue_map.labels = Volume<std::uint8_t>(grid);
  // Of the parts of each far cell the most frequent label, of equals the lowest; tissue with a damage law
  // comes first, so that none goes without its dose.
  std::vector<std::array<std::uint8_t, 8>> parts(grid.count());
  std::vector<std::uint8_t> count(grid.count(), 0);
  for_far_parts(window, grid, [&](std::size_t f, std::size_t c) { parts[f][count[f]++] = map.labels[c]; });
  for (std::size_t f = 0; f < grid.count(); ++f) {
    std::sort(parts[f].begin(), parts[f].begin() + count[f]);
    int most = 0;
    for (int n = 0, same = 0; n < count[f]; ++n) {
      same = n > 0 && parts[f][std::size_t(n)] == parts[f][std::size_t(n) - 1] ? same + 1 : 1;
      const int rank = same + (map.tissues[parts[f][std::size_t(n)]].damage ? 8 : 0);
      if (rank <= most) continue;
      most = rank;
      labels[f] = parts[f][std::size_t(n)];
    }
  }
  const auto mean = [&](const Volume<float>& factors, const auto& of_tissue) {
    std::vector<double> sum(grid.count(), 0);
    for_far_parts(window, grid, [&](std::size_t f, std::size_t c) {
      sum[f] += of_tissue(map.tissues[map.labels[c]]) * (factors.empty() ? 1 : double(factors[c]));
    });
    Volume<float> factor(grid);
    bool plain = true;
    for (std::size_t f = 0; f < grid.count(); ++f) {
      const double own = of_tissue(map.tissues[labels[f]]);
      factor[f] = own > 0 ? float(sum[f] / count[f] / own) : 1.0F;
      plain = plain && factor[f] == 1;
    }
    return plain ? Volume<float>{} : factor;
  };
  out.tissue_map.factors = {
      mean(map.factors.conductivity, [](const Tissue& t) { return t.conductivity_W_per_m_K; }),
      mean(map.factors.heat_capacity,
           [](const Tissue& t) { return t.density_kg_per_m3 * t.specific_heat_J_per_kg_K; }),
      mean(map.factors.perfusion, [](const Tissue& t) { return t.perfusion_per_s; }), Volume<float>{}};
  for (Source& source : out.sources)
    if (auto* given = std::get_if<VolumetricSource>(&source.what)) {
      const Volume<float> fine = std::move(given->power_W_per_m3);
      std::vector<double> sum(grid.count(), 0);
      for_far_parts(window, grid, [&](std::size_t f, std::size_t c) { sum[f] += double(fine[c]); });
      given->power_W_per_m3 = Volume<float>(grid);
      for (std::size_t f = 0; f < grid.count(); ++f)
        given->power_W_per_m3[f] = float(sum[f] / (kFarRatio * kFarRatio * kFarRatio));
    }
  return out;
}

}  // namespace spinetherm
