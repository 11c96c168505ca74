// SPDX-License-Identifier: Apache-2.0
#include "imaging/fdk.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <limits>
#include <unsupported/Eigen/FFT>

#include "imaging/core/error.h"
#include "imaging/core/units.h"

namespace spinetherm {
namespace {

constexpr int kChunk = 16;      ///< views, or rows of tiles, between two reports of progress
constexpr int kTile = 16;       ///< voxels along x and y that are added to together: they stay in the cache
constexpr double kEdge_mm = 8;  ///< at the isocentre, that the slope of a cut row is fitted to
constexpr int kEdgeRows = 8;    ///< on either side that the fit is averaged over

/// Columns of the filtered views: those of the detector, and on its short side as many as make it even.
struct Layout {
  int columns = 0, shift = 0;  ///< filtered column = detector column + shift
  int extension = 0;           ///< columns on either side that cut rows are continued by
  int fft_size = 0;

  Layout(const ConeBeamGeometry& g, const FdkOptions& options) {
    const int missing = int(std::ceil(2 * std::abs(g.offset_mm) / g.pitch_mm - 1e-9));
    columns = g.columns + missing;
    shift = g.offset_mm > 0 ? missing : 0;
    extension = options.extension_per_m ? g.columns / 2 : 0;
    fft_size = smooth_size(2 * (columns + extension));
  }
  /// Smallest even number from n on without prime factors above 5.
  static int smooth_size(int n) {
    for (n += n % 2;; n += 2) {
      int rest = n;
      for (const int factor : {2, 3, 5})
        while (rest % factor == 0) rest /= factor;
      if (rest == 1) return n;
    }
  }
};

/// Transfer function of the ramp, from its samples in space (Kak and Slaney, eq. 61 of chapter 3) [1/m].
std::vector<float> ramp(int size, double pitch_m, const std::optional<double>& hann_cutoff) {
  std::vector<std::complex<double>> h(std::size_t(size), 0.0), spectrum;
  h[0] = 1 / (4 * pitch_m * pitch_m);
  for (int n = 1; n <= size / 2; n += 2)
    h[std::size_t(n)] = h[std::size_t(size - n)] = -1 / (n * n * kPi * kPi * pitch_m * pitch_m);
  Eigen::FFT<double> fft;
  fft.fwd(spectrum, h);
  std::vector<float> out(static_cast<std::size_t>(size));
  for (int k = 0; k < size; ++k) {
    const double share = 2.0 * std::min(k, size - k) / size;  // of Nyquist
    double window = 1;
    if (hann_cutoff) window = share < *hann_cutoff ? 0.5 * (1 + std::cos(kPi * share / *hann_cutoff)) : 0;
    out[std::size_t(k)] = float(spectrum[std::size_t(k)].real() * pitch_m * window);
  }
  return out;
}

/// Share that a ray has in the sum over all rays along its line, seen `turn_rad` after the first view at fan
/// angle `fan_rad` (positive along e_u).
double redundancy(const ConeBeamGeometry& g, const ConeBeamOrbit& orbit, double turn_rad, double fan_rad) {
  if (g.offset_mm != 0) {
    const double overlap = std::atan(std::min(g.u_mm(g.columns - 1), -g.u_mm(0)) / g.source_detector_mm);
    const double along = (g.offset_mm > 0 ? fan_rad : -fan_rad) / overlap;
    return along <= -1 ? 0 : along >= 1 ? 1 : 0.5 * (1 + std::sin(0.5 * kPi * along));
  }
  if (orbit.arc_deg == 360) return 0.5;
  const double extra = 0.5 * (orbit.arc_deg * kPi / 180 - kPi);
  const auto rise = [](double part) {
    const double s = std::sin(0.25 * kPi * part);
    return s * s;
  };
  if (turn_rad < 2 * (extra + fan_rad)) return rise(turn_rad / (extra + fan_rad));
  if (turn_rad > kPi + 2 * fan_rad) return rise((kPi + 2 * extra - turn_rad) / (extra - fan_rad));
  return 1;
}

/// Where the cylinder of one cut row begins: its radius, and the edge's distance from its axis [m at the
/// isocentre].
struct Cylinder {
  double radius_m = 0, edge_m = 0;
};

/// Fits p = 2 mu sqrt(R^2 - x^2) to the outermost columns of every row; `edge` is the last column, `inwards`
/// +1 or -1 leads into the detector.
std::vector<Cylinder> fit_edges(const float* view, const ConeBeamGeometry& g, int edge, int inwards,
                                double per_m) {
  const int rows = g.rows;
  const int n = std::clamp(int(kEdge_mm / g.isocentre_pitch_mm()), 2, g.columns);
  const double pitch_m = g.isocentre_pitch_mm() * kMetre_per_mm;
  // Least squares of a line over 0 .. n-1 columns inwards: value at 0, and slope.
  std::vector<double> value(std::size_t(rows), 0.0), slope(std::size_t(rows), 0.0);
  const double mean = 0.5 * (n - 1), variance = (double(n) * n - 1) / 12;
  for (int c = 0; c < n; ++c) {
    const float* column = view + std::ptrdiff_t(edge + inwards * c) * rows;
    const double for_slope = (c - mean) / (n * variance), for_value = 1.0 / n - for_slope * mean;
    for (int r = 0; r < rows; ++r) {
      value[std::size_t(r)] += for_value * column[r];
      slope[std::size_t(r)] += for_slope * column[r];
    }
  }
  std::vector<Cylinder> out(static_cast<std::size_t>(rows));
  for (int r = 0; r < rows; ++r) {
    const int from = std::max(r - kEdgeRows, 0), to = std::min(r + kEdgeRows, rows - 1);
    double p = 0, rise = 0;
    for (int m = from; m <= to; ++m) {
      p += value[std::size_t(m)] / (to - from + 1);
      rise += slope[std::size_t(m)] / (to - from + 1);
    }
    if (p <= 0.02) continue;  // air: the row is not cut
    const double half_m = p / (2 * per_m);
    const double edge_m = std::max(0.0, p * rise / pitch_m / (4 * per_m * per_m));
    out[std::size_t(r)] = {std::hypot(half_m, edge_m), edge_m};
  }
  return out;
}

/// Weights, continues and filters views.
class RowFilter {
 public:
  RowFilter(const Projections& projections, const FdkOptions& options)
      : geometry_(projections.geometry),
        orbit_(projections.orbit),
        options_(options),
        layout_(geometry_, options),
        ramp_(ramp(layout_.fft_size, geometry_.isocentre_pitch_mm() * kMetre_per_mm, options.hann_cutoff)) {}

