// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "thermal/archive.h"
#include "thermal/fine_patch.h"
#include "thermal/heat_input.h"
#include "thermal/steam.h"

namespace spinetherm {

/// What the solver owns of a fine patch: stepped with the window, its halo filled from it at every stage.
template <class Real>
struct PatchRun {
  ThermalProblem problem;  ///< with the halo
  HeatLevel<Real> level;
  PatchLink<Real> link;
  Steam<Real> steam;
  HeatBodies<Real> bodies;
  HeatInput<Real> input;
  std::vector<Real> window_rate;  ///< of the window: the rates of covered cells at the present state, else 0

  PatchRun(const ThermalProblem& window, int threads)
      : problem(patch_problem(window)),
        level(make_level<Real>(problem, threads)),
        link(window, level),
        steam(level),
        bodies(problem),
        input(problem, 0, 1),
        window_rate(window.grid().count(), Real(0)) {
    // All of it is stepped, but for the halo.
    level.can_rest = false;
    level.rows = make_active_rows(level.grid.size, false);
    std::array<int, 3> high = level.grid.size;
    for (int& n : high) --n;
    include_box(level.rows, {1, 1, 1}, high);
  }
  /// See HeatRun; the bodies of the window have been placed.
  void exchange_state(Archive& archive, const HeatLevel<Real>& window, const std::vector<bool>& on,
                      double t_s) {
    archive(level, link, steam, input, window_rate);
    if (archive.reading()) level.covered = link.closed_halo(window, level);
    bodies.exchange_state(archive, level, on, t_s);
    if (!archive.reading()) return;
    input.switch_to(level, on, false);
    link.set_openings(bodies.links());
  }

  PatchRun(const PatchRun&) = delete;
  PatchRun& operator=(const PatchRun&) = delete;
};

}  // namespace spinetherm
