// SPDX-License-Identifier: Apache-2.0
#include "planning/trajectory_pair.h"

#include <algorithm>
#include <cmath>

#include "imaging/core/error.h"

namespace spinetherm {
namespace {

double without_off_centre(const Trajectory& t) {
  const auto p = t.penalties.find("off_centre");
  return t.score - (p == t.penalties.end() ? 0 : p->second);
}

}  // namespace

void TrajectoryPairOptions::validate() const {
  require(shaft_diameter_mm > 0, "TrajectoryPairOptions.shaft_diameter_mm", shaft_diameter_mm,
          "must be > 0 mm");
  require(spread_mm > 0, "TrajectoryPairOptions.spread_mm", spread_mm, "must be > 0 mm");
  require(half_mm > 0, "TrajectoryPairOptions.half_mm", half_mm, "must be > 0 mm");
  require(keep >= 1, "TrajectoryPairOptions.keep", keep, "must be >= 1");
}

double segment_gap_mm(const Eigen::Vector3d& a, const Eigen::Vector3d& b, const Eigen::Vector3d& c,
                      const Eigen::Vector3d& d) {
  // Ericson, Real-Time Collision Detection (2005), 5.1.9: minimise |a + s (b - a) - c - t (d - c)| over [0,
  // 1]^2.
  const Eigen::Vector3d u = b - a, v = d - c, w = a - c;
  const double uu = u.squaredNorm(), vv = v.squaredNorm(), uv = u.dot(v), uw = u.dot(w), vw = v.dot(w);
  const double det = uu * vv - uv * uv;
  double s = det > 1e-12 * uu * vv ? std::clamp((uv * vw - uw * vv) / det, 0.0, 1.0) : 0.0;
  double t = vv > 0 ? (uv * s + vw) / vv : 0.0;
  if (t < 0 || t > 1) {
    t = std::clamp(t, 0.0, 1.0);
    s = uu > 0 ? std::clamp((uv * t - uw) / uu, 0.0, 1.0) : 0.0;
  }
  return (w + s * u - t * v).norm();
}

std::vector<TrajectoryPair> bipedicular_pairs(const std::vector<Trajectory>& paths,
                                              const Eigen::Vector3d& target_centre_mm,
                                              const TrajectoryPairOptions& options) {
  options.validate();
  struct Candidate {
    std::size_t left = 0, right = 0;
    double spread_mm = 0, gap_mm = 0, score = 0;
  };
  std::vector<Candidate> all;
  for (std::size_t l = 0; l < paths.size(); ++l)
    for (std::size_t r = 0; r < paths.size(); ++r) {
      const Trajectory &left = paths[l], &right = paths[r];
      if (left.side != "left" || right.side != "right") continue;
      if (left.kind != ApproachKind::transpedicular || right.kind != ApproachKind::transpedicular) continue;
      Candidate c{l, r, (left.goal_mm - right.goal_mm).norm(), 0, 0};
      c.gap_mm = segment_gap_mm(left.entry_mm, left.tip_mm, right.entry_mm, right.tip_mm) -
                 options.shaft_diameter_mm;
      if (c.gap_mm < options.shaft_diameter_mm) continue;
      const double off = ((left.goal_mm + right.goal_mm) / 2 - target_centre_mm).norm();
      c.score = without_off_centre(left) + without_off_centre(right) + 2 * off / options.half_mm +
                2 * std::max(0.0, 1 - c.spread_mm / options.spread_mm);
      all.push_back(c);
    }
  std::stable_sort(all.begin(), all.end(),
                   [](const Candidate& a, const Candidate& b) { return a.score < b.score; });
  std::vector<TrajectoryPair> out;
  std::vector<char> used(paths.size(), 0);
  for (const Candidate& c : all) {
    if (int(out.size()) >= options.keep) break;
    if (used[c.left] || used[c.right]) continue;
    used[c.left] = used[c.right] = 1;
    out.push_back({paths[c.left], paths[c.right], c.spread_mm, c.gap_mm, c.score});
  }
  return out;
}

}  // namespace spinetherm
