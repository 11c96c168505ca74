// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "imaging/core/progress.h"
#include "imaging/core/volume.h"
#include "thermal/problem.h"

namespace spinetherm {

class Archive;

/// What one solve of the potential has done; begins as "not run".
struct ElectricSummary {
  Termination termination = Termination::not_run;
  std::string message = "solve() was not called";
  int iterations = 0;
  double relative_residual = 0;  ///< |b - A V| / |b|, both in double
  double wall_time_s = 0;
  bool usable() const { return termination == Termination::converged; }
};

/// Quasi-static electric field of a set of electrodes in tissue,
///   div(sigma grad V) = 0,   V = potential_V on each electrode,   q = sigma |grad V|^2,
/// on an axis-aligned grid, outer faces grounded (V = 0 on the face) or insulated.
///
/// Cell-centred finite volumes with harmonic face conductances. Electrodes are exact: a link from a cell
/// centre to its neighbour that meets an electrode ends on the surface, theta * h away, and the links of such
/// a cell are scaled so that the local solution around a sphere, a cylinder or a spheroid balances the cell
/// exactly. Insulators close the covered part of each face. Resistance of spheres, capsules and prolate
/// spheroids within 3 % at h <= radius / 4, wherever the surface lies in the cell.
///
/// Power is the energy of the discrete links, given to the cells at their ends (all of it to the tissue cell
/// where a link ends on an electrode), so that its sum over the cells equals sum(V_i I_i) to round-off of the
/// solve. Deterministic for any number of threads.
class ElectricField {
 public:
  /// Works out the geometry once; sigma may change from solve to solve. `voxel_applicators`: a cell whose
  /// centre lies in an electrode or insulator is all electrode or insulator, without sub-cell geometry; the
  /// potential is then held on the faces of those cells. `threads` 0: all.
  /// ConfigError: a grid that is not axis-aligned, an electrode that meets no link of the grid, electrodes of
  /// different potential that share or touch a link, or no difference of potential anywhere.
  ElectricField(const Grid& grid, const ElectrodesSource& source, bool voxel_applicators, int threads);
  /// The same field on a finer grid over a part of this one's: its outermost cells hold the potential of
  /// `whole` at their centres. Electrodes may lie outside; a thin tine must not lie in part outside.
  static ElectricField part_of(const ElectricField& whole, const Grid& grid);
  ~ElectricField();
  ElectricField(ElectricField&&) noexcept;
  ElectricField& operator=(ElectricField&&) noexcept;

  /// Solves for the potential, starting from the previous one, to a relative residual of `tolerance`. sigma =
  /// 0 insulates. ConfigError for a value that is negative or not finite. Not converged and cancelled come
  /// back in the summary; the fields are then those of the last iterate.
  /// `repeatable`: one that is cancelled can be done anew with the same answer, as what it started from has
  /// been kept (8 bytes a cell and channel).
  ElectricSummary solve(const Volume<float>& sigma_S_per_m, double tolerance = 1e-6,
                        const Progress& progress = {}, bool repeatable = false);
  /// Potentials and what has been worked out from them, for a checkpoint.
  void exchange_state(Archive& archive);

  /// At the potentials of the source (scale 1). Electrode cells hold the electrode's potential; cells that
  /// carry no current (insulator, sigma = 0) hold 0.
  const Volume<float>& potential_V() const;
  /// Average over the whole cell, so that sum(q) * cell volume = power_W(); 0 in electrode cells.
  const Volume<float>& power_W_per_m3() const;
  /// Sum of the currents that leave the poles (ground included) into the tissue.
  double current_A() const;
  /// power_W / current_A^2: (V+ - V-) / I of two poles, sum(V_i I_i) / I_pos^2 of more. Infinite when no
  /// current flows.
  double resistance_ohm() const;
  double power_W() const;

  /// Channels of the source that a generator drives; one when it names none. All begin at scale 1.
  std::size_t channels() const;
  /// Factors of the potentials of each channel; the potential is the sum of the solutions of the channels
  /// (the field is linear in them), so that no new solve is needed: potential, power and currents above are
  /// then those. Floating electrodes follow without net current. Has an effect only with several channels.
  void drive(const std::vector<double>& scale);
  const std::vector<double>& scale() const;  ///< floating electrodes behind the channels [V]
  /// Of a part: takes the potentials of the outermost cells from `whole` as it was last solved; then solve()
  /// the part. Far away, the potential goes with the current: where one channel drives all, solve() scales
  /// these potentials until the part's current is as much larger than the whole's, whose electrodes are
  /// coarser.
  void take_outer_potential(const ElectricField& whole);
  /// Of a part: that scale; the potential of the whole outside the part goes with it.
  double outer_scale() const;
  /// Of a part: the same scales as the whole, floating electrodes included.
  void follow(const ElectricField& whole);
  /// Power [W] that a channel gives, current [A] out of its poles, and their ratio power / current^2; of a
  /// channel that gives none, as if it acted alone.
  double channel_power_W(std::size_t channel) const;
  double channel_current_A(std::size_t channel) const;
  double channel_resistance_ohm(std::size_t channel) const;
  /// Scales at which each channel gives its power: s_c (Y s)_c = P_c with the admittance Y of the last solve.
  /// P = 0: open circuit, (Y s)_c = 0. Empty: a voltage, s_c = 1.
  std::vector<double> scales_for(const std::vector<std::optional<double>>& power_W) const;

 private:
  struct State;
  explicit ElectricField(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace spinetherm
