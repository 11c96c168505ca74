// SPDX-License-Identifier: Apache-2.0
#include "datasets/spine_patient.h"

#include <algorithm>
#include <cmath>

#include "imaging/core/error.h"
#include "imaging/core/random.h"
#include "imaging/core/units.h"

namespace spinetherm {
namespace {

// How the spread of the table is shared out; recalled, no measurement. A body has one size, and neighbours
// are alike.
constexpr double kSizeShare = 0.05;       // standard deviation of the common factor
constexpr double kLevelShare = 0.35;      // of a column's own spread that differs from level to level
constexpr double kSexStep = 0.04;         // men above, women below the mean
constexpr double kLimit = 2.2;            // standard deviations; shapes stay valid within it
constexpr double kConusSpread = 1.0 / 3;  // levels, about the disc L1-L2 (guidance table)
constexpr double kCordOffset_mm = 2;      // lateral offset of the cord up to 1.5-2 mm in 40 % (domain review)
constexpr double kCurveSpread_deg = 8;    // of each of the three curves; recalled
constexpr double kNarrowing = 0.45;       // of a disc's height that severe degeneration takes

enum PatientStream : std::uint64_t { kPatientStream = 31, kHeldOutStream = 32 };

class Draws {
 public:
  Draws(std::uint64_t seed, bool held_out, double spread)
      : rng_(trial_rng(seed, held_out ? kHeldOutStream : kPatientStream)), spread_(spread) {}
  /// Normal, cut at the limit, times the spread.
  double normal() {
    double v = 0;
    do v = normal_(rng_);
    while (std::abs(v) > kLimit);
    return spread_ * v;
  }
  double uniform() { return uniform_(rng_); }
  std::uint32_t word() { return std::uint32_t(rng_()); }

