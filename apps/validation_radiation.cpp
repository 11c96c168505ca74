// SPDX-License-Identifier: Apache-2.0
// Microwave and laser experiments of the validation table (physics notes, section 5). Applicators lie along
// z, tips below, the middle of what heats at the origin.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "apps/validation_detail.h"
#include "datasets/device_table.h"
#include "thermal/fine_patch.h"
#include "thermal/laser.h"
#include "thermal/mwa.h"

namespace spinetherm::validation {
namespace {

using Eigen::Vector3d;

constexpr double kUnbounded = std::numeric_limits<double>::infinity();
constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

/// A cube of cells of 1 mm around the origin, halved within `near_mm` of it.
ThermalProblem cube_with_patch(double half_mm, double near_mm, std::vector<Tissue> tissues, double rest_degC,
                               const std::function<int(const Vector3d&)>& label = {}) {
  const Vector3d half = Vector3d::Constant(half_mm), near = Vector3d::Constant(near_mm);
  ThermalProblem p = problem_in(cells_in(-half, half, 1), std::move(tissues), rest_degC, label);
  p.patch = refined(p.tissue_map, patch_grid(p.grid(), -near, near, 2));
  return p;
}

Applicator along_z(const Device& device, double behind_mm) {
  Applicator a;
  a.device = device.name;
  const auto stretch = active_stretch_mm(device).value();
  a.tip_mm = {0, 0, -(stretch[0] + stretch[1]) / 2};
  a.entry_mm = {0, 0, behind_mm};
  return a;
}

/// Samples along a direction from the axis every quarter of a millimetre.
struct Ray {
  Vector3d direction;
  double from_mm = 0, to_mm = 0;
  std::vector<double> distances_mm() const {
    std::vector<double> all;
    for (double r = from_mm; r <= to_mm; r += 0.25) all.push_back(r);
    return all;
  }
  void add_to(Sampling& sample) const {
    for (const double r : distances_mm()) sample.points_mm.push_back(r * direction);
  }
  /// How far the damage integral has passed 1, linear in its logarithm; 0 when nowhere, NaN without a sample.
  double damaged_mm(const ThermalResult& result, double t_s) const {
    double before_mm = 0, before = 0;
    for (const double r : distances_mm()) {
      const auto omega = verification::sample_at(result, r * direction, t_s).arrhenius;
      if (!omega) return kUnknown;
      const double now = std::log(std::max(*omega, 1e-30));
      if (now < 0) return before_mm == 0 ? 0 : before_mm + (r - before_mm) * before / (before - now);
      before_mm = r;
      before = now;
    }
    return kUnknown;
  }
};

Vector3d zone_extent_mm(const ThermalResult& result, const char* zone) {
  const auto at = result.zones.find(zone);
  if (!result.summary.usable() || at == result.zones.end()) return Vector3d::Constant(kUnknown);
  return at->second.extent_mm;
}

}  // namespace

// V5: excised porcine vertebra as one tissue.
std::vector<ValidationRow> run_v5(const VerificationOptions& options, const Progress& progress) {
  Runner runner(options, progress);
  constexpr double open_mm = 10.1, shielded_mm = 2.4;
  const Device& antenna = device("mwa-2450-14g-directional");
  ThermalProblem p = cube_with_patch(26, 9, {excised(TissueClass::cancellous_bone_1)}, kRest_degC);
  p.sources = make_mwa_sources({along_z(antenna, 24)}, {antenna}, antenna.protocol);
  p.duration_s = antenna.protocol.steps.front().duration_s;
  const Vector3d behind = std::get<AntennaSource>(p.sources.front().what).shield.value().towards;
  const Ray open{-behind, 1.5, 22}, closed{behind, 1.5, 22};
  const Vector3d T1 = -open_mm * behind, T2 = shielded_mm * behind;
  p.sample.times_s = {p.duration_s};
  p.sample.points_mm = {T1, T2};
  open.add_to(p.sample);
  closed.add_to(p.sample);
  const ThermalResult result = runner.run(p, BioheatOptions{});
  const auto rise_K = [&](const Vector3d& at) {
    return verification::sample_at(result, at, p.duration_s).T_degC - kRest_degC;
  };
  const double one_K = rise_K(T1), two_K = rise_K(T2), open_zone_mm = open.damaged_mm(result, p.duration_s),
               closed_zone_mm = closed.damaged_mm(result, p.duration_s);
  const char* cause =
      "power and time (30 W, 5 min here), reflector (5 % pass it here) and start are not known; the paper's "
      "temperatures were not read, only how near its own model came";
  std::vector<ValidationRow> rows;
  const auto print = [&](const char* what, const char* unit, double value) {
    rows.push_back({"V5", what, unit, value, "not read", -kUnbounded, kUnbounded, Confidence::placeholder,
                    cause, false});
  };
  print("rise 10.1 mm from the axis, open side (T1)", "K", one_K);
  print("rise 2.4 mm from the axis, shielded side (T2)", "K", two_K);
  print("T2 over T1, rises", "-", two_K / one_K);
  print("zone from the axis, open side (damage integral 1)", "mm", open_zone_mm);
  rows.push_back({"V5", "zone on the open less that on the shielded side", "mm",
                  open_zone_mm - closed_zone_mm, "one-sided zones", 1, kUnbounded, Confidence::placeholder,
                  "the band asks for a cell of 1 mm, no size was read; as for the temperatures"});
  rows.push_back(unknown_row("V5", "error at T1 and T2 against the thermometers", "%", "3 to 7 and 11 to 33",
                             "the measured temperatures were not read: our error cannot be stated"));
  return rows;
}

// V6: one tissue, and a lytic tumour of 25 mm in bone.
std::vector<ValidationRow> run_v6(const VerificationOptions& options, const Progress& progress) {
  Runner runner(options, progress);
  constexpr double tumour_mm = 12.5;
  const Device& antenna = device("mwa-2450-16g");
  std::vector<ValidationRow> rows;
  const char* cause =
      "20-25 mm is recalled, and of which antenna it is not known; antenna, cable and marrow at 2.45 GHz are "
      "placeholders; zone where the damage integral passes 1";
  for (const bool tumour : {false, true}) {
    ThermalProblem p = cube_with_patch(
        30, 9, {tissue(TissueClass::cancellous_bone_1), tissue(TissueClass::tumour_lytic)}, kRest_degC,
        [&](const Vector3d& x) { return tumour && x.norm() < tumour_mm ? 1 : 0; });
    p.sources = make_mwa_sources({along_z(antenna, 28)}, {antenna}, antenna.protocol);
    p.duration_s = antenna.protocol.steps.front().duration_s;
    const ThermalResult result = runner.run(p, BioheatOptions{});
    const Vector3d zone_mm = zone_extent_mm(result, "arrhenius_over_1");
    const char* where = tumour ? "lytic tumour of 25 mm" : "bone";
    const double diameter_mm = (zone_mm.x() + zone_mm.y()) / 2;
    rows.push_back({"V6", fmt::format("zone across the antenna, {}", where), "mm", diameter_mm, "20 to 25",
                    20, 25, Confidence::placeholder, cause, !tumour});
    rows.push_back({"V6", fmt::format("zone along the antenna, {}", where), "mm", zone_mm.z(), "20 to 25", 20,
                    25, Confidence::placeholder, cause, false});
    double given_J = kUnknown, kept_J = kUnknown;
    if (result.radiation && !result.radiation->sources.empty()) {
      const auto& t = result.radiation->times_s;
      const auto& s = result.radiation->sources.front();
      given_J = kept_J = 0;
      for (std::size_t n = 1; n < t.size(); ++n) {
        given_J += (s.power_W[n] + s.power_W[n - 1]) / 2 * (t[n] - t[n - 1]);
        kept_J += (s.absorbed_W[n] + s.absorbed_W[n - 1]) / 2 * (t[n] - t[n - 1]);
      }
    }
    if (!tumour)
      rows.push_back({"V6", "energy of the generator", "kJ", given_J * 1e-3, "4.1 +/- 1.6", 2.5, 5.7,
                      Confidence::placeholder,
                      "the protocol is that mean: printed to show that it is what was simulated", false});
    rows.push_back({"V6", fmt::format("of it absorbed in tissue, {}", where), "kJ", kept_J * 1e-3,
                    "not measured", -kUnbounded, kUnbounded, Confidence::placeholder,
                    "what the slot reflects depends on the tissue around it", false});
  }
  return rows;
}

// V14: excised bone as one tissue; the bare fibre, and a fibre whose charred tip takes all of the light.
std::vector<ValidationRow> run_v14(const VerificationOptions& options, const Progress& progress) {
  Runner runner(options, progress);
  constexpr double power_W = 2, short_s = 100, long_s = 600, start_degC = 20;
  constexpr double histology_mm = 9.2, small_mm = 3.4, thermometry_mm = 16;
  const Device& fibre = device("laser-980-bare");
  std::vector<ValidationRow> rows;
  for (const bool charred : {false, true}) {
    ThermalProblem p = cube_with_patch(26, 9, {excised(TissueClass::cancellous_bone_1)}, start_degC);
    ProtocolStep step;
    step.duration_s = long_s;
    step.power_W = power_W;
    if (charred)
      p.sources = {{GaussianSource{power_W, fibre.shaft_diameter_mm / 2, {0, 0, 0}}, {}}};
    else
      p.sources = make_laser_sources({along_z(fibre, 24)}, {fibre}, {"laser", {step}, {}});
    p.duration_s = long_s;
    const Ray across{{1, 0, 0}, 0.5, 14};
    p.sample.times_s = {short_s, long_s};
    across.add_to(p.sample);
    const ThermalResult result = runner.run(p, BioheatOptions{});
    const char* tip = charred ? "charred tip" : "bare fibre";
    const char* cause =
        charred
            ? "all light taken at the tip, as the published fibres were charred before: hardly another "
              "zone, so that optics are not the cause; histology is said to fall short; start at 20 degC, "
              "marrow and damage law (that of liver) assumed"
            : "published at 805 nm, our tissue is known at 980 nm, where marrow absorbs more; see the "
              "charred tip for what that can make";
    rows.push_back({"V14", fmt::format("zone after 200 J, {}", tip), "mm",
                    2 * across.damaged_mm(result, short_s), "3.4 (histology)", small_mm,
                    small_mm * thermometry_mm / histology_mm, Confidence::placeholder, cause});
    rows.push_back({"V14", fmt::format("zone after 1200 J, {}", tip), "mm",
                    2 * across.damaged_mm(result, long_s), "9.2 (histology), 16 (thermometry)", histology_mm,
                    thermometry_mm, Confidence::placeholder, cause});
  }
  return rows;
}

std::vector<ValidationRow> run_v15(const VerificationOptions&, const Progress&) {
  return {unknown_row("V15", "epidural tumour 2 months after laser ablation", "mm", "8.82 to 6.36",
                      "a response of patients, months later: no temperature or zone was published that a "
                      "thermal model could be held against (fibre 6 mm from the dura)")};
}

}  // namespace spinetherm::validation
