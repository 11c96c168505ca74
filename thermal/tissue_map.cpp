// SPDX-License-Identifier: Apache-2.0
#include "thermal/tissue_map.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "imaging/core/distance.h"
#include "imaging/core/error.h"

namespace spinetherm {
namespace {

using Eigen::Vector3d;
constexpr auto kClasses = std::size_t(TissueClass::count_);
constexpr float kNoNumber = std::numeric_limits<float>::quiet_NaN();

/// What a label says; `by_HU` leaves it to the CT number.
enum class Kind : std::uint8_t {
  none,
  by_HU,
  bone,
  vertebra,
  canal,
  sac,
  cauda,
  cord,
  nerve,
  tumour,
  disc,
  vessel,
  lung,
  airway,
  hollow_organ,
  organ,
  muscle,
  fat,
  skin,
  metal,
  cement
};

Kind kind_of(StructureValue value) {
  if (value == 0) return Kind::none;
  if (is_vertebra(value)) return Kind::vertebra;
  const std::string_view name = structure_name(value);
  static const std::vector<std::pair<std::string_view, Kind>> by_start = {{"rib", Kind::bone},
                                                                          {"bone", Kind::bone},
                                                                          {"canal", Kind::canal},
                                                                          {"dural_sac", Kind::sac},
                                                                          {"dura", Kind::sac},
                                                                          {"cauda", Kind::cauda},
                                                                          {"cord", Kind::cord},
                                                                          {"root_", Kind::nerve},
                                                                          {"ganglion_", Kind::nerve},
                                                                          {"lumbar_plexus", Kind::nerve},
                                                                          {"tumour", Kind::tumour},
                                                                          {"disc_", Kind::disc},
                                                                          {"aorta", Kind::vessel},
                                                                          {"vena_cava", Kind::vessel},
                                                                          {"iliac_", Kind::vessel},
                                                                          {"vessel", Kind::vessel},
                                                                          {"segmental_artery_", Kind::vessel},
                                                                          {"lung_", Kind::lung},
                                                                          {"trachea", Kind::airway},
                                                                          {"bowel", Kind::hollow_organ},
                                                                          {"stomach", Kind::hollow_organ},
                                                                          {"oesophagus", Kind::hollow_organ},
                                                                          {"muscle", Kind::muscle},
                                                                          {"fat", Kind::fat},
                                                                          {"skin", Kind::skin},
                                                                          {"implant", Kind::metal},
                                                                          {"cement", Kind::cement}};
  for (const auto& [start, kind] : by_start)
    if (name.starts_with(start)) return kind;
  return name.empty() ? Kind::by_HU : Kind::organ;
}

TissueClass tissue_of_kind_word(const std::string& kind) {
  if (kind == "lytic") return TissueClass::tumour_lytic;
  if (kind == "mixed" || kind == "marrow") return TissueClass::tumour_mixed;
  if (kind == "blastic") return TissueClass::tumour_blastic;
  throw ConfigError(fmt::format("unknown kind of target '{}'", kind), "/target/kind",
                    "known: lytic, mixed, blastic, marrow");
}

double distance_to_segment_mm(const Vector3d& x, const Vector3d& a, const Vector3d& b) {
  const Vector3d ab = b - a;
  const double length2 = ab.squaredNorm();
  const double t = length2 > 0 ? std::clamp((x - a).dot(ab) / length2, 0.0, 1.0) : 0;
  return (x - a - t * ab).norm();
}

/// Mean over 2r+1 cells along one axis, of the cells that hold a number.
void box_mean(Volume<float>& v, int axis, int r) {
  const auto& n = v.grid.size;
  const auto a = std::size_t(axis);
  const std::array<std::size_t, 3> stride = {1, std::size_t(n[0]), std::size_t(n[0]) * std::size_t(n[1])};
  const std::size_t u = (a + 1) % 3, w = (a + 2) % 3;
#pragma omp parallel for schedule(static)
  for (int q = 0; q < n[w]; ++q) {
    std::vector<float> line(static_cast<std::size_t>(n[a]));
    for (int p = 0; p < n[u]; ++p) {
      float* first = &v.values[std::size_t(p) * stride[u] + std::size_t(q) * stride[w]];
      for (int c = 0; c < n[a]; ++c) {
        float sum = 0, count = 0;
        for (int d = std::max(0, c - r); d <= std::min(n[a] - 1, c + r); ++d) {
          const float x = first[std::size_t(d) * stride[a]];
          if (std::isnan(x)) continue;
          sum += x;
          ++count;
        }
        line[std::size_t(c)] = count > 0 ? sum / count : kNoNumber;
      }
      for (int c = 0; c < n[a]; ++c) first[std::size_t(c) * stride[a]] = line[std::size_t(c)];
    }
  }
}

class Mapper {
 public:
  Mapper(const Image& ct, const Anatomy& anatomy, const Grid& grid, const TissueMapOptions& options,
         TissueMapReport& report)
      : ct_(ct.volume),
        anatomy_(anatomy),
        grid_(grid),
        options_(options),
        report_(report),
        hu_(grid),
        kind_(grid, Kind::none),
        label_(grid),
        class_(grid, std::uint8_t(TissueClass::unknown)) {}

