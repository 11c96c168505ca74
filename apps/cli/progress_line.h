// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <mutex>
#include <string>
#include <string_view>

namespace spinetherm {

/// Shows how far a command is, on stderr: one line that is rewritten on a terminal, a line for each new per
/// cent otherwise. Thread-safe.
class ProgressLine {
 public:
  explicit ProgressLine(bool terminal) : terminal_(terminal) {}
  ~ProgressLine() { clear(); }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  void show(double fraction, std::string_view what);
  /// Takes the line off the terminal, before anything else is written there.
  void clear();

 private:
  std::mutex mutex_;
  bool terminal_;
  bool shown_ = false;
  int last_percent_ = -1;
  std::string last_what_;
  std::chrono::steady_clock::time_point last_time_;
};

}  // namespace spinetherm
