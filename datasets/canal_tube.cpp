// SPDX-License-Identifier: Apache-2.0
#include "datasets/canal_tube.h"

#include <algorithm>
#include <cmath>

#include "datasets/solid.h"
#include "datasets/vertebra_table.h"
#include "imaging/core/error.h"
#include "imaging/labels.h"

namespace spinetherm {
namespace {

// Choices; the bundle of the cauda after axial MRI of supine patients, by eye.
constexpr double kSmoothing_mm = 8;
constexpr double kLeastArea_mm2 = 30;  ///< product of half axes: below it no canal
constexpr double kLeastGap_mm = 0.6;   ///< between the sac and the canal's wall
constexpr double kLeastCord_mm = 1;    ///< as SpineSection::cord_a
constexpr double kNone_mm = 1e3;
constexpr double kBundleAcross = 0.78, kBundleDeep = 0.62, kBundleBehind = 0.26;  ///< shares of the sac

struct Slice {
  double weight = 0, x = 0, y = 0, a = 0, b = 0;
};

/// Ellipse with the mask's moments: its half axes are twice the standard deviations.
Slice moments(const Volume<std::uint8_t>& mask, int k) {
  const Grid& g = mask.grid;
  Slice s;
  double xx = 0, yy = 0;
  for (int j = 0; j < g.size[1]; ++j)
    for (int i = 0; i < g.size[0]; ++i) {
      if (!mask(i, j, k)) continue;
      const Eigen::Vector3d p = g.to_world(i, j, k);
      s.weight += 1;
      s.x += p.x();
      s.y += p.y();
      xx += p.x() * p.x();
      yy += p.y() * p.y();
    }
  if (s.weight == 0) return s;
  const double n = s.weight;
  s.x /= n;
  s.y /= n;
  s.a = 2 * std::sqrt(std::max(xx / n - s.x * s.x, 0.0));
  s.b = 2 * std::sqrt(std::max(yy / n - s.y * s.y, 0.0));
  s.weight = 1;
  return s;
}

/// Slices smoothed along z; beyond the ends the last ones hold. A wide slice counts less: between the laminae
/// a mask reaches out of the canal.
std::vector<Slice> smoothed(const std::vector<Slice>& slices, double step_mm) {
  std::vector<Slice> out(slices.size());
  double narrowest = 1e9;
  for (const Slice& s : slices)
    if (s.weight > 0 && s.a * s.b > kLeastArea_mm2) narrowest = std::min(narrowest, s.a * s.b);
  for (std::size_t n = 0; n < slices.size(); ++n) {
    double sum = 0;
    Slice mean;
    for (std::size_t m = 0; m < slices.size(); ++m) {
      if (slices[m].weight == 0) continue;
      const double away = (double(m) - double(n)) * step_mm / kSmoothing_mm;
      const double narrow = std::min(narrowest / std::max(slices[m].a * slices[m].b, kLeastArea_mm2), 1.0);
      const double w = narrow * narrow * (std::exp(-away * away / 2) + 1e-9 * std::exp(-std::abs(away)));
      sum += w;
      mean.x += w * slices[m].x;
      mean.y += w * slices[m].y;
      mean.a += w * slices[m].a;
      mean.b += w * slices[m].b;
    }
    if (sum > 0) out[n] = {1, mean.x / sum, mean.y / sum, mean.a / sum, mean.b / sum};
  }
  return out;
}

bool any(const std::vector<Slice>& slices) {
  return std::any_of(slices.begin(), slices.end(), [](const Slice& s) { return s.weight > 0; });
}

struct LevelAt {
  double z_mm;
  VertebraSize size;
};

/// Sizes of the table at a height, by the labelled levels about it; `z` falls along `levels`.
VertebraSize size_at(const std::vector<LevelAt>& levels, double z) {
  if (z >= levels.front().z_mm) return levels.front().size;
  for (std::size_t n = 1; n < levels.size(); ++n) {
    if (z < levels[n].z_mm) continue;
    const double t = (levels[n - 1].z_mm - z) / std::max(levels[n - 1].z_mm - levels[n].z_mm, 1e-6);
    VertebraSize out = levels[n - 1].size;
    for (const VertebraColumn& c : vertebra_columns())
      out.*c.member += t * (levels[n].size.*c.member - out.*c.member);
    return out;
  }
  return levels.back().size;
}

std::vector<LevelAt> find_levels(const Anatomy& anatomy) {
  std::vector<LevelAt> out;
  for (const std::string& level : anatomy.levels_present()) {
    const auto& rows = vertebra_table().rows;
    const auto row = std::find_if(rows.begin(), rows.end(), [&](const auto& r) { return r.level == level; });
    const auto centre = centroid_mm(anatomy.mask("vertebra_" + level));
    if (row != rows.end() && centre) out.push_back({centre->z(), *row});
  }
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.z_mm > b.z_mm; });
  return out;
}