  const Layout& layout() const { return layout_; }

  /// out[column * rows + row] of the layout's columns.
  void filter(int view, const float* in, float* out) const {
    const ConeBeamGeometry& g = geometry_;
    const int first = -layout_.extension, last = g.columns + layout_.extension;
    const double turn_rad = orbit_.step_rad() * view;
    std::vector<float> share;
    for (int c = first; c < last; ++c) {
      const double fan = std::atan(g.u_mm(std::clamp(c, 0, g.columns - 1)) / g.source_detector_mm);
      share.push_back(float(redundancy(g, orbit_, turn_rad, fan)));
    }
    std::vector<Cylinder> left, right;
    if (options_.extension_per_m) {
      left = fit_edges(in, g, 0, 1, *options_.extension_per_m);
      right = fit_edges(in, g, g.columns - 1, -1, *options_.extension_per_m);
    }
    Eigen::FFT<float> fft;
    // Two rows are the real and the imaginary part of one: the filter is real and even.
    std::vector<std::complex<float>> pair(std::size_t(layout_.fft_size)), spectrum;
    for (int r = 0; r < g.rows; r += 2) {
      std::fill(pair.begin(), pair.end(), std::complex<float>{});
      for (int part = 0; part < 2 && r + part < g.rows; ++part)
        for (int c = first; c < last; ++c) {
          const float value = weighted(in, c, r + part, left, right) * share[std::size_t(c - first)];
          auto& at = pair[std::size_t(c < 0 ? c + layout_.fft_size : c)];
          part == 0 ? at.real(value) : at.imag(value);
        }
      fft.fwd(spectrum, pair);
      for (std::size_t k = 0; k < spectrum.size(); ++k) spectrum[k] *= ramp_[k];
      fft.inv(pair, spectrum);
      for (int n = 0; n < layout_.columns; ++n) {
        const int c = n - layout_.shift;
        const auto& value = pair[std::size_t(c < 0 ? c + layout_.fft_size : c)];
        float* to = out + std::ptrdiff_t(n) * g.rows + r;
        to[0] = value.real();
        if (r + 1 < g.rows) to[1] = value.imag();
      }
    }
  }

