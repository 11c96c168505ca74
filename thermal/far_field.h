// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "thermal/dose_field.h"
#include "thermal/far_problem.h"
#include "thermal/level_run.h"
#include "thermal/unit_heating.h"

namespace spinetherm {

/// Heat far from the applicators, on cells of twice the size. The window is stepped in a box of whole far
/// cells, which grows while tissue at its faces is 5 K warmer or 15 K colder than rest (choices); the far
/// cells around it make steps of their own. The window goes ahead, up to the end of a turn: the cells just
/// outside its box, the halo, go on by the rates of the far cells, on the parabola through the last window
/// cell and the next two far cells, with first differences along the face. What has flowed through the faces
/// by then heats the far cells over the turn, so that no heat is lost. Once all heat is smooth the far cells
/// take over the box as well.
template <class Real>
class FarField {
 public:
  /// Whether the run can have one: it starts at rest at 37 degC, sources have no curve and are no points,
  /// lines, boxes or Gaussians, and points that are read lie inside the largest box.
  static bool applies(const ThermalProblem& problem, const BioheatOptions& options,
                      const HeatLevel<Real>& window);
  /// `rest_K`, `horizon_s`: see HeatInput.
  FarField(const ThermalProblem& window, const BioheatOptions& options, int threads, double rest_K,
           double horizon_s);
  FarField(const FarField&) = delete;
  FarField& operator=(const FarField&) = delete;

  ThermalProblem problem;
  LevelRun<Real> run;
  DoseField<Real> dose;
  typename DoseField<Real>::Findings last_dose;  ///< of the last step
  double turn_end_s = 0;
  bool in_turn() const { return run.t_s < turn_end_s; }
  bool alone() const { return alone_; }  ///< stands for all cells of the window

  /// The window's bodies are in place: chooses the box and places those of the far cells.
  void switch_to(LevelRun<Real>& window, const std::vector<bool>& on, bool first);
  double longest_turn_s(const HeatLevel<Real>& window) const;
  void begin_turn(double end_s);

  /// As Surroundings, for the window; see there.
  void begin_step(double present_s);
  void set(HeatLevel<Real>& window, double t_s, std::vector<Real>& u, bool arrays);
  void weigh(double weight_s);
  void keep() { flow_now_ = flow_; }
  /// A step of the window has been accepted, with this heating by electrodes.
  void count(const std::vector<UnitHeating>& electric, double dt_s);

  using Step = typename LevelRun<Real>::Step;
  /// One step towards the end of the turn, where the window is.
  Step follow(const HeatLevel<Real>& window, const std::vector<UnitHeating>& electric, bool new_fields,
              const Progress& progress);
  /// Between turns: a larger box where heat comes near its faces. True when it has grown; the window's rates
  /// are to be worked out anew then.
  bool grow(LevelRun<Real>& window, DoseField<Real>& window_dose);
  /// Between turns, with no source to act any more: the cells of the box are stepped no longer, the far cells
  /// stand for them from the mean enthalpy of each, or where tissues differ from the mean temperature. Dose
  /// that comes from now on is added at the end.
  void take_over(LevelRun<Real>& window, const DoseField<Real>& window_dose);
  /// The window's cells outside the box take the far state.
  void show(HeatLevel<Real>& window) const;
  /// At the end: they take its dose as well.
  void finish(HeatLevel<Real>& window, DoseField<Real>& window_dose);
  void exchange_state(Archive& archive, LevelRun<Real>& window, const std::vector<bool>& on);

 private:
  using Cell = std::array<int, 3>;
  struct BoxOfCells {
    Cell low{0, 0, 0}, high{0, 0, 0};
    bool holds(const Cell& c) const {
      for (std::size_t a = 0; a < 3; ++a)
        if (c[a] < low[a] || c[a] >= high[a]) return false;
      return true;
    }
    bool operator==(const BoxOfCells&) const = default;
  };
  /// The face of a far cell towards the box: four faces of window cells.
  struct Face {
    std::uint32_t far = 0, beyond = 0;
    std::array<std::uint32_t, 2> before{}, after{};  ///< along the face
    std::uint32_t halo = 0;                          ///< first of four cells of the window
    std::int32_t inward = 0;                         ///< from the halo to the last cell of the box
    std::array<std::int32_t, 2> along{};
    Real scale = 0;  ///< 2/h^2 over 8: volume of a window cell over that of the far cell
    std::array<Real, 4> open{1, 1, 1, 1};
    int axis = 0, side = 1;
    /// The `m`-th of the four.
    std::size_t halo_cell(std::size_t m) const {
      return std::size_t(std::ptrdiff_t(halo) + std::ptrdiff_t(m & 1) * along[0] +
                         std::ptrdiff_t(m >> 1) * along[1]);
    }
    std::size_t inner_cell(std::size_t m) const { return std::size_t(std::ptrdiff_t(halo_cell(m)) + inward); }
  };
  /// A cell of the window beside the box: its temperature is inner * (last cell of the box) + base + t per_s,
  /// t counted from where the far field stands.
  struct HaloCell {
    std::uint32_t cell = 0, in = 0;
    Real inner = 0, base = 0, per_s = 0;
    Real open = 0;  ///< of the face towards the box, over k and cell volume as Face::scale
  };
  static BoxOfCells largest(const Cell& far_size, const Cell& window_size);
  BoxOfCells needed(const HeatLevel<Real>& window) const;
  void set_box(LevelRun<Real>& window, const BoxOfCells& box, const std::vector<bool>& on, bool first);
  void find_faces(const LevelRun<Real>& window);
  /// What the halo follows until the far field moves on.
  void find_halo();
  /// Means of the window's cells into the far cells of the box.
  void average(const HeatLevel<Real>& window);
  void finish_box(const HeatLevel<Real>& window, DoseField<Real>& window_dose);
  /// Linear between the middles of far cells, at a cell of the window.
  double between(const auto& values, const Cell& at) const;

  const ThermalProblem& window_problem_;
  Surroundings<Real> nothing_;
  std::vector<bool> on_;
  BoxOfCells box_;  ///< stepped by the window, or until the far cells took over
  bool alone_ = false;
  std::vector<float> begun_degC_;  ///< by far cell, when they took over
  std::vector<Face> faces_;
  std::vector<HaloCell> halo_;  ///< four a face; empty: not worked out since the far field has changed
  double turn_begin_s_ = 0;
  bool following_ = false;                  ///< heating and rates are those of the turn
  std::vector<Real> flow_, flow_now_;       ///< by face [W/m3 of the far cell]: of the last set(), at present
  std::vector<double> flow_s_, pending_s_;  ///< integrals over the turn and over the present step
  std::vector<double> mean_flow_;           ///< of the turn before; by face
  std::vector<double> scale_s_;             ///< by drive: integral over the turn
  std::vector<std::vector<float>> units_;   ///< by drive: of the electrodes, on far cells [W/m3]
};

}  // namespace spinetherm
