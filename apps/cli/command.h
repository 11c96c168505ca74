// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/App.hpp>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "apps/output_directory.h"
#include "imaging/core/error.h"
#include "imaging/core/progress.h"

namespace spinetherm {

/// What the program returns.
enum ExitCode : int {
  kExitDone = 0,      ///< done; within limits or caution
  kExitVerdict = 1,   ///< done, and the verdict is unsafe, unknown or refer
  kExitBadInput = 2,  ///< bad input or usage
  kExitFailed = 3,    ///< not converged, registration refused, cancelled, out of memory
};

/// The options that mean the same in every command, as the user gave them.
struct CommandContext {
  bool json = false;  ///< one JSON document on stdout and nothing else
  int threads = 0;    ///< 0: as many as the machine has; already in force when a command runs
  std::uint64_t seed = 1;
  std::optional<std::filesystem::path> out = {};
  bool force = false;
  Progress progress = {};  ///< pass it to all long work; its stop token is set by SIGINT and SIGTERM
  std::vector<std::string> argv = {};

  /// For OutputDirectory.
  OutputOptions output(std::string command, std::string name) const {
    return {out, force, std::move(command), std::move(name)};
  }
};

/// The work of a command: results on stdout, an ExitCode back. Throws Error for bad input (exit 2), and
/// ComputationFailed.
using Run = std::function<int(const CommandContext&)>;

/// A long computation ended without a result (not converged, refused, cancelled): one line as of Error, and
/// exit 3. Only thrown by commands, from the Summary that the computation returned.
class ComputationFailed : public Error {
 public:
  using Error::Error;
};
/// Throws ComputationFailed when the user asked to stop.
void throw_if_cancelled(const Progress& progress);

/// Which of the common options a command has besides --json, --threads, --seed and --progress.
enum class Writes {
  nothing,    ///< results go to stdout
  file,       ///< --force
  directory,  ///< --out, --force
};

/// One row of the table in main.cpp. `setup` adds the command's own options and returns its work; the
/// variables that the options fill live in a shared_ptr that the returned function holds:
///   Run info_command(CLI::App& app) {
///     auto options = std::make_shared<InfoOptions>();
///     app.add_option("PATH", options->path, "an image file or a DICOM folder")->required();
///     return [options](const CommandContext& context) { ...; return kExitDone; };
///   }
struct Command {
  std::string_view name;
  std::string_view synopsis;  ///< one line without a full stop
  Writes writes;
  Run (*setup)(CLI::App&);
};

/// Prints the document on stdout; NaN and infinity, which JSON lacks, become null.
void print_json(const nlohmann::ordered_json& document);

// To add a command: write apps/cli/<name>.cpp, declare it here, give it a row in apps/cli/main.cpp, and run
// the target update_cli_docs.
Run bench_command(CLI::App&);
Run check_command(CLI::App&);
Run compare_command(CLI::App&);
Run convert_command(CLI::App&);
Run demo_command(CLI::App&);
Run devices_command(CLI::App&);
Run evidence_command(CLI::App&);
Run fuse_command(CLI::App&);
Run info_command(CLI::App&);
Run limits_command(CLI::App&);
Run map_command(CLI::App&);
Run phantom_command(CLI::App&);
Run plan_command(CLI::App&);
Run register_command(CLI::App&);
Run report_command(CLI::App&);
Run run_command(CLI::App&);
Run scans_command(CLI::App&);
Run segment_command(CLI::App&);
Run simulate_command(CLI::App&);
Run tissues_command(CLI::App&);
Run verify_command(CLI::App&);

}  // namespace spinetherm
