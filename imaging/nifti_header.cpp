// SPDX-License-Identifier: Apache-2.0
// NIfTI-1 (nifti.nimh.nih.gov/pub/dist/src/niftilib/nifti1.h)
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>

#include <Eigen/Geometry>

#include "imaging/image_header_detail.h"

namespace spinetherm::header_detail {
namespace {

namespace fs = std::filesystem;

struct NiftiType {
  int code, components, bytes;
  bool integer;
  const char* name;
};
constexpr NiftiType kNiftiTypes[] = {
    {2, 1, 1, true, "uint8"},          {4, 1, 2, true, "int16"},       {8, 1, 4, true, "int32"},
    {16, 1, 4, false, "float32"},      {32, 2, 4, false, "complex64"}, {64, 1, 8, false, "float64"},
    {128, 3, 1, true, "rgb24"},        {256, 1, 1, true, "int8"},      {512, 1, 2, true, "uint16"},
    {768, 1, 4, true, "uint32"},       {1024, 1, 8, true, "int64"},    {1280, 1, 8, true, "uint64"},
    {1792, 2, 8, false, "complex128"}, {2304, 4, 1, true, "rgba32"}};

class NiftiBytes {
 public:
  NiftiBytes(std::string bytes, bool swap) : bytes_(std::move(bytes)), swap_(swap) {}
  template <class T>
  T at(std::size_t offset) const {
    std::array<char, sizeof(T)> raw{};
    std::copy_n(bytes_.data() + offset, sizeof(T), raw.begin());
    if (swap_) std::reverse(raw.begin(), raw.end());
    return std::bit_cast<T>(raw);
  }

