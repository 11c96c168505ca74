// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "thermal/checkpoint.h"

namespace spinetherm {

/// The checkpoints of one command, in the folder `checkpoint` of its results: one file for each of its runs
/// (the simulation, again in a wider box, on larger cells, ...), numbered in their order:
///   spinetherm checkpoint <version>\n, then the bytes that the engine saved.
/// Written to a temporary name and then renamed. Without an output directory nothing is written.
class CheckpointFolder {
 public:
  CheckpointFolder() = default;
  /// `resume`: the runs go on where those of the files were. IoError when `results` holds none, with what to
  /// do. Otherwise what an earlier command has left is removed.
  CheckpointFolder(const std::filesystem::path& results, double period_s, bool resume);

  /// For the next run. CheckpointError when its file is damaged or of another version of the program.
  Checkpointing next();
  /// Whether there is anything to resume from.
  bool any() const;
  /// After the results have been written.
  void remove();
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;  ///< empty: none
  double period_s_ = 0;
  int runs_ = 0;
};

}  // namespace spinetherm
