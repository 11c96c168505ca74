// SPDX-License-Identifier: Apache-2.0
#include "datasets/spine_phantom.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <set>

#include "datasets/body_grid.h"
#include "datasets/cohort.h"
#include "datasets/posture.h"
#include "datasets/spine_model.h"
#include "imaging/core/error.h"
#include "imaging/core/random.h"
#include "imaging/core/units.h"

namespace spinetherm {
namespace {

constexpr double kBody_mm = 2;  ///< spacing of the CT of the whole body, nearly
enum PoseStream : std::uint64_t { kPoseStream = 7 };

int position(const std::vector<std::string>& words, std::string_view word) {
  const auto it = std::find(words.begin(), words.end(), word);
  return it == words.end() ? -1 : int(it - words.begin());
}

struct SampledModel {
  Volume<StructureValue> labels;
  MaterialVolume materials;
};
/// `to_model` takes a point of the grid's frame to the model's.
template <class ToModel>
SampledModel sample(const SpineModel& model, const Grid& grid, const ToModel& to_model,
                    const Progress& progress) {
  SampledModel out{Volume<StructureValue>(grid), MaterialVolume(grid)};
#pragma omp parallel for schedule(dynamic)
  for (int k = 0; k < grid.size[2]; ++k) {
    if (progress.cancelled()) continue;
    for (int j = 0; j < grid.size[1]; ++j)
      for (int i = 0; i < grid.size[0]; ++i) {
        const SpinePoint p = model.at(to_model(grid.to_world(i, j, k)));
        out.labels(i, j, k) = p.label;
        out.materials.material(i, j, k) = p.material;
        out.materials.texture(i, j, k) = p.texture;
      }
  }
  return out;
}

MaterialPoint material_of(const SpinePoint& p) { return {p.material, p.texture}; }

Eigen::Vector3d same_point(const Eigen::Vector3d& x) { return x; }

/// The stack with pixels and slices that are no finer than `spacing_mm`.
MrStack coarsened(MrStack stack, double spacing_mm) {
  stack.pixel_mm = std::max(stack.pixel_mm, spacing_mm);
  stack.slice_mm = std::max(stack.slice_mm, spacing_mm);
  return stack;
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

std::vector<LevelLandmarks> place_landmarks(const SpineModel& model, const std::vector<std::string>& levels) {
  std::vector<LevelLandmarks> out;
  for (const PlacedVertebra& v : model.vertebrae()) {
    const std::string& level = v.shape.size().level;
    if (position(levels, level) < 0) continue;
    out.push_back({level, v.shape.landmarks()});
    for (Landmark& l : out.back().points) l.at_mm = v.world_from_vertebra * l.at_mm;
  }
  return out;
}

/// Carries each landmark with the vertebra it lies on.
std::vector<LevelLandmarks> moved(std::vector<LevelLandmarks> landmarks,
                                  const std::vector<LevelMotion>& motions) {
  for (LevelLandmarks& level : landmarks)
    for (const LevelMotion& m : motions)
      if (m.level == level.level)
        for (Landmark& l : level.points) l.at_mm = m.mri_from_cbct * l.at_mm;
  return landmarks;
}

std::vector<Eigen::Vector3d> points_of(const std::vector<LevelLandmarks>& landmarks) {
  std::vector<Eigen::Vector3d> out;
  for (const LevelLandmarks& level : landmarks)
    for (const Landmark& l : level.points) out.push_back(l.at_mm);
  return out;
}

template <class Displacement>
DisplacementField field_over(const Grid& of, double spacing_mm, const Displacement& displacement) {
  const Eigen::AlignedBox3d box = box_of(of);
  const Eigen::Vector3d beyond = Eigen::Vector3d::Constant(spacing_mm);
  DisplacementField out(box_grid(box.min() - beyond, box.max() + beyond, spacing_mm),
                        Eigen::Vector3f::Zero());
  const Grid& g = out.grid;
#pragma omp parallel for schedule(dynamic)
  for (int k = 0; k < g.size[2]; ++k)
    for (int j = 0; j < g.size[1]; ++j)
      for (int i = 0; i < g.size[0]; ++i)
        out(i, j, k) = displacement(g.to_world(i, j, k)).template cast<float>();
  return out;
}

/// The trunk about the box of the images: the CT of the whole body, and what else stops rays.
struct Trunk {
  Volume<float> sharp_HU;
  Volume<StructureValue> labels;
};
/// At the centres of coarse voxels; within the box of the images by what these hold.
Trunk draw_trunk(const SpineModel& model, const NestedGrids& grids, const Volume<float>& fine_HU,
                 const Volume<StructureValue>& fine_labels, const Progress& progress) {
  const Grid& grid = grids.coarse;
  Trunk out{Volume<float>(grid), Volume<StructureValue>(grid)};
  const MaterialValues values = ct_numbers();
#pragma omp parallel for schedule(dynamic)
  for (int k = 0; k < grid.size[2]; ++k) {
    if (progress.cancelled()) continue;
    for (int j = 0; j < grid.size[1]; ++j)
      for (int i = 0; i < grid.size[0]; ++i) {
        if (grids.inside(i, j, k)) continue;
        const SpinePoint p = model.at(grid.to_world(i, j, k));
        out.labels(i, j, k) = p.label;
        out.sharp_HU(i, j, k) =
            float(values[p.material] + values.per_texture[std::size_t(p.material)] * double(p.texture));
      }
  }
  fill_means(grids, fine_HU, out.sharp_HU);
  fill_labels(grids, fine_labels, out.labels);
  return out;
}

/// The slices that the images of the spine reach.
template <class T>
Volume<T> slices_of_box(const NestedGrids& grids, const Volume<T>& trunk) {
  const Grid& g = trunk.grid;
  Volume<T> out(
      sub_grid(g, {0, 0, grids.first[2]}, {g.size[0], g.size[1], grids.fine.size[2] / grids.parts}));
  const auto from = trunk.values.begin() + std::ptrdiff_t(g.index(0, 0, grids.first[2]));
  std::copy(from, from + std::ptrdiff_t(out.values.size()), out.values.begin());
  return out;
}

void image_body(const NestedGrids& grids, const Trunk& trunk, SpinePhantom& out) {
  constexpr std::uint64_t kBodySeed = 0x626f6479;  // its noise is not that of the CT of the spine
  CtOptions ct = out.options.ct;
  ct.slice_mm = 0;
  out.ct_body = simulate_ct(slices_of_box(grids, trunk.sharp_HU), ct, out.options.seed ^ kBodySeed);
  out.labels_ct_body = slices_of_box(grids, trunk.labels);
}

/// CT and CBCT of the prone patient, with their labels.
bool image_prone(const SpineModel& model, SpinePhantom& out, const Progress& progress) {
  const SpinePhantomOptions& options = out.options;
  const bool rays = options.cbct_mode == CbctMode::projection || options.radiographs;
  const double along_mm = rays ? 70 : 0;  // oblique rays enter above and below
  const NestedGrids grids = nested_grids(
      model.low_mm(), model.high_mm(), options.spacing_mm,
      Eigen::Vector3d(-210, -260, model.low_mm().z() - along_mm - 1).cwiseMin(model.low_mm()),
      Eigen::Vector3d(210, 130, model.high_mm().z() + along_mm + 1).cwiseMax(model.high_mm()), kBody_mm);
  const Grid& grid = grids.fine;
  grid.validate("phantom grid", 3e8);
  SampledModel sampled = sample(model, grid, same_point, progress);
  progress(0.15, "phantom: CT");
  const MaterialField field = [&](const Eigen::Vector3d& x) { return material_of(model.at(x)); };
  const int n = options.supersample;
  const Volume<float> sharp =
      std::move(render(field, sampled.materials, {ct_numbers()}, {n, n, n}, progress)[0]);
  sampled.materials = {};
  progress(0.45, "phantom: CBCT");
  if (progress.cancelled()) return false;
  out.ct = simulate_ct(sharp, options.ct, options.seed);
  const Trunk trunk = draw_trunk(model, grids, sharp, sampled.labels, progress);
  if (progress.cancelled()) return false;
  image_body(grids, trunk, out);
  CbctScan cbct = options.cbct_mode == CbctMode::image
                      ? simulate_cbct(sharp, options.cbct, options.seed)
                      : simulate_projection_cbct(sharp, grid, options.projection, options.seed, progress,
                                                 &trunk.sharp_HU);
  if (options.radiographs)
    out.radiographs =
        simulate_fluoroscopy(sharp, options.fluoroscopy, options.seed, progress, &trunk.sharp_HU);
  out.cbct = std::move(cbct.image);
  out.cbct_valid = std::move(cbct.valid);
  if (out.ct.volume.grid == grid) {
    out.labels_cbct = sampled.labels;
    out.anatomy = make_anatomy(model, std::move(sampled.labels));
  } else {  // thick slices: what lies in the middle of each
    out.anatomy = make_anatomy(model, sample(model, out.ct.volume.grid, same_point, progress).labels);
    out.labels_cbct = std::move(sampled.labels);
  }
  return !progress.cancelled();
}

/// Three weightings of the supine patient from one pass over the body.
bool image_supine(const SpineModel& model, const Posture& posture, SpinePhantom& out,
                  const Progress& progress) {
  const MrOptions& mr = out.options.mr;
  const Eigen::Vector3d centre = (model.low_mm() + model.high_mm()) / 2;
  const Grid fine = fine_stack_grid(mr.stack, out.mri_from_cbct * centre, model.high_mm() - model.low_mm());
  fine.validate("phantom MRI grid", 3e8);
  const Eigen::Vector3d readout = readout_direction(mr.stack, fine);
  const SampledPosture way(posture, box_of(fine));
  const auto to_model = [&](const Eigen::Vector3d& y) -> Eigen::Vector3d {
    if (!mr.distortion.on()) return way.cbct_from_mri(y);
    return way.cbct_from_mri(y + mr.distortion.displacement_mm(y, readout));
  };
  const MaterialVolume materials = sample(model, fine, to_model, progress).materials;
  out.labels_mri = sample(model, stack_grid(mr.stack, fine), to_model, progress).labels;
  progress(0.65, "phantom: MRI");
  std::vector<MaterialValues> values;
  const std::array<const MrSequence*, 3> sequences = {&mr.t1, &mr.t2, &mr.stir};
  for (const MrSequence* q : sequences) {
    const SpeciesSignals s = species_signals(*q);
    values.push_back(s.water);
    values.push_back(s.fat);
  }
  const MaterialField field = [&](const Eigen::Vector3d& y) { return material_of(model.at(to_model(y))); };
  const int n = std::min(out.options.supersample, 2);
  // Across the slices the fine ones are parts enough of a thick one.
  const int across = mr.stack.slice_mm > 2 * fine.spacing_mm[2] ? 1 : n;
  std::vector<Volume<float>> sharp = render(field, materials, values, {n, n, across}, progress);
  if (progress.cancelled()) return false;
  progress(0.9, "phantom: MRI");
  const std::array<Image*, 3> images = {&out.mri_t1, &out.mri_t2, &out.mri_stir};
  for (std::size_t m = 0; m < 3; ++m)
    *images[m] = simulate_mr(sharp[2 * m], sharp[2 * m + 1], *sequences[m], mr, out.options.seed);
  if (mr.distortion.on())
    out.posture.distortion =
        field_over(stack_grid(mr.stack, fine), 4, [&](const Eigen::Vector3d& y) -> Eigen::Vector3d {
          return mr.distortion.displacement_mm(y, readout);
        });
  return true;
}

}  // namespace

std::string_view to_string(CbctMode mode) { return mode == CbctMode::image ? "image" : "projection"; }

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
  posture.validate();
  ct.validate();
  mr.validate();
  cbct.validate();
  projection.validate();
  fluoroscopy.validate();
}

SpinePhantom make_spine_phantom(const SpinePhantomOptions& options, const Progress& progress) {
  options.validate();
  const auto start = std::chrono::steady_clock::now();
  SpinePhantom out;
  out.options = options;
  if (!options.clinical.primary) out.options.clinical.primary = draw_primary(options.seed);
  out.options.mr.stack = coarsened(options.mr.stack, options.spacing_mm);
  const SpineModel model(options);
  out.patient = model.patient();
  const auto cancelled = [&] {
    out.summary.termination = Termination::cancelled;
    return out;
  };
  progress(0, "phantom: CT");
  if (progress.cancelled() || !image_prone(model, out, progress)) return cancelled();

  progress(0.5, "phantom: MRI");
  const Rigid pose = random_pose(options, (model.low_mm() + model.high_mm()) / 2);
  const Posture posture(model, options.posture, pose, options.seed);
  out.landmarks = place_landmarks(model, options.levels);
  out.landmarks_mri = moved(out.landmarks, posture.motions());
  out.mri_from_cbct =
      posture.bends() ? best_rigid(points_of(out.landmarks), points_of(out.landmarks_mri)) : pose;
  for (const LevelMotion& m : posture.motions())
    if (position(options.levels, m.level) >= 0) out.posture.motions.push_back(m);
  out.posture.redrawn = posture.redrawn();
  out.posture.neural_dorsal_mm = posture.neural_shift().dorsal_mm(0);
  if (!image_supine(model, posture, out, progress)) return cancelled();
  out.posture.field = field_over(out.cbct.volume.grid, 2, [&](const Eigen::Vector3d& x) -> Eigen::Vector3d {
    return posture.mri_from_cbct(x) - x;
  });

  out.lesion.level = model.vertebrae()[model.lesion().vertebra].shape.size().level;
  out.lesion.options = model.lesion().options;
  out.lesion.options.wall_gap_mm = model.lesion().wall_gap_mm;
  out.lesion.centre_mm = model.lesion().centre_mm;
  out.lesion.mask = out.anatomy.mask("tumour");
  out.lesion.volume_ml = double(std::count(out.lesion.mask.values.begin(), out.lesion.mask.values.end(), 1)) *
                         out.ct.volume.grid.voxel_volume_mm3() / 1000;
  out.lesion.extent = measure_extent(out.lesion.mask);
  out.lesion.grade = model.grade();
  out.summary.termination = Termination::reached_end;
  out.summary.wall_time_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  progress(1, "phantom");
  return out;
}

}  // namespace spinetherm
