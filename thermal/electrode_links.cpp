// SPDX-License-Identifier: Apache-2.0
#include "thermal/electrode_links.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <optional>
#include <tuple>

#include "imaging/core/error.h"
#include "imaging/core/units.h"

namespace spinetherm {
namespace {

using Eigen::Vector3d;
using Index = std::array<int, 3>;

/// Points across a face at which its cover is asked for; each counts by its own distance to the surface.
constexpr int kFacePoints = 8;
/// Largest K in units of A / h: a surface closer to a centre than this makes no difference to the potential.
constexpr double kLargestLink = 50;

struct IndexBox {
  Index first{}, last{};  // inclusive; empty when first > last
};

IndexBox cells_near(const Grid& grid, const Region& region, int margin) {
  const Box box = bounding_box(region);
  IndexBox out;
  for (std::size_t a = 0; a < 3; ++a) {
    const auto axis = Eigen::Index(a);
    const double low = (box.min_mm[axis] - grid.origin_mm[axis]) / grid.spacing_mm[axis];
    const double high = (box.max_mm[axis] - grid.origin_mm[axis]) / grid.spacing_mm[axis];
    const double last = grid.size[a] - 1;
    // Clamped as doubles: the box of an unbounded region is infinite.
    out.first[a] = int(std::clamp(std::floor(low) - margin, 0.0, last + 1));
    out.last[a] = int(std::clamp(std::ceil(high) + margin, -1.0, last));
  }
  return out;
}

template <class F>
void for_each_cell(const IndexBox& box, F&& f) {
  for (int k = box.first[2]; k <= box.last[2]; ++k)
    for (int j = box.first[1]; j <= box.last[1]; ++j)
      for (int i = box.first[0]; i <= box.last[0]; ++i) f(Index{i, j, k});
}

/// Solution around one isolated surface, 0 on it and growing outwards; empty where none is known.
using LocalSolution = std::function<double(const Vector3d&)>;

LocalSolution around_sphere(const Vector3d& centre_mm, double radius_mm) {
  return [=](const Vector3d& x) { return 1 - radius_mm / (x - centre_mm).norm(); };
}

LocalSolution around_axis(const Vector3d& a_mm, const Vector3d& along, double radius_mm) {
  return [=](const Vector3d& x) { return std::log((x - a_mm).cross(along).norm() / radius_mm); };
}

LocalSolution local_solution(const Region& region, const Vector3d& at_mm) {
  struct Chooser {
    const Vector3d& p;
    LocalSolution operator()(const Sphere& s) const { return around_sphere(s.centre_mm, s.radius_mm); }
    LocalSolution operator()(const Capsule& c) const {
      const Vector3d ab = c.b_mm - c.a_mm;
      const double length = ab.norm();
      if (length == 0) return around_sphere(c.a_mm, c.radius_mm);
      const double t = (p - c.a_mm).dot(ab) / (length * length);
      if (t <= 0) return around_sphere(c.a_mm, c.radius_mm);
      if (t >= 1) return around_sphere(c.b_mm, c.radius_mm);
      return around_axis(c.a_mm, ab / length, c.radius_mm);
    }
    LocalSolution operator()(const Cylinder& c) const {
      const Vector3d ab = c.b_mm - c.a_mm;
      const double t = (p - c.a_mm).dot(ab) / ab.squaredNorm();
      if (t < 0 || t > 1) return {};
      return around_axis(c.a_mm, ab.normalized(), c.radius_mm);
    }
    LocalSolution operator()(const Tube& t) const {
      const BesideLine here = beside_line(t, p);
      if (here.along_mm < 0 || here.along_mm > here.length_mm) {
        if (t.flat_ends) return {};
        return around_sphere(here.along_mm < 0 ? t.points_mm.front() : t.points_mm.back(), t.radius_mm);
      }
      return [&t](const Vector3d& x) { return std::log(beside_line(t, x).distance_mm / t.radius_mm); };
    }
    LocalSolution operator()(const Prolate& s) const {
      const double c = std::sqrt(s.long_half_mm * s.long_half_mm - s.short_half_mm * s.short_half_mm);
      if (!(c > 1e-6 * s.long_half_mm)) return around_sphere(s.centre_mm, s.long_half_mm);
      const Vector3d focus = c * s.axis.normalized();
      const double whole = std::atanh(c / s.long_half_mm);
      // V / V0 = atanh(1 / xi) / atanh(c / A), xi = (r1 + r2) / 2c.
      return [=, centre = s.centre_mm](const Vector3d& x) {
        const double sum = (x - centre - focus).norm() + (x - centre + focus).norm();
        return 1 - std::atanh(2 * c / sum) / whole;
      };
    }
    LocalSolution operator()(const Box&) const { return {}; }
    LocalSolution operator()(const Outside& o) const {
      LocalSolution inner = local_solution(*o.inside, p);
      if (!inner) return {};
      return [inner](const Vector3d& x) { return -inner(x); };
    }
  };
  return std::visit(Chooser{at_mm}, region.shape);
}

/// Where a segment between two points outside a convex region is nearest to it: fraction of the way and
/// signed distance, which is convex along the segment.
std::pair<double, double> nearest_on_segment(const Region& region, const Vector3d& p, const Vector3d& q) {
  double low = 0, high = 1;
  const auto at = [&](double t) { return signed_distance_mm(region, p + t * (q - p)); };
  for (int n = 0; n < 40; ++n) {
    const double a = low + (high - low) / 3, b = high - (high - low) / 3;
    if (at(a) < at(b))
      high = b;
    else
      low = a;
  }
  const double t = (low + high) / 2;
  return {t, at(t)};
}

struct Cut {
  std::size_t cell = 0;
  int electrode = 0, axis = 0, side = 0;
  double metres = 0;  // A / (theta h)
  double open = 1;
};

class Linker {
 public:
  Linker(const Grid& grid, const ElectrodesSource& source, bool part)
      : grid_(grid), source_(source), part_(part) {
    for (int a = 0; a < 3; ++a)
      face_m_[std::size_t(a)] = grid.voxel_volume_mm3() / (grid.spacing_mm[a] * grid.spacing_mm[a]) * 1e-3;
    out_.owner.assign(grid.count(), 0);
    out_.insulated.assign(grid.count(), 0);
  }

