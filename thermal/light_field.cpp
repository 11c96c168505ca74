// SPDX-License-Identifier: Apache-2.0
#include "thermal/light_field.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#include "imaging/core/units.h"
#include "thermal/radiator_shaft.h"

namespace spinetherm {
namespace {

using Eigen::Vector3d;

double diffusion_m(const OpticalProperties& o) {
  return 1 / (3 * (o.absorption_per_m + o.reduced_scattering_per_m));
}

/// From the stretch where the light leaves.
double from_stretch_mm(const LightSource& source, const Vector3d& x_mm) {
  const Vector3d along = source.b_mm - source.a_mm, from_a = x_mm - source.a_mm;
  const double squared = along.squaredNorm();
  return (from_a - (squared > 0 ? std::clamp(from_a.dot(along) / squared, 0.0, 1.0) : 0.0) * along).norm();
}

/// Gauss-Legendre on [-1, 1].
constexpr std::size_t kNodes = 16;
struct Quadrature {
  std::array<double, kNodes> at{}, weight{};
};
Quadrature make_quadrature() {
  Quadrature q;
  for (std::size_t n = 0; n < kNodes; ++n) {
    double x = std::cos(kPi * (double(n) + 0.75) / (kNodes + 0.5)), slope = 0;
    for (int newton = 0; newton < 8; ++newton) {
      double p = x, before = 1;
      for (std::size_t l = 2; l <= kNodes; ++l) {
        const double next = (double(2 * l - 1) * x * p - double(l - 1) * before) / double(l);
        before = p;
        p = next;
      }
      slope = double(kNodes) * (x * p - before) / (x * x - 1);
      x -= p / slope;
    }
    q.at[n] = x;
    q.weight[n] = 2 / ((1 - x * x) * slope * slope);
  }
  return q;
}
const Quadrature& gauss() {
  static const Quadrature q = make_quadrature();
  return q;
}

/// Fluence rate [W/m2] and flow [W/m2] of light.
struct Light {
  double fluence = 0;
  Vector3d flow{0, 0, 0};
};

/// phi0: one watt from the stretch a..b in endless tissue,
///   phi0(x) = N / L int_a^b exp(-mu r) / (4 pi D r) ds,  r = |x - s|,  mu = sqrt(mu_a / D).
/// With s = s0 + rho sinh(t), rho the distance of x from the axis and s0 its foot, ds / r = dt: smooth
/// however near. N lets the light begin at the wall: all of it is absorbed outside of the catheter. What a
/// point of the stretch sends in one direction is left over by exp(-mu l) (1 + mu l) where it leaves the
/// (convex) catheter after the path l, so N is 1 over the mean of that over stretch and directions;
///   sphere of radius R: 1 / (exp(-mu R) (1 + mu R)), endless line: 1 / (mu R K1(mu R)).
class UniformLight {
 public:
  UniformLight(const LightSource& source, const OpticalProperties& tissue)
      : diffusion_m(spinetherm::diffusion_m(tissue)),
        absorption_per_m(tissue.absorption_per_m),
        mu_per_m(std::sqrt(absorption_per_m / diffusion_m)),
        a_mm_(source.a_mm),
        axis_(source.b_mm - source.a_mm),
        length_m_(axis_.norm() * kMetre_per_mm) {
    if (length_m_ < kPoint_m) length_m_ = 0;
    axis_ = length_m_ > 0 ? Vector3d(axis_.normalized()) : Vector3d(0, 0, 1);
    if (const std::optional<Region> catheter = shaft_of(source)) emitted_W = 1 / share_outside(*catheter);
    strength_ = emitted_W / (4 * kPi * diffusion_m);
  }