  Volume<std::uint8_t> run() {
    sample_scan();
    sample_labels();
    find_discs();
    classify();
    find_marrow();
    harden_shells();
    surround_cord();
    paint_roots();
    paint_target();
    count();
    return std::move(class_);
  }

 private:
  template <class F>
  void for_each_cell(F&& f) const {
#pragma omp parallel for schedule(static)
    for (int k = 0; k < grid_.size[2]; ++k)
      for (int j = 0; j < grid_.size[1]; ++j)
        for (int i = 0; i < grid_.size[0]; ++i) f(grid_.index(i, j, k), grid_.to_world(i, j, k));
  }

  void sample_scan() {
    // Points an axis at which a cell is asked: more where the scan is finer, against its noise.
    const int points =
        std::clamp(int(std::lround(grid_.spacing_mm.minCoeff() / ct_.grid.spacing_mm.minCoeff())), 1, 4);
    for_each_cell([&](std::size_t c, const Vector3d& x) {
      double sum = 0;
      for (int a = 0; a < points * points * points; ++a) {
        const int row = a / points, layer = row / points;
        const Vector3d part(a % points, row % points, layer);
        const Vector3d offset = ((part.array() + 0.5) / points - 0.5).matrix().cwiseProduct(grid_.spacing_mm);
        const auto value = sample_linear(ct_, x + offset);
        // One point outside, or between padding and patient, and the cell is not known.
        sum += value && *value >= options_.padding_below_HU ? *value : std::nan("");
      }
      hu_[c] = float(sum / (points * points * points));
    });
  }

  void sample_labels() {
    if (anatomy_.labels.empty()) return;
    std::vector<Kind> kinds;
    for (const StructureValue v : anatomy_.labels.values)
      if (v >= kinds.size()) kinds.resize(std::size_t(v) + 1, Kind::none);
    for (std::size_t v = 0; v < kinds.size(); ++v) kinds[v] = kind_of(StructureValue(v));
    for_each_cell([&](std::size_t c, const Vector3d& x) {
      label_[c] = sample_nearest(anatomy_.labels, x).value_or(0);
      kind_[c] = label_[c] < kinds.size() ? kinds[label_[c]] : Kind::none;
    });
    for (const StructureValue v : anatomy_.labels.values) {
      const Kind kind = kinds[v];
      has_lung_label_ |= kind == Kind::lung;
      has_bone_label_ |= kind == Kind::vertebra || kind == Kind::bone;
      has_sac_label_ |= kind == Kind::sac;
      has_canal_label_ |= kind == Kind::canal;
      has_cord_label_ |= kind == Kind::cord || kind == Kind::cauda;
    }
  }

