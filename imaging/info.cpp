// SPDX-License-Identifier: Apache-2.0
#include "imaging/info.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string_view>

#include "imaging/archive_reader.h"
#include "imaging/core/json_reader.h"
#include "imaging/dicom_series.h"
#include "imaging/image_header.h"
#include "imaging/read.h"
#include "imaging/transform_io.h"

namespace spinetherm {
namespace {

namespace fs = std::filesystem;

struct OtherKind {
  const char *suffix, *kind;
};
constexpr OtherKind kOtherKinds[] = {
    {".stl", "surface mesh"},  {".obj", "surface mesh"}, {".ply", "surface mesh"},
    {".vtp", "surface mesh"},  {".vtk", "VTK data"},     {".mrk.json", "Slicer markups"},
    {".mrml", "Slicer scene"}, {".mrb", "Slicer scene"}, {".fcsv", "Slicer markups"}};

/// Largest volume whose voxels are read for their range: about 3 s from a .nii.gz.
constexpr double kMaxVoxels = 2e8;

/// A label map is made of few whole values in patches; a scan of 8 bits has as few, but noise in them.
/// Returns the values but 0 when it looks like one.
std::optional<std::vector<std::uint32_t>> labels_of(const Volume<float>& volume) {
  std::set<float> values;
  std::size_t pairs = 0, equal = 0;
  const auto nx = std::size_t(volume.grid.size[0]);
  for (std::size_t n = 0; n < volume.values.size(); ++n) {
    const float v = volume[n];
    if (!(v >= 0) || v != std::floor(v) || v > 1e6f) return std::nullopt;
    if (v == 0) continue;
    if (values.empty() || *values.rbegin() != v) values.insert(v);
    if (values.size() > 400) return std::nullopt;  // more than any convention has
    if (n % nx != 0 && volume[n - 1] != 0) {
      ++pairs;
      equal += volume[n - 1] == v;
    }
  }
  if (values.size() > 2 && 2 * equal < pairs) return std::nullopt;
  return std::vector<std::uint32_t>(values.begin(), values.end());
}

void read_values(const fs::path& path, const ImageHeader& header, ScanItem& item) {
  const bool fits_memory = header.need_MB() <= ReadOptions{}.max_memory_MB;  // else read_image() says so
  if (fits_memory && header.voxels() > kMaxVoxels) {
    item.range_of = "not computed: a large image";
    return;
  }
  const Image image = read_image(path);
  item.warnings = image.warnings;
  bool any = false;
  float low = 0, high = 0;
  for (float v : image.volume.values) {
    if (!std::isfinite(v)) continue;
    low = any ? std::min(low, v) : v;
    high = any ? std::max(high, v) : v;
    any = true;
  }
  if (any) item.range = {double(low), double(high)};
  item.range_of = any ? "all voxels" : "no voxel is finite";
  const bool named = header.keys.count("Segment0_ID") > 0;
  if (const auto labels = labels_of(image.volume); labels && (named || !labels->empty())) {
    item.kind = "label map";
    item.labels = *labels;
    item.notes.push_back(named ? "it names its segments" : "judged by its values: few, whole and in patches");
  }
}

ScanItem describe_volume(const fs::path& path, bool with_values) {
  ScanItem item;
  item.name = path.filename().string();
  const ImageHeader header = read_image_header(path);
  item.format = std::string(to_string(header.format));
  item.size = header.size;
  item.value_type = header.value_type;
  item.grid = header.grid;
  item.warnings = header.warnings;
  item.kind = header.vector_field     ? "displacement or vector field"
              : header.components > 1 ? "image of several values per voxel"
                                      : "image";
  if (header.value_type.starts_with("rgb")) item.kind = "colour image";
  if (header.refusal) {
    item.refusal = header.refusal->what();
    if (header.broken) item.broken = header.refusal;
    item.range_of = "not read";
    return item;
  }
  if (!with_values) {
    item.range_of = "not read: name the file itself";
    return item;
  }
  try {
    read_values(path, header, item);
  } catch (const Error& e) {
    item.refusal = e.what();
    item.broken = IoError(e.what_is_wrong(), e.where(), e.what_to_do());
    item.range_of = "not read";
  }
  return item;
}

/// Something that is known by name but holds no image of its own.
ScanItem named_item(const fs::path& path, const std::string& kind, const std::string& note) {
  ScanItem item;
  item.name = path.filename().string();
  item.kind = kind;
  item.refusal =
      fmt::format("is {} {}, not an image",
                  std::string_view("aeiou").find(kind[0]) == std::string_view::npos ? "a" : "an", kind);
  item.range_of = "none";
  if (!note.empty()) item.notes.push_back(note);
  return item;
}

/// "spinetherm.case" of a JSON document of this project; empty for any other file.
std::string own_format(const fs::path& path) {
  if (path.extension() != ".json") return "";
  try {
    const auto document = parse_json_file(path);
    const std::string format = document.is_object() ? document.value("format", "") : "";
    return format.starts_with("spinetherm.") ? format : "";
  } catch (const std::exception&) {
    return "";  // whatever it is, it is none of ours
  }
}

ScanItem describe_transform_file(const fs::path& path) {
  const TransformInfo transform = describe_transform(path);
  ScanItem item;
  item.name = path.filename().string();
  item.kind = "transform";
  item.format = "ITK transform";
  item.notes.push_back(fmt::format("{}, {}", transform.kind,
                                   transform.rigid    ? "rigid"
                                   : transform.linear ? "linear, not rigid"
                                                      : "bends"));
  if (transform.rigid) {
    const auto& t = transform.motion.translation_mm;
    item.notes.push_back(
        fmt::format("turns by {:.3f} deg, moves the origin to {:.3f}, {:.3f}, {:.3f} mm (LPS)",
                    angle_deg(transform.motion), t[0], t[1], t[2]));
  }
  item.refusal = "is a transform, not an image";
  item.range_of = "none";
  return item;
}

ScanItem item_of(const DicomFolder& folder, const DicomSeries& series) {
  ScanItem item;
  item.name = fmt::format("series {}{}", series.number ? std::to_string(*series.number) : "without number",
                          series.description.empty() ? "" : ": " + series.description);
  item.kind = series.kind;
  item.format = "DICOM";
  item.modality = series.modality;
  item.series_uid = series.uid;
  item.series_number = series.number;
  item.files = series.files;
  item.size = {series.pixels[0], series.pixels[1], std::int64_t(series.slices.size())};
  item.grid = series.grid;
  item.axial = series.axial;
  item.warnings = series.warnings;
  item.range_of = "not read";
  if (series.refusal) {
    item.refusal = series.refusal->what();
    return item;
  }
  try {
    const auto range = dicom_slice_range(folder, series, series.slices.size() / 2);
    item.range = {double(range[0]), double(range[1])};
    item.range_of = "the middle slice";
  } catch (const Error& e) {
    item.refusal = e.what();
  }
  return item;
}

void add_dicom(const fs::path& path, ScanInfo& info) {
  const DicomFolder folder = scan_dicom(path, {.keep_archive = true});
  for (const auto& series : folder.series) info.items.push_back(item_of(folder, series));
  info.other_files = folder.other_files;
  for (const auto& file : folder.broken) info.warnings.push_back("broken DICOM file: " + file);
}

ScanInfo describe_folder(const fs::path& path) {
  ScanInfo info;
  info.path = path;
  std::optional<IoError> no_dicom;
  try {
    add_dicom(path, info);
    info.what = "DICOM folder";
  } catch (const IoError& e) {
    no_dicom = e;
    info.what = "folder";
  }
  std::size_t unknown = 0;
  std::vector<fs::path> files;
  std::error_code ec;
  for (fs::recursive_directory_iterator it(path, fs::directory_options::skip_permission_denied, ec), end;
       !ec && it != end; it.increment(ec))
    if (std::error_code skip; it->is_regular_file(skip)) files.push_back(it->path());
  std::sort(files.begin(), files.end());
  for (const auto& file : files) {
    const bool detached_data =
        file.extension() == ".img" || file.extension() == ".raw" || file.extension() == ".zraw";
    if (detached_data || is_dicom_file(file)) continue;
    if (!volume_format(file)) {
      if (is_archive(file)) {
        info.items.push_back(named_item(file, "archive", "not opened: name it itself"));
        info.items.back().name = fs::relative(file, path).string();
      } else {
        ++unknown;
      }
      continue;
    }
    try {
      info.items.push_back(describe_volume(file, false));
      info.items.back().name = fs::relative(file, path).string();
    } catch (const Error& e) {
      info.warnings.push_back(e.what());
    }
  }
  info.other_files = unknown;
  if (info.items.empty()) {
    if (no_dicom && info.warnings.empty()) throw *no_dicom;
    throw IoError("holds no image that can be read", path.string(),
                  info.warnings.empty() ? "name a folder of images" : info.warnings.front());
  }
  return info;
}

std::string joined(const std::vector<std::int64_t>& size) {
  return fmt::format("{}", fmt::join(size, " x "));
}

nlohmann::ordered_json list_of(const Eigen::Vector3d& v) { return {v[0], v[1], v[2]}; }

ScanInfo describe_known(const fs::path& path) {
  std::error_code ec;
  if (!fs::exists(path, ec)) throw IoError("does not exist", path.string(), "check the path");
  if (fs::is_directory(path, ec)) return describe_folder(path);
  ScanInfo info;
  info.path = path;
  info.what = "file";
  const std::string name = path.filename().string();
  for (const auto& other : kOtherKinds)
    if (name.ends_with(other.suffix)) {
      info.items.push_back(named_item(path, other.kind, ""));
      return info;
    }
  if (const std::string format = own_format(path); !format.empty())
    info.items.push_back(named_item(path, format + " document", ""));
  else if (is_transform_file(path))
    info.items.push_back(describe_transform_file(path));
  else if (!volume_format(path) && is_archive(path)) {
    info.what = "DICOM archive";
    add_dicom(path, info);
  } else if (!volume_format(path) && is_dicom_file(path)) {
    info.what = "DICOM file";
    add_dicom(path, info);
  } else {
    info.items.push_back(describe_volume(path, true));  // or says why it is none
  }
  return info;
}

}  // namespace

ScanInfo describe(const fs::path& path) {
  try {
    return describe_known(path);
  } catch (const Error&) {
    throw;
  } catch (const std::bad_alloc&) {
    throw IoError("needs more memory than there is", path.string(), "name a smaller image");
  } catch (const fs::filesystem_error& e) {
    throw IoError(e.code().message(), path.string(), "check the path and the permissions");
  } catch (const std::exception& e) {
    throw IoError(fmt::format("cannot be read [{}]", e.what()), path.string(), "fetch the file again");
  }
}

std::string to_text(const ScanInfo& info) {
  std::string out = fmt::format("{}: {}, {} item{}\n", info.path.string(), info.what, info.items.size(),
                                info.items.size() == 1 ? "" : "s");
  for (const auto& item : info.items) {
    out += fmt::format("  {}: {}{}{}\n", item.name, item.format.empty() ? "" : item.format + " ",
                       item.modality.empty() ? "" : item.modality + " ", item.kind);
    if (!item.series_uid.empty())
      out += fmt::format("    uid      {} ({} file{})\n", item.series_uid, item.files,
                         item.files == 1 ? "" : "s");
    if (!item.size.empty())
      out += fmt::format("    size     {}{}\n", joined(item.size),
                         item.value_type.empty() ? "" : " " + item.value_type);
    if (item.grid) {
      const auto& g = *item.grid;
      out += fmt::format("    spacing  {:.4g} x {:.4g} x {:.4g} mm\n", g.spacing_mm[0], g.spacing_mm[1],
                         g.spacing_mm[2]);
      out += fmt::format("    axes     {}{}\n", axis_letters(g), item.axial ? ", axial" : "");
      out += fmt::format("    origin   {:.2f}, {:.2f}, {:.2f} mm (LPS)\n", g.origin_mm[0], g.origin_mm[1],
                         g.origin_mm[2]);
    }
    if (item.range)
      out += fmt::format("    range    {:.6g} to {:.6g} ({})\n", (*item.range)[0], (*item.range)[1],
                         item.range_of);
    if (item.kind == "label map") out += fmt::format("    labels   {}\n", fmt::join(item.labels, " "));
    for (const auto& note : item.notes) out += "    note     " + note + "\n";
    for (const auto& warning : item.warnings) out += "    warning  " + warning + "\n";
    if (!item.refusal.empty()) out += "    refused  " + item.refusal + "\n";
  }
  if (info.other_files > 0)
    out += fmt::format("  {} other file{} ignored\n", info.other_files, info.other_files == 1 ? "" : "s");
  for (const auto& warning : info.warnings) out += "  warning  " + warning + "\n";
  return out;
}

nlohmann::ordered_json to_json(const ScanInfo& info) {
  using Json = nlohmann::ordered_json;
  Json items = Json::array();
  for (const auto& item : info.items) {
    Json j;
    const auto text = [](const std::string& s) { return s.empty() ? Json() : Json(s); };
    j["name"] = item.name;
    j["kind"] = item.kind;
    j["format"] = text(item.format);
    j["modality"] = text(item.modality);
    j["series_uid"] = text(item.series_uid);
    j["series_number"] = item.series_number ? Json(*item.series_number) : Json();
    j["files"] = item.files;
    j["size"] = item.size;
    j["value_type"] = text(item.value_type);
    j["spacing_mm"] = item.grid ? Json(list_of(item.grid->spacing_mm)) : Json();
    j["origin_mm"] = item.grid ? Json(list_of(item.grid->origin_mm)) : Json();
    j["direction"] = Json();
    if (item.grid) {
      j["direction"] = Json::array();
      for (int r = 0; r < 3; ++r) j["direction"].push_back(list_of(item.grid->direction.row(r).transpose()));
    }
    j["axes"] = item.grid ? Json(axis_letters(*item.grid)) : Json();
    j["axial"] = item.axial;
    j["range"] = item.range ? Json(*item.range) : Json();
    j["range_of"] = item.range_of;
    j["labels"] = item.labels;
    j["notes"] = item.notes;
    j["warnings"] = item.warnings;
    j["refusal"] = text(item.refusal);
    items.push_back(j);
  }
  return {{"path", info.path.string()},
          {"what", info.what},
          {"items", items},
          {"other_files", info.other_files},
          {"warnings", info.warnings}};
}

}  // namespace spinetherm