  /// `nearest_mm`: points that are nearer to the source count as being so far, so that means over parts of a
  /// cell are finite.
  Light at(const Vector3d& x_mm, double nearest_mm) const {
    const Vector3d from_a_m = (x_mm - a_mm_) * kMetre_per_mm;
    const double z = from_a_m.dot(axis_), nearest = nearest_mm * kMetre_per_mm;
    const Vector3d across = from_a_m - z * axis_;
    const double rho_true = across.norm(), beyond = std::max({-z, z - length_m_, 0.0});
    const double distance = std::hypot(rho_true, beyond);
    if (mu_per_m * distance > kDark) return {};
    if (length_m_ == 0) {
      const double r = std::max(distance, nearest), value = strength_ * std::exp(-mu_per_m * r) / r;
      const Vector3d away = distance > 0 ? Vector3d(from_a_m / distance) : Vector3d(0, 0, 0);
      return {value, diffusion_m * value * (mu_per_m + 1 / r) * away};
    }
    const double rho = std::max({rho_true, nearest, 1e-6 * length_m_});
    double from = std::asinh(-z / rho), to = std::asinh((length_m_ - z) / rho);
    if (mu_per_m > 0) {
      const double faint = std::acosh((std::hypot(rho, beyond) + kFaint / mu_per_m) / rho);
      from = std::max(from, -faint);
      to = std::min(to, faint);
    }
    const double half = (to - from) / 2, middle = (to + from) / 2;
    double value = 0, slope = 0;
    const Quadrature& q = gauss();
    const double exp_middle = std::exp(middle);
    for (std::size_t n = 0; n < kNodes / 2; ++n) {
      const double exp_off = std::exp(half * q.at[n]);
      for (const double e : {exp_middle * exp_off, exp_middle / exp_off}) {  // exp(t) of mirrored nodes
        const double cosh = (e + 1 / e) / 2, part = q.weight[n] * std::exp(-mu_per_m * rho * cosh);
        value += part;
        slope += part * (mu_per_m + 1 / (rho * cosh)) / cosh;
      }
    }
    const double scale = strength_ / length_m_;
    const auto end = [&](double along_m) {
      const double r = std::hypot(rho, along_m);
      return std::exp(-mu_per_m * r) / r;
    };
    const Vector3d away = rho_true > 0 ? Vector3d(across / rho_true) : Vector3d(0, 0, 0);
    return {scale * half * value,
            diffusion_m * scale * (half * slope * away - (end(z) - end(length_m_ - z)) * axis_)};
  }
  /// Of the stretch; `part` in [0, 1].
  Vector3d on_stretch_mm(double part) const { return a_mm_ + part * length_m_ / kMetre_per_mm * axis_; }

  double diffusion_m, absorption_per_m, mu_per_m;
  double emitted_W = 1;  ///< N

 private:
  /// Shorter stretches are points.
  static constexpr double kPoint_m = 1e-6;
  /// Light that falls below exp(-kDark) is none; of a stretch what is below exp(-kFaint) of the nearest part.
  static constexpr double kDark = 35, kFaint = 14;

  double share_outside(const Region& catheter) const {
    constexpr int kAround = 8;
    const Vector3d one = axis_.unitOrthogonal(), other = axis_.cross(one);
    const Box box = bounding_box(catheter);
    const double far_mm = 2 * (box.max_mm - box.min_mm).norm();
    double share = 0;
    for (std::size_t s = 0; s < kNodes; ++s) {
      const Vector3d from = on_stretch_mm((1 + gauss().at[s]) / 2);
      double left = 1;
      if (contains(catheter, from)) {
        left = 0;
        for (std::size_t n = 0; n < kNodes; ++n)
          for (int m = 0; m < kAround; ++m) {
            const double cosine = gauss().at[n], sine = std::sqrt(1 - cosine * cosine);
            const double angle = 2 * kPi * (m + 0.5) / kAround;
            const Vector3d way =
                far_mm * (cosine * axis_ + sine * (std::cos(angle) * one + std::sin(angle) * other));
            const double l = (1 - crossing_fraction(catheter, from + way, from)) * far_mm * kMetre_per_mm;
            left += gauss().weight[n] / 2 / kAround * std::exp(-mu_per_m * l) * (1 + mu_per_m * l);
          }
      }
      share += gauss().weight[s] / 2 * left;
    }
    return share;
  }