  /// Unlabelled cells between two neighbouring vertebrae, in front of canal, sac or cord of the same slice.
  void find_discs() {
    const int reach = int(std::ceil(options_.disc_reach_mm / grid_.spacing_mm[2]));
    for (int k = 0; k < grid_.size[2]; ++k) {
      // LPS: y grows backwards.
      int canal_front = -1;
      for (int j = 0; j < grid_.size[1] && canal_front < 0; ++j)
        for (int i = 0; i < grid_.size[0]; ++i) {
          const Kind kind = kind_(i, j, k);
          if (kind == Kind::canal || kind == Kind::sac || kind == Kind::cord || kind == Kind::cauda) {
            canal_front = j;
            break;
          }
        }
      for (int j = 0; j < canal_front; ++j)
        for (int i = 0; i < grid_.size[0]; ++i) {
          const float hu = hu_(i, j, k);
          // Annulus and nucleus read 80-100; fat beside the disc is left out.
          if (kind_(i, j, k) != Kind::none || !(hu >= options_.fat_below_HU)) continue;
          const auto vertebra_along_z = [&](int direction) {
            for (int n = 1; n <= reach; ++n) {
              const int at = k + direction * n;
              if (at < 0 || at >= grid_.size[2]) break;
              if (kind_(i, j, at) == Kind::vertebra) return int(label_(i, j, at) % 100);
            }
            return -1;
          };
          const int above = vertebra_along_z(1), below = vertebra_along_z(-1);
          if (above >= 0 && below >= 0 && above != below) discs_.push_back(grid_.index(i, j, k));
        }
    }
    for (const std::size_t c : discs_) kind_[c] = Kind::disc;
  }

  TissueClass bone_class(double hu) const {
    const auto grade =
        std::ranges::upper_bound(options_.bone_grades_HU, hu) - options_.bone_grades_HU.begin();
    return grade == 4 ? TissueClass::cortical_bone
                      : TissueClass(std::size_t(TissueClass::cancellous_bone_0) + std::size_t(grade));
  }

  TissueClass class_of_HU(double hu) const {
    if (hu < options_.lung_below_HU)
      // With labelled lungs the rest is gas, and skin half filled with air.
      return hu < options_.air_below_HU || has_lung_label_ ? TissueClass::air : TissueClass::lung;
    if (hu < options_.fat_below_HU) return TissueClass::fat;
    return hu < options_.bone_from_HU ? TissueClass::muscle : bone_class(hu);
  }

  TissueClass classify_cell(Kind kind, double hu) const {
    const bool gas = hu < options_.lung_below_HU;
    switch (kind) {
      case Kind::metal:
        return TissueClass::metal;
      case Kind::cement:
        return TissueClass::cement;
      case Kind::bone:
      case Kind::vertebra:
        return bone_class(hu);
      case Kind::canal:
        return has_sac_label_ || hu < 0 ? TissueClass::epidural_fat : TissueClass::csf;
      case Kind::sac:
      case Kind::cauda:  // roots in CSF, which fills most of the sac
        return TissueClass::csf;
      case Kind::cord:
        return TissueClass::cord;
      case Kind::nerve:
        return TissueClass::nerve;
      case Kind::disc:
        return TissueClass::disc;
      case Kind::vessel:
        return TissueClass::vessel;
      case Kind::lung:
        return TissueClass::lung;
      case Kind::airway:
      case Kind::hollow_organ:
        return gas ? TissueClass::air : TissueClass::organ;
      case Kind::organ:
        return TissueClass::organ;
      case Kind::muscle:
        return hu < options_.fat_below_HU ? TissueClass::fat : TissueClass::muscle;
      case Kind::fat:
        return TissueClass::fat;
      case Kind::skin:
        return TissueClass::skin;
      case Kind::tumour:  // painted later, whatever it covers
      case Kind::none:
      case Kind::by_HU:
        break;
    }
    return class_of_HU(hu);
  }

