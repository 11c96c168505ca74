// SPDX-License-Identifier: Apache-2.0
#include "imaging/canal.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "imaging/core/distance.h"
#include "imaging/core/error.h"
#include "imaging/resample.h"

namespace spinetherm {
namespace {

/// A hole of one axial slice, as pixel numbers (j * nx + i), sorted.
struct Hole {
  int slice = 0;
  double closing_mm = 0;  ///< openings of twice this had to be closed
  std::vector<int> pixels;
  Eigen::Vector2d centre_mm = Eigen::Vector2d::Zero();  ///< LPS x, y
  double area_mm2 = 0, score = 0;
};

/// One axial slice as a volume of a single layer, so that the exact distances of core serve.
Volume<std::uint8_t> layer(const Grid& grid) {
  Grid g = grid;
  g.size[2] = 1;
  return Volume<std::uint8_t>(g);
}

/// 4-connected components of a layer: number of each pixel (-1 outside) and whether it reaches the edge.
struct Components {
  std::vector<int> of_pixel;
  std::vector<bool> open;
};
Components components(const Volume<std::uint8_t>& mask) {
  const int nx = mask.grid.size[0], ny = mask.grid.size[1];
  Components c;
  c.of_pixel.assign(mask.values.size(), -1);
  std::vector<int> stack;
  for (int start = 0; start < nx * ny; ++start) {
    if (!mask[std::size_t(start)] || c.of_pixel[std::size_t(start)] >= 0) continue;
    const int id = int(c.open.size());
    c.open.push_back(false);
    c.of_pixel[std::size_t(start)] = id;
    stack.push_back(start);
    while (!stack.empty()) {
      const int p = stack.back();
      stack.pop_back();
      const int i = p % nx, j = p / nx;
      if (i == 0 || j == 0 || i == nx - 1 || j == ny - 1) c.open[std::size_t(id)] = true;
      const auto visit = [&](int a, int b) {
        if (a < 0 || b < 0 || a >= nx || b >= ny) return;
        const std::size_t q = mask.grid.index(a, b, 0);
        if (!mask[q] || c.of_pixel[q] >= 0) return;
        c.of_pixel[q] = id;
        stack.push_back(int(q));
      };
      visit(i - 1, j);
      visit(i + 1, j);
      visit(i, j - 1);
      visit(i, j + 1);
    }
  }
  return c;
}

/// The holes of one slice that could be the canal.
std::vector<Hole> holes_of_slice(const Volume<float>& ct, int k, double threshold_HU,
                                 const Eigen::Vector3d& seed_mm, const CanalOptions& o) {
  const Grid& g = ct.grid;
  const int nx = g.size[0], ny = g.size[1];
  const std::size_t first = g.index(0, 0, k);
  Volume<std::uint8_t> bone = layer(g);
  bool any = false;
  for (std::size_t n = 0; n < bone.values.size(); ++n) {
    bone[n] = ct[first + n] > threshold_HU ? 1 : 0;  // false where the scan ends: that is open
    any = any || bone[n];
  }
  std::vector<Hole> holes;
  if (!any) return holes;
  const Volume<float> to_bone = distance_to_mm(bone);
  const double pixel_mm2 = g.spacing_mm[0] * g.spacing_mm[1];
  std::vector<double> taken_mm2(bone.values.size(), 0);  // area of the hole that a pixel already belongs to
  for (double r = 0; r <= o.max_closing_mm + 1e-9; r += 1) {
    Volume<std::uint8_t> far = layer(g);
    for (std::size_t n = 0; n < far.values.size(); ++n) far[n] = !bone[n] && to_bone[n] > r ? 1 : 0;
    const Components c = components(far);
    std::vector<std::vector<int>> cores(c.open.size());
    for (int p = 0; p < nx * ny; ++p)
      if (const int id = c.of_pixel[std::size_t(p)]; id >= 0 && !c.open[std::size_t(id)])
        cores[std::size_t(id)].push_back(p);
    for (const std::vector<int>& core : cores) {
      if (core.empty() || double(core.size()) * pixel_mm2 > o.max_area_mm2) continue;
      // Grown back by r, and by one pixel more into corners that the disc does not reach: rather too large a
      // canal than too small.
      const double grow_mm = r + (r > 0 ? g.spacing_mm[0] : 0);
      // Most cores are specks of noise that cannot grow to a canal: their grown box bounds the area.
      std::array<int, 4> box{nx, -1, ny, -1};
      for (const int p : core)
        box = {std::min(box[0], p % nx), std::max(box[1], p % nx), std::min(box[2], p / nx),
               std::max(box[3], p / nx)};
      const double most_mm2 = r > 0 ? ((box[1] - box[0] + 1) * g.spacing_mm[0] + 2 * grow_mm) *
                                          ((box[3] - box[2] + 1) * g.spacing_mm[1] + 2 * grow_mm)
                                    : double(core.size()) * pixel_mm2;
      if (most_mm2 < o.min_area_mm2) continue;
      Volume<std::uint8_t> seeds = layer(g);
      for (const int p : core) seeds[std::size_t(p)] = 1;
      const Volume<float> to_core = distance_to_mm(seeds);
      Hole h;
      h.slice = k;
      h.closing_mm = r;
      Eigen::Vector2d sum = Eigen::Vector2d::Zero();
      Eigen::Matrix2d squares = Eigen::Matrix2d::Zero();
      double hu = 0, inside_mm2 = 0;
      for (int p = 0; p < nx * ny; ++p) {
        const auto n = std::size_t(p);
        if (bone[n] || to_core[n] > grow_mm || std::isnan(ct[first + n])) continue;
        const int i = p % nx, j = p / nx;
        const Eigen::Vector2d at(i, j);
        h.pixels.push_back(p);
        sum += at;
        squares += at * at.transpose();
        hu += double(ct[first + n]);
        inside_mm2 = std::max(inside_mm2, taken_mm2[n]);
      }
      const double count = double(h.pixels.size());
      h.area_mm2 = count * pixel_mm2;
      if (h.area_mm2 < o.min_area_mm2 || h.area_mm2 > o.max_area_mm2) continue;
      // A part of a hole that a smaller r encloses counts only when it leaves something off: the foramina,
      // where ribs enclose them together with the canal.
      if (h.area_mm2 > 0.9 * inside_mm2 && inside_mm2 > 0) continue;
      for (const int p : h.pixels) taken_mm2[std::size_t(p)] = h.area_mm2;
      const double mean_HU = hu / count;
      if (mean_HU < o.min_inside_HU || mean_HU > o.max_inside_HU) continue;
      const Eigen::Vector2d middle = sum / count;
      const Eigen::Vector3d centre = g.to_world(Eigen::Vector3d(middle.x(), middle.y(), k));
      h.centre_mm = centre.head<2>();
      // Behind the body (LPS: y grows to the back), within the width of a vertebra. The body leans in a
      // curved spine, so that its canal lies further forward or back in slices away from the seed.
      const Eigen::Vector2d from_seed = h.centre_mm - seed_mm.head<2>();
      const double lean_mm = 0.6 * std::abs(centre.z() - seed_mm.z());
      if (std::abs(from_seed.x()) > 25 + lean_mm || from_seed.y() < 3 - lean_mm ||
          from_seed.y() > 50 + lean_mm)
        continue;
      // Length to width of the ellipse of equal second moments: up to 1.6 for a lumbar canal (27 x 19 mm with
      // its recesses), more when foramina are part of it.
      const Eigen::Matrix2d spread = squares / count - middle * middle.transpose();
      const Eigen::Vector2d axes = Eigen::SelfAdjointEigenSolver<Eigen::Matrix2d>(spread).eigenvalues();
      const double elongation = std::sqrt(axes[1] / std::max(axes[0], 0.1));
      h.score = 1 - 0.04 * r - std::clamp(0.6 * (elongation - 1.6), 0.0, 0.7);
      holes.push_back(std::move(h));
    }
  }
  return holes;
}

/// Overlap of two holes moved onto each other's slice: intersection over union.
double overlap(const Hole& a, const Hole& b) {
  std::size_t both = 0;
  auto p = a.pixels.begin();
  auto q = b.pixels.begin();
  while (p != a.pixels.end() && q != b.pixels.end()) {
    if (*p == *q)
      ++both, ++p, ++q;
    else if (*p < *q)
      ++p;
    else
      ++q;
  }
  return double(both) / double(a.pixels.size() + b.pixels.size() - both);
}

/// The best chain of holes through the slices, as positions in `holes` (which are sorted by slice).
std::vector<int> best_chain(const std::vector<Hole>& holes, double spacing_mm, double seed_slice) {
  // Longest stretch that bone may leave open, the height of a lumbar disc with its foramen [mm].
  constexpr double kMaxGap_mm = 22;
  const int reach = int(kMaxGap_mm / spacing_mm);
  std::vector<double> best(holes.size());
  std::vector<int> before(holes.size(), -1);
  int end = -1;
  for (std::size_t n = 0; n < holes.size(); ++n) {
    best[n] = holes[n].score;
    for (std::size_t m = n; m-- > 0;) {
      const int gap = holes[n].slice - holes[m].slice;
      if (gap > reach) break;
      if (gap == 0) continue;
      const double shift = (holes[n].centre_mm - holes[m].centre_mm).norm();
      if (shift > 2.5 + 0.8 * gap * spacing_mm) continue;
      const double same = overlap(holes[n], holes[m]);
      if (same < 0.25) continue;
      const double value = best[m] + holes[n].score * (0.4 + 0.6 * same) - 0.05 * (gap - 1);
      if (value > best[n]) best[n] = value, before[n] = int(m);
    }
    if (end < 0 || best[n] > best[std::size_t(end)]) end = int(n);
  }
  std::vector<int> chain;
  for (int n = end; n >= 0; n = before[std::size_t(n)]) chain.push_back(n);
  std::reverse(chain.begin(), chain.end());
  // The chain must pass the seed's slice, or end within a pedicle's height of it.
  if (chain.empty()) return {};
  const double low = holes[std::size_t(chain.front())].slice, high = holes[std::size_t(chain.back())].slice;
  if (seed_slice < low - 10 / spacing_mm || seed_slice > high + 10 / spacing_mm) return {};
  return chain;
}

Volume<float> signed_layer(const Hole& h, const Grid& grid) {
  Volume<std::uint8_t> mask = layer(grid);
  for (const int p : h.pixels) mask[std::size_t(p)] = 1;
  return signed_distance_mm(mask);
}

/// Signed distance of a layer at a continuous pixel position, held at the edge.
double at(const Volume<float>& v, double i, double j) {
  const double a = std::clamp(i, 0.0, double(v.grid.size[0] - 1)),
               b = std::clamp(j, 0.0, double(v.grid.size[1] - 1));
  const int i0 = std::min(int(a), v.grid.size[0] - 2), j0 = std::min(int(b), v.grid.size[1] - 2);
  const double f = a - i0, h = b - j0;
  return (1 - f) * (1 - h) * double(v(i0, j0, 0)) + f * (1 - h) * double(v(i0 + 1, j0, 0)) +
         (1 - f) * h * double(v(i0, j0 + 1, 0)) + f * h * double(v(i0 + 1, j0 + 1, 0));
}

Canal assembled(const std::vector<Hole>& holes, const std::vector<int>& chain, const Volume<float>& ct,
                double threshold_HU) {
  const Grid& g = ct.grid;
  Canal canal;
  canal.mask = Volume<std::uint8_t>(g);
  canal.threshold_HU = threshold_HU;
  const auto add_point = [&](int k, const Eigen::Vector2d& centre, bool enclosed) {
    canal.centreline_mm.emplace_back(centre.x(), centre.y(), g.to_world(0, 0, k).z());
    canal.enclosed.push_back(enclosed);
  };
  for (std::size_t n = 0; n < chain.size(); ++n) {
    const Hole& a = holes[std::size_t(chain[n])];
    const std::size_t first = g.index(0, 0, a.slice);
    for (const int p : a.pixels) canal.mask[first + std::size_t(p)] = 1;
    add_point(a.slice, a.centre_mm, true);
    if (n + 1 == chain.size()) break;
    const Hole& b = holes[std::size_t(chain[n + 1])];
    if (b.slice == a.slice + 1) continue;
    // Shape between two enclosed slices: mean of their signed distances, each moved to the centre between.
    const Volume<float> da = signed_layer(a, g), db = signed_layer(b, g);
    for (int k = a.slice + 1; k < b.slice; ++k) {
      const double t = double(k - a.slice) / (b.slice - a.slice);
      const Eigen::Vector2d centre = (1 - t) * a.centre_mm + t * b.centre_mm;
      const Eigen::Vector2d to_a = (a.centre_mm - centre).cwiseQuotient(g.spacing_mm.head<2>());
      const Eigen::Vector2d to_b = (b.centre_mm - centre).cwiseQuotient(g.spacing_mm.head<2>());
      for (int j = 0; j < g.size[1]; ++j)
        for (int i = 0; i < g.size[0]; ++i) {
          const double d =
              (1 - t) * at(da, i + to_a.x(), j + to_a.y()) + t * at(db, i + to_b.x(), j + to_b.y());
          if (d <= 0 && !(ct(i, j, k) > threshold_HU)) canal.mask(i, j, k) = 1;
        }
      add_point(k, centre, false);
    }
  }
  const auto closed = std::count(canal.enclosed.begin(), canal.enclosed.end(), true);
  canal.enclosed_fraction = double(closed) / double(canal.enclosed.size());
  return canal;
}

}  // namespace

void CanalOptions::validate() const {
  require(half_size_mm >= 25 && half_size_mm <= 200, "CanalOptions.half_size_mm", half_size_mm,
          "must be in [25, 200] mm");
  require(spacing_mm >= 0.4 && spacing_mm <= 2, "CanalOptions.spacing_mm", spacing_mm,
          "must be in [0.4, 2] mm");
  require(min_area_mm2 > 0 && min_area_mm2 < max_area_mm2, "CanalOptions.min_area_mm2", min_area_mm2,
          "must be positive and below max_area_mm2");
  require(max_closing_mm >= 0 && max_closing_mm <= 8, "CanalOptions.max_closing_mm", max_closing_mm,
          "must be in [0, 8] mm");
  require(min_inside_HU < max_inside_HU, "CanalOptions.min_inside_HU", min_inside_HU,
          "must be below max_inside_HU");
}

CanalSearch find_canal(const Image& ct, const Eigen::Vector3d& seed_near_mm, const CanalOptions& options) {
  options.validate();
  if (!ct.volume.grid.covers(seed_near_mm)) return {{}, "the target lies outside the image"};
  const Eigen::Vector3d half = Eigen::Vector3d::Constant(options.half_size_mm);
  const Grid grid = box_grid(seed_near_mm - half, seed_near_mm + half, options.spacing_mm);
  return find_canal_on_grid(resample_mean(ct.volume, grid), seed_near_mm, options);
}

CanalSearch find_canal_on_grid(const Volume<float>& ct, const Eigen::Vector3d& seed_near_mm,
                               const CanalOptions& options) {
  options.validate();
  const Grid& grid = ct.grid;
  const double spacing_mm = grid.spacing_mm[2];
  if (!grid.direction.isIdentity(1e-6) || (grid.spacing_mm.array() != spacing_mm).any())
    throw ConfigError("the canal is searched on axial slices of square voxels only", "find_canal_on_grid",
                      "resample to a box_grid() first");
  const double seed_slice = grid.to_index(seed_near_mm).z();

  std::vector<double> thresholds = {150, 200, 250, 300};
  if (options.threshold_HU) thresholds = {*options.threshold_HU};
  std::optional<Canal> best;
  double best_score = 0;
  bool holes_seen = false;
  for (const double threshold : thresholds) {
    std::vector<std::vector<Hole>> by_slice(std::size_t(grid.size[2]));
#pragma omp parallel for schedule(dynamic)
    for (int k = 0; k < grid.size[2]; ++k)
      by_slice[std::size_t(k)] = holes_of_slice(ct, k, threshold, seed_near_mm, options);
    std::vector<Hole> holes;
    for (auto& of_slice : by_slice) std::move(of_slice.begin(), of_slice.end(), std::back_inserter(holes));
    holes_seen = holes_seen || !holes.empty();
    const std::vector<int> chain = best_chain(holes, spacing_mm, seed_slice);
    if (chain.empty()) continue;
    double score = 0;
    for (const int n : chain) score += holes[std::size_t(n)].score;
    if (score <= best_score) continue;
    best_score = score;
    best = assembled(holes, chain, ct, threshold);
    if (best->enclosed_fraction > 0.95) break;
  }
  if (!best)
    return {{},
            holes_seen ? "holes enclosed by bone were found, but no chain of them passes the target"
                       : "no hole enclosed by bone behind the target"};
  const double closed_mm =
      double(std::count(best->enclosed.begin(), best->enclosed.end(), true)) * spacing_mm;
  if (closed_mm < 8) return {{}, fmt::format("bone encloses the canal over only {:.0f} mm", closed_mm)};
  if (best->enclosed_fraction < 0.25)
    return {{}, fmt::format("bone encloses only {:.0f} % of the slices", 100 * best->enclosed_fraction)};
  best->quality = fmt::format(
      "canal segmented from CT (bone above {:.0f} HU): bone encloses {:.0f} % of its {} mm, the rest is "
      "interpolated; its wall is bone, the dura lies within",
      best->threshold_HU, 100 * best->enclosed_fraction,
      std::lround(double(best->enclosed.size()) * spacing_mm));
  return {std::move(best), ""};
}

void add_canal(Anatomy& anatomy, const Canal& canal) {
  const StructureValue value = structure_value("canal").value();
  const Grid& g = anatomy.labels.grid;
  std::size_t changed = 0;
  for (int k = 0; k < g.size[2]; ++k)
    for (int j = 0; j < g.size[1]; ++j)
      for (int i = 0; i < g.size[0]; ++i)
        if (anatomy.labels(i, j, k) == 0 && sample_nearest(canal.mask, g.to_world(i, j, k)).value_or(0)) {
          anatomy.labels(i, j, k) = value;
          ++changed;
        }
  if (changed == 0) return;
  anatomy.status["canal"] = StructureStatus::segmented;
  anatomy.warnings.push_back(canal.quality);
}

}  // namespace spinetherm
