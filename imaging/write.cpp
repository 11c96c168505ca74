// SPDX-License-Identifier: Apache-2.0
#include "imaging/write.h"

#include <fmt/format.h>
#include <itkIOCommon.h>
#include <itkMetaDataObject.h>
#include <itkMetaImageIO.h>
#include <itkNiftiImageIO.h>
#include <itkNrrdImageIO.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <limits>
#include <map>
#include <sstream>

#include "imaging/core/json_reader.h"
#include "imaging/image_header.h"

namespace spinetherm {
namespace {

namespace fs = std::filesystem;
using Keys = std::vector<std::pair<std::string, std::string>>;

template <class T>
constexpr itk::IOComponentEnum component();
template <>
constexpr itk::IOComponentEnum component<float>() {
  return itk::IOComponentEnum::FLOAT;
}
template <>
constexpr itk::IOComponentEnum component<std::int16_t>() {
  return itk::IOComponentEnum::SHORT;
}
template <>
constexpr itk::IOComponentEnum component<std::uint8_t>() {
  return itk::IOComponentEnum::UCHAR;
}
template <>
constexpr itk::IOComponentEnum component<std::uint16_t>() {
  return itk::IOComponentEnum::USHORT;
}
template <>
constexpr itk::IOComponentEnum component<std::uint32_t>() {
  return itk::IOComponentEnum::UINT;
}

itk::ImageIOBase::Pointer image_io_for(const fs::path& path) {
  const std::string name = path.filename().string();
  if (name.ends_with(".nii") || name.ends_with(".nii.gz")) return itk::NiftiImageIO::New().GetPointer();
  if (name.ends_with(".nrrd")) return itk::NrrdImageIO::New().GetPointer();
  if (name.ends_with(".mha")) return itk::MetaImageIO::New().GetPointer();
  throw IoError("cannot be written under this suffix", path.string(), "use .nii.gz, .nii, .nrrd or .mha");
}

/// What a voxel holds.
struct Voxels {
  itk::IOPixelEnum pixel = itk::IOPixelEnum::SCALAR;
  unsigned components = 1;
  itk::IOComponentEnum component = itk::IOComponentEnum::FLOAT;
  const void* values = nullptr;
  std::size_t count = 0;
};

constexpr int kCompressionLevel = 2;  // a third of the time of zlib's default for a few percent of the size

/// Packs `plain` into `packed` and removes it. ITK's NIfTI knows no level but zlib's default.
void pack(const fs::path& plain, const fs::path& packed) {
  const auto failed = [&] {
    std::error_code ignored;
    fs::remove(plain, ignored);
    throw IoError("cannot be written", packed.string(), "check the folder and the free space");
  };
  std::ifstream in(plain, std::ios::binary);
  gzFile out = gzopen(packed.c_str(), fmt::format("wb{}", kCompressionLevel).c_str());
  if (!out) failed();
  std::vector<char> block(std::size_t(1) << 20);
  bool good = bool(in);
  while (good && in) {
    in.read(block.data(), std::streamsize(block.size()));
    const auto got = unsigned(in.gcount());
    if (got > 0) good = gzwrite(out, block.data(), got) == int(got);
  }
  if (gzclose(out) != Z_OK || !good || in.bad()) failed();
  std::error_code ignored;
  fs::remove(plain, ignored);
}

void write_voxels(const fs::path& path, const Grid& grid, const Voxels& voxels, const Keys& keys) {
  grid.validate(path.string());
  if (voxels.count != grid.count())
    throw IoError("volume holds another number of values than its grid", path.string(), "fill it first");
  if (path.filename().string().find(".nii") != std::string::npos &&
      *std::max_element(grid.size.begin(), grid.size.end()) > 32767)
    throw IoError("is too long for NIfTI-1 (32767 voxels an axis)", path.string(), "write .nrrd or .mha");
  const itk::ImageIOBase::Pointer io = image_io_for(path);
  const bool packed = path.filename().string().ends_with(".nii.gz");
  write_renamed(path, [&](const fs::path& temporary) {
    const fs::path plain = packed ? fs::path(temporary).replace_extension() : temporary;
    try {
      io->SetFileName(plain.string());
      io->SetNumberOfDimensions(3);
      io->SetPixelType(voxels.pixel);
      io->SetNumberOfComponents(voxels.components);
      io->SetComponentType(voxels.component);
      itk::ImageIORegion region(3);
      for (unsigned a = 0; a < 3; ++a) {
        const Eigen::Vector3d axis = grid.direction.col(a);
        io->SetDimensions(a, itk::SizeValueType(grid.size[a]));
        io->SetSpacing(a, grid.spacing_mm[a]);
        io->SetOrigin(a, grid.origin_mm[a]);
        io->SetDirection(a, std::vector<double>{axis[0], axis[1], axis[2]});
        region.SetSize(a, itk::SizeValueType(grid.size[a]));
        region.SetIndex(a, 0);
      }
      io->SetIORegion(region);
      io->SetUseCompression(true);
      io->SetCompressionLevel(kCompressionLevel);
      for (const auto& [key, value] : keys)
        itk::EncapsulateMetaData<std::string>(io->GetMetaDataDictionary(), key, value);
      io->Write(voxels.values);
    } catch (const itk::ExceptionObject& e) {
      std::error_code ignored;
      if (packed) fs::remove(plain, ignored);
      throw IoError(fmt::format("cannot be written [{}]", e.GetDescription()), path.string(),
                    "check the folder and the free space");
    }
    if (packed) pack(plain, temporary);
  });
}

template <class T>
void write_any(const fs::path& path, const Volume<T>& volume, const Keys& keys = {}) {
  write_voxels(path, volume.grid,
               {itk::IOPixelEnum::SCALAR, 1, component<T>(), volume.values.data(), volume.values.size()},
               keys);
}

/// Slicer's keys (github.com/Slicer/Slicer, Docs/developer_guide/modules/segmentations.md); the older
/// Master... name beside the newer Source... one, for versions before 5.2.
Keys segment_keys(const Volume<std::uint32_t>& labels, const std::vector<LabelName>& names) {
  std::map<std::uint32_t, std::array<int, 6>> extents;
  const auto& size = labels.grid.size;
  for (int k = 0; k < size[2]; ++k)
    for (int j = 0; j < size[1]; ++j)
      for (int i = 0; i < size[0]; ++i)
        if (const auto value = labels(i, j, k); value != 0) {
          auto& e = extents.try_emplace(value, std::array<int, 6>{i, i, j, j, k, k}).first->second;
          e = {std::min(e[0], i), std::max(e[1], i), std::min(e[2], j),
               std::max(e[3], j), std::min(e[4], k), std::max(e[5], k)};
        }
  Keys keys{{"Segmentation_SourceRepresentation", "Binary labelmap"},
            {"Segmentation_MasterRepresentation", "Binary labelmap"},
            {"Segmentation_ContainedRepresentationNames", "Binary labelmap|"},
            {"Segmentation_ReferenceImageExtentOffset", "0 0 0"}};
  std::size_t n = 0;
  for (const auto& name : names) {
    const auto found = extents.find(name.value);
    const std::array<int, 6> extent =
        found != extents.end() ? found->second : std::array<int, 6>{0, -1, 0, -1, 0, -1};
    const std::string prefix = fmt::format("Segment{}_", n++);
    keys.emplace_back(prefix + "ID", name.name);
    keys.emplace_back(prefix + "Name", name.name);
    keys.emplace_back(prefix + "NameAutoGenerated", "0");
    keys.emplace_back(prefix + "Color", fmt::format("{:.6f} {:.6f} {:.6f}", name.colour[0] / 255.0,
                                                    name.colour[1] / 255.0, name.colour[2] / 255.0));
    keys.emplace_back(prefix + "ColorAutoGenerated", "0");
    keys.emplace_back(prefix + "LabelValue", std::to_string(name.value));
    keys.emplace_back(prefix + "Layer", "0");
    keys.emplace_back(prefix + "Extent", fmt::format("{}", fmt::join(extent, " ")));
  }
  return keys;
}

std::vector<LabelName> read_names_json(const fs::path& path) {
  const nlohmann::json document = parse_json_file(path);
  try {
    const JsonReader reader(document);
    expect_format(reader, "labels");
    std::vector<LabelName> names;
    for (const auto& row : reader.at("labels").elements()) {
      LabelName name;
      name.value = std::uint32_t(row.get<int>("value"));
      name.name = row.get<std::string>("name");
      if (const auto colour = row.get_optional<std::array<int, 3>>("colour"))
        for (std::size_t c = 0; c < 3; ++c) name.colour[c] = std::uint8_t(std::clamp((*colour)[c], 0, 255));
      row.finish();
      names.push_back(name);
    }
    reader.finish();
    return names;
  } catch (Error& e) {
    e.within(path.string());
    throw;
  }
}

/// `names` together with those that the folder's table holds already.
std::vector<LabelName> merged_names(const fs::path& table, const std::vector<LabelName>& names) {
  std::map<std::uint32_t, LabelName> rows;
  if (fs::exists(table))
    for (const auto& name : read_names_json(table)) rows[name.value] = name;
  for (const auto& name : names) {
    const auto [row, added] = rows.try_emplace(name.value, name);
    if (!added && row->second.name != name.name)
      throw IoError(
          fmt::format("value {} is '{}' there and '{}' here", name.value, row->second.name, name.name),
          table.string(), "write this label map into another folder");
  }
  std::vector<LabelName> all;
  for (const auto& [value, name] : rows) all.push_back(name);
  return all;
}

void write_names_json(const fs::path& path, const std::vector<LabelName>& names) {
  nlohmann::ordered_json document{
      {"format", "spinetherm.labels"}, {"version", 1}, {"labels", nlohmann::ordered_json::array()}};
  for (const auto& name : names)
    document["labels"].push_back({{"value", name.value}, {"name", name.name}, {"colour", name.colour}});
  write_renamed(path, [&](const fs::path& temporary) {
    std::ofstream out(temporary);
    out << document.dump(2) << '\n';
    if (!out.flush())
      throw IoError("cannot be written", path.string(), "check the folder and the free space");
  });
}

/// In the narrowest type that holds every value: 3D Slicer and ITK-SNAP take 8 and 16 bits everywhere.
template <class T>
void write_as(const fs::path& path, const Volume<std::uint32_t>& labels, const Keys& keys) {
  Volume<T> narrow;
  narrow.grid = labels.grid;
  narrow.values.assign(labels.values.begin(), labels.values.end());
  write_any(path, narrow, keys);
}

Keys description_keys(const fs::path& path, const std::string& description) {
  if (description.empty()) return {};
  const bool nifti = path.filename().string().find(".nii") != std::string::npos;
  return {{nifti ? itk::ITK_FileNotes : "Description", description}};
}

}  // namespace

void write_renamed(const fs::path& path, const std::function<void(const fs::path&)>& write) {
  // In front, so that the suffix, which names the format, stays.
  const fs::path temporary =
      path.parent_path() / fmt::format(".part-{}-{}", ::getpid(), path.filename().string());
  std::error_code ec;
  const fs::path folder = path.parent_path().empty() ? fs::path(".") : path.parent_path();
  if (!fs::is_directory(folder, ec))
    throw IoError("its folder does not exist", path.string(), "make the folder first");
  if (fs::is_directory(path, ec)) throw IoError("is a folder", path.string(), "name a file");
  try {
    write(temporary);
    fs::rename(temporary, path);
  } catch (const fs::filesystem_error&) {
    fs::remove(temporary, ec);
    throw IoError("cannot be written", path.string(), "check the folder and the free space");
  } catch (...) {
    fs::remove(temporary, ec);
    throw;
  }
}

void write_volume(const fs::path& path, const Volume<float>& volume, const std::string& description) {
  write_any(path, volume, description_keys(path, description));
}
void write_volume(const fs::path& path, const Volume<std::int16_t>& volume, const std::string& description) {
  write_any(path, volume, description_keys(path, description));
}
void write_volume(const fs::path& path, const Volume<std::uint8_t>& volume) { write_any(path, volume); }
void write_volume(const fs::path& path, const Volume<std::uint16_t>& volume) { write_any(path, volume); }
void write_volume(const fs::path& path, const Volume<std::uint32_t>& volume) { write_any(path, volume); }

std::vector<LabelName> structure_names(const Volume<StructureValue>& labels) {
  std::vector<bool> present(std::size_t(std::numeric_limits<StructureValue>::max()) + 1);
  for (auto value : labels.values) present[value] = true;
  std::vector<LabelName> names;
  for (const auto& [value, name] : structure_table())
    if (present[value]) names.push_back({value, name, structure_colour(value)});
  return names;
}

void write_labels(const fs::path& path, const Volume<StructureValue>& labels) {
  Volume<std::uint32_t> wide;
  wide.grid = labels.grid;
  wide.values.assign(labels.values.begin(), labels.values.end());
  write_labels(path, wide, structure_names(labels));
}

void write_labels(const fs::path& path, const Volume<std::uint32_t>& labels,
                  const std::vector<LabelName>& names) {
  if (labels.values.size() != labels.grid.count())
    throw IoError("label map holds another number of values than its grid", path.string(), "fill it first");
  const bool in_file = path.extension() == ".nrrd";
  const fs::path table = path.parent_path() / "labels.json";
  const Keys keys = in_file ? segment_keys(labels, names) : Keys{};
  const auto beside = in_file || names.empty() ? std::vector<LabelName>{} : merged_names(table, names);
  const auto highest =
      labels.values.empty() ? 0u : *std::max_element(labels.values.begin(), labels.values.end());
  if (highest <= std::numeric_limits<std::uint8_t>::max())
    write_as<std::uint8_t>(path, labels, keys);
  else if (highest <= std::numeric_limits<std::uint16_t>::max())
    write_as<std::uint16_t>(path, labels, keys);
  else
    write_any(path, labels, keys);
  if (!beside.empty()) write_names_json(table, beside);
}

std::vector<LabelName> read_label_names(const fs::path& path) {
  const ImageHeader header = read_image_header(path);
  std::vector<LabelName> names;
  for (std::size_t n = 0;; ++n) {
    const std::string prefix = fmt::format("Segment{}_", n);
    const auto value = header.keys.find(prefix + "LabelValue"), name = header.keys.find(prefix + "Name");
    if (value == header.keys.end() || name == header.keys.end()) break;
    LabelName row;
    std::from_chars(value->second.data(), value->second.data() + value->second.size(), row.value);
    row.name = name->second;
    if (const auto colour = header.keys.find(prefix + "Color"); colour != header.keys.end()) {
      std::istringstream in(colour->second);
      for (std::size_t c = 0; c < 3; ++c)
        if (double v = 1; in >> v) row.colour[c] = std::uint8_t(std::lround(std::clamp(v, 0.0, 1.0) * 255));
    }
    names.push_back(row);
  }
  const fs::path beside = path.parent_path() / "labels.json";
  if (names.empty() && fs::exists(beside)) names = read_names_json(beside);
  return names;
}

void write_vectors(const fs::path& path, const Grid& grid, const std::vector<Eigen::Vector3f>& values) {
  static_assert(sizeof(Eigen::Vector3f) == 3 * sizeof(float));
  write_voxels(path, grid,
               {itk::IOPixelEnum::VECTOR, 3, itk::IOComponentEnum::FLOAT, values.data(), values.size()}, {});
}

}  // namespace spinetherm
