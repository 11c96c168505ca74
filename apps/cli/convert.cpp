// SPDX-License-Identifier: Apache-2.0
#include "imaging/convert.h"

#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "apps/cli/command.h"
#include "imaging/labels.h"
#include "imaging/write.h"

namespace spinetherm {
namespace {

namespace fs = std::filesystem;

struct ConvertArguments {
  fs::path in, out;
  std::string convention;
  ConvertOptions options;
};

/// The values of a label map of somebody else's convention become ours.
ConvertSummary import_label_map(const ConvertArguments& arguments) {
  ImportOptions import;
  import.where = arguments.in.string();
  const Anatomy anatomy = import_labels(read_label_volume(arguments.in), arguments.convention, import);
  write_labels(arguments.out, anatomy.labels);
  return {"label map", "uint16", "", anatomy.warnings};
}

ConvertSummary write_folder(const ConvertArguments& arguments, const CommandContext& context) {
  if (arguments.options.labels || !arguments.convention.empty())
    throw ConfigError("--dicom writes a CT, not a label map", "spinetherm convert",
                      "leave out --dicom, or --labels and --convention");
  OutputDirectory out({arguments.out, context.force, "convert", ""});
  ConvertSummary summary = convert(arguments.in, out.working(), arguments.options);
  out.commit();
  return summary;
}

ConvertSummary write_file(const ConvertArguments& arguments, const CommandContext& context) {
  require_free_file(arguments.out, context.force);
  return arguments.convention.empty() ? convert(arguments.in, arguments.out, arguments.options)
                                      : import_label_map(arguments);
}

int run_convert(const ConvertArguments& arguments, const CommandContext& context) {
  std::error_code error;
  if (fs::equivalent(arguments.in, arguments.out, error))
    throw ConfigError("input and output are the same file", arguments.out.string(), "give another OUT");
  const ConvertSummary summary =
      arguments.options.dicom ? write_folder(arguments, context) : write_file(arguments, context);
  for (const std::string& warning : summary.warnings) std::cerr << "warning: " << warning << '\n';
  if (context.json) {
    nlohmann::ordered_json document = {{"path", arguments.out.string()}, {"kind", summary.kind}};
    if (!summary.type.empty()) document["value_type"] = summary.type;
    if (!summary.series_uid.empty()) document["series_uid"] = summary.series_uid;
    document["warnings"] = summary.warnings;
    print_json(document);
  } else {
    std::cout << arguments.out.string() << '\n';
  }
  return kExitDone;
}

}  // namespace

Run convert_command(CLI::App& app) {
  auto arguments = std::make_shared<ConvertArguments>();
  app.add_option("IN", arguments->in,
                 "DICOM folder, file or archive of one; NIfTI, NRRD or MHA file; ITK transform (.tfm, .txt, "
                 ".h5, .mat)")
      ->required();
  app.add_option(
         "OUT", arguments->out,
         "file to write: .nii, .nii.gz, .nrrd or .mha; of a transform .tfm, .txt, .h5 or .mat; with --dicom "
         "a folder")
      ->required();
  app.add_option("--series", arguments->options.read.series,
                 "DICOM series, by UID or number; without it the largest axial CT")
      ->type_name("S");
  app.add_flag("--labels", arguments->options.labels,
               "IN is a label map, even when it carries no names; values and names are kept");
  app.add_flag("--dicom", arguments->options.dicom,
               "write IN, a CT in HU, as a DICOM CT series into the folder OUT");
  app.add_option(
         "--convention", arguments->convention,
         "IN is a label map of this convention (totalsegmentator-v2, totalsegmentator-v1, verse); its values "
         "become SpineTherm's")
      ->type_name("NAME");
  app.footer(
      "No value of an image changes: whole numbers are written in the narrowest type that holds all, others\n"
      "as float32. A DICOM series holds int16: values that are not whole are stored in steps of 1/16 HU, or\n"
      "coarser where the range needs it, with a warning. It is marked as derived and made for research, "
      "names\n"
      "no patient, and gets the same UIDs again from the same volume.");
  return [arguments](const CommandContext& context) { return run_convert(*arguments, context); };
}

}  // namespace spinetherm
