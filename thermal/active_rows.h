// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace spinetherm {

class Archive;

/// One stretch of cells along i of each row.
struct RowStretches {
  std::vector<std::int32_t> begin, end;  ///< by row j + ny k; an empty row has end <= begin
  bool operator==(const RowStretches&) const = default;
};

/// The cells of a grid that are stepped: of each row one stretch. Everything else is at rest.
/// Heat that spreads from a probe fills a ball, about half of the box around it.
struct ActiveRows {
  std::array<int, 3> size{0, 0, 0};
  /// Stretches begin at multiples of so many cells, and end there or with the row.
  std::int32_t unit = 1;
  std::vector<std::int32_t> begin, end;            ///< as in RowStretches
  std::array<int, 3> low{0, 0, 0}, high{0, 0, 0};  ///< box around the active cells
  std::vector<std::int64_t> cells_below;  ///< active cells in the planes below plane k; nz + 1 entries
  /// By row: what is read of it, one cell around the stretches of its neighbours and its own; and cells whose
  /// flows to the rows above are needed, its own stretch and those of the next row and plane. Empty where the
  /// end is no larger than the beginning.
  struct Reach {
    std::int32_t read_begin = 0, read_end = 0, flow_begin = 0, flow_end = 0;
    bool operator==(const Reach&) const = default;
  };
  std::vector<Reach> reach;
  bool empty() const { return high[0] <= low[0]; }
  std::int64_t cells() const { return cells_below.empty() ? 0 : cells_below.back(); }
  std::size_t row(int j, int k) const { return std::size_t(j) + std::size_t(size[1]) * std::size_t(k); }
  bool holds(int i, int j, int k) const {
    const std::size_t n = row(j, k);
    return i >= begin[n] && i < end[n];
  }
  bool holds(std::size_t cell) const {
    const std::size_t nx = std::size_t(size[0]), n = cell / nx, i = cell % nx;
    return std::int32_t(i) >= begin[n] && std::int32_t(i) < end[n];
  }
  bool operator==(const ActiveRows&) const = default;
  RowStretches stretches() const { return {begin, end}; }
  bool operator==(const RowStretches& s) const { return begin == s.begin && end == s.end; }
};

void exchange_state(Archive& archive, ActiveRows& rows);

/// Rows of a grid of `size` cells: all of each, or none.
ActiveRows make_active_rows(const std::array<int, 3>& size, bool all);

RowStretches no_stretches(const std::array<int, 3>& size);

/// Makes `rows` hold the stretches as well. True when that adds cells.
bool include(ActiveRows& rows, const RowStretches& stretches);
/// Makes `rows` hold the box [low, high), cut to the grid.
bool include_box(ActiveRows& rows, const std::array<int, 3>& low, const std::array<int, 3>& high);
/// Where a stretch comes within one cell of the edge of the active cells, these grow by `cells` on all sides
/// of the stretches. True when they have grown.
bool grow(ActiveRows& rows, const RowStretches& stretches, int cells);

}  // namespace spinetherm