  ElectrodeLinks exact() {
    own_cells();
    cover_faces();
    for (std::size_t n = 0; n < source_.electrodes.size(); ++n) cut_links(int(n));
    refuse_contacts();
    join_surfaces();
    for (std::size_t n = 0; n < source_.electrodes.size(); ++n)
      if (is_line(source_.electrodes[n].region, grid_)) join_line(int(n));
    return finish();
  }

  ElectrodeLinks voxel() {
    own_cells();
    for (std::size_t n = 0; n < source_.electrodes.size(); ++n)
      if (is_line(source_.electrodes[n].region, grid_)) own_crossed_cells(int(n));
    for (std::size_t c = 0; c < grid_.count(); ++c) {
      if (!out_.owner[c] && !out_.insulated[c]) continue;
      const Index at = index_of(c);
      for (int axis = 0; axis < 3; ++axis)
        for (const int side : {-1, 1}) {
          const auto other = neighbour(at, axis, side);
          if (!other) continue;
          const std::size_t q = cell(*other);
          out_.faces.push_back({side > 0 ? c : q, axis, 0});
          if (out_.owner[c] && !out_.owner[q] && !out_.insulated[q])
            out_.links.push_back({q, out_.owner[c] - 1, 2 * face_m_[std::size_t(axis)]});
        }
    }
    refuse_contacts();
    return finish();
  }

