// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace spinetherm {

/// Where a command's results go.
struct OutputOptions {
  std::optional<std::filesystem::path> given = {};  ///< --out; absent: out/<command>-<name>-NNN, NNN from 001
  bool force = false;                               ///< --force: an existing `given` is replaced
  std::string command;                              ///< "run"
  std::string name;  ///< of the input, "lumbar_L3"; letters a path should not hold become '_'
  /// An existing `given` that holds nothing but the checkpoints of a run that was stopped is replaced, and so
  /// is what that run has left if it was killed.
  bool resume = false;
};

/// In a directory of results: checkpoints of a command that has not ended.
inline constexpr const char* kCheckpointFolder = "checkpoint";

/// A directory of results that exists as a whole or not at all: files are written to working(), a sibling
/// named
/// `<final>.partial`, which commit() renames to final_path(). Destroyed without commit(), it removes what it
/// made, parents included. Two programs never share a number.
///
/// With `force`, an existing directory that an earlier commit() made (it holds the marker file `.spinetherm`)
/// is replaced as a whole; into any other directory the results are moved, replacing only entries of the same
/// name. The destructor does not run when the process is killed: the `.partial` directory then stays.
class OutputDirectory {
 public:
  /// Throws IoError: `given` exists and `force` is not set, or the directory cannot be made.
  explicit OutputDirectory(const OutputOptions& options);
  ~OutputDirectory();
  OutputDirectory(const OutputDirectory&) = delete;
  OutputDirectory& operator=(const OutputDirectory&) = delete;

  const std::filesystem::path& working() const { return working_; }
  const std::filesystem::path& final_path() const { return final_; }
  /// Makes the results visible under final_path(). Call once, last. Throws IoError.
  void commit();

 private:
  void claim_next_number(const OutputOptions& options);
  void claim_given(const OutputOptions& options);
  void make_parents(const std::filesystem::path& parent);
  void remove_created() noexcept;

  std::filesystem::path final_, working_;
  std::filesystem::path first_created_parent_;  ///< empty: the parents were there
  bool force_ = false;
  int lock_ = -1;  ///< held on working() while this process lives
  bool committed_ = false;
};

/// Throws IoError when `file` exists and `force` is not set, or when it is a directory or its folder is
/// missing.
void require_free_file(const std::filesystem::path& file, bool force);

}  // namespace spinetherm
