// SPDX-License-Identifier: Apache-2.0
// Places and sizes that vertebrae.json does not name (trunk, strands) are drawn after anatomical atlases; no
// measurement.
#include "datasets/spine_profile.h"

#include <algorithm>
#include <cmath>

#include "datasets/solid.h"
#include "imaging/core/units.h"

namespace spinetherm {
namespace {

/// Smooth curve (Catmull-Rom) through one value a level; constant beyond the ends.
double along(const std::vector<double>& v, double p) {
  const double last = double(v.size() - 1);
  p = std::clamp(p, 0.0, last);
  const auto n = std::size_t(std::min(std::floor(p), last - 1));
  const double t = p - double(n);
  const auto at = [&](std::ptrdiff_t k) {
    return v[std::size_t(std::clamp<std::ptrdiff_t>(k, 0, std::ptrdiff_t(v.size()) - 1))];
  };
  const auto i = std::ptrdiff_t(n);
  const double a = at(i - 1), b = at(i), c = at(i + 1), d = at(i + 2);
  return b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)));
}
double along(const SpinePatient& p, double VertebraSize::*member, double at) {
  std::vector<double> v;
  const double last = double(p.levels.size() - 1),
               from = std::clamp(std::floor(at) - 1, 0.0, std::max(last - 3, 0.0));
  for (std::size_t n = std::size_t(from); n < std::min(std::size_t(from) + 4, p.levels.size()); ++n)
    v.push_back(p.levels[n].size.*member);
  // The four neighbours; positions within them.
  return along(v, at - from);
}

struct Knot {
  const char* level;
  double half_width, front, skin;  // skin: behind the tips of the spinous processes
};
// The trunk of the mean adult.
constexpr Knot kTrunk[] = {{"C3", 58, -62, 20},   {"C5", 60, -64, 15},      {"C6", 66, -66, 12},
                           {"C7", 90, -72, 10},   {"T2", 160, -120, 9},     {"T5", 166, -160, 10},
                           {"T9", 160, -178, 10}, {"T12", 155, -175, 11},   {"L3", 152, -165, 15},
                           {"L5", 165, -160, 20}, {"sacrum", 172, -155, 24}};

double trunk(const SpinePatient& p, double Knot::*member, double at) {
  double before = 0, value = kTrunk[0].*member;
  bool first = true;
  for (const Knot& k : kTrunk) {
    const double here = double(*p.find(k.level));
    if (at <= here) return first ? k.*member : mix(value, k.*member, smooth_step(before, here, at));
    before = here;
    value = k.*member;
    first = false;
  }
  return value;
}

/// Cord at a level: the table's sizes, stretched below T10 so that it ends where this patient's does.
void place_cord(const SpinePatient& p, double at, SpineProfile& out) {
  if (at >= p.conus) return;
  const double fixed = double(*p.find("T10")), mean_end = double(*p.find("L1")) + 0.5;
  const double same = at <= fixed ? at : fixed + (at - fixed) * (mean_end - fixed) / (p.conus - fixed);
  // The table has no cord below L1: carry on to the tip of a cone.
  const double l1 = double(*p.find("L1"));
  const double cone_from = l1 - 0.35;
  const double sample = std::min(same, cone_from);
  double a = along(p, &VertebraSize::cord_width_mm, sample) / 2,
         b = along(p, &VertebraSize::cord_depth_mm, sample) / 2;
  if (same > cone_from) {
    const double rest = std::clamp((mean_end - same) / (mean_end - cone_from), 0.0, 1.0);
    a *= std::pow(rest, 0.7);
    b *= std::pow(rest, 0.7);
  }
  if (a < 0.4) return;
  out.cord_a = a;
  out.cord_b = b;
  const double front = out.sac_behind - out.sac_b;
  double gap = along(p, &VertebraSize::cord_ventral_gap_mm, std::min(at, l1));
  // The tip lies behind the middle of the sac.
  gap = std::min(gap + (along(p, &VertebraSize::cord_depth_mm, sample) / 2 - b) * 1.2,
                 2 * out.sac_b - 2 * b - 0.9);
  out.cord_behind = front + std::max(gap, 0.8) + b;
  out.cord_prone_shift = std::clamp(along(p, &VertebraSize::cord_prone_shift_mm, std::min(at, l1)), 0.0,
                                    std::max(gap - 0.8, 0.0));
  // Within the sac's ellipse at that depth, with room for CSF.
  const double deepest = std::max(std::abs(out.cord_behind + b - out.sac_behind),
                                  std::abs(out.cord_behind - b - out.sac_behind));
  const double lean = std::min(deepest / out.sac_b, 0.98);
  const double room = std::max(out.sac_a * std::sqrt(1 - 0.6 * lean * lean) - a - 0.8, 0.0);
  out.cord_left = std::clamp(p.cord_offset_mm * std::sin(0.5 * at + 1.0), -room, room);
}

