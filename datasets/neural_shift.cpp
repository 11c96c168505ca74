// SPDX-License-Identifier: Apache-2.0
#include "datasets/neural_shift.h"

#include <algorithm>
#include <cmath>

#include "imaging/core/error.h"

namespace spinetherm {

NeuralShift::NeuralShift(const SpineModel& model, double factor) : model_(&model) {
  require(factor >= 0 && factor <= 2, "NeuralShift.factor", factor, "must lie in [0, 2]");
  for (const PlacedVertebra& v : model.vertebrae()) {
    z_.push_back((v.world_from_vertebra * Eigen::Vector3d(0, v.shape.canal_y(), 0)).z());
    shift_.push_back(factor * v.shape.size().cord_prone_shift_mm);
  }
}

double NeuralShift::wanted_mm(double z) const {
  if (z_.empty()) return 0;
  if (z >= z_.front()) return shift_.front();
  for (std::size_t n = 0; n + 1 < z_.size(); ++n)
    if (z >= z_[n + 1]) {
      const double t = (z_[n] - z) / (z_[n] - z_[n + 1]);
      return (1 - t) * shift_[n] + t * shift_[n + 1];
    }
  return shift_.back();
}

bool NeuralShift::column(const Eigen::Vector3d& x, Column& out) const {
  constexpr double kMost = 0.7, kCaudaForward_mm = 0.8, kCaudaShare = 0.3;
  const SpineSection s = model_->section(x.z());
  const double across = s.sac_a > 0 ? x.x() / s.sac_a : 2;
  if (std::abs(across) >= 1) return false;
  const double half = s.sac_b * std::sqrt(1 - across * across);
  out.front = s.sac_y - half;
  out.back = s.sac_y + half;
  // From cord to cauda over the tapering conus.
  const double cord = std::clamp((s.cord_a - 0.5) / 2, 0.0, 1.0);
  const double a = cord * s.cord_a + (1 - cord) * 0.6 * s.sac_a;
  const double b = cord * s.cord_b + (1 - cord) * kCaudaShare * s.sac_b;
  const double y = cord * s.cord_y + (1 - cord) * (s.sac_y - kCaudaForward_mm);
  const double inside = std::abs(x.x()) < a ? std::sqrt(1 - x.x() * x.x() / (a * a)) : 0;
  const double margin = 0.05 * half;
  out.first = std::clamp(y - b * inside, out.front + margin, out.back - margin);
  out.last = std::clamp(y + b * inside, out.front + margin, out.back - margin);
  const double gap = out.back - out.last;
  const double beside = std::clamp((std::abs(x.x()) - a) / std::max(s.sac_a - a, 1e-6), 0.0, 1.0);
  out.shift = std::min(wanted_mm(x.z()) * (1 - beside * beside * (3 - 2 * beside)), kMost * gap);
  return half > 0.05;
}

Eigen::Vector3d NeuralShift::supine_from_prone(const Eigen::Vector3d& x) const {
  Column c{};
  if (!column(x, c) || x.y() <= c.front || x.y() >= c.back) return x;
  double y = x.y() + c.shift;
  if (x.y() < c.first)
    y = c.front + (x.y() - c.front) * (c.first + c.shift - c.front) / (c.first - c.front);
  else if (x.y() > c.last)
    y = c.back - (c.back - x.y()) * (c.back - c.last - c.shift) / (c.back - c.last);
  return {x.x(), y, x.z()};
}

Eigen::Vector3d NeuralShift::prone_from_supine(const Eigen::Vector3d& x) const {
  Column c{};
  if (!column(x, c) || x.y() <= c.front || x.y() >= c.back) return x;
  double y = x.y() - c.shift;
  if (x.y() < c.first + c.shift)
    y = c.front + (x.y() - c.front) * (c.first - c.front) / (c.first + c.shift - c.front);
  else if (x.y() > c.last + c.shift)
    y = c.back - (c.back - x.y()) * (c.back - c.last) / (c.back - c.last - c.shift);
  return {x.x(), y, x.z()};
}

double NeuralShift::dorsal_mm(double z) const {
  Column c{};
  return column({0, 0, z}, c) ? c.shift : 0;
}

}  // namespace spinetherm
