// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>

#include "apps/cli/command.h"
#include "imaging/image_header.h"
#include "imaging/labels.h"
#include "imaging/read.h"
#include "imaging/transform_io.h"
#include "imaging/write.h"

namespace spinetherm {
namespace {

namespace fs = std::filesystem;

struct ConvertOptions {
  fs::path in, out;
  std::string series, convention;
  bool labels = false;
};

/// What was written, for stdout.
struct Written {
  std::string kind;        ///< "image", "label map", "transform"
  std::string value_type;  ///< of a voxel
  Grid grid;
  std::vector<std::string> warnings;
};

/// HU and most MR values are whole numbers: 16 bits hold them without loss.
bool fits_int16(const Volume<float>& volume) {
  return std::all_of(volume.values.begin(), volume.values.end(), [](float v) {
    return v >= float(std::numeric_limits<std::int16_t>::min()) &&
           v <= float(std::numeric_limits<std::int16_t>::max()) && v == std::floor(v);
  });
}

Written convert_image(const ConvertOptions& options) {
  ReadOptions read;
  read.series = options.series;
  const Image image = read_image(options.in, read);
  Written written{"image", "float32", image.volume.grid, image.warnings};
  if (fits_int16(image.volume)) {
    written.value_type = "int16";
    Volume<std::int16_t> whole(image.volume.grid);
    std::transform(image.volume.values.begin(), image.volume.values.end(), whole.values.begin(),
                   [](float v) { return std::int16_t(v); });
    write_volume(options.out, whole);
  } else {
    write_volume(options.out, image.volume);
  }
  return written;
}

/// With a convention the values become ours; without one they stay, with the names that came with them.
Written convert_labels(const ConvertOptions& options) {
  const Volume<std::uint32_t> raw = read_label_volume(options.in);
  if (options.convention.empty()) {
    write_labels(options.out, raw, read_label_names(options.in));
    return {"label map", "", raw.grid, {}};
  }
  ImportOptions import;
  import.where = options.in.string();
  const Anatomy anatomy = import_labels(raw, options.convention, import);
  write_labels(options.out, anatomy.labels);
  return {"label map", "", anatomy.labels.grid, anatomy.warnings};
}

nlohmann::ordered_json to_json(const Written& written, const fs::path& out) {
  nlohmann::ordered_json document = {{"path", out.string()}, {"kind", written.kind}};
  if (!written.value_type.empty()) document["value_type"] = written.value_type;
  if (written.kind != "transform") {
    const Grid& grid = written.grid;
    document["size"] = grid.size;
    document["spacing_mm"] = {grid.spacing_mm[0], grid.spacing_mm[1], grid.spacing_mm[2]};
  }
  document["warnings"] = written.warnings;
  return document;
}

int convert(const ConvertOptions& options, const CommandContext& context) {
  std::error_code error;
  if (fs::equivalent(options.in, options.out, error))
    throw ConfigError("input and output are the same file", options.out.string(), "give another OUT");
  require_free_file(options.out, context.force);
  const bool labels = options.labels || !options.convention.empty();

  Written written;
  if (is_transform_file(options.in)) {
    convert_transform(options.in, options.out);
    written.kind = "transform";
  } else {
    written = labels ? convert_labels(options) : convert_image(options);
  }
  for (const std::string& warning : written.warnings) std::cerr << "warning: " << warning << '\n';
  if (context.json)
    print_json(to_json(written, options.out));
  else
    std::cout << options.out.string() << '\n';
  return kExitDone;
}

}  // namespace

Run convert_command(CLI::App& app) {
  auto options = std::make_shared<ConvertOptions>();
  app.add_option("IN", options->in,
                 "DICOM folder, file or archive of one; NIfTI, NRRD or MHA file; ITK transform (.tfm, .h5)")
      ->required();
  app.add_option("OUT", options->out, "file to write: .nii, .nii.gz, .nrrd, .mha; .tfm, .h5 of a transform")
      ->required();
  app.add_option("--series", options->series,
                 "DICOM series, by UID or number; without it the largest axial CT")
      ->type_name("S");
  app.add_flag("--labels", options->labels, "IN is a label map: values and names are kept as they are");
  app.add_option("--convention", options->convention,
                 "IN is a label map of this convention; its values become SpineTherm's")
      ->type_name("NAME");
  return [options](const CommandContext& context) { return convert(*options, context); };
}

}  // namespace spinetherm
