// SPDX-License-Identifier: Apache-2.0
// exact_references FILE [FINEST]: what EL-1 and CRYO-1 converge to; writes FILE
// (tests/bench/exact_references.json).
//
// The cases are solved with applicators on whole cells of h / R, R = 1 ... FINEST (4), the tissue of each
// cell of the case being that of all its parts, so that every R is the same problem. Only the half (EL-1, z)
// or the eighth (CRYO-1) is solved that the planes of symmetry, insulated, leave. The limit goes through the
// three finest values, see extrapolation.h.
#include <fmt/format.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "apps/bench_cases.h"
#include "imaging/core/error.h"
#include "tests/bench/extrapolation.h"
#include "thermal/electric_field.h"

namespace {

using namespace spinetherm;
using Json = nlohmann::ordered_json;

/// The part of a problem beyond the middle of the given axes, on cells of 1/refinement.
ThermalProblem upper_part(const ThermalProblem& whole, int refinement, const std::array<bool, 3>& halved) {
  ThermalProblem part = whole;
  const Volume<std::uint8_t>& coarse = whole.tissue_map.labels;
  Grid grid = coarse.grid;
  std::array<int, 3> first{};
  for (std::size_t a = 0; a < 3; ++a) {
    const auto axis = Eigen::Index(a);
    first[a] = halved[a] ? coarse.grid.size[a] / 2 : 0;
    grid.size[a] = (coarse.grid.size[a] - first[a]) * refinement;
    grid.spacing_mm[axis] /= refinement;
    grid.origin_mm[axis] += (first[a] - 0.5) * coarse.grid.spacing_mm[axis] + 0.5 * grid.spacing_mm[axis];
    if (halved[a]) part.boundary[2 * a].kind = BoundaryKind::insulated;
  }
  Volume<std::uint8_t> labels(grid);
  for (int k = 0; k < grid.size[2]; ++k)
    for (int j = 0; j < grid.size[1]; ++j)
      for (int i = 0; i < grid.size[0]; ++i)
        labels(i, j, k) =
            coarse(first[0] + i / refinement, first[1] + j / refinement, first[2] + k / refinement);
  part.tissue_map.labels = std::move(labels);
  part.sample = {};
  return part;
}

void require_mirrored(const Volume<std::uint8_t>& labels, std::size_t axis) {
  const std::array<int, 3> n = labels.grid.size;
  for (int k = 0; k < n[2]; ++k)
    for (int j = 0; j < n[1]; ++j)
      for (int i = 0; i < n[0]; ++i) {
        std::array<int, 3> m = {i, j, k};
        m[axis] = n[axis] - 1 - m[axis];
        if (labels(i, j, k) != labels(m[0], m[1], m[2]))
          throw ConfigError("the tissues of the case are not symmetric", "/labels", "solve the whole box");
      }
}

double resistance_ohm(int refinement) {
  constexpr double kTolerance = 1e-7;
  const ThermalProblem whole = bench_problem("EL-1");
  require_mirrored(whole.tissue_map.labels, 2);
  const ThermalProblem half = upper_part(whole, refinement, {false, false, true});
  ElectricField field(half.grid(), std::get<ElectrodesSource>(half.sources[0].what), true, 0);
  const ElectricSummary s = field.solve(electrical_S_per_m(half.tissue_map), kTolerance);
  if (!s.usable()) throw ConfigError(s.message, "EL-1", "raise the tolerance");
  return field.resistance_ohm() / 2;
}

/// Of the zone below 0 degC after the first freeze.
double ice_ml(int refinement) {
  ThermalProblem eighth = upper_part(bench_problem("CRYO-1"), refinement, {true, true, true});
  eighth.duration_s = 600;
  eighth.fields = {};
  const ThermalResult r = solve(eighth, bench_case("CRYO-1").engine);
  if (!r.summary.usable()) throw ConfigError(r.summary.message, "CRYO-1", "see 'spinetherm verify'");
  return 8 * r.zones.at("under_0_degC").volume_ml;
}

/// To the digits that are worth keeping.
double rounded(double value) { return std::round(value * 1e4) / 1e4; }

template <class Value>
Json series(const std::string& what, int finest, const Value& value) {
  std::vector<double> values;
  Json j = {{"by_refinement", Json::object()}};
  for (int refinement = 1; refinement <= finest; ++refinement) {
    values.push_back(rounded(value(refinement)));
    j["by_refinement"][std::to_string(refinement)] = values.back();
    std::cerr << fmt::format("{} at h/{}: {:.4f}\n", what, refinement, values.back());
  }
  const auto limit_to = [&](int last) {
    const auto n = std::size_t(last);
    return rounded(limit_at_zero({1.0 / (last - 2), 1.0 / (last - 1), 1.0 / last},
                                 {values[n - 3], values[n - 2], values[n - 1]}));
  };
  j["limit"] = limit_to(finest);
  // How far the limit depends on the choice of grids.
  if (finest > 3) j["limit_without_finest"] = limit_to(finest - 1);
  return j;
}

}  // namespace

int main(int argc, char** argv) {
  const int finest = argc == 3 ? std::atoi(argv[2]) : 4;
  if (argc < 2 || argc > 3 || finest < 3) {
    std::fputs("usage: exact_references FILE [FINEST], FINEST >= 3\n", stderr);
    return 2;
  }
  try {
    const Json document = {
        {"how",
         "applicators on whole cells of h/R in one half (EL-1) or eighth (CRYO-1) of the box; limit of v "
         "+ C1 h + C2 h^2 through the three finest"},
        {"command",
         fmt::format("build/tests/bench/bench_exact_references tests/bench/exact_references.json {}",
                     finest)},
        {"EL-1 resistance_ohm", series("EL-1 resistance [ohm]", finest, resistance_ohm)},
        {"CRYO-1 ice_ml at 600 s", series("CRYO-1 ice after freeze 1 [ml]", finest, ice_ml)}};
    std::ofstream out(argv[1]);
    out << document.dump(2) << '\n';
    if (!out.flush())
      throw IoError("cannot be written", argv[1], "check the folder and the space on the disk");
  } catch (const Error& e) {
    std::fprintf(stderr, "error: %s\n", e.what());
    return 3;
  }
  return 0;
}
