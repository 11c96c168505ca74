// SPDX-License-Identifier: Apache-2.0
#include "datasets/virtual_patient.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <set>

#include "datasets/body_grid.h"
#include "datasets/cohort.h"
#include "datasets/ct_tissue_map.h"
#include "datasets/virtual_lesion.h"
#include "imaging/core/error.h"
#include "imaging/labels.h"
#include "imaging/resample.h"

namespace spinetherm {
namespace {

constexpr float kAir_HU = -1000;

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

bool in_canal(StructureValue v) {
  static const StructureValue first = *structure_value("canal"), last = *structure_value("cauda");
  return v >= first && v <= last;
}

/// What the canal holds is the model's, whatever the labels had.
void tell_canal(Anatomy& anatomy) {
  const std::set<StructureValue> found(anatomy.labels.values.begin(), anatomy.labels.values.end());
  for (const char* name : {"canal", "dural_sac", "dura", "cord", "cauda"}) {
    if (found.count(*structure_value(name)))
      anatomy.status[name] = StructureStatus::modelled;
    else
      anatomy.status.erase(name);
  }
}

/// The modelled canal, tumour where the lesion is, and its mask.
Volume<std::uint8_t> label_lesion(Volume<StructureValue>& labels, const VirtualLesion& lesion,
                                  const CtTissueMap& tissues) {
  const Grid& g = labels.grid;
  Volume<std::uint8_t> mask(g);
  const StructureValue tumour = *structure_value("tumour");
#pragma omp parallel for schedule(dynamic)
  for (int k = 0; k < g.size[2]; ++k)
    for (int j = 0; j < g.size[1]; ++j)
      for (int i = 0; i < g.size[0]; ++i) {
        const Eigen::Vector3d x = g.to_world(i, j, k);
        StructureValue& here = labels(i, j, k);
        if (in_canal(here) || here == 0) here = tissues.canal_part(x, lesion.curtain);
        const bool bone = is_vertebra(here);
        if (bone && structure_level(here) != lesion.vertebra.level) continue;
        if (bone ? lesion.bone_distance_mm(x) >= 0 : lesion.soft_distance_mm(x) >= 0) continue;
        here = tumour;
        mask(i, j, k) = 1;
      }
  return mask;
}

LesionGrade grade(const VirtualLesion& lesion, const CtTissueMap& tissues) {
  const LabelledVertebra& v = lesion.vertebra;
  Volume<StructureValue> before = tissues.labels;
  const StructureValue body = *structure_value("vertebra_body_" + v.level);
  for (std::size_t n = 0; n < before.values.size(); ++n)
    if (v.body[n]) before[n] = body;
  Volume<StructureValue> labels = before;
  label_lesion(labels, lesion, tissues);
  return grade_lesion({labels, before, v.level, lesion.options.kind, v.vertebra_from_world,
                       measure_heights(v.body, v.vertebra_from_world)},
                      measure_epidural(lesion, tissues));
}

/// Signals of water and fat of each voxel, as its shares of tissues and of the lesion give them, in the frame
/// of the MRI.
std::vector<Volume<float>> mri_signals(const CtTissueMap& tissues, const VirtualLesion& lesion,
                                       const std::vector<MaterialValues>& values, const Progress& progress) {
  const Grid& g = tissues.labels.grid;
  const double width = g.spacing_mm.minCoeff();
  const Eigen::AlignedBox3d box = lesion.box();
  std::vector<Volume<float>> out(values.size(), Volume<float>(g));
#pragma omp parallel for schedule(dynamic)
  for (int k = 0; k < g.size[2]; ++k) {
    if (progress.cancelled()) continue;
    for (int j = 0; j < g.size[1]; ++j)
      for (int i = 0; i < g.size[0]; ++i) {
        MaterialMixture m = tissues.at(i, j, k, lesion.curtain);
        if (const Eigen::Vector3d x = g.to_world(i, j, k); box.contains(x)) {
          const double share = std::clamp(0.5 - lesion.distance_mm(x) / width, 0.0, 1.0);
          if (share > 0) m.over(lesion.material_at(x), share);
        }
        for (std::size_t v = 0; v < values.size(); ++v) out[v](i, j, k) = float(m.value(values[v]));
      }
  }
  return out;
}

bool image_mri(const VirtualLesion& lesion, const CtTissueMap& tissues, SpinePhantom& out,
               const Progress& progress) {
  const SpinePhantomOptions& o = out.options;
  MrOptions mr = o.mr;
  mr.stack.pixel_mm = std::max(mr.stack.pixel_mm, o.spacing_mm);
  mr.stack.slice_mm = std::max(mr.stack.slice_mm, o.spacing_mm);
  const Rigid ct_from_mri = inverse(out.mri_from_cbct);
  const Grid& grid = tissues.labels.grid;
  const Grid fine = fine_stack_grid(mr.stack, out.mri_from_cbct * grid.centre_mm(), box_of(grid).sizes());
  fine.validate("MRI grid", 3e8);
  std::vector<MaterialValues> values;
  const std::array<const MrSequence*, 3> sequences = {&mr.t1, &mr.t2, &mr.stir};
  for (const MrSequence* q : sequences) {
    const SpeciesSignals s = species_signals(*q);
    values.push_back(s.water);
    values.push_back(s.fat);
  }
  const std::vector<Volume<float>> signals = mri_signals(tissues, lesion, values, progress);
  if (progress.cancelled()) return false;
  const std::array<Image*, 3> images = {&out.mri_t1, &out.mri_t2, &out.mri_stir};
  for (std::size_t m = 0; m < 3; ++m) {
    *images[m] =
        simulate_mr(resample_linear(signals[2 * m], fine, 0, ct_from_mri),
                    resample_linear(signals[2 * m + 1], fine, 0, ct_from_mri), *sequences[m], mr, o.seed);
    images[m]->source = "virtual patient";
  }
  out.labels_mri =
      resample_nearest(out.labels_cbct, stack_grid(mr.stack, fine), StructureValue{0}, ct_from_mri);
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
  if (!options.clinical.primary) out.options.clinical.primary = draw_primary(options.seed);
  const auto cancelled = [&] {
    out.summary.termination = Termination::cancelled;
    return out;
  };
  const Grid part = crop(real.ct.volume.grid, about);
  out.ct = {resample_nearest(real.ct.volume, part, kAir_HU), Modality::ct, "virtual patient", {}};
  Anatomy fine = real.anatomy;
  fine.labels = smooth_labels(real.anatomy.labels, grid);
  LabelledVertebra vertebra = measure_vertebra(fine, level);
  const CtTissueMap tissues =
      map_ct_tissues(on_grid(out.ct.volume, grid), fine, vertebra.canal, options.seed);
  const VirtualLesion lesion =
      shape_virtual_lesion(options.lesion, options.seed, std::move(vertebra), tissues);
  if (progress.cancelled()) return cancelled();

  progress(0.2, "virtual patient: CT");
  const CtNoise noise = measure_ct_noise(out.ct.volume);
  draw_into_ct(out.ct.volume, lesion, noise, options.seed);
  out.anatomy = resample_labels(real.anatomy, part);
  out.lesion.mask = label_lesion(out.anatomy.labels, lesion, tissues);
  out.anatomy.status["tumour"] = StructureStatus::modelled;
  tell_canal(out.anatomy);
  out.labels_cbct = tissues.labels;
  label_lesion(out.labels_cbct, lesion, tissues);

  out.lesion.level = level;
  out.lesion.options = lesion.options;
  out.lesion.centre_mm = lesion.centre_mm;
  out.lesion.volume_ml = double(std::count(out.lesion.mask.values.begin(), out.lesion.mask.values.end(), 1)) *
                         part.voxel_volume_mm3() / 1000;
  if (out.lesion.volume_ml <= 0)
    throw ConfigError("the lesion fills no voxel of the labels", "--lesion",
                      "choose a larger one, or another place");
  out.lesion.extent = measure_extent(out.lesion.mask);
  out.lesion.grade = grade(lesion, tissues);
  out.options.levels = out.anatomy.levels_present();

  progress(0.4, "virtual patient: CBCT");
  if (!image_ct_and_cbct(real, grid, out, progress)) return cancelled();
  progress(0.6, "virtual patient: MRI");
  out.mri_from_cbct = random_pose(options, grid.centre_mm());
  if (!image_mri(lesion, tissues, out, progress)) return cancelled();

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
