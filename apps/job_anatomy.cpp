// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "apps/job.h"
#include "imaging/core/error.h"
#include "imaging/ct_anatomy.h"
#include "imaging/dural_sac.h"
#include "imaging/labels.h"
#include "imaging/read.h"
#include "imaging/roots.h"
#include "planning/labelled_canal.h"

namespace spinetherm {
namespace {

/// A lesion inside the patient is no darker than lung: below this mean the target lies in air [HU].
constexpr double kAir_HU = -300;

Anatomy import_case_labels(const PatientCase& patient, const Grid& ct) {
  Anatomy all;
  for (const CaseLabels& labels : patient.labels) {
    ImportOptions options;
    options.where = labels.path.string();
    Anatomy one = import_labels(read_label_volume(labels.path), labels.convention, options);
    check_overlap(one.labels.grid, ct, options.where);
    if (all.labels.empty()) {
      all = std::move(one);
      continue;
    }
    const Anatomy same_grid = resample_labels(one, all.labels.grid);
    for (std::size_t n = 0; n < all.labels.values.size(); ++n)  // the first map of the list wins
      if (all.labels[n] == 0) all.labels[n] = same_grid.labels[n];
    for (const auto& [name, status] : same_grid.status) all.status.emplace(name, status);
    all.warnings.insert(all.warnings.end(), same_grid.warnings.begin(), same_grid.warnings.end());
    all.convention += ", " + same_grid.convention;
  }
  return all;
}

/// Voxels of a vertebra in front of the canal's front wall, slice by slice (LPS z of the label grid's
/// voxels).
Volume<std::uint8_t> body_of(const Anatomy& anatomy, const std::string& vertebra) {
  const std::string body = "vertebra_body_" + vertebra.substr(std::string("vertebra_").size());
  if (anatomy.has(body)) return anatomy.mask(body);
  Volume<std::uint8_t> mask = anatomy.mask(vertebra);
  const Grid& g = mask.grid;
  const auto centre = centroid_mm(mask);
  if (!centre) return mask;
  const LabelledCanal canal = find_labelled_canal(
      anatomy,
      box_grid(*centre - Eigen::Vector3d::Constant(60), *centre + Eigen::Vector3d::Constant(60), 1.0));
  if (canal.mask.empty())
    throw ConfigError(
        fmt::format("the body of {} cannot be told from its arch, as no canal was found", vertebra),
        "/target/part", "give a label of the body, or \"part\": \"all\"");
  const Grid& c = canal.mask.grid;
  std::vector<double> front_mm(std::size_t(c.size[2]), 1e300);
  for (int k = 0; k < c.size[2]; ++k)
    for (int j = 0; j < c.size[1]; ++j)
      for (int i = 0; i < c.size[0]; ++i)
        if (canal.mask(i, j, k))
          front_mm[std::size_t(k)] = std::min(front_mm[std::size_t(k)], c.to_world(i, j, k)[1]);
  double typical = 0;
  int slices = 0;
  for (double f : front_mm)
    if (f < 1e299) {
      typical += f;
      ++slices;
    }
  typical /= std::max(slices, 1);
  for (int k = 0; k < g.size[2]; ++k)
    for (int j = 0; j < g.size[1]; ++j)
      for (int i = 0; i < g.size[0]; ++i) {
        if (!mask(i, j, k)) continue;
        const Eigen::Vector3d x = g.to_world(i, j, k);
        const int slice = std::clamp(c.nearest(x)[2], 0, c.size[2] - 1);
        const double front = front_mm[std::size_t(slice)] < 1e299 ? front_mm[std::size_t(slice)] : typical;
        if (x[1] >= front - c.spacing_mm[1] / 2) mask(i, j, k) = 0;
      }
  return mask;
}

void require_in_tissue(const Target& target, const Image& ct, const std::string& where) {
  double sum = 0;
  long inside = 0, outside = 0;
  const Grid& g = target.mask.grid;
  for (int k = 0; k < g.size[2]; ++k)
    for (int j = 0; j < g.size[1]; ++j)
      for (int i = 0; i < g.size[0]; ++i) {
        if (!target.mask(i, j, k)) continue;
        const auto hu = sample_linear(ct.volume, g.to_world(i, j, k));
        if (hu && std::isfinite(*hu)) {
          sum += *hu;
          ++inside;
        } else {
          ++outside;
        }
      }
  if (inside == 0)
    throw ConfigError("target lies outside the image", where, "give its centre in LPS mm of the planning CT");
  if (outside > inside)
    throw ConfigError("most of the target lies outside the image", where, "give a target that the CT covers");
  if (sum / double(inside) < kAir_HU)
    throw ConfigError(fmt::format("target lies in air (mean {:.0f} HU)", sum / double(inside)), where,
                      "give its centre in LPS mm of the planning CT");
}

}  // namespace

void find_anatomy(Job& job, const Progress& progress) {
  if (!job.patient.labels.empty()) {
    job.anatomy = import_case_labels(job.patient, job.ct.volume.grid);
  } else {
    if (!job.patient.target.centre_mm)
      throw ConfigError("the case has neither labels nor a target centre",
                        job.patient.file.string() + ": /target",
                        "give /labels, or /target/centre_mm and /target/radii_mm");
    if (!job.ct.volume.grid.covers(*job.patient.target.centre_mm))
      throw ConfigError("target lies outside the image", job.patient.file.string() + ": /target/centre_mm",
                        "give its centre in LPS mm of the planning CT");
    CtAnatomyOptions options;
    options.level = job.patient.level.name;
    try {
      job.anatomy = anatomy_from_ct(job.ct, *job.patient.target.centre_mm, options);
    } catch (Error& e) {
      e.within(job.patient.file.string());
      throw;
    }
  }
  if (progress.cancelled()) return;
  add_dural_sac(job.anatomy);
  add_root_tubes(job.anatomy);
  for (const std::string& w : job.anatomy.warnings) job.warnings.push_back("anatomy: " + w);
}

void find_target(Job& job, const Progress&) {
  const CaseTarget& t = job.patient.target;
  const std::string where = job.patient.file.string() + ": /target";
  job.target.name = !t.name.empty() ? t.name : !t.label.empty() ? t.label : "target";
  job.target.level = job.patient.level.name;
  job.target.kind = t.kind;
  if (t.centre_mm) {
    if (!job.ct.volume.grid.covers(*t.centre_mm))
      throw ConfigError("target lies outside the image", where + "/centre_mm",
                        "give its centre in LPS mm of the planning CT");
    job.target.mask = ellipsoid_mask(*t.centre_mm, *t.radii_mm, std::min(1.0, t.radii_mm->minCoeff() / 4));
  } else {
    if (!job.anatomy.has(t.label)) {
      std::string present;
      for (const auto& [name, status] : job.anatomy.status)
        if (status != StructureStatus::missing) present += (present.empty() ? "" : ", ") + name;
      throw ConfigError(fmt::format("no voxel is labelled '{}'", t.label), where + "/label",
                        "labels of this case: " + present);
    }
    const bool whole =
        t.part != "body" || !t.label.starts_with("vertebra_") || t.label.starts_with("vertebra_body_");
    job.target.mask = whole ? job.anatomy.mask(t.label) : body_of(job.anatomy, t.label);
  }
  require_in_tissue(job.target, job.ct, where);
  job.ct_roi =
      crop_to_roi(job.ct, roi_grid(job.ct.volume.grid, shape_of(job.target).centre_mm, job.options.roi));
}

}  // namespace spinetherm
