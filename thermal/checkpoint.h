// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "thermal/archive.h"
#include "thermal/result.h"

namespace spinetherm {

/// How a run is saved while it goes on, and taken up again. What comes of a resumed run is, bit for bit, what
/// would have come of it without the break, for any number of threads before and after.
struct Checkpointing {
  /// Receives the state of the run: every `period_s` of wall time, when the run is cancelled (once it has
  /// made a step), and at its end if it took that long: resumed from there it gives its result at once.
  /// Empty: never.
  std::function<void(std::span<const std::byte>)> save = {};
  double period_s = 20;
  /// A state that was saved by a run of the same problem with the same options; empty: from the start.
  std::vector<std::byte> resume_from = {};
};
/// Of commands that make several runs: one for each, in their order. Empty: none is saved.
using Checkpoints = std::function<Checkpointing()>;
inline Checkpointing next_of(const Checkpoints& checkpoints) {
  return checkpoints ? checkpoints() : Checkpointing{};
}

/// A buffer around a state: what it is, which run it belongs to, and a checksum over all of it.
Archive begin_checkpoint(std::uint64_t fingerprint);
std::vector<std::byte> end_checkpoint(Archive& archive);
/// Refuses a buffer that is damaged or no checkpoint: CheckpointError.
void require_whole(std::span<const std::byte> checkpoint);
/// The state in it; refuses one of another run as well. The buffer must outlive the archive.
Archive open_checkpoint(std::span<const std::byte> checkpoint, std::uint64_t fingerprint);

// What a run has recorded so far.
void exchange_state(Archive& archive, Sample& sample);
void exchange_state(Archive& archive, ChannelHistory& history);
void exchange_state(Archive& archive, ElectricalHistory& history);
void exchange_state(Archive& archive, CryoHistory::Probe& probe);
void exchange_state(Archive& archive, CryoHistory& history);

}  // namespace spinetherm
