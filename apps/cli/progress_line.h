// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <mutex>
#include <streambuf>
#include <string>
#include <string_view>

namespace spinetherm {

/// Shows how far a command is, on stderr: one line that is rewritten on a terminal, a line for each new per
/// cent otherwise. Thread-safe. While it lives on a terminal, std::cout first takes the line away.
class ProgressLine {
 public:
  explicit ProgressLine(bool terminal);
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  void show(double fraction, std::string_view what);
  /// Takes the line off the terminal, before anything else is written there.
  void clear();

 private:
  class ClearsFirst : public std::streambuf {
   public:
    ClearsFirst(ProgressLine& line, std::streambuf* next) : line_(line), next_(next) {}
    std::streambuf* next() const { return next_; }

   protected:
    int overflow(int c) override;
    std::streamsize xsputn(const char* text, std::streamsize count) override;
    int sync() override { return next_->pubsync(); }

   private:
    ProgressLine& line_;
    std::streambuf* next_;
  };

  std::mutex mutex_;
  bool terminal_;
  bool shown_ = false;
  int last_percent_ = -1;
  std::string last_what_;
  std::chrono::steady_clock::time_point last_time_;
  ClearsFirst cout_buffer_;
};

}  // namespace spinetherm
