// SPDX-License-Identifier: Apache-2.0
#include "apps/validation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <sstream>

#include "apps/validation_detail.h"
#include "datasets/tissue_table.h"
#include "imaging/core/error.h"

namespace spinetherm {

using Eigen::Vector3d;

std::string_view ValidationRow::verdict() const {
  if (!known) return "unknown";
  if (!judged) return "printed";
  return in_band() ? "in band" : "out of band";
}

const std::vector<ValidationExperiment>& validation_experiments() {
  using namespace validation;
  static const std::vector<ValidationExperiment> experiments = {
      {"V1", "canal and foramen beside a lytic cavity, cadaver (printed, never judged)",
       "Groetz 2013, PMC3676570", run_v1},
      {"V2", "overshoot at the dura after a stop at 45 degC", "Nakatsuka 2009, PMID 18661176", run_v2},
      {"V3", "osteoid osteoma behind its reactive zone", "Irastorza 2016, PMID 26862788 (a simulation)",
       run_v3},
      {"V4", "atypical cartilaginous tumours of patients", "Rivas-Loya 2022, eurradiolexp s41747-022-00271-3",
       run_v4},
      {"V5", "directional antenna in porcine vertebrae ex vivo", "Pfannenstiel 2024, PMC11357707", run_v5},
      {"V6", "microwaves in spinal metastases, 4.5 min", "Khan 2018, AJNR; zone PMC11357707", run_v6},
      {"V7", "monopolar lesions ex vivo: time, temperature, gauge", "Cosman 2014, over 400 lesions", run_v7},
      {"V8", "cryoprobes of 2.4 mm in agar at 39 degC", "Littrup 2009, PMC2762356", run_v8},
      {"V9", "17 G cryoneedles in gel at 37 degC", "PMC4850244", run_v9},
      {"V10", "isotherms of single cryoneedles in gel", "IJH 2020 1845402", run_v10},
      {"V11", "frozen 13th thoracic vertebra of dogs: does the dura's limit find the injured",
       "AJNR 2024, 14 dogs", run_v11},
      {"V12", "two probes of 3.2 mm at -180 degC in sheep bone", "BMC Surg 2003", run_v12},
      {"V13", "frozen femoral heads of emus (printed, never judged)", "Goetz 2008, PMC2612542", run_v13},
      {"V14", "laser fibre in pig femur, 2 W at 805 nm", "Thieme s-2008-1080157", run_v14},
      {"V15", "laser ablation of epidural tumours (clinical)", "Tatsui, Gangi", run_v15},
      {"V16", "pig vertebra ex vivo: time to a steady temperature", "wprim 2009", run_v16},
      {"V17", "liver beside tumour gel, 30 W for 12 min", "Haemmerich 2011, PMC3108076", run_v17},
  };
  return experiments;
}

std::vector<ValidationExperiment> choose_validation_experiments(const std::string& ids) {
  if (ids.empty()) return validation_experiments();
  std::vector<ValidationExperiment> chosen;
  std::vector<std::string> known;
  for (const ValidationExperiment& e : validation_experiments()) known.emplace_back(e.id);
  std::istringstream list(ids);
  for (std::string id; std::getline(list, id, ',');) {
    const auto at = std::find(known.begin(), known.end(), id);
    if (at == known.end())
      throw ConfigError(fmt::format("unknown experiment '{}'", id), "--case",
                        fmt::format("known: {}; separate them by commas", fmt::join(known, ", ")));
    chosen.push_back(validation_experiments()[std::size_t(at - known.begin())]);
  }
  return chosen;
}

namespace validation {

const Tissue& tissue(TissueClass c) { return tissue_table()[std::size_t(c)]; }

Tissue excised(TissueClass c) {
  Tissue t = tissue(c);
  t.perfusion_per_s = t.metabolic_W_per_m3 = 0;
  t.perfusion_rule = {};
  return t;
}

Tissue water_gel() {
  constexpr double ice_K = 273.15 - 40;
  Tissue t;
  t.name = "gel, as water";
  t.density_kg_per_m3 = 1000;
  t.specific_heat_J_per_kg_K = 4180;
  t.conductivity_W_per_m_K = 0.62;
  t.frozen = Frozen{1000, 7.16 * ice_K + 138, 0.4685 + 488.19 / ice_K, 334e3, -1, 0};
  return t;
}

Grid cells_in(const Vector3d& min_mm, const Vector3d& max_mm, double h_mm) {
  Grid grid;
  for (int a = 0; a < 3; ++a) grid.size[std::size_t(a)] = int(std::lround((max_mm[a] - min_mm[a]) / h_mm));
  grid.spacing_mm.setConstant(h_mm);
  grid.origin_mm = min_mm.array() + h_mm / 2;
  return grid;
}

ThermalProblem problem_in(const Grid& grid, std::vector<Tissue> tissues, double rest_degC,
                          const std::function<int(const Vector3d&)>& label) {
  ThermalProblem p;
  p.tissue_map.labels = Volume<std::uint8_t>(grid, 0);
  p.tissue_map.tissues = std::move(tissues);
  if (label)
    for (int k = 0; k < grid.size[2]; ++k)
      for (int j = 0; j < grid.size[1]; ++j)
        for (int i = 0; i < grid.size[0]; ++i)
          p.tissue_map.labels(i, j, k) = std::uint8_t(label(grid.to_world(i, j, k)));
  p.blood.temperature_degC = p.initial_degC = rest_degC;
  p.boundary.fill({BoundaryKind::fixed, rest_degC, 0});
  return p;
}

ValidationRow unknown_row(std::string id, std::string quantity, std::string unit, std::string published,
                          std::string cause) {
  ValidationRow row;
  row.id = std::move(id);
  row.quantity = std::move(quantity);
  row.unit = std::move(unit);
  row.simulated = std::numeric_limits<double>::quiet_NaN();
  row.published = std::move(published);
  row.low = -std::numeric_limits<double>::infinity();
  row.high = std::numeric_limits<double>::infinity();
  row.cause = std::move(cause);
  row.judged = row.known = false;
  return row;
}

double cell_value(const Volume<float>& field, const Vector3d& at_mm) {
  if (field.empty()) return std::numeric_limits<double>::quiet_NaN();
  const Grid& g = field.grid;
  std::array<int, 3> c{};
  for (int a = 0; a < 3; ++a) {
    const int n = int(std::lround((at_mm[a] - g.origin_mm[a]) / g.spacing_mm[a]));
    c[std::size_t(a)] = std::clamp(n, 0, g.size[std::size_t(a)] - 1);
  }
  return double(field(c[0], c[1], c[2]));
}

double area_below_mm2(const Volume<float>& field, int k, double level) {
  if (field.empty()) return std::numeric_limits<double>::quiet_NaN();
  const Grid& g = field.grid;
  constexpr int parts = 8;
  const auto at = [&](int i, int j) {
    return double(field(std::clamp(i, 0, g.size[0] - 1), std::clamp(j, 0, g.size[1] - 1), k));
  };
  long below = 0;
  for (int j = 0; j < g.size[1]; ++j)
    for (int i = 0; i < g.size[0]; ++i)
      for (int b = 0; b < parts; ++b)
        for (int a = 0; a < parts; ++a) {
          const double u = i + (a + 0.5) / parts - 0.5, v = j + (b + 0.5) / parts - 0.5;
          const int iu = int(std::floor(u)), jv = int(std::floor(v));
          const double fu = u - iu, fv = v - jv;
          const double low = (1 - fu) * at(iu, jv) + fu * at(iu + 1, jv);
          const double high = (1 - fu) * at(iu, jv + 1) + fu * at(iu + 1, jv + 1);
          if ((1 - fv) * low + fv * high < level) ++below;
        }
  return double(below) * g.spacing_mm[0] * g.spacing_mm[1] / (parts * parts);
}

double edge_below_mm(const Volume<float>& field, const Vector3d& origin_mm, const Vector3d& direction,
                     double from_mm, double level) {
  if (field.empty()) return std::numeric_limits<double>::quiet_NaN();
  const Grid& g = field.grid;
  const auto value = [&](const Vector3d& x) {
    double sum = 0;
    std::array<int, 3> c{};
    Vector3d f;
    for (int a = 0; a < 3; ++a) {
      const double u = (x[a] - g.origin_mm[a]) / g.spacing_mm[a];
      c[std::size_t(a)] = int(std::floor(u));
      f[a] = u - std::floor(u);
    }
    for (int n = 0; n < 8; ++n) {
      const std::array<int, 3> d{n & 1, (n >> 1) & 1, n >> 2};
      double w = 1;
      std::array<int, 3> cell{};
      for (std::size_t a = 0; a < 3; ++a) {
        w *= d[a] != 0 ? f[Eigen::Index(a)] : 1 - f[Eigen::Index(a)];
        cell[a] = std::clamp(c[a] + d[a], 0, g.size[a] - 1);
      }
      sum += w * double(field(cell[0], cell[1], cell[2]));
    }
    return sum;
  };
  constexpr double step_mm = 0.1;
  double before = value(origin_mm + from_mm * direction);
  if (before > level) return 0;
  for (double r = from_mm + step_mm;; r += step_mm) {
    const Vector3d x = origin_mm + r * direction;
    if (!g.covers(x)) return std::numeric_limits<double>::quiet_NaN();
    const double now = value(x);
    if (now > level) return r - step_mm * (now - level) / (now - before);
    before = now;
  }
}

}  // namespace validation
}  // namespace spinetherm
