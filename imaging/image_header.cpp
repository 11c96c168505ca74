// SPDX-License-Identifier: Apache-2.0
#include "imaging/image_header.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <memory>

#include "imaging/core/units.h"
#include "imaging/image_header_detail.h"

namespace spinetherm {

namespace fs = std::filesystem;

namespace header_detail {

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return char(std::tolower(c)); });
  return text;
}

std::string trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return "";
  return std::string(text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1));
}

std::string head_of(const fs::path& path, std::size_t count) {
  const std::unique_ptr<gzFile_s, int (*)(gzFile)> in(gzopen(path.c_str(), "rb"), gzclose);
  if (!in) throw IoError("cannot be opened", path.string(), "check the path and the permissions");
  std::string bytes(count, '\0');
  const int got = gzread(in.get(), bytes.data(), unsigned(count));
  bytes.resize(std::size_t(std::max(got, 0)));
  return bytes;
}

bool head_is_gzip(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return in.get() == 0x1f && in.get() == 0x8b;
}

void refuse(ImageHeader& header, const fs::path& path, std::string what, std::string to_do) {
  header.grid.reset();
  if (!header.refusal) header.refusal = IoError(std::move(what), path.string(), std::move(to_do));
}

void refuse_broken(ImageHeader& header, const fs::path& path, std::string what, std::string to_do) {
  if (!header.refusal) header.broken = true;
  refuse(header, path, std::move(what), std::move(to_do));
}

void set_geometry(ImageHeader& header, const fs::path& path, const Eigen::Matrix3d& steps_mm,
                  const Eigen::Vector3d& origin_mm) {
  const Eigen::Vector3d spacing = steps_mm.colwise().norm();
  if (!steps_mm.allFinite() || !origin_mm.allFinite())
    return refuse_broken(header, path, "spacing, direction or origin is not a finite number",
                         "correct the header, or export the image again");
  if ((spacing.array() <= 0).any())
    return refuse_broken(header, path,
                         fmt::format("spacing {} x {} x {} mm", spacing[0], spacing[1], spacing[2]),
                         "spacing must be positive: correct the header");
  const Eigen::Matrix3d columns = steps_mm * spacing.cwiseInverse().asDiagonal();
  const Eigen::Matrix3d gram = columns.transpose() * columns;
  const double skew = (gram - Eigen::Matrix3d::Identity()).cwiseAbs().maxCoeff();
  if (std::abs(columns.determinant()) < 1e-3)
    return refuse_broken(header, path, "direction matrix is singular",
                         "correct the header, or export the image again");
  // 1e-3 is what Grid::validate allows; smaller errors come from headers written in single precision.
  if (skew > 1e-3)
    return refuse(header, path,
                  fmt::format("axes are sheared, {:.2f} deg off a right angle",
                              std::asin(std::min(skew, 1.0)) * 180 / kPi),
                  "resample the image onto orthogonal axes");
  Grid grid;
  for (std::size_t a = 0; a < 3; ++a) grid.size[a] = int(a < header.size.size() ? header.size[a] : 1);
  grid.spacing_mm = spacing;
  grid.origin_mm = origin_mm;
  grid.direction = columns;
  for (int n = 0; n < 3; ++n)  // Newton's iteration to the nearest orthonormal matrix (Higham 1986)
    grid.direction = (0.5 * (grid.direction + grid.direction.inverse().transpose())).eval();
  const Eigen::Vector3d far(grid.size[0] - 1, grid.size[1] - 1, grid.size[2] - 1);
  const double shift = (grid.to_world(far) - (origin_mm + steps_mm * far)).norm();
  if (shift > 0.1)
    header.warnings.push_back(
        fmt::format("axes are not quite orthogonal: made so, the far corner moves by {:.2f} mm", shift));
  header.grid = grid;
}

void check_size(ImageHeader& header, const fs::path& path) {
  for (auto n : header.size)
    if (n < 1)
      return refuse_broken(header, path, fmt::format("a dimension of the image is {}", n),
                           "correct the header");
  for (std::size_t a = 0; a < std::min<std::size_t>(3, header.size.size()); ++a)
    if (header.size[a] > 1'000'000'000)
      return refuse_broken(header, path, fmt::format("a dimension of the image is {}", header.size[a]),
                           "correct the header");
  for (std::size_t a = 3; a < header.size.size(); ++a)
    if (header.size[a] > 1)
      return refuse(header, path, fmt::format("is {}-D with {} volumes", a + 1, header.size[a]),
                    "extract one volume of it");
  if (header.size.size() < 3)
    return refuse(header, path, fmt::format("is {}-D", header.size.size()),
                  "an image of three dimensions is needed");
  if (header.components > 1)
    refuse(header, path,
           header.vector_field
               ? fmt::format("is a field of {}-vectors", header.components)
               : fmt::format("has {} values per voxel ({})", header.components, header.value_type),
           "an image of one number per voxel is needed");
}

}  // namespace header_detail

std::optional<VolumeFormat> volume_format(const fs::path& path) {
  const std::string name = header_detail::lower(path.filename().string());
  for (const char* end : {".nii", ".nii.gz", ".hdr", ".img", ".img.gz"})
    if (name.ends_with(end)) return VolumeFormat::nifti;
  for (const char* end : {".nrrd", ".nhdr"})
    if (name.ends_with(end)) return VolumeFormat::nrrd;
  for (const char* end : {".mha", ".mhd"})
    if (name.ends_with(end)) return VolumeFormat::meta;
  std::error_code ec;
  if (!fs::is_regular_file(path, ec)) return std::nullopt;
  const std::string head = header_detail::head_of(path, 348);
  if (head.starts_with("NRRD000")) return VolumeFormat::nrrd;
  if (head.starts_with("ObjectType") || head.starts_with("NDims")) return VolumeFormat::meta;
  if (head.size() == 348 && (head.substr(344, 3) == "n+1" || head.substr(344, 3) == "ni1"))
    return VolumeFormat::nifti;
  return std::nullopt;
}

ImageHeader read_image_header(const fs::path& path) {
  std::error_code ec;
  if (!fs::exists(path, ec)) throw IoError("does not exist", path.string(), "check the path");
  if (!fs::is_regular_file(path, ec)) throw IoError("is not a file", path.string(), "name an image file");
  if (fs::file_size(path, ec) == 0) throw IoError("is empty", path.string(), "fetch the file again");
  const auto format = volume_format(path);
  if (!format)
    throw IoError("is no image that is known here", path.string(),
                  "name a DICOM folder, or a NIfTI, NRRD or MHA file");
  switch (*format) {
    case VolumeFormat::nrrd:
      return header_detail::read_nrrd_header(path);
    case VolumeFormat::meta:
      return header_detail::read_meta_header(path);
    case VolumeFormat::nifti:
      break;
  }
  // Of a pair, the header is the .hdr whichever of the two was named.
  fs::path header_path = path;
  const std::string name = header_detail::lower(path.filename().string());
  if (name.ends_with(".img") || name.ends_with(".img.gz")) {
    header_path = path.parent_path() / (path.filename().string().substr(0, name.rfind(".img")) + ".hdr");
    if (!fs::exists(header_path, ec))
      throw IoError(fmt::format("its header '{}' is missing", header_path.filename().string()), path.string(),
                    "put the .hdr beside it");
  }
  return header_detail::read_nifti_header(header_path);
}

}  // namespace spinetherm
