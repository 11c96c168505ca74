// SPDX-License-Identifier: Apache-2.0
#include "apps/cli/help.h"

#include <fmt/format.h>

#include <sstream>

namespace spinetherm {
namespace {

constexpr std::size_t kIndent = 4;  // Markdown shows lines indented by four as they are
constexpr std::size_t kTextColumn = 28;
constexpr std::size_t kWidth = 100;

/// "    name        text, wrapped under itself"
std::string entry(const std::string& name, const std::string& text) {
  std::string result = std::string(kIndent, ' ') + name;
  std::size_t column = result.size();
  const auto to_text_column = [&] {
    if (column + 2 > kTextColumn) {
      result += '\n';
      column = 0;
    }
    result += std::string(kTextColumn - column, ' ');
    column = kTextColumn;
  };
  to_text_column();
  std::istringstream words(text);
  bool first = true;
  for (std::string word; words >> word; first = false) {
    if (!first && column + 1 + word.size() > kWidth) {
      result += '\n';
      column = 0;
      to_text_column();
    } else if (!first) {
      result += ' ';
      ++column;
    }
    result += word;
    column += word.size();
  }
  return result + '\n';
}

std::string option_text(const CLI::Option& option) {
  std::string text = option.get_description();
  if (!option.get_default_str().empty()) text += fmt::format(" (default {})", option.get_default_str());
  if (option.get_required() && !option.get_positional()) text += " (required)";
  return text;
}

std::string option_name(const CLI::Option& option) {
  std::string name = option.get_name(false, true);
  for (std::size_t comma = name.find(','); comma != std::string::npos; comma = name.find(',', comma + 2))
    name.insert(comma + 1, " ");
  const std::string type = option.get_type_name();  // "N:INT in [1 - 4096]" with the rules of its validators
  if (option.get_items_expected_max() > 0 && !type.empty()) name += ' ' + type.substr(0, type.find(':'));
  return name;
}

}  // namespace

std::string help_text(const CLI::App& command) {
  std::string usage = fmt::format("    spinetherm {} [options]", command.get_name());
  std::string arguments;
  std::map<std::string, std::string> groups;
  for (const CLI::Option* option : command.get_options()) {
    if (option->get_group().empty()) continue;
    if (option->get_positional()) {
      const std::string name = option->get_name(true);
      const std::string shown = option->get_items_expected_max() > 1 ? name + "..." : name;
      usage += option->get_required() ? ' ' + shown : fmt::format(" [{}]", shown);
      arguments += entry(name, option_text(*option));
    } else {
      groups[option->get_group()] += entry(option_name(*option), option_text(*option));
    }
  }
  std::string text = fmt::format("spinetherm {} - {}\n\nUsage:\n\n{}\n", command.get_name(),
                                 command.get_description(), usage);
  if (!arguments.empty()) text += "\nArguments:\n\n" + arguments;
  for (const auto& [group, entries] : groups)
    if (group != kCommonOptions) text += fmt::format("\n{}:\n\n{}", group, entries);
  text += fmt::format("\n{}:\n\n{}", kCommonOptions, groups[kCommonOptions]);
  if (!command.get_footer().empty()) text += '\n' + command.get_footer() + '\n';
  return text;
}

std::string overview_text(std::span<const Command> commands) {
  std::string text =
      "spinetherm - plans percutaneous thermal ablation of spinal tumours on the computer\n\n"
      "Simulation for research and teaching. Not for treating patients.\n\n"
      "Usage:\n\n    spinetherm <command> [options]\n    spinetherm <command> --help\n    spinetherm "
      "--version\n\n"
      "Commands:\n\n";
  for (const Command& command : commands)
    text += entry(std::string(command.name), std::string(command.synopsis));
  text += "\nResults go to stdout, talk and progress to stderr.\n\nExit code:\n\n" +
          entry("0", "done; within limits or caution") +
          entry("1", "done, and the verdict is unsafe, unknown or refer") + entry("2", "bad input or usage") +
          entry("3", "the computation failed: not converged, registration refused, cancelled, out of memory");
  return text;
}

}  // namespace spinetherm
