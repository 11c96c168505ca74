// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <vector>

#include "imaging/core/progress.h"

namespace spinetherm {

/// Values of a level with one plane of zeros before and behind, so that a seven-point stencil may read its
/// neighbours everywhere; a link across the grid's edge has conductance 0.
template <class T>
class Padded {
 public:
  Padded() = default;
  explicit Padded(const std::array<int, 3>& size)
      : pad_(std::size_t(size[0]) * std::size_t(size[1])), values_(pad_ * (std::size_t(size[2]) + 2), T{}) {}
  T* data() { return values_.data() + pad_; }
  const T* data() const { return values_.data() + pad_; }
  T& operator[](std::size_t n) { return values_[pad_ + n]; }
  const T& operator[](std::size_t n) const { return values_[pad_ + n]; }
  std::size_t count() const { return values_.size() - 2 * pad_; }
  template <class Archive>
  void exchange_state(Archive& archive) {
    archive(values_);
  }

 private:
  std::size_t pad_ = 0;
  std::vector<T> values_;
};

/// Symmetric balance of flows on a grid of cells, i fastest:
///   sum over neighbours Q of g_PQ (u_P - u_Q) + a_P u_P = b_P
/// g >= 0: conductance of a link; a >= 0: conductance to fixed values (or absorption). A cell without any
/// conductance takes no part and keeps its value.
struct FlowSystem {
  FlowSystem() = default;
  explicit FlowSystem(const std::array<int, 3>& n) : size(n), gx(n), gy(n), gz(n), anchor(n) {}
  std::array<int, 3> size{0, 0, 0};
  Padded<float> gx, gy, gz;  ///< from a cell to its next one along the axis; 0 for the last
  Padded<float> anchor;      ///< a
};

struct FlowSolveOptions {
  double tolerance = 1e-6;   ///< on |b - A u| / |b|
  int max_iterations = 500;  ///< of conjugate gradients, restarts included; strong contrasts need about 50
};
struct FlowSummary {
  Termination termination = Termination::not_run;
  int iterations = 0;
  double relative_residual = 0;
};

/// Conjugate gradients, preconditioned by one V-cycle of cell-centred multigrid: 2x2x2 aggregation, coarse
/// conductances halved (over-correction: an aggregated link is twice as conductive as the link of a grid of
/// double spacing; Braess 1995, doi:10.1007/BF02238488), symmetric red-black Gauss-Seidel. Vectors in float,
/// solution and sums in double; restarted on the true residual until that meets the tolerance. Sums run plane
/// by plane, so that the answer does not depend on the number of threads.
class FlowSolver {
 public:
  explicit FlowSolver(const std::array<int, 3>& size, int threads = 0);
  ~FlowSolver();
  FlowSolver(FlowSolver&&) noexcept;
  FlowSolver& operator=(FlowSolver&&) noexcept;

  /// The balance on the finest level: fill it, then call prepare(), which builds the coarser levels.
  FlowSystem& system();
  void prepare();

  /// `u` holds the first guess and receives the answer. Cancel is seen once an iteration.
  FlowSummary solve(const Padded<float>& b, Padded<double>& u, const FlowSolveOptions& options = {},
                    const Progress& progress = {});

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace spinetherm
