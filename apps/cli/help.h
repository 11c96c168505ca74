// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/App.hpp>
#include <span>
#include <string>

#include "apps/cli/command.h"

namespace spinetherm {

/// The group of the options that every command has; help shows it last.
inline constexpr const char* kCommonOptions = "Common options";

/// What `spinetherm <command> --help` prints: plain text that is Markdown too (docs/cli/<command>.md is this
/// text).
std::string help_text(const CLI::App& command);
/// What `spinetherm --help` prints.
std::string overview_text(std::span<const Command> commands);

}  // namespace spinetherm