 private:
  std::string bytes_;
  bool swap_;
};

Eigen::Matrix3d quaternion_matrix(double b, double c, double d) {
  const double a2 = 1 - (b * b + c * c + d * d);
  Eigen::Quaterniond q(a2 > 0 ? std::sqrt(a2) : 0, b, c, d);
  return q.normalized().toRotationMatrix();
}

/// Where the voxels are; refuses a file that is shorter than they need.
void set_data(ImageHeader& header, const fs::path& path, bool single_file, double offset) {
  header.data_file = path;
  std::error_code ec;
  if (!single_file) {
    header.data_file.replace_extension(".img");
    if (!fs::exists(header.data_file, ec)) header.data_file += ".gz";
    if (!fs::exists(header.data_file, ec))
      return refuse_broken(header, path, "its data file (.img) is missing", "put it beside the header");
  }
  if (!(offset >= (single_file ? 348 : 0)) || offset > 1e9)
    return refuse_broken(header, path, fmt::format("voxels begin at byte {}", offset), "correct the header");
  header.data_offset = std::uint64_t(offset);
  const bool packed = head_is_gzip(header.data_file);
  const double need = header.voxels() * header.components * header.bytes_per_value;
  const double have = double(fs::file_size(header.data_file, ec)) - offset;
  if (!packed && have < need)
    refuse_broken(header, path,
                  fmt::format("is truncated: {:.0f} of {:.0f} bytes of voxels", std::max(have, 0.0), need),
                  "fetch the file again");
}

}  // namespace

ImageHeader read_nifti_header(const fs::path& path) {
  const std::string bytes = head_of(path, 348);
  const auto not_nifti = [&](const char* what) {
    return IoError(what, path.string(), "name a NIfTI-1 file, or export the image again");
  };
  if (bytes.size() < 348) throw not_nifti("is too short for a NIfTI header");
  std::int32_t header_bytes = 0;
  std::memcpy(&header_bytes, bytes.data(), 4);
  const auto swapped = [](std::int32_t v) { return std::int32_t(__builtin_bswap32(std::uint32_t(v))); };
  const bool swap = swapped(header_bytes) == 348 || swapped(header_bytes) == 540;
  if (swap) header_bytes = swapped(header_bytes);
  if (header_bytes == 540) throw not_nifti("is a NIfTI-2 file");
  const std::string magic = bytes.substr(344, 3);
  if (header_bytes != 348) throw not_nifti("is not a NIfTI file, whatever its name says");
  if (magic != "n+1" && magic != "ni1")
    throw not_nifti("is an ANALYZE 7.5 file, which does not say where left is");

  const NiftiBytes raw(bytes, swap);
  ImageHeader header;
  header.format = VolumeFormat::nifti;
  header.swapped_bytes = swap;
  const int dimensions = raw.at<std::int16_t>(40);
  if (dimensions < 1 || dimensions > 7) throw not_nifti("has a broken NIfTI header (number of dimensions)");
  for (int a = 0; a < dimensions; ++a) header.size.push_back(raw.at<std::int16_t>(42 + 2 * std::size_t(a)));
  const int code = raw.at<std::int16_t>(70);
  const auto* type = std::find_if(std::begin(kNiftiTypes), std::end(kNiftiTypes),
                                  [&](const NiftiType& t) { return t.code == code; });
  const int intent = raw.at<std::int16_t>(68);
  if (type == std::end(kNiftiTypes)) {
    header.value_type = fmt::format("NIfTI type {}", code);
    refuse(header, path, fmt::format("has voxels of NIfTI type {}", code), "convert it to int16 or float32");
  } else {
    header.value_type = type->name;
    header.components = type->components;
    header.bytes_per_value = type->bytes;
    const float slope = raw.at<float>(112), intercept = raw.at<float>(116);
    const bool scaled = std::isfinite(slope) && slope != 0 && (slope != 1 || intercept != 0);
    if (scaled) {
      header.slope = double(slope);
      header.intercept = double(intercept);
    }
    header.whole_numbers =
        type->integer && (!scaled || (slope == std::floor(slope) && intercept == std::floor(intercept)));
  }
  // Intents 1006 (displacement) and 1007 (vector) put the components into the fifth dimension.
  if (header.size.size() >= 5 && header.components == 1 && (intent == 1006 || intent == 1007)) {
    header.vector_field = true;
    header.components = int(header.size[4]);
    header.size.resize(4);
  }
  check_size(header, path);
  set_data(header, path, magic == "n+1", double(raw.at<float>(108)));
  if (header.refusal) return header;

  const double mm = [&] {  // low three bits of xyzt_units: 1 metre, 2 mm, 3 micron, 0 not said (taken as mm)
    switch (bytes[123] & 7) {
      case 1:
        return 1000.0;
      case 3:
        return 0.001;
      default:
        return 1.0;
    }
  }();
  Eigen::Vector3d pixdim(1, 1, 1);
  for (int a = 0; a < std::min(dimensions, 3); ++a)
    pixdim[a] = double(raw.at<float>(80 + 4 * std::size_t(a)));
  if (!pixdim.allFinite() || (pixdim.array() <= 0).any()) {
    refuse_broken(header, path, fmt::format("spacing {} x {} x {}", pixdim[0], pixdim[1], pixdim[2]),
                  "spacing must be positive and finite: correct the header");
    return header;
  }
  const int qform = raw.at<std::int16_t>(252), sform = raw.at<std::int16_t>(254);
  const auto f = [&](std::size_t offset) { return double(raw.at<float>(offset)); };
  Eigen::Matrix3d q_steps = quaternion_matrix(f(256), f(260), f(264));
  const double qfac = raw.at<float>(76) < 0 ? -1 : 1;
  q_steps = q_steps * Eigen::Vector3d(pixdim[0], pixdim[1], qfac * pixdim[2]).asDiagonal();
  const Eigen::Vector3d q_origin(f(268), f(272), f(276));
  Eigen::Matrix3d s_steps;
  Eigen::Vector3d s_origin;
  for (std::size_t r = 0; r < 3; ++r) {
    for (std::size_t c = 0; c < 3; ++c) s_steps(Eigen::Index(r), Eigen::Index(c)) = f(280 + 16 * r + 4 * c);
    s_origin[Eigen::Index(r)] = f(280 + 16 * r + 12);
  }
  if (qform <= 0 && sform <= 0) {
    refuse(header, path, "header gives no orientation (qform and sform codes are 0)",
           "give the file a qform or sform, else left and right would be a guess");
    return header;
  }
  if (sform > 0)
    set_geometry(header, path, mm * kLpsFromRas * s_steps, mm * kLpsFromRas * s_origin);
  else
    set_geometry(header, path, mm * kLpsFromRas * q_steps, mm * kLpsFromRas * q_origin);
  if (!header.grid) return header;
  if (sform > 0) {
    const Eigen::Vector3d columns = s_steps.colwise().norm();
    if (((columns - pixdim).cwiseAbs().array() > 0.01 * pixdim.array()).any())
      header.warnings.push_back(
          fmt::format("sform spacing {:.4g} x {:.4g} x {:.4g} is used; pixdim says {:.4g} x {:.4g} x {:.4g}",
                      columns[0], columns[1], columns[2], pixdim[0], pixdim[1], pixdim[2]));
    const Eigen::Vector3d far(header.grid->size[0] - 1, header.grid->size[1] - 1, header.grid->size[2] - 1);
    const double apart =
        std::max((s_origin - q_origin).norm(), (s_origin + s_steps * far - q_origin - q_steps * far).norm()) *
        mm;
    if (qform > 0 && !(apart <= 0.5))
      header.warnings.push_back(fmt::format("qform and sform differ by {:.1f} mm; the sform is used", apart));
  }
  return header;
}

}  // namespace spinetherm::header_detail
