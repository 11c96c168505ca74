// SPDX-License-Identifier: Apache-2.0
#include "apps/cli/table_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <iostream>

#include "imaging/core/error.h"

namespace spinetherm {

std::shared_ptr<TableRequest> add_table_request(CLI::App& app, const std::string& what) {
  auto request = std::make_shared<TableRequest>();
  app.add_option("ACTION", request->action, "list, or show one " + what + " with the source of every number")
      ->capture_default_str();
  app.add_option("NAME", request->name, "the " + what + " to show");
  return request;
}

bool wants_one(const TableRequest& request) {
  if (request.action != "list" && request.action != "show")
    throw ConfigError(fmt::format("unknown action '{}'", request.action), "ACTION",
                      "use 'list' or 'show NAME'");
  const bool one = request.action == "show";
  if (one == request.name.empty())
    throw ConfigError(one ? "nothing to show" : fmt::format("one argument too many: '{}'", request.name),
                      "NAME", one ? "name it: show NAME" : "use 'show " + request.name + "'");
  return one;
}

void print_columns(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows)
    for (std::size_t n = 0; n < row.size(); ++n) {
      if (n == widths.size()) widths.push_back(0);
      widths[n] = std::max(widths[n], row[n].size());
    }
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t n = 0; n < row.size(); ++n)
      line += n + 1 < row.size() ? fmt::format("{:<{}}  ", row[n], widths[n]) : row[n];
    line.erase(line.find_last_not_of(' ') + 1);
    std::cout << line << '\n';
  }
}

std::string source_line(const Provenance& provenance) {
  return fmt::format("{}: {}", to_string(provenance.confidence), provenance.source);
}

}  // namespace spinetherm
