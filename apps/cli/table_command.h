// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/App.hpp>
#include <memory>
#include <string>
#include <vector>

#include "thermal/tissue.h"

namespace spinetherm {

/// `list` (the default) or `show NAME`: what the commands that print a built-in table take.
struct TableRequest {
  std::string action = "list", name;
};
std::shared_ptr<TableRequest> add_table_request(CLI::App& app, const std::string& what);
/// Whether one row was asked for. ConfigError for `show` without a name, `list` with one, or another word.
bool wants_one(const TableRequest& request);

/// Prints rows as columns of equal width, the first row as the head.
void print_columns(const std::vector<std::vector<std::string>>& rows);

/// "recalled: IT'IS database ..."
std::string source_line(const Provenance& provenance);

}  // namespace spinetherm
