// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "apps/cli/command.h"
#include "apps/cli/table_command.h"
#include "apps/io/download.h"
#include "apps/io/scan_store.h"
#include "datasets/scan_catalogue.h"
#include "imaging/core/error.h"

namespace spinetherm {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

struct ScansOptions {
  std::string action = "list", data, mirror;
  std::vector<std::string> names;
  bool all = false;
};

std::string megabytes(std::int64_t bytes) {
  return bytes < 100000 ? fmt::format("{:.1f} kB", 1e-3 * double(bytes))
                        : fmt::format("{:.1f} MB", 1e-6 * double(bytes));
}
std::string size_text(const SampleScan& s) {
  return fmt::format("{} x {} x {}", s.size[0], s.size[1], s.size[2]);
}
std::string spacing_text(const SampleScan& s) {
  if (!s.spacing_mm) return "uneven";
  const auto& mm = *s.spacing_mm;
  return fmt::format("{:g} x {:g} x {:g} mm", mm[0], mm[1], mm[2]);
}

/// The folder, when there is one; ConfigError when it was named and is not there.
std::optional<fs::path> folder_to_look_in(const ScansOptions& options) {
  auto folder = scans_folder(options.data);
  if (folder && !fs::is_directory(*folder))
    throw ConfigError(
        "no such folder", folder->string(),
        options.data.empty() ? "correct SPINETHERM_DATA, or give --data DIR" : "correct --data");
  return folder;
}

/// Empty without a folder.
std::optional<StoredScan> stored(const std::optional<fs::path>& folder, const SampleScan& scan) {
  return folder ? std::optional(stored_scan(*folder, scan)) : std::nullopt;
}

std::string state_text(const std::optional<StoredScan>& stored, const SampleScan& scan) {
  if (!stored) return "-";
  if (stored->state != ScanState::partial) return std::string(to_string(stored->state));
  return fmt::format("partial, {:.0f} %", 100 * double(stored->bytes_there) / double(scan.bytes));
}

Json scan_json(const SampleScan& s, const std::optional<StoredScan>& stored) {
  const auto url = url_of(s);
  return {{"name", s.name},
          {"modality", s.modality},
          {"what", s.what},
          {"file", s.file},
          {"size", s.size},
          {"spacing_mm", s.spacing_mm ? Json(*s.spacing_mm) : Json()},
          {"bytes", s.bytes},
          {"sha256", s.sha256},
          {"licence", s.licence},
          {"licence_note", s.licence_note},
          {"origin",
           {{"repository", s.repository},
            {"commit", s.commit},
            {"path", s.path},
            {"archive_of_folder", s.archive_of_folder}}},
          {"url", url ? Json(*url) : Json()},
          {"state", stored ? Json(to_string(stored->state)) : Json()},
          {"path",
           stored && stored->state == ScanState::found ? Json(fs::absolute(stored->file).string()) : Json()}};
}

const char* const kNoFolder = "give --data DIR or set SPINETHERM_DATA";

void print_list(const std::optional<fs::path>& folder) {
  std::vector<std::vector<std::string>> rows = {
      {"name", "modality", "size", "bytes", "licence", "state", "sha256", "origin"}};
  for (const SampleScan& s : scan_catalogue().scans)
    rows.push_back({s.name, s.modality, size_text(s), megabytes(s.bytes), s.licence,
                    state_text(stored(folder, s), s), s.sha256.substr(0, 8), s.repository});
  print_columns(rows);
  std::cout << '\n'
            << (folder ? fmt::format("Looked for in {}.", fs::absolute(*folder).lexically_normal().string())
                       : fmt::format("Not looked for: {}.", kNoFolder))
            << " damaged: its SHA-256 is not that of the catalogue.\n"
            << scan_catalogue().notes << '\n';
}

void print_scan(const SampleScan& s, const std::optional<StoredScan>& stored) {
  const auto url = url_of(s);
  std::cout << fmt::format("{}: {}, {}\n", s.name, s.modality, s.what);
  print_columns({{"voxels", fmt::format("{}, {}", size_text(s), spacing_text(s))},
                 {"file", fmt::format("{}, {} bytes", s.file, s.bytes)},
                 {"sha256", s.sha256},
                 {"licence", fmt::format("{} ({})", s.licence, s.licence_note)},
                 {"origin", fmt::format("{} at {}: {}", s.repository, s.commit, s.path)},
                 {"address", url ? *url : "none: the file is an archive of a folder of the origin"},
                 {"state", stored ? fmt::format("{} ({})", state_text(stored, s), stored->file.string())
                                  : fmt::format("not looked for: {}", kNoFolder)}});
}

/// Where to fetch a scan; empty when no address gives it.
std::optional<std::string> address_of(const SampleScan& scan, const std::string& mirror) {
  if (mirror.empty()) return url_of(scan);
  return fmt::format("{}{}{}", mirror, mirror.ends_with('/') ? "" : "/", percent_encoded(scan.file));
}

std::vector<const SampleScan*> wanted_scans(const ScansOptions& options) {
  std::vector<const SampleScan*> out;
  if (options.all)
    for (const SampleScan& scan : scan_catalogue().scans) out.push_back(&scan);
  for (const std::string& name : options.names) out.push_back(&sample_scan(name));
  return out;
}

struct Fetched {
  const SampleScan* scan;
  std::string outcome;  ///< found, fetched, no_address, failed, not_tried
  std::string message;
};

/// What to tell when not everything came; empty when it did.
std::string failure_of(const std::vector<Fetched>& all, std::string& where) {
  for (const Fetched& f : all)
    if (f.outcome == "failed") {
      where = f.scan->name;
      return f.message;
    }
  return "";
}

/// Fetches one scan. False when trying the others is of no use.
bool fetch_one(const SampleScan& scan, const fs::path& folder, const std::string& mirror,
               const Progress& progress, Fetched& out) {
  if (stored_scan(folder, scan).state == ScanState::found) {
    out.outcome = "found";
    return true;
  }
  const auto url = address_of(scan, mirror);
  if (!url) {
    out.outcome = "no_address";
    out.message = "an archive of a folder of its origin: put it there by hand, or give --mirror";
    return true;
  }
  const DownloadSummary summary = download({*url, folder / scan.file, scan.bytes, scan.sha256}, progress);
  if (summary.usable()) {
    out.outcome = "fetched";
    if (summary.bytes_before > 0)
      out.message = fmt::format("went on after {}", megabytes(summary.bytes_before));
    return true;
  }
  out.outcome = "failed";
  switch (summary.end) {
    case DownloadEnd::no_network:
      out.message = fmt::format("no network, or it broke off: {} ({})", summary.message, *url);
      break;
    case DownloadEnd::damaged:
      out.message = fmt::format("{} is not the scan: {}; it is kept aside as .bad", *url, summary.message);
      break;
    case DownloadEnd::cancelled:
      out.message = "cancelled";
      break;
    default:
      out.message = fmt::format("{} does not give it: {}", *url, summary.message);
  }
  return summary.end != DownloadEnd::no_network && summary.end != DownloadEnd::cancelled;
}

void print_fetched(const std::vector<Fetched>& all, const fs::path& folder, bool json) {
  Json list = Json::array();
  std::vector<std::vector<std::string>> rows;
  for (const Fetched& f : all) {
    const std::string path = fs::absolute(folder / f.scan->file).lexically_normal().string();
    list.push_back({{"name", f.scan->name}, {"outcome", f.outcome}, {"path", path}, {"message", f.message}});
    rows.push_back({f.scan->name, f.outcome, path, f.message});
  }
  if (json)
    print_json(Json{{"scans", list}});
  else
    print_columns(rows);
}

int fetch(const ScansOptions& options, const CommandContext& context) {
  if (options.all != options.names.empty())
    throw ConfigError(options.all ? "both --all and names" : "nothing to fetch", "NAME",
                      options.all ? "give one of them" : "name scans, or give --all");
  const auto folder = scans_folder(options.data);
  if (!folder) throw ConfigError("no folder to put scans in", "--data", kNoFolder);
  const std::vector<const SampleScan*> wanted = wanted_scans(options);
  for (const SampleScan* scan : wanted)
    if (!options.all && !address_of(*scan, options.mirror) &&
        stored_scan(*folder, *scan).state != ScanState::found)
      throw ConfigError(
          "no address gives this archive: it was made of a folder of its origin", scan->name,
          fmt::format("put it at {} by hand, or give --mirror", (*folder / scan->file).string()));

  std::vector<Fetched> all;
  bool go_on = true;
  for (const SampleScan* scan : wanted) {
    Fetched& one = all.emplace_back(Fetched{scan, "not_tried", ""});
    Progress part = context.progress;
    if (part.report)
      part.report = [&, n = double(all.size() - 1)](double fraction, std::string_view what) {
        context.progress((n + fraction) / double(wanted.size()), what);
      };
    if (go_on) go_on = fetch_one(*scan, *folder, options.mirror, part, one);
  }
  print_fetched(all, *folder, context.json);
  std::string where;
  const std::string failure = failure_of(all, where);
  if (!failure.empty())
    throw ComputationFailed(
        failure, where,
        "try again, which goes on where it stopped; or get it by hand ('spinetherm scans show " + where +
            "' tells address and checksum), or give --mirror");
  return kExitDone;
}

void list_or_show(const ScansOptions& options, const CommandContext& context) {
  if (options.all || !options.mirror.empty())
    throw ConfigError(fmt::format("{} is of 'fetch'", options.all ? "--all" : "--mirror"), "ACTION",
                      "use 'scans fetch'");
  const bool one = wants_one({options.action, options.names.empty() ? "" : options.names.front()});
  if (options.names.size() > 1)
    throw ConfigError(fmt::format("one argument too many: '{}'", options.names[1]), "NAME",
                      "show one at a time");
  const auto folder = folder_to_look_in(options);
  if (one) {
    const SampleScan& scan = sample_scan(options.names.front());
    if (context.json)
      print_json(scan_json(scan, stored(folder, scan)));
    else
      print_scan(scan, stored(folder, scan));
    return;
  }
  if (!context.json) {
    print_list(folder);
    return;
  }
  Json scans = Json::array();
  for (const SampleScan& scan : scan_catalogue().scans)
    scans.push_back(scan_json(scan, stored(folder, scan)));
  print_json(Json{{"notes", scan_catalogue().notes},
                  {"folder", folder ? Json(fs::absolute(*folder).string()) : Json()},
                  {"scans", scans}});
}

}  // namespace

Run scans_command(CLI::App& app) {
  const auto options = std::make_shared<ScansOptions>();
  app.add_option("ACTION", options->action, "list, show NAME, or fetch NAME...")->capture_default_str();
  app.add_option("NAME", options->names, "scans of the list");
  app.add_option("--data", options->data, "folder of the scans; without it that of SPINETHERM_DATA")
      ->type_name("DIR");
  app.add_flag("--all", options->all, "fetch every scan that has an address");
  app.add_option(
         "--mirror", options->mirror,
         "fetch from this address (https, http, file) instead of each scan's origin: it holds the files as "
         "the list names them")
      ->type_name("URL");
  app.footer(
      "The scans are public, by others, under the licence that is shown with each. A file counts only when\n"
      "its SHA-256 is that of the catalogue. A fetch that was broken off goes on where it stopped.");
  return [options](const CommandContext& context) -> int {
    if (options->action == "fetch") return fetch(*options, context);
    if (options->action != "list" && options->action != "show")
      throw ConfigError(fmt::format("unknown action '{}'", options->action), "ACTION",
                        "use 'list', 'show NAME' or 'fetch NAME...'");
    list_or_show(*options, context);
    return kExitDone;
  };
}

}  // namespace spinetherm
