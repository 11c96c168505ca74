// SPDX-License-Identifier: Apache-2.0
#include "imaging/core/error.h"

#include <fmt/format.h>

#include <utility>

namespace spinetherm {

Error::Error(std::string what_is_wrong, std::string where, std::string what_to_do)
    : what_is_wrong_(std::move(what_is_wrong)), where_(std::move(where)), what_to_do_(std::move(what_to_do)) {
  compose();
}

Error& Error::within(std::string_view context) {
  where_ = where_.empty() ? std::string(context) : fmt::format("{}: {}", context, where_);
  compose();
  return *this;
}

void Error::compose() {
  line_ = what_is_wrong_;
  if (!where_.empty()) line_ += fmt::format(" ({})", where_);
  if (!what_to_do_.empty()) line_ += fmt::format(": {}", what_to_do_);
  for (char& c : line_)  // one line, whatever a file name or a library's message holds
    if (c == '\n' || c == '\r') c = ' ';
}

void require(bool holds, std::string_view name, double value, std::string_view rule) {
  if (!holds) throw ConfigError(fmt::format("{} = {}", name, value), "", std::string(rule));
}

}  // namespace spinetherm