  void classify() {
    for_each_cell([&](std::size_t c, const Vector3d&) {
      const double hu = double(hu_[c]);
      if (std::isnan(hu)) return;  // stays unknown
      const bool metal = hu >= options_.metal_from_HU && kind_[c] != Kind::cement;
      class_[c] = std::uint8_t(metal ? TissueClass::metal : classify_cell(kind_[c], hu));
    });
  }

  /// Without labels, marrow that reads like soft tissue is told from it by the dense bone around.
  void find_marrow() {
    if (has_bone_label_) return;
    Volume<float> mean = hu_;
    for (float& v : mean.values)
      if (v >= float(options_.metal_from_HU)) v = kNoNumber;
    Volume<std::uint8_t> dense(grid_);
    for (std::size_t c = 0; c < dense.values.size(); ++c)
      dense[c] = kind_[c] == Kind::none && hu_[c] >= float(options_.bone_from_HU);
    for (int axis = 0; axis < 3; ++axis)
      box_mean(mean, axis, std::max(1, int(std::lround(2.5 / grid_.spacing_mm[axis]))));
    const Volume<float> away = distance_to_mm(dense);
    bool any = false;
    for (std::size_t c = 0; c < class_.values.size(); ++c) {
      if (kind_[c] != Kind::none || class_[c] != std::uint8_t(TissueClass::muscle)) continue;
      if (!(mean[c] >= float(options_.marrow_mean_from_HU)) || !(away[c] <= 15)) continue;
      class_[c] = std::uint8_t(bone_class(double(hu_[c])));
      any = true;
    }
    if (any)
      report_.warnings.push_back(
          "no bone is labelled: it was found by CT numbers, and marrow below about 100 HU is taken for "
          "muscle");
  }

  bool is_bone_kind(std::size_t c) const { return kind_[c] == Kind::bone || kind_[c] == Kind::vertebra; }

  void harden_shells() {
    const auto cortical = std::uint8_t(TissueClass::cortical_bone);
    for (int k = 0; k < grid_.size[2]; ++k)
      for (int j = 0; j < grid_.size[1]; ++j)
        for (int i = 0; i < grid_.size[0]; ++i) {
          const std::size_t c = grid_.index(i, j, k);
          if (!is_bone_kind(c) || class_[c] == std::uint8_t(TissueClass::metal) || std::isnan(hu_[c]))
            continue;
          // The voxel as it was scanned: between thick voxels the wall would fade into what is beside it.
          const double scanned = double(sample_nearest(ct_, grid_.to_world(i, j, k)).value_or(kNoNumber));
          if (!(scanned >= options_.shell_from_HU)) continue;
          bool outermost = false;
          for (int axis = 0; axis < 3; ++axis)
            for (const int side : {-1, 1}) {
              std::array<int, 3> at = {i, j, k};
              at[std::size_t(axis)] += side;
              if (grid_.contains(at[0], at[1], at[2]))
                outermost |= !is_bone_kind(grid_.index(at[0], at[1], at[2]));
            }
          if (outermost) class_[c] = cortical;
        }
  }

  /// What lies around the cord when neither sac nor canal is labelled, or in the canal when the sac is not.
  void surround_cord() {
    if (has_canal_label_ && !has_sac_label_)
      report_.warnings.push_back("no dural sac is labelled: the canal is CSF and fat by CT number");
    if (!has_cord_label_ || has_canal_label_ || has_sac_label_) return;
    Volume<std::uint8_t> cord(grid_);
    for (std::size_t c = 0; c < cord.values.size(); ++c)
      cord[c] = kind_[c] == Kind::cord || kind_[c] == Kind::cauda;
    const Volume<float> away = distance_to_mm(cord);
    std::size_t cells = 0;
    for (std::size_t c = 0; c < class_.values.size(); ++c)
      // CSF around the cord is 1-8 mm wide; 4 mm stays inside the bony ring.
      if (kind_[c] == Kind::none && class_[c] == std::uint8_t(TissueClass::muscle) && away[c] <= 4) {
        class_[c] = std::uint8_t(TissueClass::csf);
        ++cells;
      }
    if (cells > 0)
      report_.warnings.push_back(
          "neither canal nor dural sac is labelled: CSF is taken within 4 mm of the cord");
  }