/// How a root runs from cord or conus to its way out of the sac.
void place_strands(const SpinePatient& p, double at, SpineProfile& out) {
  const double sacrum = double(*p.find("sacrum")), t1 = double(*p.find("T1")), l1 = double(*p.find("L1"));
  const auto add = [&](double exit, double origin, double radius) {
    const double left_to_go = exit - at;
    if (left_to_go < -0.02 || at < origin) return;
    const double lowest = sacrum + 1.6;
    for (const int side : {1, -1})
      for (const int filament : {0, 1}) {
        const double exit_u = side * 0.80 * out.sac_a, exit_v = out.sac_behind - 0.22 * out.sac_b;
        SpineProfile::Strand s{exit_u, exit_v, radius};
        if (origin < p.conus - 1.5) {  // short roots: from the side of the cord, dorsal and ventral
          const double share = std::clamp((at - origin) / (exit - origin), 0.0, 1.0);
          const double w = share * share, v = (filament ? 0.55 : -0.55) * out.cord_b;
          const double u = out.cord_left + side * (0.85 * out.cord_a + 0.5);
          s.left = mix(u, exit_u, w);
          s.behind = mix(out.cord_behind - out.cord_prone_shift + v, exit_v + (filament ? 0.5 : -0.5), w);
        } else {
          // Free in the sac: in a crescent, those that leave last in its middle.
          const double order = std::clamp(left_to_go / (lowest - std::max(p.conus, at) + 0.2), 0.0, 1.0);
          const double angle = (1.38 - 1.30 * order) + 0.06 * filament, radius_share = filament ? 0.60 : 0.80;
          const double free = smooth_step(0.1, 0.8, left_to_go);
          const double u = side * radius_share * out.sac_a * std::sin(angle),
                       v = radius_share * out.sac_b * std::cos(angle);
          const double f = filament ? 0.7 : -0.7;
          s.left = mix(exit_u - side * 0.3 * filament, u, free);
          s.behind = mix(exit_v + f, out.sac_behind - v, free);  // prone: ventrally
          if (out.cord_a > 0 && at < p.conus) {                  // beside the conus
            s.left = std::copysign(std::max(std::abs(s.left), out.cord_a + 0.6), s.left);
          }
        }
        // Within the sac.
        const double rho =
            std::hypot(s.left / (out.sac_a - 1.0), (s.behind - out.sac_behind) / (out.sac_b - 1.0));
        if (rho > 1) {
          s.behind = out.sac_behind + (s.behind - out.sac_behind) / rho;
          s.left /= rho;
        }
        out.strands.push_back(s);
      }
  };
  for (std::size_t n = 0; n < p.levels.size(); ++n) {
    const double exit = root_exit(p, n), here = double(n);
    const double run = here < t1 ? 0.45 : here < t1 + 4 ? 1.0 : here < l1 - 2 ? 1.6 : 3.0;
    const double origin = here < l1 - 2 ? exit - run : p.conus - 1.2;
    add(exit, origin, here < t1 ? 0.45 : here < l1 - 2 ? 0.35 : 0.62);
  }
  for (int sacral = 2; sacral <= 5; ++sacral)
    add(sacrum + 0.25 * sacral, p.conus - 1.0, sacral < 4 ? 0.5 : 0.35);
}

}  // namespace

