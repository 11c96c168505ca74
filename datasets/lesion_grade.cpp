// SPDX-License-Identifier: Apache-2.0
#include "datasets/lesion_grade.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <numeric>
#include <vector>

#include "imaging/core/error.h"
#include "imaging/core/units.h"

namespace spinetherm {
namespace {

constexpr double kSacKept = 0.02, kCordKept = 0.9, kCsfGone = 0.1;
constexpr std::array<double, 3> kCaudaLost = {0.20, 0.45, 0.75};
constexpr double kThin_mm = 1.5;
constexpr double kLeastCord_mm2 = 12;        // the tip of the conus: too few voxels to judge its area
constexpr double kRim = 0.06, kZone = 0.15;  // of a body's depth: rounded edge, and where a height is taken
constexpr double kNoCollapse = 0.08, kKyphosis_deg = 10, kLeastSide_ml = 0.05;

StructureValue value_of(const char* name) { return *structure_value(name); }
const StructureValue kTumour = value_of("tumour"), kCanal = value_of("canal"), kSac = value_of("dural_sac"),
                     kDura = value_of("dura"), kCord = value_of("cord"), kCauda = value_of("cauda");

bool in_sac(StructureValue v) { return v == kSac || v == kDura || v == kCord || v == kCauda; }
bool in_canal(StructureValue v) { return v == kCanal || in_sac(v); }

void check_grids(const Grid& a, const Grid& b) {
  if (!same_geometry(a, b) || !a.direction.isIdentity(1e-6))
    throw ConfigError("labels with and without the lesion differ in their grid", "LesionScene",
                      "sample both on one axis-aligned grid");
}

/// Counts of a slice.
struct Slice {
  double tumour = 0, sac = 0, sac_before = 0, cord = 0, cord_before = 0, csf = 0, csf_before = 0;
  double gap_mm = std::numeric_limits<double>::infinity();
  Slice& operator+=(const Slice& o) {
    tumour += o.tumour;
    sac += o.sac;
    sac_before += o.sac_before;
    cord += o.cord;
    cord_before += o.cord_before;
    csf += o.csf;
    csf_before += o.csf_before;
    gap_mm = std::min(gap_mm, o.gap_mm);
    return *this;
  }
};

Slice count(const Volume<StructureValue>& labels, const Volume<StructureValue>& before, int k) {
  const Grid& g = labels.grid;
  Slice out;
  std::vector<Eigen::Vector2d> tumour, cord;
  for (int j = 0; j < g.size[1]; ++j)
    for (int i = 0; i < g.size[0]; ++i) {
      const StructureValue now = labels(i, j, k), was = before(i, j, k);
      const Eigen::Vector2d at(i * g.spacing_mm[0], j * g.spacing_mm[1]);
      if (now == kTumour && in_canal(was)) {
        ++out.tumour;
        tumour.push_back(at);
      }
      if (now == kCord) cord.push_back(at);
      out.sac += in_sac(now);
      out.sac_before += in_sac(was);
      out.cord += now == kCord;
      out.cord_before += was == kCord;
      out.csf += now == kSac;
      out.csf_before += was == kSac;
    }
  for (const Eigen::Vector2d& a : tumour)
    for (const Eigen::Vector2d& b : cord) out.gap_mm = std::min(out.gap_mm, (a - b).squaredNorm());
  out.gap_mm = std::sqrt(out.gap_mm) - g.spacing_mm.head<2>().minCoeff();
  return out;
}

double ratio(double now, double before) { return before > 0 ? now / before : 1; }

int grade_of(const Slice& s, bool has_cord, double touch_mm) {
  if (s.tumour == 0) return 0;
  const double lost = 1 - ratio(s.sac, s.sac_before);
  if (lost < kSacKept) return 1;
  if (!has_cord) return lost < kCaudaLost[0] ? 2 : lost < kCaudaLost[1] ? 3 : lost < kCaudaLost[2] ? 4 : 5;
  const double cord = ratio(s.cord, s.cord_before);
  if (cord >= kCordKept) return s.gap_mm > touch_mm ? 2 : 3;
  return ratio(s.csf, s.csf_before) >= kCsfGone ? 4 : 5;
}

template <class Visit>
void for_each_voxel(const Grid& g, Visit visit) {
  for (int k = 0; k < g.size[2]; ++k)
    for (int j = 0; j < g.size[1]; ++j)
      for (int i = 0; i < g.size[0]; ++i) visit(i, j, k);
}

}  // namespace

const std::array<std::string, 6>& escc_grades() {
  static const std::array<std::string, 6> grades = {"0", "1a", "1b", "1c", "2", "3"};
  return grades;
}

EpiduralMeasure measure_epidural(const Volume<StructureValue>& labels, const Volume<StructureValue>& before) {
  check_grids(labels.grid, before.grid);
  const Grid& g = labels.grid;
  std::vector<Slice> slices(std::size_t(g.size[2]));
#pragma omp parallel for schedule(dynamic)
  for (int k = 0; k < g.size[2]; ++k) slices[std::size_t(k)] = count(labels, before, k);
  const int reach = g.spacing_mm[2] < kThin_mm ? 1 : 0;
  const double touch_mm = 0.5 * g.spacing_mm.head<2>().minCoeff();
  EpiduralMeasure out;
  int worst = 0;
  for (int k = 0; k < g.size[2]; ++k) {
    out.tumour_ml += slices[std::size_t(k)].tumour * g.voxel_volume_mm3() / 1000;
    Slice s;
    const int first = std::max(0, k - reach), last = std::min(g.size[2] - 1, k + reach);
    for (int n = first; n <= last; ++n) s += slices[std::size_t(n)];
    const bool has_cord =
        s.cord_before * g.spacing_mm[0] * g.spacing_mm[1] / (last - first + 1) >= kLeastCord_mm2;
    if (s.tumour == 0) continue;
    out.sac_lost = std::max(out.sac_lost, 1 - ratio(s.sac, s.sac_before));
    if (has_cord) {
      out.cord_gap_mm = std::max(0.0, std::min(out.cord_gap_mm.value_or(1e9), s.gap_mm));
      out.cord_ratio = std::min(out.cord_ratio.value_or(1e9), ratio(s.cord, s.cord_before));
      out.csf_left = std::min(out.csf_left.value_or(1e9), ratio(s.csf, s.csf_before));
    }
    if (const int grade = grade_of(s, has_cord, touch_mm); grade > worst) {
      worst = grade;
      out.by_cord = has_cord;
    }
  }
  out.escc = escc_grades()[std::size_t(worst)];
  return out;
}

BodyHeights measure_heights(const Volume<std::uint8_t>& body, const Rigid& vertebra_from_grid) {
  const Grid& g = body.grid;
  Eigen::Vector3d low = Eigen::Vector3d::Constant(1e9), high = -low;
  for_each_voxel(g, [&](int i, int j, int k) {
    if (!body(i, j, k)) return;
    const Eigen::Vector3d x = vertebra_from_grid * g.to_world(i, j, k);
    low = low.cwiseMin(x);
    high = high.cwiseMax(x);
  });
  BodyHeights out;
  if (high.x() < low.x()) return out;
  const double middle = (low.x() + high.x()) / 2, sixth = (high.x() - low.x()) / 6;
  const double depth = high.y() - low.y(), front = low.y() + kRim * depth, zone = kZone * depth;
  const double back = high.y() - kRim * depth - zone, centre = (low.y() + high.y() - zone) / 2;
  const std::array<double, 3> starts = {front, centre, back};
  const Rigid grid_from_vertebra = inverse(vertebra_from_grid);
  const double step = g.spacing_mm.maxCoeff(), fine = step / 8;
  // Columns along the body's own axis, which may lie oblique in the grid. Of those in a zone the longest
  // third counts: others end at a lip or at the rounded edge.
  std::array<double, 3> height_mm{};
  for (std::size_t z = 0; z < 3; ++z) {
    std::vector<double> spans;
    for (double y = starts[z]; y <= starts[z] + zone; y += step)
      for (double x = middle - sixth; x <= middle + sixth; x += step) {
        double lowest = 1e9, highest = -1e9;
        for (double along = low.z() - step; along <= high.z() + step; along += fine) {
          if (sample_nearest(body, grid_from_vertebra * Eigen::Vector3d(x, y, along)).value_or(0) == 0)
            continue;
          lowest = std::min(lowest, along);
          highest = std::max(highest, along);
        }
        if (highest >= lowest) spans.push_back(highest - lowest + fine);
      }
    std::ranges::sort(spans, std::greater<>());
    spans.resize((spans.size() + 2) / 3);
    if (!spans.empty())
      height_mm[z] = std::accumulate(spans.begin(), spans.end(), 0.0) / double(spans.size());
  }
  out.anterior_mm = height_mm[0];
  out.middle_mm = height_mm[1];
  out.posterior_mm = height_mm[2];
  out.depth_mm = back - front;
  return out;
}

LesionGrade grade_lesion(const LesionScene& scene, const EpiduralMeasure& epidural) {
  check_grids(scene.labels.grid, scene.before.grid);
  const Grid& g = scene.labels.grid;
  const StructureValue body_value = structure_value("vertebra_body_" + scene.level).value_or(0),
                       arch_value = structure_value("vertebra_" + scene.level).value_or(0);
  LesionGrade out;
  out.epidural = epidural;
  Volume<std::uint8_t> body(g);
  double body_voxels = 0, involved = 0;
  std::array<double, 2> arch{};
  Eigen::Vector3d low = Eigen::Vector3d::Constant(1e9), high = -low;
  const int reach = std::max(1, int(std::lround(3 / g.spacing_mm[1])));  // of bone before the canal
  for_each_voxel(g, [&](int i, int j, int k) {
    const StructureValue was = scene.before(i, j, k);
    const bool tumour = scene.labels(i, j, k) == kTumour;
    if (was == arch_value && tumour) ++arch[(scene.vertebra_from_grid * g.to_world(i, j, k)).x() > 0 ? 0 : 1];
    if (was != body_value) return;
    if (std::abs((scene.vertebra_from_grid * g.to_world(i, j, k)).z()) > scene.half_height_mm) return;
    body(i, j, k) = 1;
    ++body_voxels;
    if (!tumour) return;
    ++involved;
    bool at_wall = false;  // the last bone before the canal
    for (int n = 1; n <= reach && j + n < g.size[1]; ++n) {
      const StructureValue next = scene.before(i, j + n, k);
      if (next == body_value) break;
      at_wall = at_wall || in_canal(next);
    }
    if (!at_wall) return;
    low = low.cwiseMin(g.to_world(i, j, k));
    high = high.cwiseMax(g.to_world(i, j, k));
  });
  const double voxel_ml = g.voxel_volume_mm3() / 1000;
  TargetFacts& f = out.facts;
  f.level = scene.level == "sacrum" ? "S1" : scene.level;
  f.kind = to_string(scene.kind);
  f.escc = epidural.escc;
  f.body_involved = body_voxels > 0 ? involved / body_voxels : 0;
  f.posterolateral_sides = int(arch[0] * voxel_ml > kLeastSide_ml) + int(arch[1] * voxel_ml > kLeastSide_ml);
  f.posterior_wall_defect_mm = high.x() < low.x() ? 0 : (high - low).maxCoeff() + g.spacing_mm.minCoeff();
  out.body_volume_ml = body_voxels * voxel_ml;

  const BodyHeights now = measure_heights(body, scene.vertebra_from_grid);
  const BodyHeights& was = scene.intact;
  const double lost =
      1 - std::min({ratio(now.anterior_mm, was.anterior_mm), ratio(now.middle_mm, was.middle_mm),
                    ratio(now.posterior_mm, was.posterior_mm)});
  f.collapse = lost < kNoCollapse ? 0 : lost;
  const auto slope = [](const BodyHeights& h) {
    return std::atan2(h.posterior_mm - h.anterior_mm, std::max(h.depth_mm, 1.0)) * 180 / kPi;
  };
  out.kyphosis_deg = slope(now) - slope(was);
  f.alignment_points = out.kyphosis_deg >= kKyphosis_deg ? 2 : 0;
  out.sins = sins_range({}, f);
  for (const SinsItem& item : out.sins.items)
    if (item.name != "pain") out.sins_imaging += item.lowest;
  return out;
}

MaskExtent measure_extent(const Volume<std::uint8_t>& mask) {
  const Grid& g = mask.grid;
  std::vector<Eigen::Vector3d> directions;
  constexpr int kDirections = 200;  // a spiral over the half sphere: within 2 % of the largest diameter
  for (int n = 0; n < kDirections; ++n) {
    const double z = (n + 0.5) / kDirections, angle = n * kPi * (3 - std::sqrt(5.0));
    const double r = std::sqrt(1 - z * z);
    directions.emplace_back(r * std::cos(angle), r * std::sin(angle), z);
  }
  std::vector<double> least(kDirections, 1e9), most(kDirections, -1e9);
  Eigen::Vector3d low = Eigen::Vector3d::Constant(1e9), high = -low;
  for_each_voxel(g, [&](int i, int j, int k) {
    if (!mask(i, j, k)) return;
    const auto set = [&](int u, int v, int w) { return g.contains(u, v, w) && mask(u, v, w); };
    if (set(i - 1, j, k) && set(i + 1, j, k) && set(i, j - 1, k) && set(i, j + 1, k) && set(i, j, k - 1) &&
        set(i, j, k + 1))
      return;
    const Eigen::Vector3d x = g.to_world(i, j, k);
    low = low.cwiseMin(x);
    high = high.cwiseMax(x);
    for (std::size_t n = 0; n < directions.size(); ++n) {
      const double along = directions[n].dot(x);
      least[n] = std::min(least[n], along);
      most[n] = std::max(most[n], along);
    }
  });
  MaskExtent out;
  if (high.x() < low.x()) return out;
  const double voxel = std::cbrt(g.voxel_volume_mm3());
  for (std::size_t n = 0; n < directions.size(); ++n)
    out.largest_diameter_mm = std::max(out.largest_diameter_mm, most[n] - least[n] + voxel);
  out.box_mm = high - low + g.direction.cwiseAbs() * g.spacing_mm;
  return out;
}

}  // namespace spinetherm