  /// Straight modelled roots: they give way to bone, sac and cord, and to what was never imaged.
  void paint_roots() {
    int unresolved = 0;
    for (const RootTube& root : anatomy_.roots) {
      if (2 * root.radius_mm < grid_.spacing_mm.maxCoeff()) {
        ++unresolved;
        continue;
      }
      for_each_cell([&](std::size_t c, const Vector3d& x) {
        switch (TissueClass(class_[c])) {
          case TissueClass::fat:
          case TissueClass::muscle:
          case TissueClass::epidural_fat:
          case TissueClass::organ:
            if (distance_to_segment_mm(x, root.from_mm, root.to_mm) <= root.radius_mm)
              class_[c] = std::uint8_t(TissueClass::nerve);
            break;
          default:
            break;
        }
      });
    }
    if (unresolved > 0)
      report_.warnings.push_back(
          fmt::format("{} nerve roots are thinner than a cell and not in the tissue map", unresolved));
  }

  void paint_target() {
    std::vector<std::size_t> cells;
    double sum = 0;
    std::size_t in_air = 0;
    const auto meets = [&](std::size_t c, const Vector3d& x) {
      if (kind_[c] == Kind::tumour) return true;
      return options_.target && sample_nearest(*options_.target, x).value_or(0) != 0;
    };
    for (int k = 0; k < grid_.size[2]; ++k)
      for (int j = 0; j < grid_.size[1]; ++j)
        for (int i = 0; i < grid_.size[0]; ++i) {
          const std::size_t c = grid_.index(i, j, k);
          if (!meets(c, grid_.to_world(i, j, k))) continue;
          const auto tissue = TissueClass(class_[c]);
          // Cord and sac are never overruled: an estimate of them on the safe side is kept.
          if (tissue == TissueClass::unknown || tissue == TissueClass::metal ||
              tissue == TissueClass::cement || tissue == TissueClass::cord || tissue == TissueClass::csf)
            continue;
          if (tissue == TissueClass::air || tissue == TissueClass::lung) {
            ++in_air;
            continue;
          }
          cells.push_back(c);
          sum += double(hu_[c]);
        }
    if (in_air > 0)
      report_.warnings.push_back(
          fmt::format("{} cells of the target lie in air or lung by their CT number", in_air));
    if (cells.empty()) return;
    report_.target_mean_HU = sum / double(cells.size());
    const double mean = *report_.target_mean_HU;
    if (!options_.target_kind.empty()) {
      report_.target_tissue = tissue_of_kind_word(options_.target_kind);
    } else {
      report_.target_tissue = mean >= options_.blastic_from_HU ? TissueClass::tumour_blastic
                              : mean >= options_.mixed_from_HU ? TissueClass::tumour_mixed
                                                               : TissueClass::tumour_lytic;
      report_.warnings.push_back(
          fmt::format("the kind of the tumour is not given: {} by its mean of {:.0f} HU",
                      to_string(report_.target_tissue), mean));
    }
    for (const std::size_t c : cells) class_[c] = std::uint8_t(report_.target_tissue);
  }

  std::optional<double> nearest_mm(TissueClass tissue) const {
    double nearest = std::numeric_limits<double>::infinity();
    for (int k = 0; k < grid_.size[2]; ++k)
      for (int j = 0; j < grid_.size[1]; ++j)
        for (int i = 0; i < grid_.size[0]; ++i)
          if (class_(i, j, k) == std::uint8_t(tissue))
            for (const Vector3d& centre : options_.heat_centres_mm)
              nearest = std::min(nearest, (grid_.to_world(i, j, k) - centre).norm());
    return std::isfinite(nearest) ? std::optional(nearest) : std::nullopt;
  }

