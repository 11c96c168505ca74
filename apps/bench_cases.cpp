// SPDX-License-Identifier: Apache-2.0
#include "apps/bench_cases.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>

#include "apps/engine_options.h"
#include "datasets/device_table.h"
#include "datasets/tissue_table.h"
#include "imaging/core/error.h"
#include "imaging/core/text.h"
#include "imaging/core/tissue_class.h"
#include "imaging/core/units.h"
#include "thermal/cryo.h"
#include "thermal/electric_field.h"
#include "thermal/error_estimate.h"
#include "thermal/fine_patch.h"
#include "thermal/rfa.h"
#include "thermal/tissue_map.h"

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

/// Label of a point [mm] from the middle of a body, x lateral, y posterior, z cranial: bodies (an elliptic
/// cylinder of 20 x 15 mm, 26 mm high, every 34 mm) and a posterior ring around a canal of 9 mm; the
/// outer 1.5 mm are cortical. Some cell centres lie on the surfaces to round-off: the arithmetic is that of
/// the peers' generator, so that they fall alike.
std::uint8_t vertebra_label(double x, double y, double z_mm) {
  const double turn = std::fmod(z_mm + 17., 34.);
  const double z = std::abs((turn < 0 ? turn + 34. : turn) - 17.);
  const double canal = std::sqrt(x * x + (y - 24.) * (y - 24.));
  const auto in_body = [&](double skin) {
    const double u = x / (20. - skin), v = y / (15. - skin);
    return u * u + v * v < 1 && z < 13. - skin;
  };
  const auto in_ring = [&](double skin) { return canal < 14. - skin && canal >= 9. + skin && z < 9. - skin; };
  if (canal < 9) return 3;
  if (in_body(1.5) || in_ring(1.5)) return 2;
  return in_body(0) || in_ring(0) ? 1 : 0;
}

