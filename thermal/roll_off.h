// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace spinetherm {

/// Power off for `off_s` when the resistance has risen by `rise` over its lowest value.
struct RollOff {
  double rise = 0.4, off_s = 15;
  bool operator==(const RollOff&) const = default;
};

}  // namespace spinetherm
