// SPDX-License-Identifier: Apache-2.0
#include "thermal/active_rows.h"

#include <algorithm>

#include "thermal/archive.h"

namespace spinetherm {
namespace {

/// Extends a stretch to hold another one; an empty one adds nothing.
void extend(std::int32_t& begin, std::int32_t& end, std::int32_t b, std::int32_t e) {
  if (e <= b) return;
  const bool was_empty = end <= begin;
  begin = was_empty ? b : std::min(begin, b);
  end = was_empty ? e : std::max(end, e);
}

void update_reach(ActiveRows& rows) {
  rows.reach.assign(rows.begin.size(), {});
  const int ny = rows.size[1], nz = rows.size[2];
  for (int k = std::max(rows.low[2] - 1, 0); k < std::min(rows.high[2] + 1, nz); ++k)
    for (int j = std::max(rows.low[1] - 1, 0); j < std::min(rows.high[1] + 1, ny); ++j) {
      ActiveRows::Reach& r = rows.reach[rows.row(j, k)];
      for (const auto& [dj, dk] : {std::pair{0, 0}, {1, 0}, {0, 1}, {-1, 0}, {0, -1}}) {
        if (j + dj < 0 || j + dj >= ny || k + dk < 0 || k + dk >= nz) continue;
        const std::size_t other = rows.row(j + dj, k + dk);
        extend(r.read_begin, r.read_end, rows.begin[other], rows.end[other]);
        if (dj >= 0 && dk >= 0) extend(r.flow_begin, r.flow_end, rows.begin[other], rows.end[other]);
      }
      if (r.read_end <= r.read_begin) continue;
      r.read_begin = std::max(r.read_begin - 1, 0);
      r.read_end = std::min(r.read_end + 1, rows.size[0]);
    }
}

void update_bounds(ActiveRows& rows) {
  rows.low = rows.size;
  rows.high = {0, 0, 0};
  rows.cells_below.assign(std::size_t(rows.size[2]) + 1, 0);
  for (int k = 0; k < rows.size[2]; ++k) {
    std::int64_t cells = 0;
    for (int j = 0; j < rows.size[1]; ++j) {
      const std::size_t row = rows.row(j, k);
      if (rows.end[row] <= rows.begin[row]) continue;
      cells += rows.end[row] - rows.begin[row];
      const std::array<int, 3> first{rows.begin[row], j, k}, last{rows.end[row], j + 1, k + 1};
      for (std::size_t a = 0; a < 3; ++a) {
        rows.low[a] = std::min(rows.low[a], first[a]);
        rows.high[a] = std::max(rows.high[a], last[a]);
      }
    }
    rows.cells_below[std::size_t(k) + 1] = rows.cells_below[std::size_t(k)] + cells;
  }
  if (rows.cells() == 0) rows.low = rows.high = {0, 0, 0};
  update_reach(rows);
}

/// Every stretch spreads to the rows up to `cells` further along one axis.
RowStretches spread(const std::array<int, 3>& size, const RowStretches& from, int cells, int axis) {
  RowStretches to = from;
  const int ny = size[1], nz = size[2];
  for (int k = 0; k < nz; ++k)
    for (int j = 0; j < ny; ++j) {
      const std::size_t row = std::size_t(j) + std::size_t(ny) * std::size_t(k);
      if (from.end[row] <= from.begin[row]) continue;
      const int at = axis == 1 ? j : k;
      const int first = std::max(at - cells, 0), last = std::min(at + cells, size[std::size_t(axis)] - 1);
      for (int n = first; n <= last; ++n) {
        const std::size_t other = axis == 1 ? std::size_t(n) + std::size_t(ny) * std::size_t(k)
                                            : std::size_t(j) + std::size_t(ny) * std::size_t(n);
        extend(to.begin[other], to.end[other], from.begin[row], from.end[row]);
      }
    }
  return to;
}

bool holds(const ActiveRows& rows, int j, int k, std::int32_t b, std::int32_t e) {
  if (j < 0 || j >= rows.size[1] || k < 0 || k >= rows.size[2]) return true;
  const std::size_t row = rows.row(j, k);
  return rows.begin[row] <= b && rows.end[row] >= e;
}

}  // namespace

void exchange_state(Archive& archive, ActiveRows& rows) {
  auto& [size, unit, begin, end, low, high, cells_below, reach] = rows;
  archive(size, unit, begin, end, low, high, cells_below, reach);
}

ActiveRows make_active_rows(const std::array<int, 3>& size, bool all) {
  ActiveRows rows;
  rows.size = size;
  const std::size_t count = std::size_t(size[1]) * std::size_t(size[2]);
  rows.begin.assign(count, 0);
  rows.end.assign(count, all ? size[0] : 0);
  update_bounds(rows);
  return rows;
}

RowStretches no_stretches(const std::array<int, 3>& size) {
  const std::size_t count = std::size_t(size[1]) * std::size_t(size[2]);
  return {std::vector<std::int32_t>(count, 0), std::vector<std::int32_t>(count, 0)};
}

bool include(ActiveRows& rows, const RowStretches& stretches) {
  bool grown = false;
  for (std::size_t row = 0; row < rows.begin.size(); ++row) {
    const std::int32_t b = rows.begin[row], e = rows.end[row];
    if (stretches.end[row] <= stretches.begin[row]) continue;
    extend(rows.begin[row], rows.end[row], stretches.begin[row] / rows.unit * rows.unit,
           std::min((stretches.end[row] + rows.unit - 1) / rows.unit * rows.unit, rows.size[0]));
    grown = grown || rows.begin[row] != b || rows.end[row] != e;
  }
  if (grown) update_bounds(rows);
  return grown;
}

bool include_box(ActiveRows& rows, const std::array<int, 3>& low, const std::array<int, 3>& high) {
  RowStretches box = no_stretches(rows.size);
  for (int k = std::max(low[2], 0); k < std::min(high[2], rows.size[2]); ++k)
    for (int j = std::max(low[1], 0); j < std::min(high[1], rows.size[1]); ++j) {
      box.begin[rows.row(j, k)] = std::max(low[0], 0);
      box.end[rows.row(j, k)] = std::min(high[0], rows.size[0]);
    }
  return include(rows, box);
}

bool grow(ActiveRows& rows, const RowStretches& stretches, int cells) {
  bool inside = true;
  for (int k = rows.low[2]; k < rows.high[2] && inside; ++k)
    for (int j = rows.low[1]; j < rows.high[1] && inside; ++j) {
      const std::size_t row = rows.row(j, k);
      const std::int32_t b = stretches.begin[row], e = stretches.end[row];
      if (e <= b) continue;
      inside = holds(rows, j, k, std::max(b - 1, 0), std::min(e + 1, rows.size[0])) &&
               holds(rows, j - 1, k, b, e) && holds(rows, j + 1, k, b, e) && holds(rows, j, k - 1, b, e) &&
               holds(rows, j, k + 1, b, e);
    }
  if (inside) return false;
  RowStretches wanted = spread(rows.size, spread(rows.size, stretches, cells, 1), cells, 2);
  for (std::size_t row = 0; row < wanted.begin.size(); ++row) {
    if (wanted.end[row] <= wanted.begin[row]) continue;
    wanted.begin[row] = std::max(wanted.begin[row] - cells, 0);
    wanted.end[row] = std::min(wanted.end[row] + cells, rows.size[0]);
  }
  return include(rows, wanted);
}

}  // namespace spinetherm
