// SPDX-License-Identifier: Apache-2.0
#include "thermal/archive.h"

namespace spinetherm {

void Archive::bytes(void* values, std::size_t count) {
  if (count == 0) return;
  if (!reading_) {
    const auto* first = static_cast<const std::byte*>(values);
    while (sink_ && to_.size() + count >= kBlock) {
      const std::size_t fits = kBlock - to_.size();
      to_.insert(to_.end(), first, first + fits);
      first += fits;
      count -= fits;
      finish();
    }
    to_.insert(to_.end(), first, first + count);
    return;
  }
  if (count > from_.size()) throw_short();
  std::memcpy(values, from_.data(), count);
  from_ = from_.subspan(count);
}

void Archive::finish() {
  if (!to_.empty()) sink_(to_);
  to_.clear();
}

void Archive::throw_short() { throw CheckpointError("the checkpoint is damaged", "", "start the run anew"); }

}  // namespace spinetherm
