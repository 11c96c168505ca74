// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <string_view>

namespace spinetherm {

/// How a long computation tells how far it is, and how it is told to stop.
/// `report` may be empty; it is called from one thread at a time.
struct Progress {
  std::function<void(double fraction, std::string_view what)> report = {};
  std::stop_token stop = {};

  void operator()(double fraction, std::string_view what) const {
    if (report) report(fraction, what);
  }
  bool cancelled() const { return stop.stop_requested(); }
};

/// How a computation ended. Every Summary begins as `not_run`.
enum class Termination { not_run, reached_end, converged, not_converged, cancelled, diverged };

constexpr std::string_view to_string(Termination t) {
  switch (t) {
    case Termination::not_run:
      return "not_run";
    case Termination::reached_end:
      return "reached_end";
    case Termination::converged:
      return "converged";
    case Termination::not_converged:
      return "not_converged";
    case Termination::cancelled:
      return "cancelled";
    case Termination::diverged:
      return "diverged";
  }
  return "not_run";
}

}  // namespace spinetherm
