// SPDX-License-Identifier: Apache-2.0
#include "apps/bench_cases.h"

#include <fmt/format.h>

#include <array>
#include <cmath>

#include "imaging/core/error.h"
#include "imaging/core/text.h"
#include "imaging/core/units.h"

namespace spinetherm {
namespace {

using Eigen::Vector3d;

constexpr double kRest_degC = 37;

Grid case_grid(int n, double h_mm) {
  Grid grid;
  grid.size = {n, n, n};
  grid.spacing_mm.setConstant(h_mm);
  grid.origin_mm.setConstant(h_mm / 2);
  return grid;
}

/// soft, cortical, cancellous, cerebrospinal fluid, with the properties that all solvers of the benchmark
/// use.
std::vector<Tissue> vertebra_tissues() {
  struct Row {
    const char* name;
    double density, heat, conductivity, perfusion, electrical;
  };
  constexpr std::array<Row, 4> rows = {{{"soft", 1090, 3421, 0.49, 6.7e-4, 0.446},
                                        {"cortical", 1908, 1313, 0.32, 3.2e-4, 0.0217},
                                        {"cancellous", 1178, 2274, 0.31, 5.9e-4, 0.0867},
                                        {"csf", 1007, 4096, 0.57, 0, 2.0}}};
  std::vector<Tissue> tissues;
  for (const Row& r : rows) {
    Tissue t;
    t.name = r.name;
    t.density_kg_per_m3 = r.density;
    t.specific_heat_J_per_kg_K = r.heat;
    t.conductivity_W_per_m_K = r.conductivity;
    t.perfusion_per_s = r.perfusion;
    t.electrical_S_per_m = r.electrical;
    tissues.push_back(t);
  }
  return tissues;
}

/// Bodies (an elliptic cylinder of 20 x 15 mm, 26 mm high, every 34 mm) and a posterior ring around a canal
/// of 9 mm; the outer 1.5 mm are cortical. x lateral, y posterior, z cranial, from the middle of the box.
/// Some cell centres lie on the surfaces to round-off: the arithmetic is that of the peers' generator, so
/// that they fall alike.
Volume<std::uint8_t> vertebra_labels(const Grid& grid, double h_m) {
  Volume<std::uint8_t> labels(grid, 0);
  const int n = grid.size[0];
  std::vector<double> centre_mm(std::size_t(n), 0.0), level_mm(std::size_t(n), 0.0);
  for (int i = 0; i < n; ++i) {
    const double c = (i + .5) * h_m * 1e3 - n * h_m * 1e3 / 2;
    const double turn = std::fmod(c + 17., 34.);
    centre_mm[std::size_t(i)] = c;
    level_mm[std::size_t(i)] = std::abs((turn < 0 ? turn + 34. : turn) - 17.);
  }
  for (int k = 0; k < n; ++k)
    for (int j = 0; j < n; ++j)
      for (int i = 0; i < n; ++i) {
        const double x = centre_mm[std::size_t(i)], y = centre_mm[std::size_t(j)],
                     z = level_mm[std::size_t(k)];
        const double canal = std::sqrt(x * x + (y - 24.) * (y - 24.));
        const auto in_body = [&](double skin) {
          const double u = x / (20. - skin), v = y / (15. - skin);
          return u * u + v * v < 1 && z < 13. - skin;
        };
        const auto in_ring = [&](double skin) {
          return canal < 14. - skin && canal >= 9. + skin && z < 9. - skin;
        };
        std::uint8_t& label = labels(i, j, k);
        if (in_body(0) || in_ring(0)) label = 1;
        if (in_body(1.5) || in_ring(1.5)) label = 2;
        if (canal < 9) label = 3;
      }
  return labels;
}

ThermalProblem bioheat(int n, double h_mm) {
  ThermalProblem p;
  const Grid grid = case_grid(n, h_mm);
  p.tissue_map.labels = vertebra_labels(grid, h_mm * 1e-3);
  p.tissue_map.tissues = vertebra_tissues();
  const double power_W = 5, sigma_mm = 7, centre_mm = n * h_mm / 2;
  const double peak_W_per_m3 = power_W / (std::pow(2 * kPi, 1.5) * std::pow(sigma_mm * kMetre_per_mm, 3));
  Volume<float> q(grid);
  for (int k = 0; k < n; ++k)
    for (int j = 0; j < n; ++j)
      for (int i = 0; i < n; ++i) {
        const double r2 = (grid.to_world(i, j, k) - Vector3d::Constant(centre_mm)).squaredNorm();
        q(i, j, k) = float(peak_W_per_m3 * std::exp(-r2 / (2 * sigma_mm * sigma_mm)));
      }
  p.sources = {{VolumetricSource{std::move(q)}, {}}};
  p.duration_s = 600;
  p.cem43_quarter_below_39 = true;
  p.sample.times_s = {600};
  for (const Vector3d& x :
       {Vector3d(0, 0, 0), Vector3d(5, 0, 0), Vector3d(10, 0, 0), Vector3d(15, 0, 0), Vector3d(20, 0, 0),
        Vector3d(0, 10, 0), Vector3d(0, 15, 0), Vector3d(0, 20, 0), Vector3d(0, 0, 10), Vector3d(0, 0, 16)})
    p.sample.points_mm.push_back(Vector3d::Constant(centre_mm) + x);
  p.fields.temperature = p.fields.cem43 = true;
  return p;
}

/// Two segments of 5 mm, 5 mm apart, on a square shaft of 1 mm along x; +-15 V, outer box insulated.
ThermalProblem electrodes() {
  constexpr int n = 128;
  constexpr double h_mm = 0.5, middle = n / 2.0;
  ThermalProblem p;
  p.tissue_map.labels = vertebra_labels(case_grid(n, h_mm), h_mm * 1e-3);
  p.tissue_map.tissues = vertebra_tissues();
  const auto shaft = [&](double from, double to) {  // cells along x
    return Region{
        Box{Vector3d(from, middle - 1, middle - 1) * h_mm, Vector3d(to, middle + 1, middle + 1) * h_mm}};
  };
  ElectrodesSource source;
  source.electrodes = {{shaft(middle - 15, middle - 5), 15, {}}, {shaft(middle + 5, middle + 15), -15, {}}};
  source.insulators = {shaft(middle - 5, middle + 5), shaft(middle + 15, n)};
  source.outer_grounded = false;
  p.sources = {{source, {}}};
  p.voxel_applicators = true;
  p.duration_s = 1;
  p.fields.potential = p.fields.power_density = true;
  return p;
}

/// A probe of 2 x 2 x 30 mm at -140 degC: 10 min freeze, 5 min passive thaw, 10 min freeze.
ThermalProblem freezing() {
  constexpr int n = 96;
  ThermalProblem p;
  p.tissue_map.labels = Volume<std::uint8_t>(case_grid(n, 1), 0);
  Tissue t;  // densities of 1000 kg/m3 turn the case's volumetric values into specific ones
  t.name = "tissue";
  t.density_kg_per_m3 = 1000;
  t.specific_heat_J_per_kg_K = 3600;
  t.conductivity_W_per_m_K = 0.5;
  t.perfusion_per_s = 5e-4;
  t.perfusion_rule.returns_after_freezing = true;
  t.frozen = Frozen{1000, 1900, 2, 250000, -8, -1};
  p.tissue_map.tissues = {t};
  const Region probe{Box{{47, 47, 33}, {49, 49, 63}}};
  p.sources = {{FixedTemperatureSource{probe, {{0, -140}}, false}, {{0, 600}, {900, 1500}}}};
  p.voxel_applicators = true;
  p.duration_s = 1500;
  p.sample.times_s = {600, 900, 1500};
  for (const double x : {3, 5, 8, 10, 12, 15, 20}) p.sample.points_mm.emplace_back(n / 2.0 + x, n / 2, n / 2);
  p.fields.temperature = p.fields.lowest_temperature = true;
  return p;
}

}  // namespace

const std::vector<BenchCase>& bench_cases() {
  static const std::vector<BenchCase> cases = {
      {"BH-1s", "bioheat, 64^3 at 2 mm, 600 s"},
      {"BH-1", "bioheat, 128^3 at 1 mm, 600 s"},
      {"BH-2", "bioheat, 192^3 at 0.5 mm, 600 s"},
      {"EL-1", "electrodes, 128^3 at 0.5 mm"},
      {"CRYO-1", "freeze, thaw, freeze, 96^3 at 1 mm, 1500 s"},
  };
  return cases;
}

ThermalProblem bench_problem(const std::string& name) {
  ThermalProblem p;
  if (name == "BH-1s")
    p = bioheat(64, 2);
  else if (name == "BH-1")
    p = bioheat(128, 1);
  else if (name == "BH-2")
    p = bioheat(192, 0.5);
  else if (name == "EL-1")
    p = electrodes();
  else if (name == "CRYO-1")
    p = freezing();
  else {
    std::vector<std::string> known;
    for (const BenchCase& c : bench_cases()) known.push_back(c.name);
    throw ConfigError(
        fmt::format("unknown case '{}'", name), "--case",
        fmt::format("did you mean '{}'? known: {}", nearest_word(name, known), fmt::join(known, ", ")));
  }
  p.initial_degC = kRest_degC;
  p.boundary.fill({BoundaryKind::fixed, kRest_degC, 0});
  return p;
}

}  // namespace spinetherm
