// SPDX-License-Identifier: Apache-2.0
#include "datasets/spine_model.h"

#include <algorithm>
#include <cmath>

#include "imaging/core/error.h"
#include "imaging/core/units.h"

namespace spinetherm {
namespace {

constexpr double kSectionStep_mm = 0.25;
constexpr double kSectionsBeyond_mm = 60;  // past the outer vertebrae, for tilted grids

}  // namespace

SpineModel::SpineModel(const SpinePhantomOptions& options)
    : patient_(draw_patient(options.spine, options.seed)) {
  place(options);
  curve_ = SpineCurve(vertebrae_);
  profiles_ = make_profiles(patient_, first_, first_ + vertebrae_.size() - 1);
  make_sections();
  place_roots();
  place_plexus();
  nerves_.build();
  place_vessels();
  vessels_.build();
  place_lesion(options);
}

void SpineModel::place(const SpinePhantomOptions& options) {
  // Ribs and spinous processes of the levels above hang into the image.
  constexpr std::size_t kAbove = 3, kBelow = 2;
  const auto level = [&](const std::string& name) {
    const auto n = patient_.find(name);
    if (!n)
      throw ConfigError("this spine has no level '" + name + "'", "SpinePhantomOptions.levels",
                        "name one of its levels, or the variant that has it");
    return *n;
  };
  const std::size_t top = level(options.levels.front()), bottom = level(options.levels.back());
  first_ = top < kAbove ? 0 : top - kAbove;
  const std::size_t last = std::min(bottom + kBelow, patient_.levels.size() - 1);
  const std::size_t middle = level(options.levels[options.levels.size() / 2]);
  vertebrae_ = place_vertebrae(patient_, first_, last, middle);
  if (options.lesion.fracture > 0)
    break_vertebra(vertebrae_, level(lesion_level_of(options)) - first_, options.lesion.fracture,
                   middle - first_);
  for (std::size_t n = 0; n < vertebrae_.size(); ++n) {
    const PlacedVertebra& v = vertebrae_[n];
    const VertebraSize& size = v.shape.size();
    if (size.level == "sacrum") sacrum_ = n;
    if (size.rib_length_mm <= 0) continue;
    const int index = int(first_ + n) - int(*patient_.find("T1"));
    Rib rib{n, RibShape(v.shape, index, patient_.size), 1e9, -1e9};
    for (const double x : {-130.0, 130.0})
      for (const double y : {-190.0, 50.0})
        for (const double z : {rib.shape.low_z(), rib.shape.high_z()}) {
          const double world = (v.world_from_vertebra * Eigen::Vector3d(x, y, z)).z();
          rib.low_z = std::min(rib.low_z, world);
          rib.high_z = std::max(rib.high_z, world);
        }
    ribs_.push_back(std::move(rib));
  }
  // The image: from the discs beyond the end levels a little into the neighbours.
  const auto rim = [&](std::size_t n, bool upper) {
    const PlacedVertebra& v = vertebrae_[n - first_];
    return (v.world_from_vertebra * Eigen::Vector3d(0, 0, v.shape.rim_z(0, upper))).z();
  };
  const double disc_above = top > 0 ? patient_.levels[top - 1].size.disc_below_mm : 5;
  low_ = {-options.width_mm / 2, -options.front_mm,
          rim(bottom, false) - patient_.levels[bottom].size.disc_below_mm - options.margin_mm};
  high_ = {options.width_mm / 2, options.back_mm, rim(top, true) + disc_above + options.margin_mm};
}

const SpineProfile& SpineModel::profile(double level) const {
  const double n = (level + 2) * kProfilesALevel + 0.5;  // rounded
  return profiles_[std::size_t(std::clamp(n, 0.0, double(profiles_.size() - 1)))];
}

void SpineModel::make_sections() {
  // Where the centre line passes, by level; then by height.
  std::vector<SpineSection> by_level;
  std::vector<double> heights;
  const double end = double(vertebrae_.size() - 1);
  for (double level = -1.9; level <= end + 1.9; level += 1.0 / 64) {
    const SpineProfile& p = profile(level);
    const Eigen::Vector3d centre = curve_.point({0, 0, level});
    SpineSection s;
    s.canal_y = centre.y();
    s.canal_a = p.canal_a;
    s.canal_b = p.canal_b;
    s.sac_y = centre.y() + p.sac_behind;
    s.sac_a = p.sac_a;
    s.sac_b = p.sac_b;
    s.cord_y = centre.y() + p.cord_behind - p.cord_prone_shift;
    s.cord_x = p.cord_left;
    s.cord_a = p.cord_a;
    s.cord_b = p.cord_b;
    s.body_y = centre.y() + (p.body_front - p.canal_b) / 2;
    s.body_a = p.body_a;
    s.body_b = (-p.body_front - p.canal_b) / 2;
    s.lumbar = p.belly + p.pelvis;
    s.thoracic = p.chest;
    by_level.push_back(s);
    heights.push_back(centre.z());
  }
  section_z_ = vertebrae_.back().world_from_vertebra.translation_mm.z() - kSectionsBeyond_mm;
  const double top = vertebrae_.front().world_from_vertebra.translation_mm.z() + kSectionsBeyond_mm;
  std::size_t n = heights.size() - 1;
  for (double z = section_z_; z <= top; z += kSectionStep_mm) {
    while (n > 0 && heights[n] < z) --n;
    sections_.push_back(by_level[n]);
    // The line leans: its y changes a little from one sample to the next.
    if (n + 1 < heights.size() && heights[n] > z) {
      const double t = std::clamp((heights[n] - z) / std::max(heights[n] - heights[n + 1], 1e-6), 0.0, 1.0);
      const double shift = t * (by_level[n + 1].canal_y - by_level[n].canal_y);
      SpineSection& s = sections_.back();
      for (double* y : {&s.canal_y, &s.sac_y, &s.cord_y, &s.body_y}) *y += shift;
    }
  }
}

SpineSection SpineModel::section(double z) const {
  const double n = std::round((z - section_z_) / kSectionStep_mm);
  return sections_[std::size_t(std::clamp(n, 0.0, double(sections_.size() - 1)))];
}

}  // namespace spinetherm