  void count() {
    std::array<std::size_t, kClasses> cells{}, with_HU{};
    std::array<double, kClasses> sum{};
    for (std::size_t c = 0; c < class_.values.size(); ++c) {
      ++cells[class_[c]];
      if (std::isnan(hu_[c])) continue;
      ++with_HU[class_[c]];
      sum[class_[c]] += double(hu_[c]);
    }
    const double cell_ml = grid_.voxel_volume_mm3() * 1e-3;
    for (std::size_t n = 0; n < kClasses; ++n)
      if (cells[n] > 0)
        report_.tissues.push_back({TissueClass(n), double(cells[n]) * cell_ml,
                                   with_HU[n] ? std::optional(sum[n] / double(with_HU[n])) : std::nullopt});
    const std::size_t unknown = cells[std::size_t(TissueClass::unknown)];
    if (unknown == class_.values.size())
      throw ConfigError("the thermal grid does not meet the scan", "/images/ct",
                        "check the target's position and the scan's frame");
    report_.out_of_field_fraction = double(unknown) / double(class_.values.size());
    report_.metal_ml = double(cells[std::size_t(TissueClass::metal)]) * cell_ml;
    if (unknown > 0) {
      report_.out_of_field_distance_mm = nearest_mm(TissueClass::unknown);
      report_.warnings.push_back(fmt::format(
          "{:.1f} % of the heated box was not imaged{}: it carries heat like the table's row 'unknown'",
          100 * report_.out_of_field_fraction, away(report_.out_of_field_distance_mm)));
    }
    if (report_.metal_ml > 0) {
      report_.metal_distance_mm = nearest_mm(TissueClass::metal);
      report_.warnings.push_back(fmt::format("{:.2f} ml of metal in the heated box{}", report_.metal_ml,
                                             away(report_.metal_distance_mm)));
    }
    if (!discs_.empty())
      report_.warnings.push_back(
          fmt::format("{:.1f} ml between vertebrae is taken for disc", double(discs_.size()) * cell_ml));
  }

  static std::string away(const std::optional<double>& mm) {
    return mm ? fmt::format(", {:.0f} mm from the centre of heat", *mm) : std::string();
  }

