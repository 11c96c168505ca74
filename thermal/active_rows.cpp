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

/// Stretches of which the empty ones begin at kNone and end at -kNone, so that the smallest beginning and the
/// largest end are those of the union.
constexpr std::int32_t kNone = 1 << 30;
void mark_empty(RowStretches& s) {
  for (std::size_t row = 0; row < s.begin.size(); ++row) {
    const bool empty = s.end[row] <= s.begin[row];
    s.begin[row] = empty ? kNone : s.begin[row];
    s.end[row] = empty ? -kNone : s.end[row];
  }
}
/// The union of n stretches `from` with as many others.
void unite(std::size_t n, const std::int32_t* begin_from, const std::int32_t* end_from, std::int32_t* begin,
           std::int32_t* end) {
  for (std::size_t row = 0; row < n; ++row) begin[row] = std::min(begin[row], begin_from[row]);
  for (std::size_t row = 0; row < n; ++row) end[row] = std::max(end[row], end_from[row]);
}

void update_reach(ActiveRows& rows) {
  rows.reach.assign(rows.begin.size(), {});
  const int ny = rows.size[1], nz = rows.size[2];
  if (rows.empty()) return;
  const auto n = std::size_t(ny);
  const RowStretches none{std::vector<std::int32_t>(n, kNone), std::vector<std::int32_t>(n, -kNone)};
  RowStretches own{rows.begin, rows.end};
  mark_empty(own);
  for (int k = std::max(rows.low[2] - 1, 0); k < std::min(rows.high[2] + 1, nz); ++k) {
    RowStretches flow = none;
    const std::size_t first = rows.row(0, k);
    const auto add = [&](RowStretches& to, std::size_t from, std::size_t count, std::size_t at) {
      unite(count, own.begin.data() + from, own.end.data() + from, to.begin.data() + at, to.end.data() + at);
    };
    add(flow, first, n, 0);
    add(flow, first + 1, n - 1, 0);
    if (k + 1 < nz) add(flow, first + n, n, 0);
    RowStretches read = flow;
    add(read, first, n - 1, 1);
    if (k > 0) add(read, first - n, n, 0);
    for (std::size_t j = 0; j < n; ++j) {
      ActiveRows::Reach& r = rows.reach[first + j];
      if (flow.end[j] > flow.begin[j]) {
        r.flow_begin = flow.begin[j];
        r.flow_end = flow.end[j];
      }
      if (read.end[j] <= read.begin[j]) continue;
      r.read_begin = std::max(read.begin[j] - 1, 0);
      r.read_end = std::min(read.end[j] + 1, rows.size[0]);
    }
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

/// Every stretch spreads to the rows up to `cells` further along one axis; empty ones are marked.
RowStretches spread(const std::array<int, 3>& size, const RowStretches& from, int cells, int axis) {
  RowStretches to = from;
  const int ny = size[1], nz = size[2];
  const auto add = [&](std::ptrdiff_t at, std::ptrdiff_t source, int count) {
    unite(std::size_t(count), from.begin.data() + source, from.end.data() + source, to.begin.data() + at,
          to.end.data() + at);
  };
  for (int k = 0; k < nz; ++k) {
    const std::ptrdiff_t first = std::ptrdiff_t(ny) * k;
    for (int n = 1; n <= cells; ++n) {
      if (axis == 1 && n < ny) {
        add(first, first + n, ny - n);
        add(first + n, first, ny - n);
      }
      if (axis == 2 && k + n < nz) add(first, first + std::ptrdiff_t(ny) * n, ny);
      if (axis == 2 && k >= n) add(first, first - std::ptrdiff_t(ny) * n, ny);
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
  archive(rows.size, rows.unit, rows.begin, rows.end, rows.low, rows.high, rows.cells_below, rows.reach);
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
  RowStretches marked = stretches;
  mark_empty(marked);
  RowStretches wanted = spread(rows.size, spread(rows.size, marked, cells, 1), cells, 2);
  for (std::size_t row = 0; row < wanted.begin.size(); ++row) {
    if (wanted.end[row] <= wanted.begin[row]) continue;
    wanted.begin[row] = std::max(wanted.begin[row] - cells, 0);
    wanted.end[row] = std::min(wanted.end[row] + cells, rows.size[0]);
  }
  return include(rows, wanted);
}

}  // namespace spinetherm
