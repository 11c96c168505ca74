// SPDX-License-Identifier: Apache-2.0
#include "datasets/tube_set.h"

#include <Eigen/Geometry>
#include <cmath>

#include "datasets/solid.h"

namespace spinetherm {
namespace {

constexpr double kCell_mm = 8;

}  // namespace

void TubeSet::add_line(const std::vector<Eigen::Vector3d>& points_mm, double radius_mm, StructureValue label,
                       Material material) {
  for (std::size_t n = 0; n + 1 < points_mm.size(); ++n)
    add({points_mm[n], points_mm[n + 1], radius_mm, label, material});
}

void TubeSet::build() {
  if (tubes_.empty()) return;
  Eigen::AlignedBox3d all;
  const auto box = [](const Tube& t) {
    Eigen::AlignedBox3d b(t.from_mm);
    b.extend(t.to_mm);
    b.min().array() -= t.radius_mm;
    b.max().array() += t.radius_mm;
    return b;
  };
  for (const Tube& t : tubes_) all.extend(box(t));
  low_ = all.min();
  for (int a = 0; a < 3; ++a) count_[std::size_t(a)] = int(all.sizes()[a] / kCell_mm) + 1;
  const std::size_t cell_count = std::size_t(count_[0]) * std::size_t(count_[1]) * std::size_t(count_[2]);
  std::vector<std::vector<std::uint16_t>> cells(cell_count);
  for (std::size_t n = 0; n < tubes_.size(); ++n) {
    const Tube& t = tubes_[n];
    const Eigen::AlignedBox3d b = box(t);
    std::array<int, 3> from, to;
    for (int a = 0; a < 3; ++a) {
      from[std::size_t(a)] = int((b.min()[a] - low_[a]) / kCell_mm);
      to[std::size_t(a)] = int((b.max()[a] - low_[a]) / kCell_mm);
    }
    for (int k = from[2]; k <= to[2]; ++k)
      for (int j = from[1]; j <= to[1]; ++j)
        for (int i = from[0]; i <= to[0]; ++i) {
          const Eigen::Vector3d centre = low_ + kCell_mm * (Eigen::Vector3d(i, j, k).array() + 0.5).matrix();
          if (segment_distance(centre, t.from_mm, t.to_mm) > t.radius_mm + kCell_mm * 0.87) continue;
          cells[(std::size_t(k) * std::size_t(count_[1]) + std::size_t(j)) * std::size_t(count_[0]) +
                std::size_t(i)]
              .push_back(std::uint16_t(n));
        }
  }
  first_ = {0};
  for (const auto& cell : cells) {
    members_.insert(members_.end(), cell.begin(), cell.end());
    first_.push_back(std::uint32_t(members_.size()));
  }
}

const Tube* TubeSet::find(const Eigen::Vector3d& x) const {
  const Eigen::Vector3d c = (x - low_) / kCell_mm;
  if (c.minCoeff() < 0 || c.x() >= count_[0] || c.y() >= count_[1] || c.z() >= count_[2]) return nullptr;
  const std::size_t cell =
      (std::size_t(c.z()) * std::size_t(count_[1]) + std::size_t(c.y())) * std::size_t(count_[0]) +
      std::size_t(c.x());
  for (std::uint32_t n = first_[cell]; n < first_[cell + 1]; ++n) {
    const Tube& t = tubes_[members_[n]];
    if (segment_distance(x, t.from_mm, t.to_mm) <= t.radius_mm) return &t;
  }
  return nullptr;
}

}  // namespace spinetherm
