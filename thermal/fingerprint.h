// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "thermal/bioheat_solver.h"

namespace spinetherm {

/// A sum over bytes that no change of eight of them in line leaves as it was. Against damage and mix-ups, not
/// against malice.
class Checksum {
 public:
  void add(const void* bytes, std::size_t count);
  std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = 0x9e3779b97f4a7c15;
};

/// Of everything that a run's answer follows from: the whole problem, and the options but for the threads.
std::uint64_t fingerprint(const ThermalProblem& problem, const BioheatOptions& options);

}  // namespace spinetherm