double root_exit(const SpinePatient& patient, std::size_t level) {
  const VertebraSize& s = patient.levels[level].size;
  const double step = s.posterior_height_mm + s.disc_below_mm;
  if (s.level[0] == 'C') return double(level) - 0.42;
  if (s.level[0] == 'T') return double(level) + 0.30 * s.posterior_height_mm / step;
  return double(level) - 0.05;
}

std::vector<SpineProfile> make_profiles(const SpinePatient& p, std::size_t first, std::size_t last) {
  std::vector<SpineProfile> out;
  const double c7 = double(*p.find("C7")), t1 = double(*p.find("T1")), l1 = double(*p.find("L1")),
               sacrum = double(*p.find("sacrum"));
  std::vector<double> tips;
  for (const PatientLevel& level : p.levels) {
    const VertebraSize& s = level.size;
    tips.push_back(s.canal_depth_mm / 2 + 2 +
                   s.spinous_length_mm * std::cos(s.spinous_slope_deg * kPi / 180));
  }
  const int count = (int(last - first) + 5) * kProfilesALevel;
  for (int n = 0; n <= count; ++n) {
    const double at = double(first) - 2 + double(n) / kProfilesALevel;
    SpineProfile s;
    s.canal_a = along(p, &VertebraSize::canal_width_mm, at) / 2;
    s.canal_b = along(p, &VertebraSize::canal_depth_mm, at) / 2;
    s.sac_a = along(p, &VertebraSize::sac_width_mm, at) / 2;
    s.sac_b = along(p, &VertebraSize::sac_depth_mm, at) / 2;
    s.sac_behind = -s.canal_b + along(p, &VertebraSize::epidural_ventral_mm, at) + s.sac_b;
    const double end = sacrum + 1.2;  // the sac ends at S2
    const double taper = std::sqrt(std::clamp((end - at) / 1.0, 0.0, 1.0));
    s.sac_a *= taper;
    s.sac_b *= taper;
    const double depth = (along(p, &VertebraSize::body_depth_upper_mm, at) +
                          along(p, &VertebraSize::body_depth_lower_mm, at)) /
                         2;
    s.body_a = (along(p, &VertebraSize::body_width_upper_mm, at) +
                along(p, &VertebraSize::body_width_lower_mm, at)) /
               4;
    s.body_front = -s.canal_b - depth;
    s.neck = 1 - smooth_step(c7 - 0.5, t1 + 0.7, at);
    s.pelvis = smooth_step(sacrum - 0.6, sacrum + 0.2, at);
    s.belly = smooth_step(l1 - 1.2, l1 - 0.2, at) - s.pelvis;
    s.chest = 1 - s.neck - s.belly - s.pelvis;
    s.lumbar = at - l1;
    s.thoracic = at - t1;
    const double scale = p.size;
    s.trunk_a = scale * trunk(p, &Knot::half_width, at);
    s.front = scale * trunk(p, &Knot::front, at);
    // Spinous tips lie lower than their levels; the skin is smooth.
    double tip = 0;
    for (int k = -2; k <= 2; ++k) tip += along(tips, at - 0.5 + 0.6 * k) / 5;
    s.back = tip + trunk(p, &Knot::skin, at);
    const double share = at - std::floor(at);
    s.disc = 1 - smooth_step(0.05, 0.22, std::abs(share - 0.5));
    if (s.sac_a > 1) {
      place_cord(p, at, s);
      place_strands(p, at, s);
    }
    out.push_back(std::move(s));
  }
  return out;
}

}  // namespace spinetherm
