// SPDX-License-Identifier: Apache-2.0
#include "datasets/virtual_patient.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>

#include "datasets/ct_tissue_map.h"
#include "datasets/virtual_lesion.h"
#include "imaging/core/error.h"
#include "imaging/labels.h"
#include "imaging/resample.h"

namespace spinetherm {
namespace {

constexpr float kAir_HU = -1000;

Eigen::AlignedBox3d box_of(const Grid& g) {
  Eigen::AlignedBox3d out;
  for (int corner = 0; corner < 8; ++corner)
    out.extend(g.to_world((corner & 1) ? g.size[0] - 1 : 0, (corner & 2) ? g.size[1] - 1 : 0,
                          (corner & 4) ? g.size[2] - 1 : 0));
  return out;
}

/// The middle of the level's voxels.
Eigen::Vector3d find_level(const Anatomy& anatomy, const Grid& ct, const std::string& level) {
  std::string present;
  for (const std::string& l : anatomy.levels_present()) present += (present.empty() ? "" : ", ") + l;
  const auto centre = centroid_mm(anatomy.mask("vertebra_" + level));
  if (!centre)
    throw ConfigError("no voxel is labelled as " + level, "--lesion-level " + level,
                      "the labels hold " + (present.empty() ? "no vertebra" : present));
  if (!ct.covers(*centre))
    throw ConfigError(level + " lies outside the CT", "--lesion-level " + level,
                      "choose another level, or labels of this CT");
  return *centre;
}

/// The voxels of `grid` that reach into the box.
Grid crop(const Grid& grid, const Eigen::AlignedBox3d& box) {
  Eigen::AlignedBox3d index;
  for (int corner = 0; corner < 8; ++corner)
    index.extend(grid.to_index(box.corner(Eigen::AlignedBox3d::CornerType(corner))));
  std::array<int, 3> first{}, size{};
  for (std::size_t a = 0; a < 3; ++a) {
    const auto n = Eigen::Index(a);
    first[a] = std::clamp(int(std::floor(index.min()[n])), 0, grid.size[a] - 1);
    size[a] = std::clamp(int(std::ceil(index.max()[n])), first[a], grid.size[a] - 1) - first[a] + 1;
  }
  return sub_grid(grid, first, size);
}

Volume<float> on_grid(const Volume<float>& ct, const Grid& grid) {
  return ct.grid.spacing_mm.minCoeff() < grid.spacing_mm.minCoeff() ? resample_mean(ct, grid, kAir_HU)
                                                                    : resample_linear(ct, grid, kAir_HU);
}

/// Tumour where the lesion is, and its mask.
Volume<std::uint8_t> label_lesion(Volume<StructureValue>& labels, const VirtualLesion& lesion,
                                  const Rigid& world_from_labels = {}) {
  const Grid& g = labels.grid;
  Volume<std::uint8_t> mask(g);
  const StructureValue tumour = *structure_value("tumour");
#pragma omp parallel for schedule(dynamic)
  for (int k = 0; k < g.size[2]; ++k)
    for (int j = 0; j < g.size[1]; ++j)
      for (int i = 0; i < g.size[0]; ++i) {
        const StructureValue was = labels(i, j, k);
        if (!is_vertebra(was) || structure_level(was) != lesion.vertebra.level) continue;
        if (lesion.distance_mm(world_from_labels * g.to_world(i, j, k)) >= 0) continue;
        labels(i, j, k) = tumour;
        mask(i, j, k) = 1;
      }
  return mask;
}

LesionGrade grade(const VirtualLesion& lesion, Volume<StructureValue> before) {
  const LabelledVertebra& v = lesion.vertebra;
  const StructureValue body = *structure_value("vertebra_body_" + v.level), canal = *structure_value("canal");
  for (std::size_t n = 0; n < before.values.size(); ++n) {
    if (v.body[n]) before[n] = body;
    if (v.canal[n] && before[n] == 0) before[n] = canal;
  }
  Volume<StructureValue> labels = before;
  label_lesion(labels, lesion);
  EpiduralMeasure epidural;  // none: the lesion stays in bone
  epidural.by_cord = level_index(v.level).value_or(0) <= *level_index("L1");
  return grade_lesion({labels, before, v.level, lesion.options.kind, v.vertebra_from_world,
                       measure_heights(v.body, v.vertebra_from_world)},
                      epidural);
}

struct Scene {
  const VirtualLesion& lesion;
  const MaterialVolume& materials;
  MaterialPoint at(const Eigen::Vector3d& x) const {
    const MaterialPoint p = material_near(materials, x);
    if (!box.contains(x) || lesion.distance_mm(x) >= 0) return p;
    return {lesion.material_at(x), p.material == Material::trabecular_bone ? p.texture : 0.0f};
  }
  Eigen::AlignedBox3d box = lesion.box();
};

bool image_mri(const Scene& scene, const Grid& grid, SpinePhantom& out, const Progress& progress) {
  const SpinePhantomOptions& o = out.options;
  MrOptions mr = o.mr;
  mr.stack.pixel_mm = std::max(mr.stack.pixel_mm, o.spacing_mm);
  mr.stack.slice_mm = std::max(mr.stack.slice_mm, o.spacing_mm);
  const Rigid ct_from_mri = inverse(out.mri_from_cbct);
  const Eigen::AlignedBox3d box = box_of(grid);
  const Grid fine = fine_stack_grid(mr.stack, out.mri_from_cbct * grid.centre_mm(), box.sizes());
  fine.validate("MRI grid", 3e8);
  const MaterialField field = [&](const Eigen::Vector3d& y) { return scene.at(ct_from_mri * y); };
  MaterialVolume centres(fine);
#pragma omp parallel for schedule(dynamic)
  for (int k = 0; k < fine.size[2]; ++k) {
    if (progress.cancelled()) continue;
    for (int j = 0; j < fine.size[1]; ++j)
      for (int i = 0; i < fine.size[0]; ++i) {
        const MaterialPoint p = field(fine.to_world(i, j, k));
        centres.material(i, j, k) = p.material;
        centres.texture(i, j, k) = p.texture;
      }
  }
  std::vector<MaterialValues> values;
  const std::array<const MrSequence*, 3> sequences = {&mr.t1, &mr.t2, &mr.stir};
  for (const MrSequence* q : sequences) {
    const SpeciesSignals s = species_signals(*q);
    values.push_back(s.water);
    values.push_back(s.fat);
  }
  const int n = std::min(o.supersample, 2);
  const std::vector<Volume<float>> sharp = render(field, centres, values, {n, n, n}, progress);
  if (progress.cancelled()) return false;
  const std::array<Image*, 3> images = {&out.mri_t1, &out.mri_t2, &out.mri_stir};
  for (std::size_t m = 0; m < 3; ++m) {
    *images[m] = simulate_mr(sharp[2 * m], sharp[2 * m + 1], *sequences[m], mr, o.seed);
    images[m]->source = "virtual patient";
  }
  out.labels_mri =
      resample_nearest(out.anatomy.labels, stack_grid(mr.stack, fine), StructureValue{0}, ct_from_mri);
  return true;
}

/// The neighbourhood of the box at 3 mm, for what is projected.
Volume<float> trunk_HU(const Volume<float>& ct, const Eigen::Vector3d& centre_mm) {
  const Eigen::AlignedBox3d scan = box_of(ct.grid);
  const Eigen::Vector3d reach(210, 260, 130);
  return resample_mean(
      ct, box_grid((centre_mm - reach).cwiseMax(scan.min()), (centre_mm + reach).cwiseMin(scan.max()), 3.0),
      kAir_HU);
}

bool image_ct_and_cbct(const RealPatient& real, const Grid& grid, SpinePhantom& out,
                       const Progress& progress) {
  const SpinePhantomOptions& o = out.options;
  const Volume<float> sharp = on_grid(out.ct.volume, grid);
  Volume<float> trunk;
  if (o.cbct_mode == CbctMode::projection || o.radiographs)
    trunk = trunk_HU(real.ct.volume, out.lesion.centre_mm);
  CbctScan cbct = o.cbct_mode == CbctMode::image
                      ? simulate_cbct(sharp, o.cbct, o.seed)
                      : simulate_projection_cbct(sharp, grid, o.projection, o.seed, progress, &trunk);
  if (o.radiographs) out.radiographs = simulate_fluoroscopy(sharp, o.fluoroscopy, o.seed, progress, &trunk);
  out.cbct = std::move(cbct.image);
  out.cbct_valid = std::move(cbct.valid);
  return !progress.cancelled();
}

}  // namespace

SpinePhantom make_virtual_patient(const RealPatient& real, SpinePhantomOptions options,
                                  const Progress& progress, const VirtualPatientBox& box) {
  const auto start = std::chrono::steady_clock::now();
  if (real.ct.volume.empty()) throw ConfigError("no CT", "--from", "a virtual patient is made of a real CT");
  if (real.anatomy.labels.empty())
    throw ConfigError("no labels", "--from", "a virtual patient needs labels of the CT's vertebrae");
  if (options.lesion_level.empty())
    throw ConfigError("no level for the lesion", "--lesion-level", "name the vertebra, for instance L3");
  const std::string level = options.lesion_level;
  if (!level_index(level))
    throw ConfigError("unknown level '" + level + "'", "--lesion-level", "use C3 to L5");
  options.levels = {level};
  options.validate();
  if (options.mr.distortion.on())
    throw ConfigError("a distorted MRI of a virtual patient", "--mri-distortion", "leave it out");

  progress(0, "virtual patient: vertebra");
  const Eigen::Vector3d middle = find_level(real.anatomy, real.ct.volume.grid, level);
  const Eigen::AlignedBox3d scan = box_of(real.ct.volume.grid);
  const Eigen::AlignedBox3d about(
      Eigen::Vector3d(
          (middle - Eigen::Vector3d(box.side_mm, box.front_mm, box.up_down_mm)).cwiseMax(scan.min())),
      Eigen::Vector3d(
          (middle + Eigen::Vector3d(box.side_mm, box.back_mm, box.up_down_mm)).cwiseMin(scan.max())));
  const Grid grid = box_grid(about.min(), about.max(), options.spacing_mm);
  grid.validate("virtual patient grid", 3e8);

  SpinePhantom out;
  out.options = options;
  const auto cancelled = [&] {
    out.summary.termination = Termination::cancelled;
    return out;
  };
  const Grid part = crop(real.ct.volume.grid, about);
  out.ct = {resample_nearest(real.ct.volume, part, kAir_HU), Modality::ct, "virtual patient", {}};
  Anatomy fine = real.anatomy;
  fine.labels = smooth_labels(real.anatomy.labels, grid);
  const VirtualLesion lesion =
      shape_virtual_lesion(options.lesion, options.seed, measure_vertebra(fine, level));
  if (progress.cancelled()) return cancelled();

  progress(0.2, "virtual patient: CT");
  const CtNoise noise = measure_ct_noise(out.ct.volume);
  const CtTissueMap tissues =
      map_ct_tissues(on_grid(out.ct.volume, grid), fine, lesion.vertebra.canal, level, options.seed);
  draw_into_ct(out.ct.volume, lesion, noise, options.seed);
  out.anatomy = resample_labels(real.anatomy, part);
  out.lesion.mask = label_lesion(out.anatomy.labels, lesion);
  out.anatomy.status["tumour"] = StructureStatus::modelled;
  out.labels_cbct = fine.labels;
  label_lesion(out.labels_cbct, lesion);

  out.lesion.level = level;
  out.lesion.options = lesion.options;
  out.lesion.centre_mm = lesion.centre_mm;
  out.lesion.volume_ml = double(std::count(out.lesion.mask.values.begin(), out.lesion.mask.values.end(), 1)) *
                         part.voxel_volume_mm3() / 1000;
  if (out.lesion.volume_ml <= 0)
    throw ConfigError("the lesion fills no voxel of the labels", "--lesion",
                      "choose a larger one, or another place");
  out.lesion.extent = measure_extent(out.lesion.mask);
  out.lesion.grade = grade(lesion, fine.labels);
  out.options.levels = out.anatomy.levels_present();

  progress(0.4, "virtual patient: CBCT");
  if (!image_ct_and_cbct(real, grid, out, progress)) return cancelled();
  progress(0.6, "virtual patient: MRI");
  out.mri_from_cbct = random_pose(options, grid.centre_mm());
  const Scene scene{lesion, tissues.materials};
  if (!image_mri(scene, grid, out, progress)) return cancelled();

  VirtualSource source;
  source.ct = real.ct_name;
  source.labels = real.anatomy.convention;
  source.notes = real.notes;
  source.ct_noise_HU = noise.sd_HU;
  source.marrow_HU = tissues.marrow_HU;
  source.modelled = tissues.notes;
  out.virtual_of = source;
  out.summary.termination = Termination::reached_end;
  out.summary.wall_time_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  progress(1, "virtual patient");
  return out;
}

}  // namespace spinetherm