 private:
  Index index_of(std::size_t c) const {
    const auto nx = std::size_t(grid_.size[0]), ny = std::size_t(grid_.size[1]);
    return {int(c % nx), int(c / nx % ny), int(c / (nx * ny))};
  }
  Vector3d centre(const Index& at) const { return grid_.to_world(at[0], at[1], at[2]); }
  std::size_t cell(const Index& at) const { return grid_.index(at[0], at[1], at[2]); }
  std::optional<Index> neighbour(Index at, int axis, int side) const {
    at[std::size_t(axis)] += side;
    if (!grid_.contains(at[0], at[1], at[2])) return std::nullopt;
    return at;
  }
  Vector3d step(int axis, int side) const { return side * grid_.spacing_mm[axis] * Vector3d::Unit(axis); }

  void own_cells() {
    for (std::size_t n = 0; n < source_.electrodes.size(); ++n) {
      if (is_line(source_.electrodes[n].region, grid_)) continue;
      for_each_cell(cells_near(grid_, source_.electrodes[n].region, 0), [&](const Index& at) {
        if (!contains(source_.electrodes[n].region, centre(at))) return;
        std::uint8_t& owner = out_.owner[cell(at)];
        if (owner != 0 && potential(owner - 1) != potential(int(n))) touch(owner - 1, int(n), "overlap");
        owner = std::uint8_t(n + 1);
      });
    }
    for (const Region& r : source_.insulators)
      for_each_cell(cells_near(grid_, r, 0), [&](const Index& at) {
        if (out_.owner[cell(at)] == 0 && contains(r, centre(at))) out_.insulated[cell(at)] = 1;
      });
  }

  void own_crossed_cells(int n) {
    const Tube& t = std::get<Tube>(source_.electrodes[std::size_t(n)].region.shape);
    for (std::size_t p = 0; p + 1 < t.points_mm.size(); ++p) {
      const Vector3d a = t.points_mm[p], ab = t.points_mm[p + 1] - a;
      const int pieces = int(std::ceil(4 * ab.norm() / grid_.spacing_mm.minCoeff()));
      for (int s = 0; s <= pieces; ++s) {
        const Vector3d at = (a + ab * s / pieces - grid_.origin_mm).cwiseQuotient(grid_.spacing_mm);
        const Index i{int(std::lround(at[0])), int(std::lround(at[1])), int(std::lround(at[2]))};
        if (grid_.contains(i[0], i[1], i[2]) && !out_.insulated[cell(i)] && !out_.owner[cell(i)])
          out_.owner[cell(i)] = std::uint8_t(n + 1);
      }
    }
  }

  /// The potential of a floating electrode is nobody else's.
  double potential(int electrode) const {
    const Electrode& e = source_.electrodes[std::size_t(electrode)];
    return e.floating ? std::numeric_limits<double>::quiet_NaN() : e.potential_V;
  }

  [[noreturn]] static void touch(int a, int b, std::string_view how) {
    throw ConfigError(
        fmt::format("electrodes {} and {} of different potential {}", std::min(a, b), std::max(a, b), how),
        "/electrodes", "move them apart, put an insulator between them, or use a finer grid");
  }

  /// Part of an upright rectangle around `at` (across `axis`, as large as a face) that no insulator covers.
  double open_fraction(const Vector3d& at, int axis) const {
    const Vector3d edge = grid_.spacing_mm - grid_.spacing_mm[axis] * Vector3d::Unit(axis);
    const double reach = edge.norm() / 2;
    std::vector<const Region*> near;
    for (const Region& r : source_.insulators) {
      const double d = signed_distance_mm(r, at);
      if (d <= -reach) return 0;
      if (d < reach) near.push_back(&r);
    }
    if (near.empty()) return 1;
    const int u = (axis + 1) % 3, v = (axis + 2) % 3;
    const double width = std::sqrt(edge[u] * edge[v]) / kFacePoints;
    double open = 0;
    for (int a = 0; a < kFacePoints; ++a)
      for (int b = 0; b < kFacePoints; ++b) {
        Vector3d x = at;
        x[u] += ((a + 0.5) / kFacePoints - 0.5) * edge[u];
        x[v] += ((b + 0.5) / kFacePoints - 0.5) * edge[v];
        double d = std::numeric_limits<double>::infinity();
        for (const Region* r : near) d = std::min(d, signed_distance_mm(*r, x));
        open += std::clamp(0.5 + d / width, 0.0, 1.0);
      }
    return open / (kFacePoints * kFacePoints);
  }

