// SPDX-License-Identifier: Apache-2.0
#include "imaging/info.h"

#include <iostream>
#include <memory>

#include "apps/cli/command.h"
#include "apps/io/case_file.h"
#include "imaging/core/json_reader.h"

namespace spinetherm {
namespace {

bool is_case(const std::filesystem::path& path) {
  if (path.extension() != ".json" || !std::filesystem::is_regular_file(path)) return false;
  const nlohmann::json document = parse_json_file(path);
  return document.is_object() && document.value("format", nlohmann::json()) == "spinetherm.case";
}

/// Every file that the case names, read through; the first that is broken is an error.
ScanInfo describe_case(const std::filesystem::path& path) {
  const PatientCase patient = read_case(path);
  ScanInfo all;
  all.path = path;
  all.what = "patient case";
  for (const std::filesystem::path& file : patient.inputs()) {
    if (file == patient.file) continue;
    ScanInfo one = describe(file);
    if (one.what == "file" && one.items.front().broken) throw *one.items.front().broken;
    for (ScanItem& item : one.items) all.items.push_back(std::move(item));
    all.other_files += one.other_files;
    all.warnings.insert(all.warnings.end(), one.warnings.begin(), one.warnings.end());
  }
  return all;
}

}  // namespace

Run info_command(CLI::App& app) {
  auto path = std::make_shared<std::filesystem::path>();
  app.add_option("PATH", *path,
                 "DICOM folder, file, or archive of one (.tar.xz, .tar.gz, .zip); NIfTI, NRRD, MHA file; "
                 "ITK transform; patient case")
      ->required();
  app.footer(
      "What cannot be read as one volume is described too, with the reason; a broken file (truncated, "
      "spacing\n"
      "of 0, singular axes, larger than memory) is an error. The intensity range of a DICOM series is that "
      "of\n"
      "its middle slice. Of a patient case every file that it names is read.");
  return [path](const CommandContext& context) {
    const ScanInfo info = is_case(*path) ? describe_case(*path) : describe(*path);
    if (info.what == "file" && info.items.front().broken) throw *info.items.front().broken;
    if (context.json)
      print_json(to_json(info));
    else
      std::cout << to_text(info);
    return kExitDone;
  };
}

}  // namespace spinetherm
