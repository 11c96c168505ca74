// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <vector>

#include "thermal/heat_bodies.h"
#include "thermal/heat_level.h"
#include "thermal/problem.h"

namespace spinetherm {

/// The cells [low, high) of the window that a fine patch stands for, and how many of its cells lie along the
/// edge of each.
struct PatchBox {
  std::array<int, 3> low{0, 0, 0}, high{0, 0, 0};
  int ratio = 2;
};
/// ConfigError ("/patch/...") unless the patch's cells divide whole cells of the window, 2 to 8 along each
/// edge, and two cells of the window are left on all sides.
PatchBox patch_box(const Grid& window, const Grid& patch);
/// Grid of a patch of `ratio` over the window's cells around [low_mm, high_mm], as far as two cells are left.
Grid patch_grid(const Grid& window, const Eigen::Vector3d& low_mm, const Eigen::Vector3d& high_mm, int ratio);
/// Labels and factors of the window's nearest cells on the grid of a patch, without tissues.
TissueMap refined(const TissueMap& window, const Grid& patch);
/// The problem on the patch with one layer of cells around it, the halo: labels of the window's cells there,
/// and a conductivity by which the half of a halo cell conducts like the half of the window's cell.
ThermalProblem patch_problem(const ThermalProblem& problem);

/// The problem on the cells of the window under the patch alone, for dose and perfusion there.
ThermalProblem problem_under_patch(const ThermalProblem& problem);

/// Couples a window of cells with a fine patch in it. A face between the two has one flow for each fine cell
/// on it,
///   q = (theta_halo - theta) / (h/2 (r + m r_window)),
/// theta_halo the window's temperature carried to the fine cell's place along the face (first differences)
/// and corrected so that q is the slope at the face of the parabola through the fine cell and the next two of
/// the window, as the face does not lie midway; m the ratio of spacings: what leaves one side enters the
/// other, to the last digits. The window's cells under the patch are not stepped; they take the mean of the
/// patch.
template <class Real>
class PatchLink {
 public:
  PatchLink(const ThermalProblem& problem, const HeatLevel<Real>& patch);

  /// 1: the cell of the window lies under the patch.
  const std::vector<std::uint8_t>& covered() const { return covered_; }
  /// These cells, in the order of problem_under_patch().
  const std::vector<std::size_t>& under() const { return under_; }
  /// Which of them a cell of the patch lies in; of the halo: which is nearest.
  std::size_t under_of(std::size_t patch_cell) const;
  /// Cells of the halo that stand for cells of the window inside an applicator: no heat passes to them.
  std::vector<std::uint8_t> closed_halo(const HeatLevel<Real>& window, const HeatLevel<Real>& patch) const;
  /// How far the faces of the patch are open, once its applicators are in place.
  void set_openings(const BodyLinks& links_of_patch);
  /// For a state `u_window` of the window and `u` of the patch: the halo's part of `u`, with `arrays` also
  /// its temperature and resistivity, and the window's heating with what flows out of the patch into each
  /// cell beside it.
  void exchange(HeatLevel<Real>& window, const std::vector<Real>& u_window, HeatLevel<Real>& patch,
                std::vector<Real>& u, bool arrays) const;
  /// Temperature and rate of the window's cells under the patch from those of the patch.
  void average(const HeatLevel<Real>& patch, HeatLevel<Real>& under) const;
  /// The same into the window.
  void hand_up(const HeatLevel<Real>& under, HeatLevel<Real>& window) const;
  /// The state of the patch for good into all stages of the window, see PartsMean.
  void hand_over(const HeatLevel<Real>& patch, HeatLevel<Real>& window) const;
  /// The rate of covered cells is 0 while the window is stepped.
  void clear_rates(std::vector<Real>& rate) const;
  /// Where the perfusion of a cell under the patch has changed, that of its fine cells changes in proportion,
  /// and their rates with it. Returns the change of what the blood brings [W].
  double follow_perfusion(const HeatLevel<Real>& under, HeatLevel<Real>& patch);
  void exchange_state(Archive& archive);

 private:
  /// A cell of the halo, and its face towards the patch.
  struct HaloCell {
    std::size_t cell = 0, window = 0;
    std::array<std::size_t, 2> before{}, after{};  ///< along the face; equal: no slope
    std::array<Real, 2> share{};                   ///< of the difference between them
    std::size_t inner = 0, beyond = 0;             ///< next cell of the patch; of the window, away from it
    Real bend = 0;    ///< of the difference of the slopes on both sides; 0: other tissue
    Real factor = 0;  ///< 2/h^2 over m^3: volume of a fine cell over that of the window's
    Real open = 1;    ///< of the face
  };
  void fill(const HaloCell& h, const HeatLevel<Real>& window, const std::vector<Real>& u_window,
            HeatLevel<Real>& patch, std::vector<Real>& u, bool arrays) const;
  Real outflow(const HaloCell& h, const HeatLevel<Real>& patch, const std::vector<Real>& u) const;
  const std::vector<Tissue>& tissues_;
  std::map<std::pair<std::size_t, std::size_t>, std::size_t> face_of_;  ///< by inner cell and halo cell
  std::array<int, 3> patch_size_{};                                     ///< with the halo
  int ratio_ = 2;
  std::vector<std::uint8_t> covered_;
  std::vector<HaloCell> halo_;             ///< by cell of the window beside it
  std::vector<std::size_t> beside_;        ///< these cells of the window
  std::vector<std::uint32_t> face_begin_;  ///< by `beside_`, and one more
  std::vector<std::size_t> under_;         ///< covered cells
  std::vector<std::size_t> children_;      ///< ratio^3 fine cells each
  std::size_t children_each_ = 0;
  std::vector<float> perfusion_, perfusion_under0_;  ///< by cell under the patch: last seen, at the start
  std::vector<Real> perfusion0_;                     ///< by child
};

/// Of the window's links: those of covered cells are dropped, faces between covered and other cells closed.
void cover(const Grid& window, const std::vector<std::uint8_t>& covered, BodyLinks& links);

}  // namespace spinetherm