 private:
  /// Line integral times the cosine of its ray with the central one.
  float weighted(const float* in, int c, int r, const std::vector<Cylinder>& left,
                 const std::vector<Cylinder>& right) const {
    const ConeBeamGeometry& g = geometry_;
    double p = 0;
    if (c >= 0 && c < g.columns) {
      p = in[std::ptrdiff_t(c) * g.rows + r];
    } else {
      const Cylinder& cylinder = (c < 0 ? left : right)[std::size_t(r)];
      const int beyond = c < 0 ? -c : c - g.columns + 1;
      const double x = cylinder.edge_m + beyond * g.isocentre_pitch_mm() * kMetre_per_mm;
      const double under = cylinder.radius_m * cylinder.radius_m - x * x;
      if (under <= 0) return 0;
      p = 2 * *options_.extension_per_m * std::sqrt(under);
    }
    const double u = g.u_mm(c), v = g.v_mm(r), d = g.source_detector_mm;
    return float(p * d / std::sqrt(d * d + u * u + v * v));
  }

  ConeBeamGeometry geometry_;
  ConeBeamOrbit orbit_;
  FdkOptions options_;
  Layout layout_;
  std::vector<float> ramp_;
};

/// Filtered views, laid out by `layout`.
struct FilteredViews {
  ConeBeamGeometry geometry;
  ConeBeamOrbit orbit;
  Layout layout;
  std::vector<float> values;
};

/// out[k] += weight * line at v0 + k dv for k in [from, to); `last` is the last row that may begin a pair.
void add_line(const float* line, float v0, float dv, float weight, int from, int to, float* out) {
  for (int k = from; k < to; ++k) {
    const float v = v0 + float(k) * dv;
    const int r = int(v);
    const float low = line[r];
    out[k] += weight * (low + (v - float(r)) * (line[r + 1] - low));
  }
}

/// Adds every view to the voxels of one tile, a column of them along z at a time.
void backproject_tile(const FilteredViews& views, int i0, int j0, Volume<float>& out) {
  const ConeBeamGeometry& g = views.geometry;
  const Grid& grid = out.grid;
  const int nz = grid.size[2], rows = g.rows, columns = views.layout.columns;
  const double d = g.source_axis_mm, dz = grid.spacing_mm.z();
  const double z0 = grid.origin_mm.z() - g.isocentre_mm.z();
  struct Column {
    int i = 0, j = 0, from = 0, to = 0;
    double x = 0, y = 0;
    std::vector<float> sum;
  };
  std::vector<Column> tile;
  for (int j = j0; j < std::min(j0 + kTile, grid.size[1]); ++j)
    for (int i = i0; i < std::min(i0 + kTile, grid.size[0]); ++i) {
      const Eigen::Vector3d x = grid.to_world(i, j, 0) - g.isocentre_mm;
      const double half = g.fov_half_height_mm(std::hypot(x.x(), x.y()));
      if (half < 0) continue;
      const int from = std::max(0, int(std::ceil((-half - z0) / dz - 1e-9)));
      const int to = std::min(nz, int(std::floor((half - z0) / dz + 1e-9)) + 1);
      if (from < to) tile.push_back({i, j, from, to, x.x(), x.y(), std::vector<float>(std::size_t(nz))});
    }
  std::vector<float> line(std::size_t(rows) + 2);
  for (int view = 0; view < views.orbit.views; ++view) {
    const double angle = views.orbit.angle_rad(view), s = std::sin(angle), c = std::cos(angle);
    const float* filtered = &views.values[std::size_t(view) * std::size_t(columns) * std::size_t(rows)];
    for (Column& column : tile) {
      const double depth = d - (column.x * s - column.y * c);  // from the source along the central ray
      const double scale = g.source_detector_mm / depth / g.pitch_mm;
      const double middle = 0.5 * (g.columns - 1) - g.offset_mm / g.pitch_mm + views.layout.shift;
      const double u =
          std::clamp(middle + (column.x * c + column.y * s) * scale, 0.0, double(columns - 1) - 1e-6);
      const int q = int(u);
      const float f = float(u - q);
      const double dv = dz * scale, v0 = 0.5 * (rows - 1) + z0 * scale;
      const int low = std::clamp(int(v0 + column.from * dv) - 1, 0, rows - 1);
      const int high = std::clamp(int(v0 + (column.to - 1) * dv) + 3, 0, rows);
      const float *a = filtered + std::ptrdiff_t(q) * rows, *b = a + rows;
      for (int r = low; r < high; ++r) line[std::size_t(r)] = a[r] + f * (b[r] - a[r]);
      if (high == rows) line[std::size_t(rows)] = line[std::size_t(rows) + 1] = line[std::size_t(rows) - 1];
      add_line(line.data(), float(v0), float(dv), float(d * d / (depth * depth)), column.from, column.to,
               column.sum.data());
    }
  }
  const float step = float(views.orbit.step_rad());
  for (const Column& column : tile)
    for (int k = column.from; k < column.to; ++k)
      out(column.i, column.j, k) = step * column.sum[std::size_t(k)];
}

}  // namespace

void FdkOptions::validate() const {
  if (hann_cutoff)
    require(*hann_cutoff > 0 && *hann_cutoff <= 10, "FdkOptions.hann_cutoff", *hann_cutoff,
            "must lie in (0, 10], or be empty for the bare ramp");
  if (extension_per_m)
    require(*extension_per_m > 0 && *extension_per_m < 1e4, "FdkOptions.extension_per_m", *extension_per_m,
            "must lie in (0, 1e4) 1/m, or be empty");
}

Volume<float> reconstruct_fdk(Projections projections, const Grid& grid, const FdkOptions& options,
                              const Progress& progress) {
  const ConeBeamGeometry geometry = projections.geometry;
  const ConeBeamOrbit orbit = projections.orbit;
  geometry.validate();
  orbit.validate(geometry);
  options.validate();
  require_patient_axes(grid, "reconstruct_fdk");
  if (projections.values.size() != std::size_t(orbit.views) * geometry.pixels())
    throw ConfigError("the projections do not fit their geometry", "reconstruct_fdk",
                      "give views * columns * rows values");

  const RowFilter filter(projections, options);
  const std::size_t size = std::size_t(filter.layout().columns) * std::size_t(geometry.rows);
  FilteredViews filtered{geometry, orbit, filter.layout(), {}};
  filtered.values.resize(std::size_t(orbit.views) * size);
  for (int first = 0; first < orbit.views; first += kChunk) {
    progress(0.3 * first / orbit.views, "filter");
    if (progress.cancelled()) return {};
    const int last = std::min(first + kChunk, orbit.views);
#pragma omp parallel for schedule(dynamic)
    for (int view = first; view < last; ++view)
      filter.filter(view, &projections.values[std::size_t(view) * geometry.pixels()],
                    &filtered.values[std::size_t(view) * size]);
  }
  projections.values = {};

  Volume<float> out(grid, std::numeric_limits<float>::quiet_NaN());
  const int across = (grid.size[0] + kTile - 1) / kTile,
            tiles = across * ((grid.size[1] + kTile - 1) / kTile);
  for (int first = 0; first < tiles; first += kChunk) {
    progress(0.3 + 0.7 * first / tiles, "backprojection");
    if (progress.cancelled()) return {};
    const int last = std::min(first + kChunk, tiles);
#pragma omp parallel for schedule(dynamic)
    for (int tile = first; tile < last; ++tile)
      backproject_tile(filtered, tile % across * kTile, tile / across * kTile, out);
  }
  return out;
}

}  // namespace spinetherm