/// Around the middle of a cube.
Volume<std::uint8_t> vertebra_labels(const Grid& grid, double h_m) {
  Volume<std::uint8_t> labels(grid, 0);
  const int n = grid.size[0];
  const auto centre_mm = [&](int i) { return (i + .5) * h_m * 1e3 - n * h_m * 1e3 / 2; };
  for (int k = 0; k < n; ++k)
    for (int j = 0; j < n; ++j)
      for (int i = 0; i < n; ++i) labels(i, j, k) = vertebra_label(centre_mm(i), centre_mm(j), centre_mm(k));
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

/// A bipolar probe or three cryoprobes in a soft tumour of 16 mm inside the vertebra, as `simulate` builds it
/// for a patient: window of 1 mm around the active parts, cells of half a millimetre beside them, tissues of
/// the table, until the dose has settled. Damage counts in neural tissue alone. Without what a patient's
/// images bring: graded bone, discs, nerves, epidural fat.
ThermalProblem patient_like(const std::vector<Applicator>& applicators, const Protocol& protocol,
                            double margin_mm) {
  const Vector3d tumour_mm(0, 0, 0);
  constexpr double tumour_radius_mm = 8;
  constexpr std::array<TissueClass, 4> tissue_of_label = {TissueClass::muscle, TissueClass::cortical_bone,
                                                          TissueClass::cancellous_bone_2, TissueClass::csf};
  std::vector<Device> devices;
  for (const Applicator& a : applicators) devices.push_back(device(a.device));
  ThermalProblem p;
  p.tissue_map.labels = Volume<std::uint8_t>(thermal_grid(applicators, devices, tumour_mm, 1, margin_mm));
  const Grid& grid = p.grid();
  const auto set_labels = [&](Volume<std::uint8_t>& labels) {
    for (int k = 0; k < labels.grid.size[2]; ++k)
      for (int j = 0; j < labels.grid.size[1]; ++j)
        for (int i = 0; i < labels.grid.size[0]; ++i) {
          const Vector3d x = labels.grid.to_world(i, j, k);
          const bool tumour = (x - tumour_mm).norm() < tumour_radius_mm;
          labels(i, j, k) = std::uint8_t(tumour ? TissueClass::tumour_lytic
                                                : tissue_of_label.at(vertebra_label(x.x(), x.y(), x.z())));
        }
  };
  set_labels(p.tissue_map.labels);
  p.tissue_map.tissues = tissue_table();
  for (std::size_t n = 0; n < p.tissue_map.tissues.size(); ++n) {
    p.tissue_map.tissues[n].metabolic_W_per_m3 = 0;  // part of the state at rest
    if (TissueClass(n) != TissueClass::csf) p.tissue_map.tissues[n].damage.reset();
  }
  // As a patient's simulation; ice spreads slowly, so that only what is steep lies within 2 mm.
  const ActiveBox active = active_box(applicators, devices);
  const Vector3d beside = Vector3d::Constant(protocol.modality == "cryo" ? 2 : 6);
  p.patch.emplace();
  p.patch->labels =
      Volume<std::uint8_t>(patch_grid(grid, active.low_mm - beside, active.high_mm + beside, 2));
  set_labels(p.patch->labels);
  p.sources = protocol.modality == "cryo" ? make_cryo_sources(applicators, devices, protocol)
                                          : make_rfa_sources(applicators, devices, protocol);
  p.duration_s = protocol.duration_s();
  p.until_dose_settled = true;
  p.fields.temperature = p.fields.peak_temperature = p.fields.lowest_temperature = true;
  p.fields.cem43 = p.fields.arrhenius = true;
  p.fields.freezes = p.fields.lowest_twice = protocol.modality == "cryo";
  return p;
}

/// A bipolar probe through a pedicle for 10 min, 50 degC held at its edge by a sensor on the shaft (one in
/// the gap of cooled poles reads the coolant on coarse cells and the tissue on fine ones, and no estimate
/// would follow). The device has it 10 mm from the middle; there tissue beside the poles dries first, and the
/// rising resistance switches the power off every 17 s. `deeper_mm` along the shaft: 4 mm deeper the set
/// value is reached.
ThermalProblem full_rfa(double deeper_mm) {
  const Vector3d in = Vector3d(-0.35, -0.93, -0.1).normalized();
  Applicator probe;
  probe.device = "bipolar-articulating-10";
  probe.deployment = 0;  // straight
  const Device& used = device(probe.device);
  probe.tip_mm = used.poles.back().to_tip_mm / 2 * in;
  probe.entry_mm = -80 * in;
  ThermalProblem p = patient_like({probe}, used.protocol, 36);
  for (Source& s : p.sources)
    if (auto* electrodes = std::get_if<ElectrodesSource>(&s.what))
      if (auto* hold = std::get_if<HoldTemperature>(&electrodes->control)) hold->sensor_mm += deeper_mm * in;
  return p;
}

/// Three parallel cryoprobes, 10 mm from each other: 10 min freeze, 5 min passive thaw, 10 min freeze.
ThermalProblem three_cryoprobes() {
  const Vector3d in = Vector3d(-0.35, -0.93, -0.1).normalized();
  const Vector3d side = in.cross(Vector3d::UnitZ()).normalized(), up = side.cross(in);
  std::vector<Applicator> probes;
  for (const double degrees : {90, 210, 330}) {
    const double turn = degrees * kPi / 180, to_axis_mm = 10 / std::sqrt(3.0);
    Applicator probe;
    probe.device = "cryo-17g-medium";
    const double deep_mm = device(probe.device).cryo->to_tip_mm / 2;
    const Vector3d at = to_axis_mm * (std::cos(turn) * side + std::sin(turn) * up);
    probe.tip_mm = at + deep_mm * in;
    probe.entry_mm = at - 80 * in;
    probes.push_back(probe);
  }
  // Cold spreads 1.6 times as far as heat.
  return patient_like(probes, device(probes.front().device).protocol, 36 * 1.6);
}

/// Exact surfaces, and smaller cells beside the applicator: `half_mm` to each side of the middle of the box.
ThermalProblem exact(ThermalProblem p, const Vector3d& half_mm, int ratio) {
  p.voxel_applicators = false;
  const Grid& grid = p.grid();
  const Vector3d middle = grid.to_world((grid.size[0] - 1) / 2.0 * Vector3d::Ones());
  p.patch = refined(p.tissue_map, patch_grid(grid, middle - half_mm, middle + half_mm, ratio));
  return p;
}

/// As patients' runs; the larger cells far from applicators only where `far_field` is set.
BioheatOptions as_for_patients(bool far_field = false) {
  BioheatOptions o = patient_options(0);
  o.coarse_far_field = far_field;
  return o;
}

}  // namespace