  void cover_faces() {
    std::vector<std::size_t> near;
    for (const Region& r : source_.insulators)
      for_each_cell(cells_near(grid_, r, 1), [&](const Index& at) {
        if (signed_distance_mm(r, centre(at)) < 2 * grid_.spacing_mm.maxCoeff()) near.push_back(cell(at));
      });
    std::ranges::sort(near);
    near.erase(std::unique(near.begin(), near.end()), near.end());
    for (const std::size_t c : near)
      for (int axis = 0; axis < 3; ++axis) {
        const Index at = index_of(c);
        if (!neighbour(at, axis, 1)) continue;
        const double open = open_fraction(centre(at) + step(axis, 1) / 2, axis);
        if (open < 1) out_.faces.push_back({c, axis, float(open)});
      }
  }

  void cut_links(int n) {
    const Region& region = source_.electrodes[std::size_t(n)].region;
    if (is_line(region, grid_)) return;
    const std::vector<Region> parts = convex_parts(region);
    const bool convex = !std::holds_alternative<Outside>(region.shape);
    for_each_cell(cells_near(grid_, region, 1), [&](const Index& at) {
      const std::size_t c = cell(at);
      if (out_.owner[c]) return;
      const Vector3d p = centre(at);
      const double here = signed_distance_mm(region, p);
      if (here > grid_.spacing_mm.maxCoeff()) return;
      for (int axis = 0; axis < 3; ++axis)
        for (const int side : {-1, 1}) {
          const auto other = neighbour(at, axis, side);
          if (!other) continue;
          const double h = grid_.spacing_mm[axis];
          const Vector3d q = p + step(axis, side);
          const double there = signed_distance_mm(region, q);
          double theta = 0;
          if (there <= 0) {
            theta = crossing_fraction(region, p, q);
          } else {
            if (!convex || here + there >= h) continue;
            double t = 0, depth = 0;
            for (const Region& part : parts)
              if (const auto [at_part, d] = nearest_on_segment(part, p, q); d < depth) {
                t = at_part;
                depth = d;
              }
            if (depth >= 0) continue;
            theta = t * crossing_fraction(region, p, p + t * (q - p));
          }
          const double m = face_m_[std::size_t(axis)] / std::max(theta, 1 / kLargestLink);
          const Vector3d foot = p + (theta - 1e-3) * (q - p);
          cuts_.push_back({c, n, axis, side, m, open_fraction(foot, axis)});
        }
    });
  }

  /// Two electrodes with no tissue centre between them.
  void refuse_contacts() const {
    for (std::size_t c = 0; c < grid_.count(); ++c) {
      if (out_.owner[c] == 0) continue;
      const Index at = index_of(c);
      const int a = out_.owner[c] - 1;
      for (int axis = 0; axis < 3; ++axis)
        for (const int side : {-1, 1}) {
          const auto other = neighbour(at, axis, side);
          if (!other) {
            if (!part_ && source_.outer_grounded && potential(a) != 0 && !std::isnan(potential(a)))
              throw ConfigError(fmt::format("electrode {} reaches a grounded outer face", a), "/electrodes",
                                "enlarge the grid or insulate the outer faces");
            continue;
          }
          if (side < 0 || out_.owner[cell(*other)] == 0) continue;
          const int b = out_.owner[cell(*other)] - 1;
          if (a == b || potential(a) == potential(b)) continue;
          if (!insulated_between(a, b, centre(at), centre(*other))) touch(a, b, "touch");
        }
    }
  }

  bool insulated_between(int a, int b, const Vector3d& p, const Vector3d& q) const {
    const Region& ra = source_.electrodes[std::size_t(a)].region;
    const Region& rb = source_.electrodes[std::size_t(b)].region;
    for (int n = 1; n < 64; ++n) {
      const Vector3d x = p + n / 64.0 * (q - p);
      if (contains(ra, x) || contains(rb, x)) continue;
      return std::ranges::any_of(source_.insulators, [&](const Region& r) { return contains(r, x); });
    }
    return false;
  }