  const Volume<float>& ct_;
  const Anatomy& anatomy_;
  const Grid& grid_;
  const TissueMapOptions& options_;
  TissueMapReport& report_;
  Volume<float> hu_;  // NaN: outside the scan
  Volume<Kind> kind_;
  Volume<StructureValue> label_;
  Volume<std::uint8_t> class_;
  std::vector<std::size_t> discs_;
  bool has_lung_label_ = false, has_bone_label_ = false, has_sac_label_ = false;
  bool has_canal_label_ = false, has_cord_label_ = false;
};

}  // namespace

void TissueMapOptions::validate() const {
  const auto ascending = [](double low, double high, std::string_view name) {
    require(low < high, fmt::format("TissueMapOptions.{}", name), high, "must ascend");
  };
  ascending(padding_below_HU, air_below_HU, "air_below_HU");
  ascending(air_below_HU, lung_below_HU, "lung_below_HU");
  ascending(lung_below_HU, fat_below_HU, "fat_below_HU");
  ascending(fat_below_HU, bone_from_HU, "bone_from_HU");
  ascending(bone_from_HU, metal_from_HU, "metal_from_HU");
  for (std::size_t n = 0; n + 1 < bone_grades_HU.size(); ++n)
    ascending(bone_grades_HU[n], bone_grades_HU[n + 1], "bone_grades_HU");
  ascending(bone_grades_HU.back(), metal_from_HU, "metal_from_HU");
  ascending(mixed_from_HU, blastic_from_HU, "blastic_from_HU");
  require(disc_reach_mm >= 0, "TissueMapOptions.disc_reach_mm", disc_reach_mm, "must be at least 0 mm");
  if (!target_kind.empty()) (void)tissue_of_kind_word(target_kind);
}

TissueMap make_tissue_map(const Image& ct, const Anatomy& anatomy, const Grid& grid,
                          const std::vector<Tissue>& table, const TissueMapOptions& options,
                          TissueMapReport& report) {
  options.validate();
  if (ct.modality != Modality::ct && ct.modality != Modality::cbct)
    throw ConfigError(
        fmt::format("tissues are read from CT numbers, and this image is {}", to_string(ct.modality)),
        ct.source, "give a CT");
  if (table.size() != kClasses)
    throw ConfigError(fmt::format("{} rows of tissue for {} classes", table.size(), kClasses), "/tissues",
                      "give one row for each tissue class, in the order of the classes");
  if (!grid.direction.isIdentity(1e-6))
    throw ConfigError("the thermal grid is turned", "/grid", "use an axis-aligned LPS grid");
  grid.validate("/grid");
  report = {};
  TissueMap map;
  map.labels = Mapper(ct, anatomy, grid, options, report).run();
  map.tissues = table;
  if (ct.modality == Modality::cbct)
    report.warnings.push_back("CBCT numbers are no Hounsfield units: grades of bone are rough");
  return map;
}

ActiveBox active_box(const std::vector<Applicator>& applicators, const std::vector<Device>& devices) {
  if (applicators.size() != devices.size())
    throw ConfigError(fmt::format("{} applicators with {} devices", applicators.size(), devices.size()),
                      "/applicators", "give one device for each applicator");
  constexpr double kFar = 1e9;
  ActiveBox box{Vector3d::Constant(kFar), Vector3d::Constant(-kFar)};
  const auto include = [&](const Vector3d& x) {
    box.low_mm = box.low_mm.cwiseMin(x);
    box.high_mm = box.high_mm.cwiseMax(x);
  };
  for (std::size_t n = 0; n < applicators.size(); ++n) {
    include(applicators[n].tip_mm);
    for (const DevicePole& p : devices[n].poles)
      for (const Vector3d& x : shaft_line_mm(applicators[n], devices[n], p.from_tip_mm, p.to_tip_mm))
        include(x);
    if (const auto& cold = devices[n].cryo)
      for (const Vector3d& x : shaft_line_mm(applicators[n], devices[n], cold->from_tip_mm, cold->to_tip_mm))
        include(x);
    if (devices[n].antenna)
      include(on_shaft_mm(applicators[n], devices[n], devices[n].antenna->antenna.slot_to_tip_mm));
    if (devices[n].light) include(on_shaft_mm(applicators[n], devices[n], devices[n].light->to_tip_mm));
    for (const auto& line : tine_lines_mm(applicators[n], devices[n]))
      for (const Vector3d& x : line) include(x);
    for (const DeviceSensor& s : devices[n].sensors) include(sensor_mm(applicators[n], devices[n], s));
  }
  return box;
}

Grid thermal_grid(const std::vector<Applicator>& applicators, const std::vector<Device>& devices,
                  const Eigen::Vector3d& target_centre_mm, double spacing_mm, double margin_mm) {
  require(spacing_mm > 0 && std::isfinite(spacing_mm), "spacing_mm", spacing_mm, "must be > 0 mm");
  require(margin_mm > 0 && std::isfinite(margin_mm), "margin_mm", margin_mm, "must be > 0 mm");
  const ActiveBox box = active_box(applicators, devices);
  const Vector3d margin = Vector3d::Constant(margin_mm);
  return box_grid(box.low_mm.cwiseMin(target_centre_mm) - margin,
                  box.high_mm.cwiseMax(target_centre_mm) + margin, spacing_mm);
}

}  // namespace spinetherm
