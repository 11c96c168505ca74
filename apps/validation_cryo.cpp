// SPDX-License-Identifier: Apache-2.0
// Cryoablation experiments of the validation table (physics notes, section 5). Probes lie along z, tips
// below, the middle of their cooling parts in the plane z = 0.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "apps/validation_detail.h"
#include "datasets/device_table.h"
#include "imaging/core/units.h"
#include "thermal/cryo.h"

namespace spinetherm::validation {
namespace {

using Eigen::Vector2d;
using Eigen::Vector3d;

constexpr double kUnbounded = std::numeric_limits<double>::infinity();
constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

/// Probes of one kind in gel, frozen without a pause. A lower bound of 0 in x or y is a plane of symmetry
/// that cuts no probe.
struct GelFreeze {
  const Device& device;
  std::vector<Vector2d> at_mm;
  Vector3d min_mm, max_mm;
  double cell_mm = 1, rest_degC = 37, duration_s = 600;
};

/// Final temperatures; no cells when the run has failed.
Volume<float> freeze(const GelFreeze& f, Runner& runner) {
  ThermalProblem p = problem_in(cells_in(f.min_mm, f.max_mm, f.cell_mm), {water_gel()}, f.rest_degC);
  for (const int a : {0, 1})
    if (f.min_mm[a] == 0) p.boundary[2 * std::size_t(a)] = kInsulated;
  const CryoPart& part = f.device.cryo.value();
  std::vector<Applicator> applicators;
  for (const Vector2d& at : f.at_mm) {
    Applicator a;
    a.device = f.device.name;
    a.tip_mm = {at.x(), at.y(), -(part.from_tip_mm + part.to_tip_mm) / 2};
    a.entry_mm = {at.x(), at.y(), f.max_mm.z() - 2};
    applicators.push_back(a);
  }
  ProtocolStep step;
  step.duration_s = f.duration_s;
  step.duty = 1;
  p.sources =
      make_cryo_sources(applicators, std::vector<Device>(applicators.size(), f.device), {"cryo", {step}, {}});
  p.duration_s = f.duration_s;
  p.fields.temperature = true;
  ThermalResult result = runner.run(p, BioheatOptions{});
  if (!result.summary.usable()) return {};
  return std::move(result.temperature);
}
/// The cells whose centres lie nearest above z = 0.
int middle_plane(const Volume<float>& field) {
  return field.empty() ? 0 : int(std::ceil(-field.grid.origin_mm.z() / field.grid.spacing_mm.z()));
}

}  // namespace

// V8: 1 to 4 probes 20 mm apart: one, a pair, a triangle, a square.
std::vector<ValidationRow> run_v8(const VerificationOptions& options, const Progress& progress) {
  Runner runner(options, progress);
  constexpr double half_mm = 10, out_mm = 45, side_mm = 20, up_mm = 39;
  const Device& probe = device("cryo-2.4mm");
  const double height_mm = side_mm * std::sqrt(3) / 2;
  struct Array {
    std::vector<Vector2d> at_mm;
    Vector2d min_mm;
    double diameter_mm, share_percent;
  };
  const std::vector<Array> arrays = {
      {{{0, 0}}, {-out_mm, -out_mm}, 12, 13},
      {{{half_mm, 0}}, {0, -out_mm}, 33, 46},
      {{{-half_mm, -height_mm / 3}, {half_mm, -height_mm / 3}, {0, 2 * height_mm / 3}},
       {-out_mm, -out_mm},
       41,
       51},
      {{{half_mm, half_mm}}, {0, 0}, 49, 56}};
  std::vector<ValidationRow> rows;
  for (std::size_t n = 0; n < arrays.size(); ++n) {
    const Array& a = arrays[n];
    const Volume<float> T =
        freeze({probe, a.at_mm, {a.min_mm.x(), a.min_mm.y(), -up_mm}, {out_mm, out_mm, up_mm}, 1.5, 39, 900},
               runner);
    const int k = middle_plane(T);
    const double whole = (a.min_mm.x() == 0 ? 2 : 1) * (a.min_mm.y() == 0 ? 2 : 1);
    const double lethal = whole * area_below_mm2(T, k, -30), ice = whole * area_below_mm2(T, k, 0);
    const char* cause =
        "cooling length, film and heat limit of the probe are placeholders; the gas is recalled; diameter of "
        "equal area through the middle of the cooling part";
    rows.push_back({"V8", fmt::format("diameter at -30 degC, probes: {}", n + 1), "mm",
                    2 * std::sqrt(lethal / kPi), fmt::format("{:g}", a.diameter_mm), a.diameter_mm - 3,
                    a.diameter_mm + 3, Confidence::placeholder, cause});
    rows.push_back({"V8", fmt::format("share of the ice below -30 degC, probes: {}", n + 1), "%",
                    100 * lethal / ice, fmt::format("{:g}", a.share_percent), a.share_percent - 10,
                    a.share_percent + 10, Confidence::placeholder,
                    "no spread is published, 10 points assumed; as for the diameter"});
  }
  return rows;
}

// V9: four needles in a square of 15 mm, and pairs 15 and 25 mm apart.
std::vector<ValidationRow> run_v9(const VerificationOptions& options, const Progress& progress) {
  Runner runner(options, progress);
  const Device& needle = device("cryo-17g-long");
  const char* cause =
      "which 17 G needle, its length and the time (10 min here) are not known; film and heat limit of the "
      "needle are placeholders";
  std::vector<ValidationRow> rows;
  const Volume<float> four = freeze({needle, {{7.5, 7.5}}, {0, 0, -39}, {39, 39, 45}, 1}, runner);
  const Vector3d at{7.5, 7.5, 0.5}, out = Vector3d(1, 1, 0).normalized();
  const double lethal_mm = edge_below_mm(four, at, out, 1, -40), ice_mm = edge_below_mm(four, at, out, 1, 0);
  rows.push_back({"V9", "-40 degC from the outer needle, 4 needles 15 mm apart", "mm", lethal_mm, "about 10",
                  8, 12, Confidence::placeholder, cause});
  rows.push_back({"V9", "from -40 to 0 degC, 4 needles 15 mm apart", "mm", ice_mm - lethal_mm, "about 10", 8,
                  12, Confidence::placeholder, cause});
  for (const double spacing_mm : {15.0, 25.0}) {
    const double x = spacing_mm / 2;
    const Volume<float> T = freeze({needle, {{x, 0}}, {0, -36, -39}, {45, 36, 45}, 1.5}, runner);
    const double waist = edge_below_mm(T, {0, 0, 0.75}, {0, 1, 0}, 0, 0),
                 lobe = edge_below_mm(T, {x, 0, 0.75}, {0, 1, 0}, 1, 0);
    const bool apart = spacing_mm > 20;
    rows.push_back({"V9",
                    fmt::format("waist of the ice against its lobes, 2 needles {:g} mm apart", spacing_mm),
                    "-", waist / lobe, apart ? "hourglass (below 0.9 here)" : "none (above 0.9 here)",
                    apart ? -kUnbounded : 0.9, apart ? 0.9 : kUnbounded, Confidence::placeholder, cause});
  }
  return rows;
}

// V10: what can be said of single needles: recalled isotherms of three needles after 10 min.
std::vector<ValidationRow> run_v10(const VerificationOptions& options, const Progress& progress) {
  Runner runner(options, progress);
  struct Needle {
    const char* name;
    std::array<double, 3> diameter_mm;  // at 0, -20, -40 degC
  };
  constexpr std::array<double, 3> levels_degC = {0, -20, -40};
  std::vector<ValidationRow> rows;
  double sum_mm = 0, signed_mm = 0, worst_mm = 0;
  int count = 0;
  const char* cause =
      "the study's own isotherms were not read: beside diameters in gel recalled with low confidence (+/- 3 "
      "mm); film and limit were not fitted to them";
  for (const Needle& n : {Needle{"cryo-17g-short", {25, 17, 10}}, Needle{"cryo-17g-medium", {36, 26, 18}},
                          Needle{"cryo-17g-long", {40, 30, 21}}}) {
    const Volume<float> T = freeze({device(n.name), {{0, 0}}, {-32, -32, -36}, {32, 32, 40}}, runner);
    double off_K = 0;
    for (std::size_t l = 0; l < levels_degC.size(); ++l) {
      const double exact_mm = n.diameter_mm[l] / 2;
      const double r_mm = std::sqrt(area_below_mm2(T, middle_plane(T), levels_degC[l]) / kPi);
      const double off_mm = std::abs(r_mm - exact_mm);
      sum_mm += off_mm;
      if (!(off_mm <= worst_mm)) worst_mm = off_mm;
      ++count;
      off_K += std::abs(cell_value(T, {exact_mm, 0, 0.5}) - levels_degC[l]) / double(levels_degC.size());
      signed_mm += r_mm - exact_mm;
    }
    rows.push_back({"V10", fmt::format("error at recalled isotherms, mean of 3, {}", n.name), "K", off_K,
                    "< 5 (mean of 64 needles)", 0, 5, Confidence::placeholder, cause});
  }
  rows.push_back({"V10", "distance of isotherms, mean of 9", "mm", sum_mm / count, "< 2.3", 0, 2.3,
                  Confidence::placeholder, cause});
  rows.push_back({"V10", "radius of isotherms minus the recalled one, mean of 9", "mm", signed_mm / count,
                  "0", -2.3, 2.3, Confidence::placeholder, cause, false});
  rows.push_back({"V10", "distance of isotherms, largest of 9", "mm", worst_mm, "4.1", 0, 4.1,
                  Confidence::placeholder, cause});
  return rows;
}

// V12: an eighth of the bone around two parallel walls 20 mm apart.
std::vector<ValidationRow> run_v12(const VerificationOptions& options, const Progress& progress) {
  Runner runner(options, progress);
  constexpr double half_mm = 10, radius_mm = 1.6, long_half_mm = 15, wall_degC = -180;
  ThermalProblem p =
      problem_in(cells_in({0, 0, 0}, {45, 35, 40}, 1), {tissue(TissueClass::cancellous_bone_1)}, kRest_degC);
  for (const auto face : {x_min, y_min, z_min}) p.boundary[face] = kInsulated;
  const Region wall{Cylinder{{half_mm, 0, -long_half_mm}, {half_mm, 0, long_half_mm}, radius_mm}};
  p.sources = {{FixedTemperatureSource{wall, {{0, kRest_degC}, {30, wall_degC}}, false}, {}}};
  p.duration_s = 600;
  const Vector3d between{0, 0, 0.5}, outside{2 * half_mm, 0, 0.5};
  p.sample.times_s = {600};
  p.sample.points_mm = {between, outside};
  const ThermalResult result = runner.run(p, BioheatOptions{});
  std::vector<ValidationRow> rows;
  const auto add = [&](const char* what, const Vector3d& at) {
    rows.push_back({"V12", what, "degC", verification::sample_at(result, at, 600).T_degC, "< -50",
                    -kUnbounded, -40, Confidence::placeholder,
                    "spacing (20 mm), length (30 mm), time (10 min) and marrow are assumed; frozen "
                    "conductivity of bone is a placeholder"});
  };
  add("10 mm from both probes, between them", between);
  add("10 mm from one probe, away from the other", outside);
  return rows;
}

}  // namespace spinetherm::validation
