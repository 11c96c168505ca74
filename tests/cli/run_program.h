// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace spinetherm {

/// How a run of the program ended.
struct Ran {
  int code = -1;  ///< exit code; -signal when a signal ended it
  std::string out, err;
};

/// A folder for one test, removed with all it holds at the end.
class ScratchFolder {
 public:
  ScratchFolder();
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
  /// Names of everything in it, sorted; folders end in '/'.
  std::vector<std::string> listing() const;

 private:
  std::filesystem::path path_;
};

struct RunOptions {
  std::filesystem::path working_directory = {};  ///< empty: the test's own
  int interrupt_with = 0;                        ///< this signal is sent ...
  std::function<bool()> interrupt_when = {};     ///< ... once this holds; asked every 10 ms
  double memory_limit_MB = 0;                    ///< address space; 0: unlimited
};

/// Runs the program of this build to its end.
Ran run_program(const std::vector<std::string>& arguments, const RunOptions& options = {});

/// The folder of the sample scans: SPINETHERM_DATA, else ../shared/scans beside the project; empty when
/// missing.
std::filesystem::path scans_folder();

}  // namespace spinetherm