const std::vector<BenchCase>& bench_cases() {
  static const std::vector<BenchCase> cases = [] {
    const BioheatOptions plain = as_for_patients(), with_far = as_for_patients(true);
    BioheatOptions held_to_a_grid = with_far;  // within 0.05 K of that grid's own answer
    held_to_a_grid.step_error_K = 0.04;
    const auto field = [](BenchCase c) {
      c.field_only = true;
      return c;
    };
    const auto with_estimate = [](BenchCase c) {
      c.error_estimate = true;
      return c;
    };
    return std::vector<BenchCase>{
        {"BH-1s", "bioheat, 64^3 at 2 mm, 600 s", plain},
        {"BH-1", "bioheat, 128^3 at 1 mm, 600 s", plain},
        {"BH-2", "bioheat, 192^3 at 0.5 mm, 600 s", plain},
        field({"EL-1", "electric field of two poles on whole cells, 128^3 at 0.5 mm", plain}),
        {"CRYO-1", "freeze, thaw, freeze; probe on whole cells, 96^3 at 1 mm, 1500 s", held_to_a_grid},
        field({"EL-1-exact", "EL-1 with exact surfaces and a fine patch", {}}),
        {"CRYO-1-exact", "CRYO-1 with exact surfaces and a fine patch", {}},
        with_estimate(
            {"RFA-full", "bipolar probe in a vertebra, 600 s and until settled, error estimate", with_far}),
        with_estimate({"RFA-pulsed", "the same, switched off by its resistance every 17 s", with_far}),
        with_estimate({"CRYO-3",
                       "three cryoprobes in a vertebra, 10-5-10 min and until settled, error estimate",
                       with_far}),
    };
  }();
  return cases;
}

const BenchCase& bench_case(const std::string& name) {
  std::vector<std::string> known;
  for (const BenchCase& c : bench_cases()) {
    if (c.name == name) return c;
    known.push_back(c.name);
  }
  throw ConfigError(
      fmt::format("unknown case '{}'", name), "--case",
      fmt::format("did you mean '{}'? known: {}", nearest_word(name, known), fmt::join(known, ", ")));
}

ThermalProblem bench_problem(const std::string& name) {
  (void)bench_case(name);
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
  else if (name == "EL-1-exact")
    p = exact(electrodes(), {12, 5, 5}, 4);
  else if (name == "CRYO-1-exact")
    p = exact(freezing(), {6, 6, 20}, 3);
  else if (name == "RFA-full")
    p = full_rfa(4);
  else if (name == "RFA-pulsed")
    p = full_rfa(0);
  else
    p = three_cryoprobes();
  p.initial_degC = kRest_degC;
  p.boundary.fill({BoundaryKind::fixed, kRest_degC, 0});
  return p;
}

Volume<float> electrical_S_per_m(const TissueMap& map) {
  std::vector<float> of_label;
  for (const Tissue& t : map.tissues) of_label.push_back(float(t.electrical_S_per_m.value()));
  Volume<float> sigma(map.labels.grid);
  for (std::size_t c = 0; c < sigma.values.size(); ++c) sigma[c] = of_label.at(map.labels[c]);
  return sigma;
}

BenchResult run_bench(const BenchCase& which, const ThermalProblem& problem, int threads,
                      const Progress& progress) {
  const auto begin = std::chrono::steady_clock::now();
  const auto since_begin_s = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  };
  BenchResult r;
  if (which.field_only) {
    constexpr double kTolerance = 1e-5;
    const auto& source = std::get<ElectrodesSource>(problem.sources.at(0).what);
    ElectricField field(problem.grid(), source, problem.voxel_applicators, threads);
    const Volume<float> sigma = electrical_S_per_m(problem.tissue_map);
    const ElectricSummary s = field.solve(sigma, kTolerance, progress);
    r.usable = s.usable();
    r.message = s.message;
    r.solve_s = s.wall_time_s;
    r.iterations = s.iterations;
    double power_W = field.power_W(), current_A = field.current_A();
    if (problem.patch && s.usable()) {
      ElectricField part = ElectricField::part_of(field, problem.patch->labels.grid);
      part.take_outer_potential(field);
      TissueMap map = *problem.patch;
      map.tissues = problem.tissue_map.tissues;
      const ElectricSummary fine = part.solve(electrical_S_per_m(map), kTolerance, progress);
      r.usable = fine.usable();
      r.message = fine.message;
      r.solve_s += fine.wall_time_s;
      current_A *= part.outer_scale();
      power_W *= part.outer_scale();
    }
    r.thermal.electrical = ElectricalHistory{
        {0}, {power_W / (current_A * current_A)}, {power_W}, {current_A}, {power_W / current_A}, {}};
    r.thermal.potential = field.potential_V();
    r.thermal.power_density = field.power_W_per_m3();
  } else {
    BioheatOptions engine = which.engine;
    engine.threads = threads;
    r.thermal = solve(problem, engine, progress);
    r.solve_s = r.thermal.summary.wall_time_s;
    if (which.error_estimate) {
      const double before_s = since_begin_s();
      add_error_estimate(problem, engine, r.thermal, progress);
      r.solve_s += since_begin_s() - before_s;
    }
    r.usable = r.thermal.summary.usable();
    r.message = r.thermal.summary.message;
  }
  r.setup_s = since_begin_s() - r.solve_s;
  return r;
}

}  // namespace spinetherm
