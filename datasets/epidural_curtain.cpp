// SPDX-License-Identifier: Apache-2.0
#include "datasets/epidural_curtain.h"

#include <algorithm>
#include <cmath>

#include "datasets/spine_model.h"

namespace spinetherm {
namespace {

constexpr double kTetherBreadth = 0.16;  // of the ligament's hold, as a share of the canal's half width
constexpr double kTetherMost = 0.65;     // and at most this share of the thickness
/// A film of CSF goes before the cord while it gives way: it forms over the first push of the sac, and is
/// gone when the sac has been pushed in this far.
constexpr double kFilm_mm = 1.0, kFilmForms_mm = 0.5, kFilmLasts_mm = 3.0;
constexpr double kLeastCord_mm = 1;  // as SpineSection::cord_a: below it no cord

/// Half depth of an ellipse at x; 0 beside it.
double half_depth(double x, double a, double b) {
  const double u = x / a;
  return std::abs(u) < 1 ? b * std::sqrt(1 - u * u) : 0;
}

/// The lesser of the two, without a corner: how far the cord can move before it meets the back of the sac.
double soft_least(double wish, double room) {
  if (wish <= 0 || room <= 0) return 0;
  return wish / std::cbrt(1 + std::pow(wish / room, 3));
}

double film(double push_mm) {
  return kFilm_mm * std::clamp(push_mm / kFilmForms_mm, 0.0, 1.0) *
         std::clamp(1 - push_mm / kFilmLasts_mm, 0.0, 1.0);
}

double interpolate(double at, double from0, double to0, double from1, double to1) {
  return from1 - from0 < 1e-9 ? to1 : to0 + (at - from0) * (to1 - to0) / (from1 - from0);
}

}  // namespace

double EpiduralCurtain::back_y(const SpineSection& s, double x, double z) const {
  const double front = s.canal_y - half_depth(x, s.canal_a, s.canal_b);
  if (!at(z)) return front;
  const double w = (z - z_mm) / half_length_mm;
  const double dome = (1 - w * w * w * w) * (1 - w * w * w * w);
  const double u = side * x / s.canal_a;
  const double lobe = 0.5 * (1 + other_lobe) + 0.5 * (1 - other_lobe) * std::tanh(u / 0.25);
  const double t = thickness_mm * dome * lobe;
  const double held =
      std::min(kTetherMost * t, tether_mm) * std::exp(-(u * u) / (kTetherBreadth * kTetherBreadth));
  return front + t - held;
}

double EpiduralCurtain::shift_at(double z) const {
  if (shift_mm.empty()) return 0;
  const double n = std::clamp((z - z_mm + half_length_mm) / shift_step_mm, 0.0, double(shift_mm.size() - 1));
  const auto low = std::min(std::size_t(n), shift_mm.size() - 1),
             high = std::min(low + 1, shift_mm.size() - 1);
  return shift_mm[low] + (n - double(low)) * (shift_mm[high] - shift_mm[low]);
}

void EpiduralCurtain::settle(const std::function<SpineSection(double z)>& section) {
  shift_mm.clear();
  if (thickness_mm <= 0) return;
  const int count = int(std::ceil(2 * half_length_mm / shift_step_mm)) + 1;
  for (int n = 0; n < count; ++n) {
    const double z = z_mm - half_length_mm + n * shift_step_mm;
    const SpineSection s = section(z);
    if (s.cord_a <= kLeastCord_mm) {
      shift_mm.push_back(0);
      continue;
    }
    double wish = 0, room = 1e9;
    for (double u = -0.9; u <= 0.9; u += 0.1) {
      const double x = s.cord_x + u * s.cord_a, cord = half_depth(u * s.cord_a, s.cord_a, s.cord_b);
      const double back = back_y(s, x, z), push = back - (s.sac_y - half_depth(x, s.sac_a, s.sac_b));
      wish = std::max(wish, back + film(push) - (s.cord_y - cord));
      room = std::min(room, s.sac_y + half_depth(x, s.sac_a, s.sac_b) - (s.cord_y + cord));
    }
    shift_mm.push_back(soft_least(wish, room));
  }
}

Eigen::Vector3d EpiduralCurtain::before(const SpineSection& s, const Eigen::Vector3d& x) const {
  if (!at(x.z())) return x;
  const double sac = half_depth(x.x(), s.sac_a, s.sac_b);
  const double sac_front = s.sac_y - sac, sac_back = s.sac_y + sac;
  const double front = std::max(sac_front, back_y(s, x.x(), x.z()));
  if (sac <= 0 || x.y() <= front || x.y() >= sac_back) return x;
  // Knots of the column from front to back: the sac's front, the cord's front and back, the sac's back.
  Eigen::Vector3d out = x;
  const double off = std::abs(x.x() - s.cord_x);
  if (s.cord_a <= kLeastCord_mm) {
    out.y() = interpolate(x.y(), front, sac_front, sac_back, sac_back);
    return out;
  }
  const double beside = std::clamp((off - s.cord_a) / std::max(s.sac_a - s.cord_a, 1e-3), 0.0, 1.0);
  const double shift = shift_at(x.z()) * (1 - beside);
  const double cord = half_depth(off, s.cord_a, s.cord_b);
  const double cord_front = std::clamp(s.cord_y - cord, sac_front, sac_back),
               cord_back = std::clamp(s.cord_y + cord, cord_front, sac_back);
  const double new_front = std::clamp(cord_front + shift, front, sac_back),
               new_back = std::clamp(cord_back + shift, new_front, sac_back);
  if (x.y() < new_front)
    out.y() = interpolate(x.y(), front, sac_front, new_front, cord_front);
  else if (x.y() < new_back)
    out.y() = interpolate(x.y(), new_front, cord_front, new_back, cord_back);
  else
    out.y() = interpolate(x.y(), new_back, cord_back, sac_back, sac_back);
  return out;
}

double least_thickness_mm(const std::function<int(double)>& grade, int least, double most_mm) {
  constexpr int kBisections = 7;
  if (grade(most_mm) < least) return most_mm;
  double low = 0, high = most_mm;
  for (int n = 0; n < kBisections; ++n) (grade((low + high) / 2) < least ? low : high) = (low + high) / 2;
  return high;
}

}  // namespace spinetherm