  Vector3d a_mm_, axis_;
  double length_m_ = 0, strength_ = 0;
};

/// Means of phi0 over cells and faces of a grid. Near the source, and where the wall of the catheter cuts
/// them, they are divided.
class GridLight {
 public:
  GridLight(const Grid& grid, const LightSource& source, const OpticalProperties& tissue)
      : light(source, tissue),
        grid_(grid),
        source_(source),
        catheter_(shaft_of(source)),
        edge_mm_(grid.spacing_mm.maxCoeff()) {}

  struct Cell {
    double outside = 1;  ///< part that is outside of the catheter
    double fluence = 0;  ///< phi0 [W/m2], mean over that part
    double hidden = 0;   ///< phi0 times the part inside: over the whole cell
  };
  /// Without `with_light` what is outside of the catheter stays dark.
  Cell cell(int i, int j, int k, bool with_light) const {
    const Vector3d middle = grid_.to_world(i, j, k);
    const double wall_mm = catheter_ ? signed_distance_mm(*catheter_, middle) : 1e9;
    const double reach_mm = edge_mm_ * std::sqrt(0.75);
    if (wall_mm < -reach_mm) return {0, 0, 0};
    const bool cut = wall_mm < reach_mm;
    const double distance_mm = from_wall_mm(middle);
    const int parts = distance_mm < 1.2 * edge_mm_ ? 6 : (cut || distance_mm < 3 * edge_mm_ ? 3 : 1);
    const double nearest_mm = kNearest * edge_mm_ / parts;
    Cell sum{0, 0, 0};
    for (int n = 0; n < parts * parts * parts; ++n) {
      const auto at = [&](int m) { return (m % parts + 0.5) / parts - 0.5; };
      const Vector3d x = grid_.to_world(Vector3d(i + at(n), j + at(n / parts), k + at(n / parts / parts)));
      const bool hidden = cut && contains(*catheter_, x);
      const double value = with_light || hidden ? light.at(x, nearest_mm).fluence : 0;
      (hidden ? sum.hidden : sum.fluence) += value;
      sum.outside += hidden ? 0 : 1;
    }
    // The mean over a small cube is the middle value plus edge^2 / 24 of the Laplacian, mu^2 phi0.
    const double bent = light.mu_per_m * edge_mm_ * kMetre_per_mm / parts, count = parts * parts * parts;
    const double mean = 1 + bent * bent / 24;
    if (sum.outside > 0) sum.fluence *= mean / sum.outside;
    sum.hidden *= mean / count;
    sum.outside /= count;
    return sum;
  }

  struct Face {
    double flow_W = 0;   ///< of phi0, towards the next cell along the axis
    double fluence = 0;  ///< phi0 [W/m2], the mean
  };
  /// The face between a cell and the next one along the axis.
  Face face(const std::array<int, 3>& cell, int axis) const {
    const Vector3d normal = grid_.direction.col(axis);
    const int second = (axis + 1) % 3, third = (axis + 2) % 3;
    Vector3d index(cell[0], cell[1], cell[2]);
    index[axis] += 0.5;
    const double distance_mm = from_wall_mm(grid_.to_world(index));
    // Midpoints of parts, Gauss points, or the middle.
    const int parts = distance_mm < 1.2 * edge_mm_ ? 6 : (distance_mm < 8 * edge_mm_ ? 2 : 1);
    const auto at = [&](int n) { return parts == 2 ? (n - 0.5) / std::sqrt(3.0) : (n + 0.5) / parts - 0.5; };
    const double nearest_mm = kNearest * edge_mm_ / parts;
    Face sum;
    for (int n = 0; n < parts * parts; ++n) {
      Vector3d x = index;
      x[second] += at(n % parts);
      x[third] += at(n / parts);
      const Light here = light.at(grid_.to_world(x), nearest_mm);
      sum.flow_W += here.flow.dot(normal);
      sum.fluence += here.fluence;
    }
    sum.flow_W *= area_m2(axis) / (parts * parts);
    sum.fluence /= parts * parts;
    return sum;
  }
  double area_m2(int axis) const {
    return grid_.voxel_volume_mm3() / grid_.spacing_mm[axis] * kMetre_per_mm * kMetre_per_mm;
  }

