// SPDX-License-Identifier: Apache-2.0
#include "datasets/spine_phantom.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <set>

#include "datasets/spine_model.h"
#include "imaging/core/error.h"
#include "imaging/core/random.h"
#include "imaging/core/units.h"

namespace spinetherm {
namespace {

enum PoseStream : std::uint64_t { kPoseStream = 7 };

int position(const std::vector<std::string>& words, std::string_view word) {
  const auto it = std::find(words.begin(), words.end(), word);
  return it == words.end() ? -1 : int(it - words.begin());
}

/// A rotation of the given angle about the centre of the image and a shift of the given length, both in a
/// random direction.
Rigid random_pose(const SpinePhantomOptions& options, const Eigen::Vector3d& centre_mm) {
  auto rng = trial_rng(options.seed, kPoseStream);
  std::normal_distribution<double> normal(0, 1);
  const auto direction = [&] {
    const double x = normal(rng), y = normal(rng), z = normal(rng);
    return Eigen::Vector3d(x, y, z).normalized();
  };
  Rigid pose;
  pose.rotation =
      Eigen::Quaterniond(Eigen::AngleAxisd(options.mri_rotation_deg * kPi / 180, direction())).normalized();
  pose.translation_mm = centre_mm - pose.rotation * centre_mm + options.mri_translation_mm * direction();
  return pose;
}

/// Sagittal: i towards the back, j towards the feet, k towards the right; a right-handed grid about
/// `centre_mm`.
Grid sagittal_grid(const Eigen::Vector3d& centre_mm, const Eigen::Vector3d& extent_mm, double spacing_mm) {
  Grid g;
  g.direction.col(0) = Eigen::Vector3d::UnitY();
  g.direction.col(1) = -Eigen::Vector3d::UnitZ();
  g.direction.col(2) = -Eigen::Vector3d::UnitX();
  g.spacing_mm = Eigen::Vector3d::Constant(spacing_mm);
  const Eigen::Vector3d along = g.direction.transpose() * extent_mm;
  for (int a = 0; a < 3; ++a)
    g.size[std::size_t(a)] = std::max(1, int(std::round(std::abs(along[a]) / spacing_mm)));
  const Eigen::Vector3d half = Eigen::Vector3d(g.size[0] - 1, g.size[1] - 1, g.size[2] - 1) / 2;
  g.origin_mm = centre_mm - g.direction * (spacing_mm * half);
  return g;
}

struct SampledModel {
  Volume<StructureValue> labels;
  Volume<Material> materials;
};
SampledModel sample(const SpineModel& model, const Grid& grid, const Rigid& model_from_grid,
                    const Progress& progress) {
  SampledModel out{Volume<StructureValue>(grid), Volume<Material>(grid)};
#pragma omp parallel for schedule(dynamic)
  for (int k = 0; k < grid.size[2]; ++k) {
    if (progress.cancelled()) continue;
    for (int j = 0; j < grid.size[1]; ++j)
      for (int i = 0; i < grid.size[0]; ++i) {
        const SpinePoint p = model.at(model_from_grid * grid.to_world(i, j, k));
        out.labels(i, j, k) = p.label;
        out.materials(i, j, k) = p.material;
      }
  }
  return out;
}

Anatomy make_anatomy(const SpineModel& model, Volume<StructureValue> labels) {
  Anatomy anatomy;
  anatomy.convention = "spinetherm";
  std::set<StructureValue> found(labels.values.begin(), labels.values.end());
  found.erase(0);
  for (StructureValue value : found)
    anatomy.status[std::string(structure_name(value))] = StructureStatus::imported;
  // A vertebra's name stands for arch and body together.
  for (const std::string& level : [&] {
         anatomy.labels = std::move(labels);
         return anatomy.levels_present();
       }())
    anatomy.status["vertebra_" + level] = StructureStatus::imported;
  for (const PlacedRoot& root : model.roots())
    if (found.count(root.root)) anatomy.roots.push_back(root.tube);
  return anatomy;
}

std::vector<LevelLandmarks> place_landmarks(const SpineModel& model, const std::vector<std::string>& levels,
                                            const Rigid& image_from_model) {
  std::vector<LevelLandmarks> out;
  for (const PlacedVertebra& v : model.vertebrae()) {
    const std::string& level = v.shape.size().level;
    if (position(levels, level) < 0) continue;
    out.push_back({level, v.shape.landmarks()});
    for (Landmark& l : out.back().points) l.at_mm = image_from_model * (v.world_from_vertebra * l.at_mm);
  }
  return out;
}

}  // namespace

std::vector<std::string> parse_levels(std::string_view range, SpineVariant variant) {
  const std::size_t dash = range.find('-');
  const std::string first(range.substr(0, dash));
  const std::string last(dash == std::string_view::npos ? first : range.substr(dash + 1));
  std::vector<std::string> names;
  for (const std::string& level : spine_levels(variant)) names.push_back(level == "sacrum" ? "S1" : level);
  const auto find = [&](const std::string& level) {
    return position(names, level == "sacrum" ? "S1" : level);
  };
  const int a = find(first), b = find(last);
  if (a < 0 || b < 0)
    throw ConfigError("unknown level '" + (a < 0 ? first : last) + "'", "--levels " + std::string(range),
                      "the phantom has " + names.front() + " to " + names.back() + ", for instance L2-L4");
  if (a > b)
    throw ConfigError("levels run upwards", "--levels " + std::string(range),
                      "name the upper level first: " + last + "-" + first);
  std::vector<std::string> out(names.begin() + a, names.begin() + b + 1);
  if (out.back() == "S1") out.back() = "sacrum";
  return out;
}

ClinicalFacts usual_clinical_facts() {
  ClinicalFacts c;
  c.goal = "local_control";
  c.deficit = false;
  c.sins_pain = 1;
  c.previous_dose_Gy = 0;
  c.anticoagulated = false;
  c.implants = false;
  c.pacemaker = false;
  return c;
}

std::string lesion_level_of(const SpinePhantomOptions& options) {
  return options.lesion_level.empty() ? options.levels[options.levels.size() / 2] : options.lesion_level;
}

void SpinePhantomOptions::validate() const {
  if (levels.empty()) throw ConfigError("no level", "SpinePhantomOptions.levels", "name at least one");
  spine.validate();
  if (parse_levels(levels.front() + "-" + levels.back(), spine.variant) != levels)
    throw ConfigError("levels are not in a row", "SpinePhantomOptions.levels",
                      "name them from the head down");
  if (!lesion_level.empty() && position(levels, lesion_level) < 0)
    throw ConfigError("the lesion's level '" + lesion_level + "' is not in the phantom",
                      "SpinePhantomOptions.lesion_level", "use one of the levels");
  lesion.validate();
  require(spacing_mm >= 0.3 && spacing_mm <= 4, "spacing_mm", spacing_mm, "must lie in [0.3, 4] mm");
  require(width_mm >= 60 && width_mm <= 400, "width_mm", width_mm, "must lie in [60, 400] mm");
  require(front_mm >= 20 && front_mm <= 200, "front_mm", front_mm, "must lie in [20, 200] mm");
  require(back_mm >= 40 && back_mm <= 200, "back_mm", back_mm, "must lie in [40, 200] mm");
  require(margin_mm >= 0 && margin_mm <= 30, "margin_mm", margin_mm, "must lie in [0, 30] mm");
  require(supersample >= 1 && supersample <= 8, "supersample", supersample, "must lie in 1 .. 8");
  require(mri_rotation_deg >= 0 && mri_rotation_deg <= 45, "mri_rotation_deg", mri_rotation_deg,
          "must lie in [0, 45] deg");
  require(mri_translation_mm >= 0 && mri_translation_mm <= 200, "mri_translation_mm", mri_translation_mm,
          "must lie in [0, 200] mm");
  ct.validate();
  mr.validate();
  cbct.validate();
}

SpinePhantom make_spine_phantom(const SpinePhantomOptions& options, const Progress& progress) {
  options.validate();
  const auto start = std::chrono::steady_clock::now();
  SpinePhantom out;
  out.options = options;
  const SpineModel model(options);
  const MaterialField field = [&](const Eigen::Vector3d& x) { return model.at(x).material; };
  const auto stopped = [&](double fraction, const char* what) {
    progress(fraction, what);
    if (progress.cancelled()) out.summary.termination = Termination::cancelled;
    return progress.cancelled();
  };

  if (stopped(0, "phantom: CT")) return out;
  const Grid grid = box_grid(model.low_mm(), model.high_mm(), options.spacing_mm);
  grid.validate("phantom grid", 3e8);
  SampledModel on_ct = sample(model, grid, Rigid{}, progress);
  if (stopped(0.15, "phantom: CT")) return out;
  const auto sharp = render(field, on_ct.materials, Rigid{}, ct_numbers(), options.supersample, progress);
  if (stopped(0.45, "phantom: CBCT")) return out;
  out.ct = simulate_ct(sharp, options.ct, options.seed);
  CbctScan cbct = simulate_cbct(sharp, options.cbct, options.seed);
  out.cbct = std::move(cbct.image);
  out.cbct_valid = std::move(cbct.valid);

  out.anatomy = make_anatomy(model, std::move(on_ct.labels));

  if (stopped(0.55, "phantom: MRI")) return out;
  out.mri_from_cbct = random_pose(options, grid.centre_mm());
  const Rigid model_from_mri = inverse(out.mri_from_cbct);
  const Grid sagittal = sagittal_grid(out.mri_from_cbct * grid.centre_mm(), model.high_mm() - model.low_mm(),
                                      options.spacing_mm);
  SampledModel on_mri = sample(model, sagittal, model_from_mri, progress);
  out.labels_mri = std::move(on_mri.labels);
  if (stopped(0.7, "phantom: MRI")) return out;
  const auto signal =
      render(field, on_mri.materials, model_from_mri, spin_echo_signals(options.mr.tr_ms, options.mr.te_ms),
             options.supersample, progress);
  if (stopped(0.95, "phantom: MRI")) return out;
  out.mri_t2 = simulate_mr_t2(signal, options.mr, options.seed);

  out.landmarks = place_landmarks(model, options.levels, Rigid{});
  out.landmarks_mri = place_landmarks(model, options.levels, out.mri_from_cbct);
  out.lesion.level = model.vertebrae()[model.lesion().vertebra].shape.size().level;
  out.lesion.options = model.lesion().options;
  out.lesion.options.wall_gap_mm = model.lesion().wall_gap_mm;
  out.lesion.centre_mm = model.lesion().centre_mm;
  out.lesion.mask = out.anatomy.mask("tumour");
  out.lesion.volume_ml = double(std::count(out.lesion.mask.values.begin(), out.lesion.mask.values.end(), 1)) *
                         grid.voxel_volume_mm3() / 1000;
  out.lesion.extent = measure_extent(out.lesion.mask);
  out.lesion.grade = model.grade();
  out.summary.termination = Termination::reached_end;
  out.summary.wall_time_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  progress(1, "phantom");
  return out;
}

}  // namespace spinetherm
