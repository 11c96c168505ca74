// SPDX-License-Identifier: Apache-2.0
#include "imaging/cone_beam.h"

#include <algorithm>
#include <cmath>

#include "imaging/core/error.h"
#include "imaging/core/units.h"

namespace spinetherm {
namespace {

constexpr int kChunk = 16;  ///< views between two reports of progress

Eigen::Vector3d towards_source(double angle_rad) { return {std::sin(angle_rad), -std::cos(angle_rad), 0}; }
Eigen::Vector3d along_columns(double angle_rad) { return {std::cos(angle_rad), std::sin(angle_rad), 0}; }

/// out = (1 - f) a + f b over [from, to).
void blend(const float* a, const float* b, float f, int from, int to, float* out) {
  for (int k = from; k < to; ++k) out[k] = a[k] + f * (b[k] - a[k]);
}

/// sum[r] += line at z0 + r dz, linear, for r in [from, to).
void add_samples(const float* line, float z0, float dz, int from, int to, float* sum) {
  for (int r = from; r < to; ++r) {
    const float z = z0 + float(r) * dz;
    const int k = int(z);
    const float low = line[k];
    sum[r] += low + (z - float(k)) * (line[k + 1] - low);
  }
}

}  // namespace

void ConeBeamGeometry::validate() const {
  require(source_axis_mm > 0 && source_axis_mm < 1e5, "ConeBeamGeometry.source_axis_mm", source_axis_mm,
          "must lie in (0, 1e5) mm");
  require(source_detector_mm > source_axis_mm && source_detector_mm < 1e5,
          "ConeBeamGeometry.source_detector_mm", source_detector_mm,
          "must be larger than source_axis_mm, and below 1e5 mm");
  require(columns >= 2 && columns <= 8192, "ConeBeamGeometry.columns", columns, "must lie in 2 .. 8192");
  require(rows >= 2 && rows <= 8192, "ConeBeamGeometry.rows", rows, "must lie in 2 .. 8192");
  require(pitch_mm > 0 && pitch_mm < 100, "ConeBeamGeometry.pitch_mm", pitch_mm, "must lie in (0, 100) mm");
  require(std::abs(offset_mm) < 0.5 * (columns - 1) * pitch_mm, "ConeBeamGeometry.offset_mm", offset_mm,
          "the detector must still meet the ray through the axis");
  require(isocentre_mm.allFinite(), "ConeBeamGeometry.isocentre_mm", isocentre_mm.sum(), "must be finite");
}

Eigen::Vector3d ConeBeamGeometry::source_mm(double angle_rad) const {
  return isocentre_mm + source_axis_mm * towards_source(angle_rad);
}

Eigen::Vector3d ConeBeamGeometry::pixel_mm(double angle_rad, double column, double row) const {
  return isocentre_mm - (source_detector_mm - source_axis_mm) * towards_source(angle_rad) +
         u_mm(column) * along_columns(angle_rad) + v_mm(row) * Eigen::Vector3d::UnitZ();
}

double ConeBeamGeometry::half_fan_rad() const {
  return std::atan(std::max(u_mm(columns - 1), -u_mm(0)) / source_detector_mm);
}

double ConeBeamGeometry::fov_radius_mm() const { return source_axis_mm * std::sin(half_fan_rad()); }

double ConeBeamGeometry::fov_half_height_mm(double radius_mm) const {
  if (radius_mm > fov_radius_mm()) return -1;
  return (source_axis_mm - radius_mm) * v_mm(rows - 1) / source_detector_mm;
}

bool ConeBeamGeometry::sees(const Eigen::Vector3d& x_mm) const {
  const Eigen::Vector3d x = x_mm - isocentre_mm;
  return std::abs(x.z()) <= fov_half_height_mm(std::hypot(x.x(), x.y()));
}

void ConeBeamOrbit::validate(const ConeBeamGeometry& geometry) const {
  require(views >= 1 && views <= 100000, "ConeBeamOrbit.views", views, "must lie in 1 .. 100000");
  require(std::abs(first_deg) <= 3600, "ConeBeamOrbit.first_deg", first_deg, "must lie in [-3600, 3600]");
  const double shortest_deg = 180 + 2 * geometry.half_fan_rad() * 180 / kPi;
  require(arc_deg == 360 || (arc_deg >= shortest_deg && arc_deg < 360), "ConeBeamOrbit.arc_deg", arc_deg,
          "must be 360, or a short scan of at least 180 deg and the whole fan");
  require(arc_deg == 360 || geometry.offset_mm == 0, "ConeBeamOrbit.arc_deg", arc_deg,
          "a detector with an offset needs the full turn of 360 deg");
}

double ConeBeamOrbit::angle_rad(int view) const { return (first_deg + arc_deg * view / views) * kPi / 180; }
double ConeBeamOrbit::step_rad() const { return arc_deg / views * kPi / 180; }

void require_patient_axes(const Grid& grid, std::string_view where) {
  grid.validate(where);
  if (grid.direction.isIdentity(1e-6)) return;
  throw ConfigError("the grid's axes are " + axis_letters(grid) + " or oblique", std::string(where),
                    "resample to a grid along left, posterior, superior first");
}

ConeBeamProjector::ConeBeamProjector(const std::vector<const Volume<float>*>& volumes) {
  if (volumes.empty()) throw ConfigError("no volume", "ConeBeamProjector", "give at least one");
  grid_ = volumes.front()->grid;
  require_patient_axes(grid_, "ConeBeamProjector");
  const int nx = grid_.size[0], ny = grid_.size[1], nz = grid_.size[2];
  const std::size_t line = std::size_t(nz) + 2, lines = std::size_t(nx + 2) * std::size_t(ny + 2);
  for (const Volume<float>* v : volumes) {
    if (!(v->grid == grid_) || v->values.size() != grid_.count())
      throw ConfigError("volumes on different grids", "ConeBeamProjector", "resample them to one");
    auto& values = packed_.emplace_back(lines * line);
    auto& filled = filled_.emplace_back(lines);
    bool finite = true;
#pragma omp parallel for schedule(static) reduction(&& : finite)
    for (int j = 0; j < ny; ++j)
      for (int k = 0; k < nz; ++k)
        for (int i = 0; i < nx; ++i) {
          const float value = (*v)(i, j, k);
          const std::size_t n = std::size_t(i + 1) * std::size_t(ny + 2) + std::size_t(j + 1);
          values[n * line + std::size_t(k) + 1] = value;
          if (value != 0) filled[n] = 1;
          finite = finite && std::isfinite(value);
        }
    if (!finite)
      throw ConfigError("a voxel is not a finite number", "ConeBeamProjector", "fill what was not measured");
  }
}

void ConeBeamProjector::add_view(const ConeBeamGeometry& geometry, double angle_rad,
                                 std::vector<float>& integrals) const {
  if (integrals.size() < count() * geometry.pixels())
    throw ConfigError("the buffer does not fit the detector", "ConeBeamProjector.add_view",
                      "give at least volumes * columns * rows values");
  const int rows = geometry.rows, nz = grid_.size[2];
  const std::size_t line_size = std::size_t(nz) + 2, ny2 = std::size_t(grid_.size[1]) + 2;
  const Eigen::Vector3d source = geometry.source_mm(angle_rad);
  const double z_of_axis = (geometry.isocentre_mm.z() - grid_.origin_mm.z()) / grid_.spacing_mm.z() + 1;

#pragma omp parallel for schedule(dynamic, 16)
  for (int c = 0; c < geometry.columns; ++c) {
    std::vector<float> line(line_size + 1), sum(count() * std::size_t(rows));
    const Eigen::Vector3d way = geometry.pixel_mm(angle_rad, c, 0.5 * (rows - 1)) - source;
    const int a = std::abs(way.x()) >= std::abs(way.y()) ? 0 : 1, b = 1 - a;
    const std::size_t stride_a = a == 0 ? ny2 : 1, stride_b = a == 0 ? 1 : ny2;
    for (int i = 0; i < grid_.size[std::size_t(a)]; ++i) {
      const double t = (grid_.origin_mm[a] + i * grid_.spacing_mm[a] - source[a]) / way[a];
      if (!(t > 0 && t < 1)) continue;
      const double across = (source[b] + t * way[b] - grid_.origin_mm[b]) / grid_.spacing_mm[b] + 1;
      if (!(across > 0 && across < grid_.size[std::size_t(b)] + 1)) continue;
      const int q = int(across);
      // Rows whose samples lie between the layers of zeros at both ends of z.
      const double dz = t * geometry.pitch_mm / grid_.spacing_mm.z();
      const double z0 = z_of_axis - 0.5 * (rows - 1) * dz;
      const int from = std::max(0, int(std::ceil((1e-3 - z0) / dz)));
      const int to = std::min(rows, int(std::floor((nz + 1 - 1e-3 - z0) / dz)) + 1);
      if (from >= to) continue;
      const int low = std::max(int(z0 + from * dz) - 1, 0);
      const int high = std::min(int(z0 + (to - 1) * dz) + 3, nz + 2);
      const std::size_t n = std::size_t(i + 1) * stride_a + std::size_t(q) * stride_b;
      for (std::size_t v = 0; v < count(); ++v) {
        if (!filled_[v][n] && !filled_[v][n + stride_b]) continue;
        blend(&packed_[v][n * line_size], &packed_[v][(n + stride_b) * line_size], float(across - q), low,
              high, line.data());
        add_samples(line.data(), float(z0), float(dz), from, to, &sum[v * std::size_t(rows)]);
      }
    }
    const double plane_m = grid_.spacing_mm[a] / std::abs(way[a]) * kMetre_per_mm, flat = way.squaredNorm();
    for (int r = 0; r < rows; ++r) {
      const double v = geometry.v_mm(r);
      const float step_m = float(plane_m * std::sqrt(flat + v * v));
      for (std::size_t m = 0; m < count(); ++m)
        integrals[(m * std::size_t(geometry.columns) + std::size_t(c)) * std::size_t(rows) +
                  std::size_t(r)] += step_m * sum[m * std::size_t(rows) + std::size_t(r)];
    }
  }
}

Projections project(const Volume<float>& volume, const ConeBeamGeometry& geometry, const ConeBeamOrbit& orbit,
                    const Progress& progress) {
  geometry.validate();
  orbit.validate(geometry);
  const ConeBeamProjector projector({&volume});
  Projections out{geometry, orbit, std::vector<float>(std::size_t(orbit.views) * geometry.pixels())};
  for (int first = 0; first < orbit.views; first += kChunk) {
    progress(double(first) / orbit.views, "projections");
    if (progress.cancelled()) return {geometry, orbit, {}};
    const int last = std::min(first + kChunk, orbit.views);
#pragma omp parallel for schedule(dynamic)
    for (int view = first; view < last; ++view) {
      std::vector<float> integrals(geometry.pixels());
      projector.add_view(geometry, orbit.angle_rad(view), integrals);
      std::copy(integrals.begin(), integrals.end(),
                out.values.begin() + std::ptrdiff_t(view) * std::ptrdiff_t(integrals.size()));
    }
  }
  return out;
}

}  // namespace spinetherm
