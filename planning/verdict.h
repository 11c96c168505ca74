// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace spinetherm {

/// Outcome of a safety check, best first, so that `worst` is the maximum:
/// unsafe > unknown > caution > within_limits. Coverage is another axis and never offsets a verdict.
enum class Verdict { within_limits, caution, unknown, unsafe };

/// The word of the JSON files.
constexpr std::string_view to_string(Verdict v) {
  switch (v) {
    case Verdict::within_limits:
      return "within_limits";
    case Verdict::caution:
      return "caution";
    case Verdict::unknown:
      return "unknown";
    case Verdict::unsafe:
      return "unsafe";
  }
  return "unknown";
}
/// What people read: never "safe".
constexpr std::string_view title(Verdict v) {
  switch (v) {
    case Verdict::within_limits:
      return "no limit exceeded in the simulation";
    case Verdict::caution:
      return "caution";
    case Verdict::unknown:
      return "unknown";
    case Verdict::unsafe:
      return "unsafe";
  }
  return "unknown";
}
constexpr Verdict worst(Verdict a, Verdict b) { return a < b ? b : a; }

/// Whether the patient should be planned at all: refer > unknown > proceed_with > proceed.
enum class EligibilityVerdict { proceed, proceed_with, unknown, refer };

constexpr std::string_view to_string(EligibilityVerdict v) {
  switch (v) {
    case EligibilityVerdict::proceed:
      return "proceed";
    case EligibilityVerdict::proceed_with:
      return "proceed_with";
    case EligibilityVerdict::unknown:
      return "unknown";
    case EligibilityVerdict::refer:
      return "refer";
  }
  return "unknown";
}
constexpr EligibilityVerdict worst(EligibilityVerdict a, EligibilityVerdict b) { return a < b ? b : a; }

}  // namespace spinetherm
