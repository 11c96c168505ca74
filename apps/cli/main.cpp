// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <new>
#include <span>

#include "apps/cli/command.h"
#include "apps/cli/help.h"
#include "apps/cli/progress_line.h"
#include "apps/cli/stop_signals.h"
#include "apps/set_threads.h"
#include "apps/version.h"
#include "imaging/core/text.h"

namespace spinetherm {
namespace {

// Every command, in the order of `spinetherm --help`. How to add one: apps/cli/command.h.
constexpr std::array kCommands = {
    Command{"demo", "the main job on the built-in phantom patient; ends with the path of report.html",
            Writes::directory, demo_command},
    Command{"run", "the main job on a patient case: plan, simulation, safety check, report",
            Writes::directory, run_command},
    Command{"info", "what a file or DICOM folder is: series, size, spacing, direction, range, warnings",
            Writes::nothing, info_command},
    Command{"convert", "DICOM, NIfTI, NRRD, MHA to NIfTI, NRRD, MHA, DICOM CT; label maps and transforms too",
            Writes::file, convert_command},
    Command{"map", "carries points through a transform file, as ITK applies it", Writes::nothing,
            map_command},
    Command{"phantom", "writes a synthetic patient: CT, T2 MRI, CBCT, labels, landmarks, truth and case",
            Writes::directory, phantom_command},
    Command{"register", "brings one image to another by a rigid motion: transforms and quality",
            Writes::directory, register_command},
    Command{"plan", "paths and protocols for the target of a case, ranked, with the reasons",
            Writes::directory, plan_command},
    Command{"simulate", "the thermal engine on a patient plan or a bare problem: samples, zones, fields",
            Writes::directory, simulate_command},
    Command{"check", "safety verdict of a simulated plan", Writes::nothing, check_command},
    Command{"report", "the report of a simulated plan, as HTML", Writes::directory, report_command},
    Command{"verify",
            "runs the closed forms, each error beside its gate; a --seed other than 1 draws parameters",
            Writes::nothing, verify_command},
    Command{"bench", "the benchmark cases, timed", Writes::nothing, bench_command},
    Command{"devices", "the catalogue of applicators: list, show NAME", Writes::nothing, devices_command},
    Command{"tissues", "the table of tissue properties: list, show NAME", Writes::nothing, tissues_command},
    Command{"limits", "the verdict table: list, show NAME", Writes::nothing, limits_command},
    Command{"evidence", "the published evidence beside the simulations, recounted: list, show NAME",
            Writes::nothing, evidence_command},
    Command{"scans", "public sample scans: list, show NAME, fetch NAME...", Writes::nothing, scans_command},
};

struct ParsedOptions {
  CommandContext context;
  bool progress = false;
};

void add_common_options(CLI::App& app, Writes writes, ParsedOptions& parsed) {
  CommandContext& context = parsed.context;
  app.add_flag("--json", context.json, "print one JSON document on stdout and nothing else")
      ->group(kCommonOptions);
  if (writes == Writes::directory)
    app.add_option("--out", context.out,
                   "directory for the results; without it out/<command>-<name>-NNN, the next free number")
        ->type_name("DIR")
        ->group(kCommonOptions);
  if (writes != Writes::nothing)
    app.add_flag("--force", context.force,
                 writes == Writes::directory ? "replace the results in a --out directory that exists"
                                             : "replace a file that exists")
        ->group(kCommonOptions);
  app.add_option("--threads", context.threads,
                 "threads to compute with; without it as many as the machine has")
      ->type_name("N")
      ->check(CLI::Range(1, 4096))
      ->group(kCommonOptions);
  app.add_option("--seed", context.seed, "where random numbers start: the same seed gives the same result")
      ->type_name("N")
      ->check(CLI::NonNegativeNumber)  // CLI11 would wrap -1 around
      ->capture_default_str()
      ->group(kCommonOptions);
  app.add_flag("--progress", parsed.progress, "show progress on stderr even when it is not a terminal")
      ->group(kCommonOptions);
}

ConfigError unknown_command(const std::string& word) {
  std::vector<std::string> names;
  for (const Command& command : kCommands) names.emplace_back(command.name);
  return {fmt::format("unknown command '{}'", word), "spinetherm",
          fmt::format("did you mean '{}'? 'spinetherm --help' lists them", nearest_word(word, names))};
}

/// What CLI11 found wrong, as a line of ours with the nearest option.
ConfigError usage_error(const CLI::App& app, const CLI::ParseError& e) {
  const std::string where = "spinetherm " + app.get_name();
  const std::string help = fmt::format("see '{} --help'", where);
  const std::vector<std::string> extras = app.remaining();
  if (extras.empty()) return {e.what(), where, help};
  if (!extras.front().starts_with('-'))
    return {fmt::format("one argument too many: '{}'", extras.front()), where, help};
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options())
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  const std::string given = extras.front().substr(0, extras.front().find('='));
  return {fmt::format("unknown option '{}'", given), where,
          fmt::format("did you mean '{}'? {}", nearest_word(given, names), help)};
}

int run_command_line(std::span<char*> arguments, std::stop_token stop, ProgressLine& line) {
  const std::string first = arguments.size() > 1 ? arguments[1] : "";
  if (first.empty()) throw ConfigError("no command", "spinetherm", "'spinetherm --help' lists them");
  if (first == "--help" || first == "-h") {
    std::cout << overview_text(kCommands);
    return kExitDone;
  }
  if (first == "--version") {
    std::cout << "spinetherm " << version() << '\n';
    return kExitDone;
  }
  const auto* const command =
      std::find_if(kCommands.begin(), kCommands.end(), [&](const Command& c) { return c.name == first; });
  if (command == kCommands.end()) throw unknown_command(first);

  CLI::App app(std::string(command->synopsis), std::string(command->name));
  app.set_help_flag("-h,--help", "print this help")->group(kCommonOptions);
  ParsedOptions parsed;
  const Run run = command->setup(app);
  add_common_options(app, command->writes, parsed);
  try {
    app.parse(int(arguments.size()) - 1, arguments.data() + 1);
  } catch (const CLI::CallForHelp&) {
    std::cout << help_text(app);
    return kExitDone;
  } catch (const CLI::ParseError& e) {
    throw usage_error(app, e);
  }

  CommandContext& context = parsed.context;
  context.argv.assign(arguments.begin(), arguments.end());
  if (context.threads > 0) set_threads(context.threads);
  context.progress.stop = std::move(stop);
  if (parsed.progress || isatty(STDERR_FILENO) == 1)
    context.progress.report = [&line](double fraction, std::string_view what) { line.show(fraction, what); };
  try {
    return run(context);
  } catch (Error& e) {
    if (e.where().empty()) e.within("spinetherm " + first);
    throw;
  }
}

/// One line on stderr for whatever went wrong; the exit code.
int guarded(std::span<char*> arguments) {
  ProgressLine line(isatty(STDERR_FILENO) == 1);
  const auto tell = [&line](std::string message) {
    line.clear();
    std::replace(message.begin(), message.end(), '\n', ' ');
    std::cerr << "error: " << message << '\n';
  };
  try {
    const int code = run_command_line(arguments, stop_on_signals(), line);
    std::cout.flush();
    if (!std::cout) throw IoError("cannot write", "stdout", "is the disk full?");
    return code;
  } catch (const ComputationFailed& e) {
    tell(e.what());
    return kExitFailed;
  } catch (const Error& e) {
    tell(e.what());
    return kExitBadInput;
  } catch (const std::bad_alloc&) {
    tell("out of memory (spinetherm): close other programs, or give a smaller image or a coarser grid");
    return kExitFailed;
  } catch (const std::exception& e) {
    tell(fmt::format("{} (internal): please report this with the command line", e.what()));
    return kExitFailed;
  }
}

}  // namespace
}  // namespace spinetherm

int main(int argc, char** argv) {
  spinetherm::wait_without_spinning(argv);
  return spinetherm::guarded(std::span(argv, std::size_t(argc)));
}
