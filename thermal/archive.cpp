// SPDX-License-Identifier: Apache-2.0
#include "thermal/archive.h"

namespace spinetherm {

void Archive::bytes(void* values, std::size_t count) {
  if (count == 0) return;
  if (!reading_) {
    const auto* first = static_cast<const std::byte*>(values);
    to_.insert(to_.end(), first, first + count);
    return;
  }
  if (count > from_.size()) throw_short();
  std::memcpy(values, from_.data(), count);
  from_ = from_.subspan(count);
}

void Archive::throw_short() { throw CheckpointError("the checkpoint is damaged", "", "start the run anew"); }

}  // namespace spinetherm