  UniformLight light;

 private:
  /// Of the edge of a part: at this distance 1/r is what it is in the mean over the part.
  static constexpr double kNearest = 0.4;
  double from_wall_mm(const Vector3d& x_mm) const {
    return from_stretch_mm(source_, x_mm) - source_.radius_mm;
  }
  const Grid& grid_;
  const LightSource& source_;
  std::optional<Region> catheter_;
  double edge_mm_;
};

/// Tissue of the cell whose D is the middle one of those within 1.5 mm of the wall: of two tissues the one
/// that there is more of. The nearest cell where none is so near.
std::size_t cell_beside(const Grid& grid, const LightSource& source, const std::vector<double>& diffusion_m) {
  constexpr double kBeside_mm = 1.5;
  const std::optional<Region> catheter = shaft_of(source);
  std::vector<std::size_t> beside;
  std::size_t nearest = 0;
  double least_mm = std::numeric_limits<double>::infinity();
  for (int k = 0; k < grid.size[2]; ++k)
    for (int j = 0; j < grid.size[1]; ++j)
      for (int i = 0; i < grid.size[0]; ++i) {
        const Vector3d x = grid.to_world(i, j, k);
        const double distance_mm = from_stretch_mm(source, x) - source.radius_mm;
        if (distance_mm >= std::max(least_mm, kBeside_mm) || (catheter && contains(*catheter, x))) continue;
        const std::size_t c = grid.index(i, j, k);
        if (distance_mm < least_mm) {
          least_mm = distance_mm;
          nearest = c;
        }
        if (distance_mm < kBeside_mm) beside.push_back(c);
      }
  if (beside.empty()) return nearest;
  const auto middle = beside.begin() + std::ptrdiff_t(beside.size() / 2);
  std::ranges::nth_element(beside, middle, [&](std::size_t a, std::size_t b) {
    return diffusion_m[a] < diffusion_m[b] || (diffusion_m[a] == diffusion_m[b] && a < b);
  });
  return *middle;
}

/// What the cells are made of, and phi0 in them.
struct Cells {
  explicit Cells(std::size_t count) : diffusion_m(count), absorption_per_m(count), like(count), own(count) {}
  std::vector<double> diffusion_m, absorption_per_m;
  std::vector<std::uint8_t> like;  ///< see LightField::like_beside
  std::vector<GridLight::Cell> own;
};

/// Finite volumes for phi1. The flow through a face between cells P and Q, with g_P = 2 D_P A / h,
/// 1/g = 1/g_P + 1/g_Q and phi0 and its flow F0 on the face:
///   both hold phi0:      F = g (phi1_P - phi1_Q) + D_PQ / D0 F0,  D_PQ the harmonic mean
///   P holds it, Q not:   F = g (phi1_P - phi1_Q) + D_PQ / D0 F0 / 2 + g phi0
/// In cells that hold phi0 its own balance, div F0 + mu_a0 phi0 = S, is taken off.
class Balance {
 public:
  Balance(const Grid& grid, const LightSource& source, const GridLight& own, const Cells& cells,
          FlowSystem& system, Padded<float>& b, int threads)
      : grid_(grid), own_(own), cells_(cells), system_(system), b_(b), escaped_W_(std::size_t(grid.size[2])) {
    middle_mm_ = (source.a_mm + source.b_mm) / 2;
    const int planes = grid.size[2];
#pragma omp parallel for schedule(static) num_threads(threads)
    for (int k = 0; k < planes; ++k) set_cells(k);
    // Planes share faces: every other one at a time, so that no thread meets another.
    for (int first = 0; first < 2; ++first)
#pragma omp parallel for schedule(dynamic) num_threads(threads)
      for (int k = first; k < planes; k += 2) set_faces(k);
    deposit(source);
  }
  /// By phi0, through the outer faces.
  double escaped_W() const {
    double sum = 0;
    for (const double x : escaped_W_) sum += x;
    return sum;
  }

