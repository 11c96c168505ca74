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
  /// Called with a function that writes the state, part by part, to where it is told. Empty: never.
  std::function<void(const std::function<void(const Archive::Sink&)>& write_to)> save = {};
  double period_s = 20;
  /// A state that was saved by a run of the same problem with the same options; empty: from the start.
  std::vector<std::byte> resume_from = {};
};
/// Of commands that make several runs: one for each, in their order. Empty: none is saved.
using Checkpoints = std::function<Checkpointing()>;
inline Checkpointing next_of(const Checkpoints& checkpoints) {
  return checkpoints ? checkpoints() : Checkpointing{};
}

/// Writes what it is and which run it belongs to, the state, and a checksum over all of it.
void write_checkpoint(std::uint64_t fingerprint, const std::function<void(Archive&)>& state,
                      const Archive::Sink& to);
/// Refuses a buffer that is damaged or no checkpoint: CheckpointError.
void require_whole(std::span<const std::byte> checkpoint);
/// The state in it; refuses one of another run as well. The buffer must outlive the archive.
Archive open_checkpoint(std::span<const std::byte> checkpoint, std::uint64_t fingerprint);

// What a run has recorded so far.
void exchange_state(Archive& archive, Sample& sample);
void exchange_state(Archive& archive, ChannelHistory& history);
void exchange_state(Archive& archive, ElectricalHistory& history);
void exchange_state(Archive& archive, RadiationHistory::Source& source);
void exchange_state(Archive& archive, RadiationHistory& history);
void exchange_state(Archive& archive, CryoHistory::Probe& probe);
void exchange_state(Archive& archive, CryoHistory& history);

}  // namespace spinetherm