  void join_surfaces() {
    // By cell: all cuts of a cell side by side.
    std::ranges::stable_sort(cuts_, {}, &Cut::cell);
    for (std::size_t first = 0; first < cuts_.size();) {
      std::size_t last = first;
      while (last < cuts_.size() && cuts_[last].cell == cuts_[first].cell) ++last;
      keep_nearest(first, last);
      join_cell(first, last);
      first = last;
    }
  }

  /// Of two electrodes on one link only the nearer one is seen.
  void keep_nearest(std::size_t first, std::size_t last) {
    for (std::size_t a = first; a < last; ++a)
      for (std::size_t b = first; b < last; ++b)
        if (a != b && cuts_[a].axis == cuts_[b].axis && cuts_[a].side == cuts_[b].side &&
            (cuts_[a].metres < cuts_[b].metres || (cuts_[a].metres == cuts_[b].metres && a > b)))
          cuts_[a].metres = 0;
  }

  void join_cell(std::size_t first, std::size_t last) {
    const Index at = index_of(cuts_[first].cell);
    std::vector<int> electrodes;
    for (std::size_t n = first; n < last; ++n) {
      const Cut& cut = cuts_[n];
      const std::size_t face_cell = cut.side > 0 ? cut.cell : cell(*neighbour(at, cut.axis, -1));
      out_.faces.push_back({face_cell, cut.axis, 0});
      if (cut.metres > 0 && std::ranges::find(electrodes, cut.electrode) == electrodes.end())
        electrodes.push_back(cut.electrode);
    }
    for (const int electrode : electrodes) {
      double straight = 0, open = 0;
      std::array<std::array<bool, 2>, 3> is_cut{};
      for (std::size_t n = first; n < last; ++n) {
        const Cut& cut = cuts_[n];
        if (cut.electrode != electrode) continue;
        straight += cut.metres;
        open += cut.metres * cut.open;
        is_cut[std::size_t(cut.axis)][cut.side > 0] = true;
      }
      double metres = straight;
      if (electrodes.size() == 1)
        if (const auto fitted = fitted_link(source_.electrodes[std::size_t(electrode)].region, at, is_cut))
          metres = *fitted;
      metres *= open / straight;
      if (metres > 0) out_.links.push_back({cuts_[first].cell, electrode, metres});
    }
  }

  /// K of the docstring; empty where no local solution is known.
  std::optional<double> fitted_link(const Region& region, const Index& at,
                                    const std::array<std::array<bool, 2>, 3>& is_cut) const {
    const Vector3d p = centre(at);
    const LocalSolution phi = local_solution(region, p);
    if (!phi) return std::nullopt;
    const double here = phi(p);
    double outflow = 0;
    for (int axis = 0; axis < 3; ++axis)
      for (const int side : {-1, 1})
        if (!is_cut[std::size_t(axis)][side > 0])
          outflow += face_m_[std::size_t(axis)] * (phi(p + step(axis, side)) - here);
    const double largest = kLargestLink * std::ranges::max(face_m_);
    if (!std::isfinite(outflow) || !(outflow > 0) || !(here >= 0)) return std::nullopt;
    return outflow < largest * here ? outflow / here : largest;
  }

