// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "imaging/core/anatomy.h"
#include "imaging/core/volume.h"

namespace spinetherm {

/// Writes a volume by the suffix of its name: .nii .nii.gz (qform and sform alike, code 1, RAS mm), .nrrd
/// (LPS), .mha (LPS); NRRD, MHA and .nii.gz compressed. The grid's handedness is kept. The file is complete
/// or not there: it is written under a temporary name beside its place and renamed. IoError for another
/// suffix, an empty or invalid volume, or a folder that cannot be written. `description` goes into the
/// header: NIfTI's descrip (its first 79 characters), a field "Description" of NRRD and MHA.
void write_volume(const std::filesystem::path& path, const Volume<float>& volume,
                  const std::string& description = {});
void write_volume(const std::filesystem::path& path, const Volume<std::int16_t>& volume,
                  const std::string& description = {});
void write_volume(const std::filesystem::path& path, const Volume<std::uint8_t>& volume);
void write_volume(const std::filesystem::path& path, const Volume<std::uint16_t>& volume);
void write_volume(const std::filesystem::path& path, const Volume<std::uint32_t>& volume);

/// One row of a label map's name table.
struct LabelName {
  std::uint32_t value = 0;
  std::string name;
  std::array<std::uint8_t, 3> colour{255, 255, 255};
  bool operator==(const LabelName&) const = default;
};

/// The structures of core's table that occur in `labels`, with their colours.
std::vector<LabelName> structure_names(const Volume<StructureValue>& labels);

/// Writes a label map with its names: .nrrd and .seg.nrrd carry them as 3D Slicer's segment keys; beside
/// .nii, .nii.gz and .mha lies `labels.json` (spinetherm.labels), which several label maps of one folder
/// share. IoError also when that file gives a value another name already.
void write_labels(const std::filesystem::path& path, const Volume<StructureValue>& labels);
void write_labels(const std::filesystem::path& path, const Volume<std::uint32_t>& labels,
                  const std::vector<LabelName>& names);

/// The names that came with a label map: Slicer's segment keys of an NRRD file, else `labels.json` beside it.
/// Empty when there are none.
std::vector<LabelName> read_label_names(const std::filesystem::path& path);

/// Calls `write` with a temporary name beside `path` (same suffix) and renames what it wrote to `path`. When
/// `write` throws, nothing is left behind and an older file at `path` stays as it was.
void write_renamed(const std::filesystem::path& path,
                   const std::function<void(const std::filesystem::path&)>& write);

/// Three numbers a voxel, as ITK reads a field of vectors; suffixes and errors as write_volume.
void write_vectors(const std::filesystem::path& path, const Grid& grid,
                   const std::vector<Eigen::Vector3f>& values);

}  // namespace spinetherm
