// SPDX-License-Identifier: Apache-2.0
#include "thermal/checkpoint.h"

#include "thermal/fingerprint.h"

namespace spinetherm {
namespace {

/// "heatck03"; counted up when the states are laid out in another way.
constexpr std::uint64_t kMagic = 0x33306b6374616568;
constexpr std::size_t kWord = sizeof(std::uint64_t);

std::uint64_t sum_of(std::span<const std::byte> bytes) {
  Checksum sum;
  for (; bytes.size() > Archive::kBlock; bytes = bytes.subspan(Archive::kBlock))
    sum.add(bytes.data(), Archive::kBlock);
  if (!bytes.empty()) sum.add(bytes.data(), bytes.size());
  return sum.value();
}

}  // namespace

void write_checkpoint(std::uint64_t fingerprint, const std::function<void(Archive&)>& state,
                      const Archive::Sink& to) {
  Checksum sum;
  Archive archive([&](std::span<const std::byte> block) {
    sum.add(block.data(), block.size());
    to(block);
  });
  std::uint64_t magic = kMagic;
  archive(magic, fingerprint);
  state(archive);
  archive.finish();
  const std::uint64_t value = sum.value();
  to(std::as_bytes(std::span(&value, 1)));
}

void require_whole(std::span<const std::byte> checkpoint) {
  const char* what_to_do = "start the run anew";
  std::uint64_t magic = 0, sum = 0;
  if (checkpoint.size() >= kWord) Archive(checkpoint.first(kWord))(magic);
  if (magic != kMagic) throw CheckpointError("this is no checkpoint, or a damaged one", "", what_to_do);
  if (checkpoint.size() >= 3 * kWord) Archive(checkpoint.last(kWord))(sum);
  if (checkpoint.size() < 3 * kWord || sum != sum_of(checkpoint.first(checkpoint.size() - kWord)))
    throw CheckpointError("the checkpoint is damaged", "", what_to_do);
}

Archive open_checkpoint(std::span<const std::byte> checkpoint, std::uint64_t fingerprint) {
  require_whole(checkpoint);
  Archive archive(checkpoint.first(checkpoint.size() - kWord));
  std::uint64_t magic = 0, of = 0;
  archive(magic, of);
  if (of != fingerprint)
    throw CheckpointError("the checkpoint is of another problem or of other options", "",
                          "resume with those it was made with, or start anew");
  return archive;
}

// Structured bindings, so that no member can be forgotten.
void exchange_state(Archive& archive, Sample& sample) {
  auto& [at_mm, t_s, T_degC, cem43_min, arrhenius] = sample;
  archive(at_mm, t_s, T_degC, cem43_min, arrhenius);
}
void exchange_state(Archive& archive, ChannelHistory& history) {
  auto& [resistance_ohm, power_W, current_A, voltage_V] = history;
  archive(resistance_ohm, power_W, current_A, voltage_V);
}
void exchange_state(Archive& archive, ElectricalHistory& history) {
  auto& [times_s, resistance_ohm, power_W, current_A, voltage_V, channels] = history;
  archive(times_s, resistance_ohm, power_W, current_A, voltage_V, channels);
}
void exchange_state(Archive& archive, RadiationHistory::Source& source) {
  auto& [power_W, reflected_W, cable_W, absorbed_W, radiated_W] = source;
  archive(power_W, reflected_W, cable_W, absorbed_W, radiated_W);
}
void exchange_state(Archive& archive, RadiationHistory& history) {
  auto& [times_s, sources] = history;
  archive(times_s, sources);
}
void exchange_state(Archive& archive, CryoHistory::Probe& probe) {
  auto& [extraction_W, gas_degC, wall_degC, free_from_s] = probe;
  archive(extraction_W, gas_degC, wall_degC, free_from_s);
}
void exchange_state(Archive& archive, CryoHistory& history) {
  auto& [times_s, probes] = history;
  archive(times_s, probes);
}

}  // namespace spinetherm
