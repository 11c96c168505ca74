// SPDX-License-Identifier: Apache-2.0
#include "datasets/scan_catalogue.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "datasets/embedded_tables.h"
#include "imaging/core/error.h"
#include "imaging/core/text.h"

namespace spinetherm {
namespace {

std::string hexadecimal(const JsonReader& value, std::size_t digits) {
  auto text = value.as<std::string>();
  if (text.size() != digits || text.find_first_not_of("0123456789abcdef") != std::string::npos)
    value.fail(fmt::format("'{}' is not {} hexadecimal digits", text, digits), "copy it again");
  return text;
}

/// Downwards only, so that no catalogue writes outside of the folder of scans.
std::string relative_path(const JsonReader& value) {
  auto text = value.as<std::string>();
  const std::filesystem::path path(text);
  const bool climbs = std::find(path.begin(), path.end(), "..") != path.end();
  if (text.empty() || path.is_absolute() || climbs || !path.has_filename())
    value.fail(fmt::format("'{}' is no path of a file below the folder", text), "write it as ct/name.nii.gz");
  return text;
}

struct Source {
  std::string repository, commit, licence, licence_note;
};

}  // namespace

ScanCatalogue read_scan_catalogue(const JsonReader& document) {
  expect_format(document, "scans");
  ScanCatalogue out;
  out.notes = document.get<std::string>("notes");
  std::map<std::string, Source> sources;
  std::vector<std::string> known;
  for (const auto& [key, r] : document.at("sources").members()) {
    sources[key] = {r.get<std::string>("repository"), hexadecimal(r.at("commit"), 40),
                    r.get<std::string>("licence"), r.get<std::string>("licence_note")};
    r.finish();
    known.push_back(key);
  }
  for (const JsonReader& r : document.at("scans").elements()) {
    SampleScan scan;
    scan.name = r.get<std::string>("name");
    scan.file = relative_path(r.at("file"));
    scan.modality = r.get<std::string>("modality");
    scan.what = r.get<std::string>("what");
    const Source& source = sources[known[r.get_word("source", known)]];
    scan.repository = source.repository;
    scan.commit = source.commit;
    scan.licence = source.licence;
    scan.licence_note = source.licence_note;
    scan.path = relative_path(r.at("path"));
    scan.archive_of_folder = r.get_or<bool>("archive_of_folder", false);
    scan.size = r.get<std::array<int, 3>>("size");
    if (const auto spacing = r.find("spacing_mm")) {
      const auto mm = spacing->as<Eigen::Vector3d>();
      scan.spacing_mm = {mm.x(), mm.y(), mm.z()};
    }
    scan.bytes = r.get<int>("bytes");
    if (scan.bytes <= 0) r.at("bytes").fail("an empty scan", "give its size");
    scan.sha256 = hexadecimal(r.at("sha256"), 64);
    r.finish();
    for (const SampleScan& other : out.scans) {
      if (other.name == scan.name)
        r.at("name").fail("the scan '" + scan.name + "' is named twice", "rename one");
      if (other.file == scan.file) r.at("file").fail("two scans lie at '" + scan.file + "'", "move one");
    }
    out.scans.push_back(std::move(scan));
  }
  document.finish();
  return out;
}

const ScanCatalogue& scan_catalogue() {
  static const ScanCatalogue catalogue = [] {
    const auto json = embedded_document("scans.json");
    return read_scan_catalogue(JsonReader(json));
  }();
  return catalogue;
}

const SampleScan& sample_scan(const std::string& name) {
  std::vector<std::string> names;
  for (const SampleScan& scan : scan_catalogue().scans) {
    if (scan.name == name) return scan;
    names.push_back(scan.name);
  }
  throw ConfigError(
      fmt::format("unknown scan '{}'", name), "NAME",
      fmt::format("did you mean '{}'? 'spinetherm scans' lists them", nearest_word(name, names)));
}

std::optional<std::string> url_of(const SampleScan& scan) {
  if (scan.archive_of_folder) return {};
  return fmt::format("https://raw.githubusercontent.com/{}/{}/{}", scan.repository, scan.commit,
                     percent_encoded(scan.path));
}

std::string percent_encoded(const std::string& path) {
  static const std::string plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";
  std::string out;
  for (const char c : path)
    out += plain.find(c) != std::string::npos ? std::string(1, c) : fmt::format("%{:02X}", std::uint8_t(c));
  return out;
}

}  // namespace spinetherm