  /// K of the docstring for a line.
  void join_line(int n) {
    const Tube& t = std::get<Tube>(source_.electrodes[std::size_t(n)].region.shape);
    const double h = grid_.spacing_mm.maxCoeff(), reach = 1.5 * h;
    // The current crowds at the ends more closely than the spread line can show: it is made longer by what
    // brings the resistance of capsules (6 to 16 mm long, 0.15 to 0.3 mm thin) to that of fine grids.
    const double end_mm = 0.25 * h + (t.flat_ends ? 0 : 0.7 * t.radius_mm);
    const auto phi = [&](double distance_mm) {
      const double x2 = distance_mm * distance_mm / (reach * reach);
      return std::log(std::max(distance_mm, reach) / t.radius_mm) - (x2 < 1 ? 0.75 - x2 + x2 * x2 / 4 : 0.0);
    };
    double sum = 0;
    std::vector<SurfaceLink> links;
    for_each_cell(cells_near(grid_, source_.electrodes[std::size_t(n)].region, 3), [&](const Index& at) {
      const Vector3d p = centre(at);
      const BesideLine here = beside_line(t, p);
      if (here.distance_mm > reach + h) return;
      const double covered = std::clamp((here.length_mm + end_mm - here.along_mm) / h + 0.5, 0.0, 1.0) *
                             std::clamp((here.along_mm + end_mm) / h + 0.5, 0.0, 1.0);
      if (covered == 0) return;
      const double at_p = phi(here.distance_mm);
      double outflow = 0;
      for (int axis = 0; axis < 3; ++axis)
        for (const int side : {-1, 1})
          outflow +=
              face_m_[std::size_t(axis)] * (phi(beside_line(t, p + step(axis, side)).distance_mm) - at_p);
      if (outflow <= 0) return;
      sum += covered * outflow;
      const std::size_t c = cell(at);
      if (!out_.owner[c] && !out_.insulated[c]) links.push_back({c, n, covered * outflow / at_p});
    });
    const double whole =
        2 * kPi * (beside_line(t, t.points_mm.front()).length_mm + 2 * end_mm) * kMetre_per_mm;
    for (SurfaceLink& l : links) {
      l.metres *= whole / sum;
      out_.links.push_back(l);
    }
  }

  ElectrodeLinks finish() {
    // Two reasons to close a face may meet: the smaller opening counts.
    std::ranges::sort(out_.faces, [](const FaceOpening& a, const FaceOpening& b) {
      return std::tie(a.cell, a.axis, a.open) < std::tie(b.cell, b.axis, b.open);
    });
    out_.faces.erase(std::unique(out_.faces.begin(), out_.faces.end(),
                                 [](const FaceOpening& a, const FaceOpening& b) {
                                   return a.cell == b.cell && a.axis == b.axis;
                                 }),
                     out_.faces.end());
    std::ranges::sort(out_.links, [](const SurfaceLink& a, const SurfaceLink& b) {
      return std::tie(a.electrode, a.cell) < std::tie(b.electrode, b.cell);
    });
    for (std::size_t n = 0; !part_ && n < source_.electrodes.size(); ++n)
      if (std::ranges::none_of(out_.links, [&](const SurfaceLink& l) { return l.electrode == int(n); }))
        throw ConfigError(
            fmt::format("electrode {} touches no tissue of the grid", n),
            fmt::format("/electrodes/{}/region", n),
            "place it inside the grid, free of insulators, or use a spacing below its diameter");
    return std::move(out_);
  }

  const Grid& grid_;
  const ElectrodesSource& source_;
  bool part_;
  std::array<double, 3> face_m_{};  // A / h of a whole link [m]
  std::vector<Cut> cuts_;
  ElectrodeLinks out_;
};

}  // namespace

bool is_line(const Region& region, const Grid& grid) {
  const auto* t = std::get_if<Tube>(&region.shape);
  return t != nullptr && t->radius_mm < 0.5 * grid.spacing_mm.minCoeff();
}

ElectrodeLinks link_electrodes(const Grid& grid, const ElectrodesSource& source, bool voxel_applicators,
                               bool part) {
  if (!grid.direction.isIdentity(1e-6))
    throw ConfigError("the electric field needs an axis-aligned grid", "/grid", "resample onto LPS axes");
  if (source.electrodes.size() > 255)
    throw ConfigError("more than 255 electrodes", "/electrodes", "merge poles of one potential");
  Linker linker(grid, source, part);
  return voxel_applicators ? linker.voxel() : linker.exact();
}

}  // namespace spinetherm
