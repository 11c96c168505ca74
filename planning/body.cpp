// SPDX-License-Identifier: Apache-2.0
#include "planning/body.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "imaging/core/error.h"

namespace spinetherm {
namespace {

enum : std::uint8_t { kTissue = 0, kAir = 1, kPadding = 2 };

using Voxel = std::array<int, 3>;

/// Marks everything that is 6-connected to a seed and accepted, and returns it.
template <class Accept>
std::vector<Voxel> flood(Volume<std::uint8_t>& reached, const Voxel& seed, const Accept& accept) {
  std::vector<Voxel> found;
  const auto visit = [&](int i, int j, int k) {
    if (!reached.grid.contains(i, j, k) || reached(i, j, k) || !accept(i, j, k)) return;
    reached(i, j, k) = 1;
    found.push_back({i, j, k});
  };
  visit(seed[0], seed[1], seed[2]);
  for (std::size_t n = 0; n < found.size(); ++n) {
    const auto [i, j, k] = found[n];
    visit(i - 1, j, k);
    visit(i + 1, j, k);
    visit(i, j - 1, k);
    visit(i, j + 1, k);
    visit(i, j, k - 1);
    visit(i, j, k + 1);
  }
  return found;
}

}  // namespace

void BodyOptions::validate() const {
  require(padding_HU < air_HU, "BodyOptions.padding_HU", padding_HU, "must be < air_HU");
  require(least_air_ml >= 0, "BodyOptions.least_air_ml", least_air_ml, "must be >= 0 ml");
  require(spacing_mm > 0, "BodyOptions.spacing_mm", spacing_mm, "must be > 0 mm");
}

Body find_body(const Volume<float>& ct_HU, const Eigen::Vector3d& inside_mm, const BodyOptions& options) {
  options.validate();
  Body body;
  if (ct_HU.empty()) return body;
  const Grid& full = ct_HU.grid;
  if (!full.covers(inside_mm))
    throw ConfigError("target outside the image", "/target", "check centre_mm: LPS millimetres of the CT");

  // Every n-th voxel of the image, its axes kept.
  std::array<int, 3> stride{}, size{};
  Grid g = full;
  for (std::size_t a = 0; a < 3; ++a) {
    const double h = full.spacing_mm[Eigen::Index(a)];
    stride[a] = std::max(1, int(std::lround(options.spacing_mm / h)));
    size[a] = (full.size[a] - 1) / stride[a] + 1;
    g.spacing_mm[Eigen::Index(a)] = h * stride[a];
  }
  g.size = size;
  Volume<std::uint8_t> kind(g);
#pragma omp parallel for schedule(static)
  for (int k = 0; k < g.size[2]; ++k)
    for (int j = 0; j < g.size[1]; ++j)
      for (int i = 0; i < g.size[0]; ++i) {
        const float v = ct_HU(i * stride[0], j * stride[1], k * stride[2]);
        if (v > options.air_HU)
          kind(i, j, k) = kTissue;
        else
          kind(i, j, k) = v > options.padding_HU ? kAir : kPadding;  // not a number: never imaged
      }

  // The image axis along the spine: its end faces are no way in.
  Eigen::Index along = 0;
  g.direction.row(2).cwiseAbs().maxCoeff(&along);
  std::vector<Voxel> seeds;
  for (int k = 0; k < g.size[2]; ++k)
    for (int j = 0; j < g.size[1]; ++j)
      for (int i = 0; i < g.size[0]; ++i) {
        const Voxel v{i, j, k};
        for (std::size_t a = 0; a < 3; ++a)
          if (Eigen::Index(a) != along && (v[a] == 0 || v[a] == g.size[a] - 1)) {
            seeds.push_back(v);
            break;
          }
      }
  Volume<std::uint8_t> outer(g), tried(g);
  const double least_mm3 = options.least_air_ml * 1e3;
  for (const Voxel& seed : seeds) {
    const auto pocket = flood(tried, seed, [&](int i, int j, int k) { return kind(i, j, k) != kTissue; });
    if (double(pocket.size()) * g.voxel_volume_mm3() < least_mm3) continue;
    double sum = 0, count = 0;
    for (const auto& [i, j, k] : pocket)
      if (kind(i, j, k) == kAir) {
        sum += double(ct_HU(i * stride[0], j * stride[1], k * stride[2]));
        ++count;
      }
    if (count > 0 && sum / count > options.lung_HU) continue;
    for (const auto& [i, j, k] : pocket) outer(i, j, k) = 1;
  }

  auto start = g.nearest(inside_mm);
  for (std::size_t a = 0; a < 3; ++a) start[a] = std::clamp(start[a], 0, g.size[a] - 1);
  if (outer(start[0], start[1], start[2]))
    throw ConfigError("target lies in air", "/target", "check centre_mm: LPS millimetres of the CT");
  body.inside = Volume<std::uint8_t>(g);
  flood(body.inside, start, [&](int i, int j, int k) { return !outer(i, j, k); });
  body.air = Volume<std::uint8_t>(g);
  for (std::size_t n = 0; n < kind.values.size(); ++n) body.air[n] = outer[n] && kind[n] == kAir;
  for (int k = 0; k < g.size[2] && !body.reaches_skin; ++k)
    for (int j = 0; j < g.size[1]; ++j)
      for (int i = 0; i < g.size[0]; ++i)
        if (body.inside(i, j, k) &&
            ((i > 0 && body.air(i - 1, j, k)) || (i + 1 < g.size[0] && body.air(i + 1, j, k)) ||
             (j > 0 && body.air(i, j - 1, k)) || (j + 1 < g.size[1] && body.air(i, j + 1, k)) ||
             (k > 0 && body.air(i, j, k - 1)) || (k + 1 < g.size[2] && body.air(i, j, k + 1))))
          body.reaches_skin = true;
  return body;
}

}  // namespace spinetherm