 private:
  void set_cells(int k) {
    const double volume_m3 = grid_.voxel_volume_mm3() * 1e-9, absorption0 = own_.light.absorption_per_m;
    for (std::size_t c = grid_.index(0, 0, k); c < grid_.index(0, 0, k + 1); ++c) {
      const GridLight::Cell& own = cells_.own[c];
      const double absorption = cells_.absorption_per_m[c];
      system_.anchor[c] = float(absorption * own.outside * volume_m3);
      // Inside the catheter phi0 is absorbed too, for which its N makes up; so the other kind takes it off.
      b_[c] = float(-volume_m3 * (cells_.like[c] != 0 ? (absorption - absorption0) * own.outside * own.fluence
                                                      : absorption0 * own.hidden));
    }
  }

  void set_faces(int k) {
    for (int j = 0; j < grid_.size[1]; ++j)
      for (int i = 0; i < grid_.size[0]; ++i)
        for (int axis = 0; axis < 3; ++axis) {
          const std::array<int, 3> at{i, j, k};
          const int n = at[std::size_t(axis)];
          if (n + 1 < grid_.size[std::size_t(axis)])
            set_face(at, axis);
          else
            set_outer_face(at, axis, 1);
          if (n == 0) set_outer_face(at, axis, -1);
        }
  }

  void set_face(const std::array<int, 3>& at, int axis) {
    const std::size_t p = grid_.index(at[0], at[1], at[2]), q = p + stride(axis);
    const double d0 = own_.light.diffusion_m, dp = cells_.diffusion_m[p], dq = cells_.diffusion_m[q];
    const double between = 2 * dp * dq / (dp + dq);
    const double g = between * own_.area_m2(axis) / (grid_.spacing_mm[axis] * kMetre_per_mm);
    (axis == 0 ? system_.gx : axis == 1 ? system_.gy : system_.gz)[p] = float(g);
    const bool in_p = cells_.like[p] != 0, in_q = cells_.like[q] != 0;
    if ((!in_p && !in_q) || (in_p && in_q && dp == d0 && dq == d0)) return;
    const GridLight::Face face = own_.face(at, axis);
    double flow_W = between / d0 * face.flow_W;
    if (in_p != in_q) flow_W = flow_W / 2 + (in_p ? g : -g) * face.fluence;
    b_[p] -= float(flow_W - (in_p ? face.flow_W : 0));
    b_[q] += float(flow_W - (in_q ? face.flow_W : 0));
  }

  /// Beyond, phi1 falls as exp(-mu r)/r: its flow through the face is D (mu + 1/r) cos(angle) phi1.
  void set_outer_face(const std::array<int, 3>& at, int axis, int side) {
    const std::size_t p = grid_.index(at[0], at[1], at[2]);
    std::array<int, 3> before = at;
    if (side < 0) --before[std::size_t(axis)];
    const double d0 = own_.light.diffusion_m, d = cells_.diffusion_m[p];
    const double mu_per_m = std::sqrt(cells_.absorption_per_m[p] / d);
    Vector3d index(at[0], at[1], at[2]);
    index[axis] += 0.5 * side;
    const Vector3d from_middle_m = (grid_.to_world(index) - middle_mm_) * kMetre_per_mm;
    const double r = from_middle_m.norm(), cosine = side * from_middle_m.dot(grid_.direction.col(axis)) / r;
    const double to_face = 2 * d * own_.area_m2(axis) / (grid_.spacing_mm[axis] * kMetre_per_mm);
    const double beyond = d * own_.area_m2(axis) * (mu_per_m + 1 / r) * std::max(cosine, 0.0);
    system_.anchor[p] += float(to_face * beyond / (to_face + beyond));
    if (cells_.like[p] == 0) return;
    const double own_W = side * own_.face(before, axis).flow_W;
    escaped_W_[std::size_t(at[2])] += d / d0 * own_W;
    b_[p] -= float((d / d0 - 1) * own_W);
  }

