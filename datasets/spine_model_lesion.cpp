// SPDX-License-Identifier: Apache-2.0
// The lesion in the phantom: what it replaces, what it pushes, and the epidural thickness that makes a grade.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "datasets/lesion_grade.h"
#include "datasets/spine_model.h"
#include "imaging/core/error.h"

namespace spinetherm {
namespace {

constexpr double kWallShell_mm = 1.0;  // bone left towards the canal where the wall shall stand
constexpr double kWallReach_mm = 4.0;  // looked for this near to the canal
constexpr double kCanalGrid_mm = 0.5;  // of the labels that the epidural grade is read from
constexpr double kBodyGrid_mm = 0.75;  // of the labels that the rest is read from
constexpr double kThinnest_mm = 0.05;  // of a curtain
constexpr double kTumourTexture_mm = 3;

StructureValue value_of(const char* name) { return *structure_value(name); }
const StructureValue kTumour = value_of("tumour"), kCanal = value_of("canal"), kCauda = value_of("cauda"),
                     kMuscle = value_of("muscle"), kFat = value_of("fat"), kLungLeft = value_of("lung_left"),
                     kLungRight = value_of("lung_right"), kRib = value_of("rib");

bool is_hard(StructureValue v) {
  return is_vertebra(v) || v == kRib || structure_name(v).starts_with("disc_");
}
bool is_nerve(StructureValue v) {
  const std::string_view name = structure_name(v);
  return name.starts_with("root_") || name.starts_with("ganglion_");
}
bool in_canal(StructureValue v) { return v >= kCanal && v <= kCauda; }  // with sac, dura and cord
bool is_soft(StructureValue v) { return v == kMuscle || v == kFat || v == kLungLeft || v == kLungRight; }

template <class Label>
Volume<StructureValue> sample(const Grid& grid, Label label) {
  Volume<StructureValue> out(grid);
#pragma omp parallel for schedule(dynamic)
  for (int k = 0; k < grid.size[2]; ++k)
    for (int j = 0; j < grid.size[1]; ++j)
      for (int i = 0; i < grid.size[0]; ++i) out(i, j, k) = label(grid.to_world(i, j, k));
  return out;
}

/// The canal behind the lesion, as far as a curtain may reach; slices of `slice_mm`.
Grid canal_grid(const SpineModel& model, double z, double half_length, double slice_mm) {
  Eigen::AlignedBox3d box;
  for (double at = z - half_length; at <= z + half_length; at += 1) {
    const SpineSection s = model.section(at);
    box.extend(Eigen::Vector3d(-s.canal_a - 1, s.canal_y - s.canal_b - 4, at));
    box.extend(Eigen::Vector3d(s.canal_a + 1, s.canal_y + s.canal_b + 1, at));
  }
  Grid grid = box_grid(box.min(), box.max(), kCanalGrid_mm);
  grid.size[2] = int(std::ceil(grid.size[2] * kCanalGrid_mm / slice_mm));
  grid.spacing_mm[2] = slice_mm;
  return grid;
}

int rank(const std::string& escc) {
  static const std::vector<std::string> grades = {"0", "1a", "1b", "1c", "2", "3"};
  return int(std::find(grades.begin(), grades.end(), escc) - grades.begin());
}

}  // namespace

SpinePoint SpineModel::at(const Eigen::Vector3d& x) const {
  if (!lesion_.box.contains(x)) return healthy_at(x);
  SpinePoint out;
  if (lesion_.curtain.at(x.z())) {
    const SpineSection s = section_about(x);
    const double front = s.canal_y - s.canal_b;
    if (std::abs(x.x()) < s.canal_a && x.y() > front - kWallReach_mm &&
        x.y() < lesion_.curtain.back_y(s, x.x(), x.z())) {
      out = healthy_at(x);
      if (!is_hard(out.label) && !is_nerve(out.label) && out.material != Material::air) {
        // Soft tissue, whatever the bone makes of the tumour.
        return {kTumour, Material::tumour_lytic, soft_texture(x, kTumourTexture_mm)};
      }
    } else {
      out = healthy_at(lesion_.curtain.before(s, x));
    }
  } else {
    out = healthy_at(x);
  }
  const PlacedVertebra& v = vertebrae_[lesion_.vertebra];
  const bool bone = out.label == v.body || out.label == v.vertebra;
  if (!bone && !is_soft(out.label)) return out;
  const Eigen::Vector3d local = lesion_.local(x);
  if (!bone) {
    if (lesion_.in_paraspinal(local))
      return {kTumour, Material::tumour_lytic, soft_texture(x, kTumourTexture_mm)};
    return out;
  }
  const bool cortex = out.material == Material::cortical_bone;
  const bool spares_cortex =
      lesion_.options.kind == LesionKind::blastic || lesion_.options.kind == LesionKind::marrow;
  if (lesion_.in_channel(local)) return {kTumour, Material::tumour_lytic, soft_texture(x, kTumourTexture_mm)};
  if (cortex && spares_cortex) return out;
  const double distance = lesion_.bone_distance_mm(local);
  if (distance >= 0 && !(cortex && lesion_.eats_cortex(local, distance))) return out;
  if (keeps_wall(x)) return out;
  if (distance < 0) return {kTumour, lesion_.material_at(local), soft_texture(x, kTumourTexture_mm)};
  return {out.label, out.label == v.body ? Material::trabecular_bone : Material::posterior_bone,
          bone_texture(local, v.shape)};
}

SpineSection SpineModel::section_about(const Eigen::Vector3d& x) const {
  const CurvePoint c = curve_.at(x);
  const SpineProfile& p = profile(c.level);
  SpineSection s = section(x.z());
  s.canal_y = x.y() - c.behind_mm;
  s.canal_a = p.canal_a;
  s.canal_b = p.canal_b;
  s.sac_y = s.canal_y + p.sac_behind;
  s.sac_a = p.sac_a;
  s.sac_b = p.sac_b;
  s.cord_y = s.canal_y + p.cord_behind - p.cord_prone_shift;
  s.cord_x = p.cord_left;
  s.cord_a = p.cord_a;
  s.cord_b = p.cord_b;
  return s;
}

/// Whether bone at x is the wall of the canal, which stands unless a hole was asked for.
bool SpineModel::keeps_wall(const Eigen::Vector3d& x) const {
  const SpineSection s = section_about(x);
  if (ellipse_distance(x.x(), x.y() - s.canal_y, s.canal_a, s.canal_b) > kWallReach_mm) return false;
  const Eigen::Vector3d to_canal = Eigen::Vector3d(-x.x(), s.canal_y - x.y(), 0).normalized();
  return !is_hard(healthy_at(x + kWallShell_mm * to_canal).label);
}

void SpineModel::place_lesion(const SpinePhantomOptions& options) {
  const LesionOptions& l = options.lesion;
  const std::string level = lesion_level_of(options);
  const auto it = std::find_if(vertebrae_.begin(), vertebrae_.end(),
                               [&](const PlacedVertebra& v) { return v.shape.size().level == level; });
  lesion_ = shape_lesion(l, options.seed, it->shape, it->world_from_vertebra, it->fracture);
  lesion_.vertebra = std::size_t(it - vertebrae_.begin());
  if (rank(l.escc) > 0) grow_curtain();
}

/// Bisects the thickness for both ends of the range that gives the grade, which rises with the thickness, and
/// takes a value well inside it.
void SpineModel::grow_curtain() {
  EpiduralCurtain& curtain = lesion_.curtain;
  const int wanted = rank(lesion_.options.escc);
  const double shortest = curtain.half_length_mm;
  const auto whole = [&](double z) { return section(z); };
  const double most = 2 * section(curtain.z_mm).canal_b;
  const Grid grid = canal_grid(*this, curtain.z_mm, shortest + 0.4 * most + 1, 1);
  lesion_.box.extend(grid.to_world(0, 0, 0) - grid.spacing_mm);
  lesion_.box.extend(grid.to_world(grid.size[0], grid.size[1], grid.size[2]));
  const Volume<StructureValue> before = sample(grid, [&](const auto& x) { return healthy_at(x).label; });
  const auto set = [&](double thickness) {
    curtain.thickness_mm = thickness;
    curtain.half_length_mm = shortest + 0.4 * thickness;  // a thick mass is long too
    curtain.settle(whole);
  };
  Volume<StructureValue> labels = before;
  const auto grade = [&](double thickness) {
    set(thickness);
#pragma omp parallel for schedule(dynamic)
    for (int k = 0; k < grid.size[2]; ++k)
      for (int j = 0; j < grid.size[1]; ++j)
        for (int i = 0; i < grid.size[0]; ++i)
          if (in_canal(before(i, j, k))) labels(i, j, k) = at(grid.to_world(i, j, k)).label;
    return rank(measure_epidural(labels, before).escc);
  };
  const auto threshold = [&](int least) { return least_thickness_mm(grade, least, most); };
  const double from = threshold(wanted), to = wanted < 5 ? threshold(wanted + 1) : most;
  // Where in its range: a layer of grade 1a is as thick as it may be, else it would hardly be seen; 1b and 2
  // stay off the next grade, so that coarser labels show them too; 3 only needs to be passed. The labels of
  // half a millimetre have the last word.
  constexpr std::array<double, 6> kShare = {0, 0.8, 0.2, 0.4, 0.3, 0};
  const double drawn = kShare[std::size_t(wanted)] + (wanted > 1 ? 0.2 * lesion_.grade_share : 0);
  for (const double share : {drawn, 0.5, 0.35, 0.65, 0.2, 0.8, 0.1, 0.9}) {
    const double thickness =
        wanted == 5 ? std::min(most, from + 0.8 + 4 * (share - drawn)) : from + share * (to - from);
    if (thickness < kThinnest_mm) continue;
    set(thickness);
    if (rank(measured_epidural().escc) == wanted) return;
  }
  throw ConfigError("epidural grade " + lesion_.options.escc + " cannot be made here",
                    "canal of " + vertebrae_[lesion_.vertebra].shape.size().level,
                    "ask for another grade, level or seed");
}

EpiduralMeasure SpineModel::measured_epidural() const {
  const Grid canal =
      canal_grid(*this, lesion_.curtain.z_mm, lesion_.curtain.half_length_mm + 2, kCanalGrid_mm);
  return measure_epidural(sample(canal, [&](const auto& x) { return at(x).label; }),
                          sample(canal, [&](const auto& x) { return healthy_at(x).label; }));
}

LesionGrade SpineModel::grade() const {
  const LesionShape& l = lesion_;
  const PlacedVertebra& v = vertebrae_[l.vertebra];
  const auto now = [&](const auto& x) { return at(x).label; };
  const auto was = [&](const auto& x) { return healthy_at(x).label; };
  const EpiduralMeasure epidural = measured_epidural();
  // The body and the arch as far as the middle of the canal.
  const VertebraSize& size = v.shape.size();
  const Eigen::Vector2d half = v.shape.body_half(-size.posterior_height_mm / 2)
                                   .cwiseMax(v.shape.body_half(size.posterior_height_mm / 2))
                                   .array() +
                               3;
  const double h = size.posterior_height_mm / 2 + 4;
  const Eigen::AlignedBox3d local(Eigen::Vector3d(-half.x() - 4, -half.y(), -h),
                                  Eigen::Vector3d(half.x() + 4, v.shape.canal_y(), h));
  Eigen::AlignedBox3d box;
  for (int corner = 0; corner < 8; ++corner)
    box.extend(v.world_from_vertebra * local.corner(Eigen::AlignedBox3d::CornerType(corner)));
  const Grid body = box_grid(box.min(), box.max(), kBodyGrid_mm);
  const Volume<StructureValue> labels = sample(body, now), before = sample(body, was);

  Volume<std::uint8_t> intact(box_grid(local.min(), local.max(), kBodyGrid_mm));
  for (int k = 0; k < intact.grid.size[2]; ++k)
    for (int j = 0; j < intact.grid.size[1]; ++j)
      for (int i = 0; i < intact.grid.size[0]; ++i) {
        const VertebraHit hit = v.shape.at(intact.grid.to_world(i, j, k));
        intact(i, j, k) = hit.body && hit.distance_mm < 0;
      }
  return grade_lesion({labels, before, size.level, l.options.kind, v.vertebra_from_world,
                       measure_heights(intact, Rigid{}), h},
                      epidural);
}

}  // namespace spinetherm
