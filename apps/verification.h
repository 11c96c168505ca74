// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "imaging/core/progress.h"

namespace spinetherm {

/// One computed number beside its exact value.
struct VerificationRow {
  std::string quantity;  ///< "rise at r = 3 mm, 120 s"
  std::string unit;
  double exact = 0, computed = 0;
  double gate = 0;        ///< largest allowed error, in `unit`
  bool at_least = false;  ///< an order: more than `exact` is no error
  /// |computed - exact|, or by how much `computed` falls short.
  double error() const;
  /// False for a number that is not one.
  bool passed() const { return error() <= gate; }
};

struct VerificationOptions {
  /// 1: the parameters of the reference tables; any other number draws parameters around them (radius,
  /// temperature, conductivity, heat capacity, perfusion, place between the cells).
  std::uint64_t seed = 1;
  int threads = 0;  ///< OpenMP threads; 0: all
};

/// A family of closed forms that the engine is run against.
struct VerificationCase {
  std::string_view id;     ///< "a"
  std::string_view title;  ///< "sphere held at a temperature"
  std::vector<VerificationRow> (*run)(const VerificationOptions&, const Progress&);
};

/// All cases, in the order of the table.
const std::vector<VerificationCase>& verification_cases();

/// The cases of a list of ids ("a,b"); empty: all. ConfigError for an id nobody knows.
std::vector<VerificationCase> choose_verification_cases(const std::string& ids);

/// Closed forms of the reference that no case covers yet: said with every table, never counted as passed.
/// None at present.
const std::vector<std::string>& verification_gaps();

}  // namespace spinetherm