  /// Cells without phi0 that hold a part of the stretch get its light.
  void deposit(const LightSource& source) {
    constexpr double kParts = 20;  // in a cell
    const double length_mm = (source.b_mm - source.a_mm).norm();
    const int parts = 1 + int(kParts * length_mm / grid_.spacing_mm.minCoeff());
    for (int n = 0; n < parts; ++n) {
      const auto [i, j, k] = grid_.nearest(own_.light.on_stretch_mm((n + 0.5) / parts));
      if (grid_.contains(i, j, k) && cells_.like[grid_.index(i, j, k)] == 0)
        b_[grid_.index(i, j, k)] += float(own_.light.emitted_W / parts);
    }
  }

  std::size_t stride(int axis) const {
    return axis == 0   ? 1
           : axis == 1 ? std::size_t(grid_.size[0])
                       : std::size_t(grid_.size[0]) * std::size_t(grid_.size[1]);
  }

  const Grid& grid_;
  const GridLight& own_;
  const Cells& cells_;
  FlowSystem& system_;
  Padded<float>& b_;
  std::vector<double> escaped_W_;  ///< by plane
  Vector3d middle_mm_;
};

/// Which cells hold phi0: those like the tissue beside the fibre, and those inside of the catheter, where
/// light goes on as there.
void find_like(const Grid& grid, const LightSource& source, const GridLight& own, Cells& cells, int threads) {
  constexpr double kLike = 0.25;
  const double d0 = own.light.diffusion_m, absorption0 = own.light.absorption_per_m;
  const std::optional<Region> catheter = shaft_of(source);
#pragma omp parallel for schedule(dynamic) num_threads(threads)
  for (int k = 0; k < grid.size[2]; ++k)
    for (int j = 0; j < grid.size[1]; ++j)
      for (int i = 0; i < grid.size[0]; ++i) {
        const std::size_t c = grid.index(i, j, k);
        const bool inside = catheter && contains(*catheter, grid.to_world(i, j, k));
        if (inside) cells.diffusion_m[c] = d0;
        const bool like =
            inside || (std::abs(cells.diffusion_m[c] - d0) <= kLike * d0 &&
                       std::abs(cells.absorption_per_m[c] - absorption0) <= kLike * absorption0);
        cells.like[c] = like ? 1 : 0;
        cells.own[c] = own.cell(i, j, k, like);
      }
}

/// phi1 between the middles of cells, trilinear, for a point that holds phi0 (`like`) or not.
double correction_at(const LightField& field, const UniformLight& light, const Vector3d& x_mm, bool like) {
  const Grid& grid = field.correction.grid;
  const Vector3d index = grid.to_index(x_mm);
  double sum = 0;
  for (int corner = 0; corner < 8; ++corner) {
    std::array<int, 3> cell{};
    double weight = 1;
    for (std::size_t axis = 0; axis < 3; ++axis) {
      const double at = std::clamp(index[Eigen::Index(axis)], 0.0, double(grid.size[axis] - 1));
      const int lower = std::min(int(at), std::max(0, grid.size[axis] - 2)), upper = (corner >> axis) & 1;
      cell[axis] = std::min(lower + upper, grid.size[axis] - 1);
      weight *= upper == 1 ? at - lower : 1 - (at - lower);
    }
    if (weight == 0) continue;
    const std::size_t c = grid.index(cell[0], cell[1], cell[2]);
    double phi1 = double(field.correction[c]);
    const int more = int(field.like_beside[c]) - (like ? 1 : 0);
    if (more != 0)
      phi1 +=
          more * light.at(grid.to_world(cell[0], cell[1], cell[2]), grid.spacing_mm.minCoeff() / 2).fluence;
    sum += weight * phi1;
  }
  return sum;
}

}  // namespace

LightField solve_light(const Grid& grid, const LightSource& source,
                       const std::function<OpticalProperties(std::size_t cell)>& of_cell, int threads,
                       const Progress& progress, const LightField* before) {
  LightField field;
  Cells cells(grid.count());
#pragma omp parallel for schedule(static) num_threads(threads)
  for (std::ptrdiff_t n = 0; n < std::ptrdiff_t(grid.count()); ++n) {
    const OpticalProperties o = of_cell(std::size_t(n));
    cells.diffusion_m[std::size_t(n)] = diffusion_m(o);
    cells.absorption_per_m[std::size_t(n)] = o.absorption_per_m;
  }
  field.beside = of_cell(cell_beside(grid, source, cells.diffusion_m));
  const GridLight own(grid, source, field.beside);
  find_like(grid, source, own, cells, threads);
  FlowSolver solver(grid.size, threads);
  Padded<float> b(grid.size);
  const Balance balance(grid, source, own, cells, solver.system(), b, threads);
  solver.prepare();

  Padded<double> u(grid.size);
  if (before != nullptr && before->correction.grid == grid) {
#pragma omp parallel for schedule(static) num_threads(threads)
    for (int k = 0; k < grid.size[2]; ++k)
      for (int j = 0; j < grid.size[1]; ++j)
        for (int i = 0; i < grid.size[0]; ++i) {
          const std::size_t c = grid.index(i, j, k);
          u[c] = double(before->correction[c]);
          // Where phi0 has come or gone, phi stays what it was.
          const int more = int(before->like_beside[c]) - int(cells.like[c]);
          if (more != 0) u[c] += more * own.cell(i, j, k, true).fluence;
        }
  }
  field.summary = solver.solve(b, u, {}, progress);
  if (progress.cancelled()) field.summary.termination = Termination::cancelled;
  if (field.summary.termination == Termination::cancelled) return field;

  field.correction = Volume<float>(grid);
  field.like_beside = Volume<std::uint8_t>(grid);
  field.like_beside.values = cells.like;
  const double volume_m3 = grid.voxel_volume_mm3() * 1e-9;
  field.escaped_W = balance.escaped_W();
  for (std::size_t c = 0; c < grid.count(); ++c) {
    const double per_fluence = cells.absorption_per_m[c] * cells.own[c].outside * volume_m3;
    field.correction[c] = float(u[c]);
    field.absorbed_W += per_fluence * (cells.own[c].fluence + u[c]);
    // What the cell is held by is absorption, and beside the outer faces what leaves.
    field.escaped_W += (double(solver.system().anchor[c]) - per_fluence) * u[c];
  }
  return field;
}

Volume<float> fluence(const Grid& grid, const LightSource& source, const LightField& field,
                      const Grid& solved, int threads) {
  Volume<float> out(grid);
  const GridLight own(grid, source, field.beside);
  const bool same = same_geometry(grid, solved);
#pragma omp parallel for schedule(dynamic) num_threads(threads)
  for (int k = 0; k < grid.size[2]; ++k)
    for (int j = 0; j < grid.size[1]; ++j)
      for (int i = 0; i < grid.size[0]; ++i) {
        const std::size_t c = grid.index(i, j, k);
        const Vector3d x = grid.to_world(i, j, k);
        const bool like =
            same ? field.like_beside[c] != 0 : sample_nearest(field.like_beside, x).value_or(0) != 0;
        const double phi1 = same ? double(field.correction[c]) : correction_at(field, own.light, x, like);
        const GridLight::Cell here = own.cell(i, j, k, like);
        if (here.outside > 0) out[c] = float(std::max(0.0, phi1 + here.fluence));
      }
  return out;
}

}  // namespace spinetherm