SpineSection make_section(const Slice& canal, const Slice& cord, const VertebraSize& t) {
  SpineSection s;
  s.canal_y = canal.y;
  s.canal_a = canal.a;
  s.canal_b = canal.b;
  s.sac_a = std::min(canal.a * t.sac_width_mm / t.canal_width_mm, canal.a - kLeastGap_mm);
  s.sac_b = std::min(canal.b * t.sac_depth_mm / t.canal_depth_mm, canal.b - kLeastGap_mm);
  const double front = std::min(t.epidural_ventral_mm, 2 * (canal.b - s.sac_b) - kLeastGap_mm / 2);
  s.sac_y = canal.y - canal.b + front + s.sac_b;
  const double scale = std::clamp(2 * canal.a / t.canal_width_mm, 0.85, 1.15);
  s.cord_a = std::min(scale * t.cord_width_mm / 2, 0.8 * s.sac_a);
  s.cord_b = std::min(scale * t.cord_depth_mm / 2, 0.8 * s.sac_b);
  if (s.cord_a <= kLeastCord_mm) {
    s.cord_a = s.cord_b = 0;
    return s;
  }
  const double room_x = 0.9 * (s.sac_a - s.cord_a), room_y = 0.85 * (s.sac_b - s.cord_b);
  s.cord_y = cord.weight > 0 ? cord.y : s.sac_y - s.sac_b + t.cord_ventral_gap_mm + s.cord_b;
  s.cord_y = std::clamp(s.cord_y, s.sac_y - room_y, s.sac_y + room_y);
  s.cord_x = cord.weight > 0 ? std::clamp(cord.x - canal.x, -room_x, room_x) : 0;
  return s;
}

}  // namespace

SpineSection CanalTube::section(double z) const {
  const double at = std::clamp((z - z_mm) / step_mm, 0.0, double(sections.size() - 1));
  const auto low = std::size_t(at), high = std::min(low + 1, sections.size() - 1);
  const double t = at - double(low);
  SpineSection out = sections[low];
  const SpineSection& to = sections[high];
  for (double SpineSection::*m :
       {&SpineSection::canal_y, &SpineSection::canal_a, &SpineSection::canal_b, &SpineSection::sac_y,
        &SpineSection::sac_a, &SpineSection::sac_b, &SpineSection::cord_x})
    out.*m += t * (to.*m - out.*m);
  if (out.cord_a > 0 && to.cord_a > 0)
    for (double SpineSection::*m : {&SpineSection::cord_y, &SpineSection::cord_a, &SpineSection::cord_b})
      out.*m += t * (to.*m - out.*m);
  return out;
}

double CanalTube::middle_x(double z) const {
  const double at = std::clamp((z - z_mm) / step_mm, 0.0, double(x_mm.size() - 1));
  const auto low = std::size_t(at), high = std::min(low + 1, x_mm.size() - 1);
  return x_mm[low] + (at - double(low)) * (x_mm[high] - x_mm[low]);
}

CanalTube fit_canal_tube(const Volume<std::uint8_t>& canal, const Anatomy& anatomy) {
  const Grid& g = canal.grid;
  const std::vector<LevelAt> levels = find_levels(anatomy);
  std::vector<Slice> slices, cord(std::size_t(std::max(g.size[2], 0)));
  for (int k = 0; k < g.size[2]; ++k) slices.push_back(moments(canal, k));
  if (!any(slices) || levels.empty())
    throw ConfigError("no canal is known beside the labelled vertebrae", "labels",
                      "give a label of the canal, the cord or whole vertebrae");
  slices = smoothed(slices, g.spacing_mm.z());
  if (anatomy.has("cord")) {
    const Volume<std::uint8_t> mask = anatomy.mask("cord");
    if (same_geometry(mask.grid, g)) {
      for (int k = 0; k < g.size[2]; ++k) cord[std::size_t(k)] = moments(mask, k);
      if (any(cord)) cord = smoothed(cord, g.spacing_mm.z());
    }
  }
  CanalTube out;
  out.z_mm = g.origin_mm.z();
  out.step_mm = g.spacing_mm.z();
  for (std::size_t k = 0; k < slices.size(); ++k) {
    out.x_mm.push_back(slices[k].x);
    out.sections.push_back(
        make_section(slices[k], cord[k], size_at(levels, out.z_mm + double(k) * out.step_mm)));
  }
  return out;
}

double canal_distance(const SpineSection& s, const Eigen::Vector3d& x) {
  return ellipse_distance(x.x(), x.y() - s.canal_y, s.canal_a, s.canal_b);
}

double sac_distance(const SpineSection& s, const Eigen::Vector3d& x) {
  return ellipse_distance(x.x(), x.y() - s.sac_y, s.sac_a, s.sac_b);
}

double cord_distance(const SpineSection& s, const Eigen::Vector3d& x) {
  if (s.cord_a <= kLeastCord_mm) return kNone_mm;
  return ellipse_distance(x.x() - s.cord_x, x.y() - s.cord_y, s.cord_a, s.cord_b);
}

double cauda_distance(const SpineSection& s, const Eigen::Vector3d& x) {
  if (s.cord_a > kLeastCord_mm) return kNone_mm;
  return ellipse_distance(x.x(), x.y() - s.sac_y - kBundleBehind * s.sac_b, kBundleAcross * s.sac_a,
                          kBundleDeep * s.sac_b);
}

StructureValue canal_label(const SpineSection& s, const Eigen::Vector3d& x) {
  static const StructureValue canal = *structure_value("canal"), sac = *structure_value("dural_sac"),
                              cord = *structure_value("cord"), cauda = *structure_value("cauda");
  if (canal_distance(s, x) >= 0) return 0;
  if (sac_distance(s, x) >= 0) return canal;
  if (cord_distance(s, x) < 0) return cord;
  return cauda_distance(s, x) < 0 ? cauda : sac;
}

}  // namespace spinetherm