 private:
  std::mt19937_64 rng_;
  std::normal_distribution<double> normal_{0, 1};
  std::uniform_real_distribution<double> uniform_{0, 1};
  double spread_;
};

bool is_angle(const VertebraColumn& column) { return std::string_view(column.name).ends_with("_deg"); }

/// Rows of the table with those of the variant in their places.
void apply_variant(std::vector<VertebraSize>& rows, std::vector<VertebraSize>& deviations,
                   SpineVariant variant) {
  const auto index = [&](std::string_view level) {
    return std::find_if(rows.begin(), rows.end(), [&](const auto& r) { return r.level == level; }) -
           rows.begin();
  };
  const auto halfway = [](const VertebraSize& a, const VertebraSize& b) {
    VertebraSize out = a;
    for (const VertebraColumn& c : vertebra_columns()) out.*c.member = (a.*c.member + b.*c.member) / 2;
    return out;
  };
  const auto insert = [&](std::ptrdiff_t before, VertebraSize row) {
    deviations.insert(deviations.begin() + before, deviations[std::size_t(before - 1)]);
    rows.insert(rows.begin() + before, std::move(row));
  };
  switch (variant) {
    case SpineVariant::none:
      break;
    case SpineVariant::t13: {
      const auto at = index("L1");
      VertebraSize row = halfway(rows[std::size_t(at - 1)], rows[std::size_t(at)]);
      row.level = "T13";
      row.rib_length_mm = 60;
      row.facet_angle_deg = 40;  // lumbar joints begin one level higher
      row.transverse_tip_mm = 26;
      insert(at, row);
      break;
    }
    case SpineVariant::ribs_11:
      rows[std::size_t(index("T12"))].rib_length_mm = 0;
      break;
    case SpineVariant::cervical_rib:
      rows[std::size_t(index("C7"))].rib_length_mm = 45;
      break;
    case SpineVariant::lumbarised_s1: {
      const auto at = index("sacrum");
      VertebraSize row = rows[std::size_t(at - 1)];  // L5's place is taken by L6, and L5 is more like L4
      row.level = "L6";
      VertebraSize& fifth = rows[std::size_t(at - 1)];
      const std::string name = fifth.level;
      fifth = halfway(rows[std::size_t(at - 2)], fifth);
      fifth.level = name;
      insert(at, row);
      break;
    }
    case SpineVariant::sacralised_l5: {
      VertebraSize& fifth = rows[std::size_t(index("L5"))];
      fifth.transverse_tip_mm = 54;
      fifth.disc_below_mm = 4.5;
      fifth.joint_below_deg = 4;
      break;
    }
  }
}

/// The cord fits the sac and the sac the canal, with room to move.
void fit_inside(VertebraSize& s) {
  s.sac_width_mm = std::min(s.sac_width_mm, s.canal_width_mm - 1.5);
  s.epidural_ventral_mm = std::clamp(s.epidural_ventral_mm, 0.6, 0.3 * s.canal_depth_mm);
  s.sac_depth_mm = std::min(s.sac_depth_mm, s.canal_depth_mm - s.epidural_ventral_mm - 0.4);
  if (s.cord_width_mm <= 0) return;
  s.cord_width_mm = std::min(s.cord_width_mm, s.sac_width_mm - 3.0);
  s.cord_depth_mm = std::min(s.cord_depth_mm, s.sac_depth_mm - 2.4);
  s.cord_ventral_gap_mm = std::clamp(s.cord_ventral_gap_mm, 1.2, s.sac_depth_mm - s.cord_depth_mm - 0.9);
  s.cord_prone_shift_mm = std::min(s.cord_prone_shift_mm, s.cord_ventral_gap_mm - 0.8);
}

struct Curve {
  const char* first;
  const char* last;
  bool with_disc_below;
  double sign;  ///< lordosis counts as positive turns
};
constexpr Curve kCervical = {"C3", "C7", false, 1}, kThoracic = {"T1", "T12", false, -1},
                kLumbar = {"L1", "", true, 1};

/// Angle of a curve as the levels have it.
double curve_angle(const SpinePatient& p, const Curve& curve) {
  const std::size_t first = *p.find(curve.first);
  const std::size_t last = curve.last[0] ? *p.find(curve.last) : p.levels.size() - 2;
  double sum = 0;
  for (std::size_t n = first; n <= last; ++n) {
    sum += p.levels[n].size.wedge_deg;
    if (n < last || curve.with_disc_below) sum += p.levels[n].size.joint_below_deg;
  }
  return curve.sign * sum;
}

void bend_to(SpinePatient& p, const Curve& curve, double wanted_deg) {
  const std::size_t first = *p.find(curve.first);
  const std::size_t last = curve.last[0] ? *p.find(curve.last) : p.levels.size() - 2;
  const double missing = curve.sign * wanted_deg - curve.sign * curve_angle(p, curve);
  // Two thirds in the discs, one third in the bodies, even over the levels: angles stay plausible even when
  // a straight spine is asked for.
  const double discs = double(last - first) + (curve.with_disc_below ? 1 : 0),
               bodies = double(last - first + 1);
  for (std::size_t n = first; n <= last; ++n) {
    p.levels[n].size.wedge_deg += missing / 3 / bodies;
    if (n < last || curve.with_disc_below) p.levels[n].size.joint_below_deg += missing * 2 / 3 / discs;
  }
}

/// Tilts of a double curve: thoracic to the right with its apex at T8-T9, lumbar to the left.
void add_scoliosis(SpinePatient& p, double cobb_deg) {
  const double top = double(*p.find("T4")), bottom = double(*p.find("L4"));
  const auto tilt = [&](double n) {  // of the axis, towards the left
    const double t = std::clamp((n - top) / (bottom - top), 0.0, 1.0);
    // Tilt is +/- cobb / 2 at the ends of the thoracic curve and swings back through the lumbar one.
    return cobb_deg / 2 * std::sin(2 * kPi * t * 0.9 + 0.1) * std::sin(kPi * t);
  };
  for (std::size_t n = 0; n + 1 < p.levels.size(); ++n) {
    p.levels[n].turn_left_deg = tilt(double(n + 1)) - tilt(double(n));
  }
}

}  // namespace

std::optional<std::size_t> SpinePatient::find(std::string_view level) const {
  for (std::size_t n = 0; n < levels.size(); ++n)
    if (levels[n].size.level == level) return n;
  return std::nullopt;
}

int rib_pairs(const SpinePatient& patient) {
  return int(std::count_if(patient.levels.begin(), patient.levels.end(),
                           [](const PatientLevel& l) { return l.size.rib_length_mm > 0; }));
}

SpinePatient draw_patient(const SpineOptions& options, std::uint64_t phantom_seed) {
  options.validate();
  const double spread = options.spread;
  Draws draw(options.seed.value_or(phantom_seed), options.held_out, spread);
  SpinePatient p;
  // The order of the draws is fixed, whatever is given: a given value does not change the others.
  const bool male = draw.uniform() < 0.5;
  p.sex = options.sex.value_or(spread == 0 || !male ? Sex::female : Sex::male);
  const double sex_factor = spread == 0 && !options.sex ? 1 : 1 + (p.sex == Sex::male ? kSexStep : -kSexStep);
  const double family = options.held_out ? 1.2 : 1;  // the held-out family is wider
  p.size = options.size.value_or(sex_factor * (1 + family * kSizeShare * draw.normal()));
  p.age_years = options.age_years.value_or(65 + 11 * draw.normal());
  p.degeneration = options.degeneration.value_or(
      spread == 0 ? 0 : std::clamp((p.age_years - 25) / 70 + 0.12 * draw.normal(), 0.0, 1.0));
  const double curves[3] = {draw.normal(), draw.normal(), draw.normal()};
  p.cord_offset_mm = kCordOffset_mm * spread * (draw.uniform() - 0.5) * 1.6;
  const double conus = kConusSpread * draw.normal();
  p.waist_across += 0.02 * draw.normal() + (options.held_out ? 0.02 : 0);
  p.waist_front += 0.02 * draw.normal() - (options.held_out ? 0.02 : 0);
  p.roughness_mm = (options.held_out ? 0.5 : 0.4) * std::min(spread, 1.0);
  p.trabecula_mm = options.held_out ? 1.9 : 1.5;
  p.texture_gain = options.held_out ? 1.25 : 1;
  p.texture_seed = draw.word();

  std::vector<VertebraSize> rows = vertebra_table().rows, deviations = vertebra_table().deviations;
  apply_variant(rows, deviations, options.variant);
  for (VertebraSize& row : rows) p.levels.push_back({row, 0, 0});
  for (const VertebraColumn& c : vertebra_columns()) {
    const double common = draw.normal();
    for (std::size_t n = 0; n < rows.size(); ++n) {
      const double own = draw.normal(), mean = rows[n].*c.member;
      double sd = family * deviations[n].*c.member;
      double value = mean;
      if (!is_angle(c)) {
        sd = std::sqrt(std::max(sd * sd - kSizeShare * kSizeShare * mean * mean, 0.0));
        value *= p.size;
      }
      value += sd * (std::sqrt(1 - kLevelShare * kLevelShare) * common + kLevelShare * own);
      if (mean > 0 && !is_angle(c)) value = std::max(value, 0.45 * mean);
      p.levels[n].size.*c.member = value;
    }
  }
  for (PatientLevel& level : p.levels) {
    const double shade = 0.18 * draw.normal(), share = draw.uniform();
    VertebraSize& s = level.size;
    // The lowest lumbar and the lower cervical discs wear most.
    const bool worn =
        s.level == "L4" || s.level == "L5" || s.level == "L6" || s.level == "C5" || s.level == "C6";
    level.disc_degeneration = std::clamp(
        p.degeneration * (worn ? 1.15 : 0.8) + p.degeneration * (shade + 0.3 * (share - 0.5)), 0.0, 1.0);
    s.disc_below_mm *= 1 - kNarrowing * level.disc_degeneration * level.disc_degeneration;
    fit_inside(s);
  }
  if (options.scoliosis_deg > 0) add_scoliosis(p, options.scoliosis_deg);
  const double standard[3] = {curve_angle(p, kCervical), curve_angle(p, kThoracic), curve_angle(p, kLumbar)};
  const double drawn[3] = {std::clamp(12 + kCurveSpread_deg * curves[0], -6.0, 30.0),
                           std::clamp(31 + kCurveSpread_deg * curves[1], 12.0, 55.0),
                           std::clamp(46 + kCurveSpread_deg * curves[2], 22.0, 66.0)};
  const auto wanted = [&](const std::optional<double>& given, int n) {
    return given ? *given : spread == 0 ? standard[n] : drawn[n];
  };
  bend_to(p, kCervical, wanted(options.cervical_lordosis_deg, 0));
  bend_to(p, kThoracic, wanted(options.kyphosis_deg, 1));
  bend_to(p, kLumbar, wanted(options.lordosis_deg, 2));
  p.cervical_lordosis_deg = curve_angle(p, kCervical);
  p.kyphosis_deg = curve_angle(p, kThoracic);
  p.lordosis_deg = curve_angle(p, kLumbar);
  p.conus = double(*p.find("L1")) + 0.5 + conus;
  return p;
}

}  // namespace spinetherm
