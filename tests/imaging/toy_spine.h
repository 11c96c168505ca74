// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "imaging/core/anatomy.h"
#include "imaging/core/random.h"
#include "imaging/core/rigid.h"

namespace spinetherm {

/// Lumbar vertebrae of simple shapes along -z, whose geometry is known exactly. Frame of the spine: the canal
/// runs along z through x = y = 0; body anterior (y < 0), arch posterior; x grows to the patient's left. The
/// centre of vertebra n lies at z = -32 n, its pedicles from z = +1 to +11. The foramen below a pedicle is
/// open to the side down to the next pedicle.
struct ToySpine {
  static constexpr double pitch_mm = 32, canal_a_mm = 11, canal_b_mm = 8.5;
  std::vector<std::string> levels = {"L2", "L3", "L4"};
  Rigid patient_from_spine;  ///< where the spine lies

  bool in_canal(const Eigen::Vector3d& s) const {
    return std::pow(s.x() / canal_a_mm, 2) + std::pow(s.y() / canal_b_mm, 2) < 1;
  }
  /// Number of the vertebra that holds a point of the spine frame, -1 when none does.
  int vertebra_at(const Eigen::Vector3d& s) const {
    const int n = int(std::lround(-s.z() / pitch_mm));
    if (n < 0 || n >= int(levels.size()) || in_canal(s)) return -1;
    const double z = s.z() + pitch_mm * n, x = std::abs(s.x()), y = s.y();
    const bool body = std::abs(z) <= 12 && std::pow(x / 22, 2) + std::pow((y + 24) / 16, 2) < 1;
    const bool pedicle = z >= 1 && z <= 11 && x >= 10 && x <= 18 && y >= -16 && y <= 5;
    const bool arch = std::abs(z) <= 13 && y > -4 && std::pow(x / 16, 2) + std::pow(y / 13, 2) < 1;
    const bool transverse = z >= 1 && z <= 9 && x >= 12 && x <= 35 && std::abs(y - 4) <= 4;
    const bool spinous = z >= -12 && z <= 4 && x <= 3.5 && y >= 11 && y <= 34;
    return body || pedicle || arch || transverse || spinous ? n : -1;
  }
  /// Labels: vertebrae, and the canal when `with_canal`.
  Anatomy anatomy(const Grid& grid, bool with_canal) const {
    Anatomy a;
    a.labels = Volume<StructureValue>(grid);
    each(grid, [&](std::size_t at, const Eigen::Vector3d& s) {
      const int n = vertebra_at(s);
      if (n >= 0) a.labels[at] = structure_value("vertebra_" + levels[std::size_t(n)]).value();
      if (with_canal && in_canal(s)) a.labels[at] = structure_value("canal").value();
    });
    for (const std::string& level : levels) a.status["vertebra_" + level] = StructureStatus::imported;
    if (with_canal) a.status["canal"] = StructureStatus::imported;
    return a;
  }
  /// CT: bone 300 HU and endplates 600 (no cortical shells), canal 20, discs 90, fat of the foramina -60,
  /// muscle 50.
  Volume<float> ct(const Grid& grid, double noise_HU, std::uint64_t seed = 1) const {
    Volume<float> v(grid);
    auto rng = trial_rng(seed, 0);
    std::normal_distribution<double> noise(0, 1);
    each(grid, [&](std::size_t at, const Eigen::Vector3d& s) {
      const bool disc = std::pow(s.x() / 22, 2) + std::pow((s.y() + 24) / 16, 2) < 1;
      const bool foramen = std::abs(s.x()) < 18 && s.y() > -16 && s.y() < 5;
      const int n = vertebra_at(s);
      const bool endplate = n >= 0 && s.y() < -9 && std::abs(s.z() + pitch_mm * n) > 10;
      const double tissue = in_canal(s) ? 20 : endplate ? 600 : n >= 0 ? 300 : disc ? 90 : foramen ? -60 : 50;
      v[at] = float(tissue + noise_HU * noise(rng));
    });
    return v;
  }
  Grid grid(double spacing_mm) const {
    const double bottom = -pitch_mm * (double(levels.size()) - 1) - 25;
    const Eigen::Vector3d centre = patient_from_spine * Eigen::Vector3d(0, -3, (25 + bottom) / 2);
    const Eigen::Vector3d half(48, 48, (25 - bottom) / 2);
    return box_grid(centre - half, centre + half, spacing_mm);
  }

 private:
  template <class F>
  void each(const Grid& grid, const F& f) const {
    const Rigid spine_from_patient = inverse(patient_from_spine);
    for (int k = 0; k < grid.size[2]; ++k)
      for (int j = 0; j < grid.size[1]; ++j)
        for (int i = 0; i < grid.size[0]; ++i)
          f(grid.index(i, j, k), spine_from_patient * grid.to_world(i, j, k));
  }
};

}  // namespace spinetherm
