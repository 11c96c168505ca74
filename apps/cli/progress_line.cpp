// SPDX-License-Identifier: Apache-2.0
#include "apps/cli/progress_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iostream>

namespace spinetherm {

ProgressLine::ProgressLine(bool terminal) : terminal_(terminal), cout_buffer_(*this, std::cout.rdbuf()) {
  if (terminal_) std::cout.rdbuf(&cout_buffer_);
}

ProgressLine::~ProgressLine() {
  clear();
  if (terminal_) std::cout.rdbuf(cout_buffer_.next());
}

int ProgressLine::ClearsFirst::overflow(int c) {
  line_.clear();
  return c == traits_type::eof() ? 0 : next_->sputc(traits_type::to_char_type(c));
}

std::streamsize ProgressLine::ClearsFirst::xsputn(const char* text, std::streamsize count) {
  line_.clear();
  return next_->sputn(text, count);
}

void ProgressLine::show(double fraction, std::string_view what) {
  const std::lock_guard lock(mutex_);
  const int percent = std::isfinite(fraction) ? int(100 * std::clamp(fraction, 0.0, 1.0)) : 0;
  if (percent == last_percent_ && what == last_what_) return;
  const auto now = std::chrono::steady_clock::now();
  if (terminal_ && what == last_what_ && now - last_time_ < std::chrono::milliseconds(100)) return;
  last_percent_ = percent;
  last_what_ = what;
  last_time_ = now;
  if (terminal_)
    fmt::print(stderr, "\r\033[K{:3} %  {}", percent, what.substr(0, 70));  // longer lines would wrap
  else
    fmt::print(stderr, "{:3} %  {}\n", percent, what);
  std::fflush(stderr);
  shown_ = true;
}

void ProgressLine::clear() {
  const std::lock_guard lock(mutex_);
  if (terminal_ && shown_) {
    std::fputs("\r\033[K", stderr);
    std::fflush(stderr);
  }
  shown_ = false;
}

}  // namespace spinetherm
