// SPDX-License-Identifier: Apache-2.0
#include "imaging/info.h"

#include <iostream>
#include <memory>

#include "apps/cli/command.h"

namespace spinetherm {

Run info_command(CLI::App& app) {
  auto path = std::make_shared<std::filesystem::path>();
  app.add_option("PATH", *path,
                 "DICOM folder, file, or archive of one (.tar.xz, .tar.gz, .zip); NIfTI, NRRD, MHA file; "
                 "ITK transform")
      ->required();
  app.footer(
      "What cannot be read as one volume is described too, with the reason; a broken file (truncated, "
      "spacing\n"
      "of 0, singular axes, larger than memory) is an error. The intensity range of a DICOM series is that "
      "of\n"
      "its middle slice.");
  return [path](const CommandContext& context) {
    const ScanInfo info = describe(*path);
    if (info.what == "file" && info.items.front().broken) throw *info.items.front().broken;
    if (context.json)
      print_json(to_json(info));
    else
      std::cout << to_text(info);
    return kExitDone;
  };
}

}  // namespace spinetherm
