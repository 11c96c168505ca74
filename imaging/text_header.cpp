// SPDX-License-Identifier: Apache-2.0
// NRRD (teem.sourceforge.net/nrrd/format.html) and MetaImage (itk.org/Wiki/MetaIO/Documentation, LPS)
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <limits>
#include <sstream>

#include "imaging/image_header_detail.h"

namespace spinetherm::header_detail {
namespace {

namespace fs = std::filesystem;

std::string text_head(const fs::path& path) {
  std::error_code ec;
  if (!fs::is_regular_file(path, ec)) throw IoError("is not a file", path.string(), "check the path");
  std::ifstream in(path, std::ios::binary);
  if (!in) throw IoError("cannot be opened", path.string(), "check the path and the permissions");
  constexpr std::size_t limit = 1 << 20;  // Slicer's segment tables take some hundred bytes each
  std::string text(limit, '\0');
  in.read(text.data(), std::streamsize(limit));
  text.resize(std::size_t(in.gcount()));
  return text;
}

std::vector<double> numbers(std::string_view text) {
  std::vector<double> out;
  std::istringstream in{std::string(text)};
  for (std::string word; in >> word;) {
    double v = std::numeric_limits<double>::quiet_NaN();
    std::from_chars(word.data(), word.data() + word.size(), v);  // "nan" and words stay NaN, and are refused
    out.push_back(v);
  }
  return out;
}

struct ValueType {
  const char *word, *name;
  int bytes;
  bool integer;
};
constexpr ValueType kNrrdTypes[] = {{"signed char", "int8", 1, true},
                                    {"int8", "int8", 1, true},
                                    {"int8_t", "int8", 1, true},
                                    {"uchar", "uint8", 1, true},
                                    {"unsigned char", "uint8", 1, true},
                                    {"uint8", "uint8", 1, true},
                                    {"uint8_t", "uint8", 1, true},
                                    {"short", "int16", 2, true},
                                    {"short int", "int16", 2, true},
                                    {"signed short", "int16", 2, true},
                                    {"signed short int", "int16", 2, true},
                                    {"int16", "int16", 2, true},
                                    {"int16_t", "int16", 2, true},
                                    {"ushort", "uint16", 2, true},
                                    {"unsigned short", "uint16", 2, true},
                                    {"unsigned short int", "uint16", 2, true},
                                    {"uint16", "uint16", 2, true},
                                    {"uint16_t", "uint16", 2, true},
                                    {"int", "int32", 4, true},
                                    {"signed int", "int32", 4, true},
                                    {"int32", "int32", 4, true},
                                    {"int32_t", "int32", 4, true},
                                    {"uint", "uint32", 4, true},
                                    {"unsigned int", "uint32", 4, true},
                                    {"uint32", "uint32", 4, true},
                                    {"uint32_t", "uint32", 4, true},
                                    {"longlong", "int64", 8, true},
                                    {"long long", "int64", 8, true},
                                    {"long long int", "int64", 8, true},
                                    {"signed long long", "int64", 8, true},
                                    {"int64", "int64", 8, true},
                                    {"int64_t", "int64", 8, true},
                                    {"ulonglong", "uint64", 8, true},
                                    {"unsigned long long", "uint64", 8, true},
                                    {"uint64", "uint64", 8, true},
                                    {"uint64_t", "uint64", 8, true},
                                    {"float", "float32", 4, false},
                                    {"double", "float64", 8, false}};
constexpr ValueType kMetaTypes[] = {
    {"met_char", "int8", 1, true},       {"met_uchar", "uint8", 1, true},
    {"met_short", "int16", 2, true},     {"met_ushort", "uint16", 2, true},
    {"met_int", "int32", 4, true},       {"met_uint", "uint32", 4, true},
    {"met_long", "int32", 4, true},      {"met_ulong", "uint32", 4, true},
    {"met_long_long", "int64", 8, true}, {"met_ulong_long", "uint64", 8, true},
    {"met_float", "float32", 4, false},  {"met_double", "float64", 8, false}};

template <std::size_t N>
void set_type(ImageHeader& header, const fs::path& path, const ValueType (&table)[N],
              const std::string& word) {
  for (const auto& t : table)
    if (lower(word) == t.word) {
      header.value_type = t.name;
      header.bytes_per_value = t.bytes;
      header.whole_numbers = t.integer;
      return;
    }
  header.value_type = word;
  refuse(header, path, fmt::format("has voxels of type '{}'", word), "convert it to int16 or float32");
}

/// A detached data file must exist, and a raw one must hold what the header declares.
void check_raw_data(ImageHeader& header, const fs::path& path, const fs::path& data, std::uintmax_t offset,
                    bool raw) {
  std::error_code ec;
  const auto have = fs::file_size(data, ec);
  if (ec)
    return refuse_broken(header, path, fmt::format("its data file '{}' is missing", data.filename().string()),
                         "put it beside the header");
  const double need = header.voxels() * header.components * header.bytes_per_value;
  if (raw && double(have) - double(offset) < need)
    refuse_broken(
        header, path,
        fmt::format("is truncated: {} of {:.0f} bytes of voxels", have > offset ? have - offset : 0, need),
        "fetch the file again");
}

/// "(1,0,0) (0,1,0) none (0,0,1)": one vector or `none` for each axis.
std::vector<std::optional<Eigen::Vector3d>> nrrd_vectors(const std::string& text) {
  std::vector<std::optional<Eigen::Vector3d>> out;
  std::size_t at = 0;
  while ((at = text.find_first_not_of(" \t", at)) != std::string::npos) {
    if (text[at] != '(') {
      out.emplace_back();
      at = text.find_first_of(" \t", at);
      continue;
    }
    const auto end = text.find(')', at);
    std::string inner = text.substr(at + 1, end == std::string::npos ? end : end - at - 1);
    std::replace(inner.begin(), inner.end(), ',', ' ');
    const auto v = numbers(inner);
    Eigen::Vector3d vector = Eigen::Vector3d::Constant(std::numeric_limits<double>::quiet_NaN());
    if (v.size() == 3) vector = {v[0], v[1], v[2]};
    out.emplace_back(vector);
    at = end == std::string::npos ? end : end + 1;
  }
  return out;
}

}  // namespace

ImageHeader read_nrrd_header(const fs::path& path) {
  const std::string text = text_head(path);
  if (!text.starts_with("NRRD"))
    throw IoError("is not an NRRD file, whatever its name says", path.string(), "name an NRRD file");
  ImageHeader header;
  header.format = VolumeFormat::nrrd;
  std::map<std::string, std::string> fields;
  std::size_t at = text.find('\n');
  bool complete = false;
  while (at != std::string::npos && at + 1 < text.size()) {
    const auto end = text.find('\n', at + 1);
    const std::string line = trimmed(std::string_view(text).substr(at + 1, end - at - 1));
    at = end;
    if (line.empty()) {
      complete = true;
      break;
    }
    if (line[0] == '#') continue;
    const auto pair = line.find(":="), colon = line.find(": ");
    if (pair != std::string::npos && (colon == std::string::npos || pair < colon))
      header.keys[line.substr(0, pair)] = line.substr(pair + 2);
    else if (colon != std::string::npos)
      fields[lower(line.substr(0, colon))] = trimmed(std::string_view(line).substr(colon + 2));
  }
  if (fields.count("datafile")) fields["data file"] = fields["datafile"];
  const bool detached = fields.count("data file") > 0;
  if ((!complete && !detached) || !fields.count("sizes") || !fields.count("type"))
    throw IoError("has a broken NRRD header", path.string(), "fetch the file again, or export it again");

  set_type(header, path, kNrrdTypes, fields["type"]);
  std::vector<std::string> kinds;
  std::istringstream words(lower(fields["kinds"]));
  for (std::string w; words >> w;) kinds.push_back(w);
  const auto sizes = numbers(fields["sizes"]);
  const auto directions = nrrd_vectors(fields["space directions"]);
  const auto spacings = numbers(fields["spacings"]);
  std::vector<std::size_t> space_axes;
  for (std::size_t a = 0; a < sizes.size(); ++a) {
    if (!(sizes[a] >= 1) || sizes[a] != std::floor(sizes[a]) || sizes[a] > 1e12) {
      refuse_broken(header, path, fmt::format("a dimension of the image is {}", sizes[a]),
                    "correct the header");
      return header;
    }
    const std::string kind = a < kinds.size() ? kinds[a] : "domain";
    const bool in_space = directions.empty() ? kind == "domain" || kind == "space" || kind == "???"
                                             : a < directions.size() && directions[a].has_value();
    if (in_space && space_axes.size() < 3) {
      space_axes.push_back(a);
      header.size.push_back(std::int64_t(sizes[a]));
    } else if (kind == "list" || kind == "time" || kind == "domain" || kind == "space") {
      if (kind == "list" && header.keys.count("Segment0_ID"))
        refuse(header, path, fmt::format("holds {} layers of overlapping segments", sizes[a]),
               "save the segments so that they do not overlap (3D Slicer: collapse labelmap layers)");
      if (sizes[a] > 1)
        refuse(header, path, fmt::format("is 4-D with {} volumes", sizes[a]), "extract one volume of it");
    } else {
      header.components *= int(sizes[a]);
      header.vector_field = kind == "vector" || kind == "covariant-vector" || kind == "3-vector";
    }
  }
  check_size(header, path);
  const std::string encoding = lower(fields["encoding"]);
  if (detached && fields["data file"].find("LIST") == std::string::npos &&
      fields["data file"].find('%') == std::string::npos)
    check_raw_data(header, path, path.parent_path() / fields["data file"], 0, encoding == "raw");
  else if (!detached)
    check_raw_data(header, path, path, at + 1, encoding == "raw");
  if (header.refusal) return header;

  const std::string space = lower(fields["space"]);
  Eigen::Matrix3d lps_from_space;
  if (space == "left-posterior-superior" || space == "lps")
    lps_from_space = Eigen::Matrix3d::Identity();
  else if (space == "right-anterior-superior" || space == "ras")
    lps_from_space = kLpsFromRas;
  else if (space == "left-anterior-superior" || space == "las")
    lps_from_space = Eigen::Vector3d(1, -1, 1).asDiagonal();
  else {
    for (double s : spacings)
      if (!(s > 0) || !std::isfinite(s))
        refuse_broken(header, path, fmt::format("spacing {}", s),
                      "spacing must be positive and finite: correct the header");
    refuse(
        header, path, space.empty() ? "header names no space" : fmt::format("space is '{}'", space),
        "write `space: left-posterior-superior` and space directions, else left and right would be a guess");
    return header;
  }
  Eigen::Matrix3d steps = Eigen::Matrix3d::Identity();
  if (space_axes.size() < 3 || directions.empty()) {
    refuse(header, path, fmt::format("has {} space directions", directions.empty() ? 0 : space_axes.size()),
           "an image of three space axes is needed");
    return header;
  }
  for (std::size_t a = 0; a < 3; ++a) steps.col(Eigen::Index(a)) = *directions[space_axes[a]];
  const auto origins = nrrd_vectors(fields["space origin"]);
  Eigen::Vector3d origin = Eigen::Vector3d::Zero();
  if (!origins.empty() && origins[0])
    origin = *origins[0];
  else
    header.warnings.push_back("no space origin in the header: taken as 0, 0, 0");
  set_geometry(header, path, lps_from_space * steps, lps_from_space * origin);
  return header;
}

ImageHeader read_meta_header(const fs::path& path) {
  const std::string text = text_head(path);
  ImageHeader header;
  header.format = VolumeFormat::meta;
  std::map<std::string, std::string> fields;
  std::size_t at = 0;
  while (at < text.size() && !fields.count("elementdatafile")) {
    const auto end = text.find('\n', at);
    if (end == std::string::npos) break;
    const std::string_view line = std::string_view(text).substr(at, end - at);
    at = end + 1;
    const auto equals = line.find('=');
    if (equals == std::string_view::npos) break;
    fields[lower(trimmed(line.substr(0, equals)))] = trimmed(line.substr(equals + 1));
  }
  const auto first_of = [&](std::initializer_list<const char*> names) -> std::string {
    for (const char* n : names)
      if (const auto it = fields.find(n); it != fields.end()) return it->second;
    return "";
  };
  if (!fields.count("ndims") && !fields.count("objecttype"))
    throw IoError("is not a MetaImage file, whatever its name says", path.string(),
                  "name a .mha or .mhd image");
  if (!fields.count("dimsize") || !fields.count("elementtype") || !fields.count("elementdatafile"))
    throw IoError("has a broken MetaImage header", path.string(), "fetch the file again, or export it again");

  std::string type = lower(fields["elementtype"]);
  if (type.ends_with("_array")) type.resize(type.size() - 6);
  set_type(header, path, kMetaTypes, type);
  const auto sizes = numbers(fields["dimsize"]);
  for (double n : sizes) {
    if (!(n >= 1) || n != std::floor(n) || n > 1e12) {
      refuse_broken(header, path, fmt::format("a dimension of the image is {}", n), "correct the header");
      return header;
    }
    header.size.push_back(std::int64_t(n));
  }
  if (const auto channels = numbers(first_of({"elementnumberofchannels"})); !channels.empty())
    header.components = channels[0] >= 1 && channels[0] < 1e6 ? int(channels[0]) : 0;
  if (header.components < 1) refuse_broken(header, path, "has no values per voxel", "correct the header");
  check_size(header, path);
  if (header.refusal) return header;

  const bool compressed = lower(first_of({"compresseddata"})) == "true";
  const std::string data = fields["elementdatafile"];
  const auto skip = numbers(first_of({"headersize"}));
  if (lower(data) == "local")
    check_raw_data(header, path, path, at, !compressed);
  else if (data.find('%') == std::string::npos && !lower(data).starts_with("list"))
    check_raw_data(header, path, path.parent_path() / data,
                   !skip.empty() && skip[0] > 0 ? std::uintmax_t(skip[0]) : 0, !compressed);
  const auto packed = numbers(first_of({"compresseddatasize"}));
  if (compressed && lower(data) == "local" && !packed.empty() &&
      double(fs::file_size(path)) - double(at) < packed[0])
    refuse_broken(header, path, "is truncated", "fetch the file again");
  if (header.refusal) return header;

  const std::size_t n = sizes.size();
  auto spacing = numbers(first_of({"elementspacing"}));
  if (spacing.empty()) spacing = numbers(first_of({"elementsize"}));
  if (spacing.empty()) {
    refuse(header, path, "header gives no spacing", "add ElementSpacing");
    return header;
  }
  const auto matrix = numbers(first_of({"transformmatrix", "rotation", "orientation"}));
  const auto offset = numbers(first_of({"offset", "position", "origin"}));
  if (spacing.size() != n || (!matrix.empty() && matrix.size() != n * n) ||
      (!offset.empty() && offset.size() != n)) {
    refuse_broken(header, path, "header's spacing, matrix or offset does not fit its dimensions",
                  "correct the header");
    return header;
  }
  Eigen::Matrix3d steps = Eigen::Matrix3d::Identity();
  Eigen::Vector3d origin = Eigen::Vector3d::Zero();
  for (std::size_t axis = 0; axis < std::min<std::size_t>(n, 3); ++axis) {
    if (!(spacing[axis] > 0) || !std::isfinite(spacing[axis])) {
      refuse_broken(header, path, fmt::format("spacing {}", fmt::join(spacing, " x ")),
                    "spacing must be positive and finite: correct the header");
      return header;
    }
    for (std::size_t c = 0; c < std::min<std::size_t>(n, 3);
         ++c)  // row `axis` of the file is that axis' direction
      if (!matrix.empty()) steps(Eigen::Index(c), Eigen::Index(axis)) = matrix[axis * n + c];
    if (!offset.empty()) origin[Eigen::Index(axis)] = offset[axis];
  }
  const Eigen::Vector3d lengths = steps.colwise().norm();
  if (!steps.allFinite() || ((lengths.array() - 1).abs() > 1e-3).any()) {
    refuse_broken(header, path, "direction matrix is singular or not orthonormal",
                  "correct the header, or export the image again");
    return header;
  }
  for (std::size_t axis = 0; axis < std::min<std::size_t>(n, 3); ++axis)
    steps.col(Eigen::Index(axis)) *= spacing[axis] / lengths[Eigen::Index(axis)];
  set_geometry(header, path, steps, origin);
  return header;
}

}  // namespace spinetherm::header_detail
