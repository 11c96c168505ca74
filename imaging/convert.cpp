// SPDX-License-Identifier: Apache-2.0
#include "imaging/convert.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <set>

#include "imaging/dicom_writer.h"
#include "imaging/image_header.h"
#include "imaging/transform_io.h"
#include "imaging/write.h"

namespace spinetherm {
namespace {

namespace fs = std::filesystem;

template <class T>
bool fits(double low, double high) {
  return low >= double(std::numeric_limits<T>::lowest()) && high <= double(std::numeric_limits<T>::max());
}

template <class T>
void write_as(const fs::path& out, const Volume<float>& volume) {
  Volume<T> whole;
  whole.grid = volume.grid;
  whole.values.reserve(volume.values.size());
  for (float v : volume.values) whole.values.push_back(T(v));
  write_volume(out, whole);
}

/// Writes in the narrowest type that keeps every value; returns its name.
std::string write_narrow(const fs::path& out, const Volume<float>& volume) {
  const bool whole = std::all_of(volume.values.begin(), volume.values.end(),
                                 [](float v) { return v == std::floor(v) && std::isfinite(v); });
  if (whole) {
    const auto [low, high] = std::minmax_element(volume.values.begin(), volume.values.end());
    if (fits<std::uint8_t>(*low, *high)) return write_as<std::uint8_t>(out, volume), "uint8";
    if (fits<std::int16_t>(*low, *high)) return write_as<std::int16_t>(out, volume), "int16";
    if (fits<std::uint16_t>(*low, *high)) return write_as<std::uint16_t>(out, volume), "uint16";
  }
  write_volume(out, volume);
  return "float32";
}

struct NamedLabels {
  Volume<std::uint32_t> volume;
  std::vector<LabelName> names;  ///< of the values that occur
};

/// The file as a label map: when told so, when it names its segments itself, or when every value of it is in
/// the table beside it (labels.json serves a whole folder, images too).
std::optional<NamedLabels> named_labels(const fs::path& in, const ConvertOptions& options) {
  std::error_code ec;
  if (!fs::is_regular_file(in, ec) || !volume_format(in)) {
    if (options.labels) read_label_volume(in, options.read);  // throws: only volume files hold labels
    return std::nullopt;
  }
  const ImageHeader header = read_image_header(in);
  const auto names = read_label_names(in);
  const bool own_names = header.keys.count("Segment0_ID") > 0;
  if (!options.labels && (names.empty() || !header.whole_numbers)) return std::nullopt;
  NamedLabels labels;
  try {
    labels.volume = read_label_volume(in, options.read);
  } catch (const IoError&) {
    if (options.labels || own_names) throw;
    return std::nullopt;
  }
  const std::set<std::uint32_t> values(labels.volume.values.begin(), labels.volume.values.end());
  for (const auto& name : names)
    if (values.count(name.value)) labels.names.push_back(name);
  const bool all_named = values.size() - values.count(0) == labels.names.size() && !labels.names.empty();
  if (!options.labels && !own_names && !all_named) return std::nullopt;
  return labels;
}

ConvertSummary convert_to_dicom(const fs::path& in, const fs::path& out, const ConvertOptions& options) {
  const auto refuse = [&](const char* what) {
    throw IoError(what, in.string(), "a DICOM series is written of a CT in HU only");
  };
  if (is_transform_file(in)) refuse("is a transform, not a CT");
  if (named_labels(in, options)) refuse("is a label map, not a CT");
  ReadOptions read = options.read;
  read.expected = Modality::ct;
  const Image image = read_image(in, read);
  const bool says_that_it_is_ct = !volume_format(in);
  if (!says_that_it_is_ct &&
      std::none_of(image.volume.values.begin(), image.volume.values.end(), [](float v) { return v < 0; }))
    refuse("holds no value below 0: an MR, a label map or unscaled pixels, not a CT");
  DicomWriteSummary written;
  try {
    written = write_dicom_series(out, image.volume);
  } catch (Error& e) {
    if (e.where().empty()) e.within(in.string());
    throw;
  }
  ConvertSummary summary{"CT series", "int16", written.series_uid, image.warnings};
  if (written.rounding_HU > 0)
    summary.warnings.push_back(fmt::format("values were rounded to steps of {} HU, by at most {:.3g} HU",
                                           written.step_HU, written.rounding_HU));
  return summary;
}

}  // namespace

ConvertSummary convert(const fs::path& in, const fs::path& out, const ConvertOptions& options) {
  if (options.dicom) return convert_to_dicom(in, out, options);
  ConvertSummary summary;
  if (is_transform_file(in)) {
    convert_transform(in, out);
    summary.kind = "transform";
    return summary;
  }
  if (const auto labels = named_labels(in, options)) {
    write_labels(out, labels->volume, labels->names);
    const auto highest = *std::max_element(labels->volume.values.begin(), labels->volume.values.end());
    summary.kind = "label map";
    summary.type = highest <= 255 ? "uint8" : highest <= 65535 ? "uint16" : "uint32";
    return summary;
  }
  const Image image = read_image(in, options.read);
  summary.kind = "image";
  summary.warnings = image.warnings;
  summary.type = write_narrow(out, image.volume);
  return summary;
}

}  // namespace spinetherm
