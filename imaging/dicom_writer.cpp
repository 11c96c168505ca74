// SPDX-License-Identifier: Apache-2.0
#include "imaging/dicom_writer.h"

#include <fmt/format.h>
#include <gdcmWriter.h>
#include <itksys/MD5.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <limits>
#include <memory>
#include <vector>

#include "imaging/core/error.h"
#include "imaging/dicom_object.h"

namespace spinetherm {
namespace {

namespace fs = std::filesystem;
using gdcm::DataSet;
using gdcm::Tag;
using gdcm::VR;

constexpr const char* kCtImageStorage = "1.2.840.10008.5.1.4.1.1.2";
constexpr double kLowest = std::numeric_limits<std::int16_t>::lowest();
constexpr double kHighest = std::numeric_limits<std::int16_t>::max();

using Digest = std::array<unsigned char, 16>;

class Md5 {
 public:
  Md5() : md5_(itksysMD5_New(), itksysMD5_Delete) { itksysMD5_Initialize(md5_.get()); }
  Md5& add(const void* bytes, std::size_t count) {
    constexpr std::size_t most = 1 << 30;  // it counts with int
    const auto* at = static_cast<const unsigned char*>(bytes);
    for (; count > 0; at += std::min(count, most), count -= std::min(count, most))
      itksysMD5_Append(md5_.get(), at, int(std::min(count, most)));
    return *this;
  }
  Md5& add(const std::string& text) { return add(text.data(), text.size()); }
  Digest digest() {
    Digest out{};
    itksysMD5_Finalize(md5_.get(), out.data());
    return out;
  }

 private:
  std::unique_ptr<itksysMD5, decltype(&itksysMD5_Delete)> md5_;
};

/// "2.25." and a UUID as one decimal number (PS3.5, B.2; the UUID by RFC 4122, 4.3, from content and role).
std::string uid_of(const Digest& content, const std::string& role) {
  Digest uuid = Md5().add("spinetherm CT series").add(content.data(), content.size()).add(role).digest();
  uuid[6] = static_cast<unsigned char>((uuid[6] & 0x0f) | 0x30);
  uuid[8] = static_cast<unsigned char>((uuid[8] & 0x3f) | 0x80);
  std::string digits;
  while (std::any_of(uuid.begin(), uuid.end(), [](unsigned char b) { return b != 0; })) {
    unsigned rest = 0;
    for (unsigned char& b : uuid) {  // long division by ten
      const unsigned part = rest << 8 | b;
      b = static_cast<unsigned char>(part / 10);
      rest = part % 10;
    }
    digits += char('0' + rest);
  }
  std::reverse(digits.begin(), digits.end());
  return "2.25." + digits;
}

/// A decimal string (DS): at most 16 characters, as many digits as they hold.
std::string decimal(double v) {
  if (v == 0) return "0";
  for (int digits = 17;; --digits)
    if (const std::string text = fmt::format("{:.{}g}", v, digits); text.size() <= 16) return text;
}
std::string decimals(std::initializer_list<double> values) {
  std::string all;
  for (const double v : values) all += (all.empty() ? "" : "\\") + decimal(v);
  return all;
}

void put(DataSet& data, const Tag& tag, VR::VRType vr, std::string value) {
  if (value.size() % 2) value += vr == VR::UI ? '\0' : ' ';
  gdcm::DataElement element(tag);
  element.SetVR(vr);
  element.SetByteValue(value.data(), gdcm::VL(std::uint32_t(value.size())));
  data.Replace(element);
}
void put_short(DataSet& data, const Tag& tag, int value) {
  const auto number = std::uint16_t(value);
  std::string bytes(2, '\0');
  std::memcpy(bytes.data(), &number, 2);  // GDCM writes little endian whatever the machine is
  put(data, tag, VR::US, bytes);
}

struct Step {
  double HU = 1, rounding_HU = 0;
};

/// The finest step that int16 holds; 1 HU when no value needs a finer one.
Step choose_step(const std::vector<float>& values) {
  double low = 0, high = 0;
  bool whole = true;
  std::size_t no_number = 0;
  for (const float v : values) {
    if (!std::isfinite(v)) {
      ++no_number;
      continue;
    }
    low = std::min(low, double(v));
    high = std::max(high, double(v));
    whole &= v == std::floor(v);
  }
  if (no_number > 0)
    throw IoError(fmt::format("holds {} voxels that are no finite number", no_number), "",
                  "DICOM CT has none: crop the image to where it was measured");
  if (std::round(low) < kLowest || std::round(high) > kHighest)
    throw IoError(fmt::format("values from {} to {} do not fit DICOM's int16", low, high), "",
                  "give a CT in HU, or clip it to -32768 ... 32767");
  Step step;
  if (whole) return step;
  step.HU = 1.0 / 16;  // finer than any scanner's noise
  while (step.HU < 1 && (std::round(low / step.HU) < kLowest || std::round(high / step.HU) > kHighest))
    step.HU *= 2;
  for (const float v : values)
    step.rounding_HU =
        std::max(step.rounding_HU, std::abs(double(v) - step.HU * std::round(double(v) / step.HU)));
  if (step.rounding_HU >= 0.5)
    throw IoError(fmt::format("a value would change by {} HU in DICOM's whole numbers", step.rounding_HU), "",
                  "round the image yourself, or clip its range to keep a finer step");
  return step;
}

Volume<std::int16_t> stored_volume(const Volume<float>& ct_HU, double step_HU) {
  Volume<std::int16_t> stored(ct_HU.grid);
  for (std::size_t n = 0; n < stored.values.size(); ++n)
    stored[n] = std::int16_t(std::round(double(ct_HU[n]) / step_HU));
  return stored;
}

Digest digest_of(const Volume<std::int16_t>& stored, double step_HU) {
  const Grid& g = stored.grid;
  std::string text = fmt::format("{} {} {} ", fmt::join(g.size, " "), fmt::join(g.spacing_mm, " "),
                                 fmt::join(g.origin_mm, " "));
  text += fmt::format("{} {} ", fmt::join(g.direction.reshaped(), " "), step_HU);
  return Md5().add(text).add(stored.values.data(), stored.values.size() * sizeof(std::int16_t)).digest();
}

/// What all slices of the series have in common, after the modules of the CT image (PS3.3, table A.3-1).
/// Empty: of type 2, and not known.
DataSet common_of(const Grid& grid, const Step& step, const Digest& content,
                  const std::string& series_description) {
  DataSet d;
  std::string short_id;
  for (std::size_t n = 0; n < 6; ++n) short_id += fmt::format("{:02x}", content[n]);
  // Patient, study
  put(d, {0x0010, 0x0010}, VR::PN, "Derived research object^SpineTherm");
  put(d, {0x0010, 0x0020}, VR::LO, "derived-research-object-" + short_id);
  put(d, {0x0010, 0x0030}, VR::DA, "");
  put(d, {0x0010, 0x0040}, VR::CS, "");
  put(d, {0x0020, 0x000d}, VR::UI, uid_of(content, "study"));
  put(d, {0x0008, 0x0020}, VR::DA, "");
  put(d, {0x0008, 0x0030}, VR::TM, "");
  put(d, {0x0008, 0x0050}, VR::SH, "");
  put(d, {0x0008, 0x0090}, VR::PN, "");
  put(d, {0x0008, 0x1030}, VR::LO, "For research and teaching. Not for treating patients.");
  put(d, {0x0020, 0x0010}, VR::SH, "");
  // Series, frame of reference, equipment
  put(d, {0x0008, 0x0060}, VR::CS, "CT");
  put(d, {0x0020, 0x000e}, VR::UI, uid_of(content, "series"));
  put(d, {0x0020, 0x0011}, VR::IS, "1");
  put(d, {0x0008, 0x103e}, VR::LO, series_description);
  put(d, {0x0018, 0x5100}, VR::CS, "");  // PatientPosition
  put(d, {0x0020, 0x0060}, VR::CS, "");  // Laterality
  put(d, {0x0020, 0x0052}, VR::UI, uid_of(content, "frame of reference"));
  put(d, {0x0020, 0x1040}, VR::LO, "");  // PositionReferenceIndicator
  put(d, {0x0008, 0x0070}, VR::LO, "SpineTherm");
  // Image plane and pixels
  const Eigen::Vector3d row = grid.direction.col(0), column = grid.direction.col(1);
  put(d, {0x0020, 0x0037}, VR::DS, decimals({row[0], row[1], row[2], column[0], column[1], column[2]}));
  put(d, {0x0028, 0x0030}, VR::DS, decimals({grid.spacing_mm[1], grid.spacing_mm[0]}));  // rows first
  put(d, {0x0018, 0x0050}, VR::DS, decimal(grid.spacing_mm[2]));
  put_short(d, {0x0028, 0x0002}, 1);
  put(d, {0x0028, 0x0004}, VR::CS, "MONOCHROME2");
  put_short(d, {0x0028, 0x0010}, grid.size[1]);
  put_short(d, {0x0028, 0x0011}, grid.size[0]);
  put_short(d, {0x0028, 0x0100}, 16);
  put_short(d, {0x0028, 0x0101}, 16);
  put_short(d, {0x0028, 0x0102}, 15);
  put_short(d, {0x0028, 0x0103}, 1);
  // CT image, SOP common
  put(d, {0x0008, 0x0008}, VR::CS, "DERIVED\\SECONDARY\\AXIAL");
  put(d, {0x0008, 0x2111}, VR::ST,
      fmt::format("Converted by SpineTherm; values changed by at most {} HU. For research and teaching. Not "
                  "for treating patients.",
                  decimal(step.rounding_HU)));
  put(d, {0x0018, 0x0060}, VR::DS, "");  // KVP
  put(d, {0x0020, 0x0012}, VR::IS, "");  // AcquisitionNumber
  put(d, {0x0028, 0x1052}, VR::DS, "0");
  put(d, {0x0028, 0x1053}, VR::DS, decimal(step.HU));
  put(d, {0x0028, 0x1054}, VR::LO, "HU");
  put(d, {0x0008, 0x0016}, VR::UI, kCtImageStorage);
  return d;
}

void write_slice(const fs::path& path, DataSet data, const Volume<std::int16_t>& stored, int k, int instance,
                 const Digest& content) {
  const Grid& grid = stored.grid;
  const Eigen::Vector3d position = grid.to_world(0, 0, k);
  const Eigen::Vector3d normal = grid.direction.col(0).cross(grid.direction.col(1));
  put(data, {0x0008, 0x0018}, VR::UI, uid_of(content, fmt::format("image {}", instance)));
  put(data, {0x0020, 0x0013}, VR::IS, std::to_string(instance));
  put(data, {0x0020, 0x0032}, VR::DS, decimals({position[0], position[1], position[2]}));
  put(data, {0x0020, 0x1041}, VR::DS, decimal(normal.dot(position)));
  gdcm::DataElement pixels(Tag(0x7fe0, 0x0010));
  pixels.SetVR(VR::OW);
  const std::size_t count = std::size_t(grid.size[0]) * std::size_t(grid.size[1]);
  pixels.SetByteValue(reinterpret_cast<const char*>(&stored.values[std::size_t(k) * count]),
                      gdcm::VL(std::uint32_t(count * sizeof(std::int16_t))));
  data.Replace(pixels);

  std::ofstream out(path, std::ios::binary);
  gdcm::Writer writer;
  writer.SetStream(out);
  writer.GetFile().SetDataSet(data);
  writer.GetFile().GetHeader().SetDataSetTransferSyntax(gdcm::TransferSyntax::ExplicitVRLittleEndian);
  if (!writer.Write() || !out.flush())
    throw IoError("cannot be written", path.string(), "check the folder and the free space");
}

void write_slices(const fs::path& folder, const Volume<std::int16_t>& stored, const Step& step,
                  const Digest& content, const std::string& series_description) {
  const Grid& grid = stored.grid;
  const DataSet common = common_of(grid, step, content, series_description);
  const bool along = grid.direction.col(0).cross(grid.direction.col(1)).dot(grid.direction.col(2)) > 0;
  for (int n = 0; n < grid.size[2]; ++n)
    write_slice(folder / fmt::format("slice-{:04}.dcm", n + 1), common, stored,
                along ? n : grid.size[2] - 1 - n, n + 1, content);
}

}  // namespace

DicomWriteSummary write_dicom_series(const fs::path& folder, const Volume<float>& ct_HU,
                                     const std::string& series_description) {
  const std::string where = folder.string();
  const Grid& grid = ct_HU.grid;
  grid.validate("");  // what is wrong with the volume has no place here: the caller knows where it is from
  if (ct_HU.values.size() != grid.count())
    throw IoError("volume holds another number of values than its grid", "", "fill it first");
  if (grid.size[2] < 3)
    throw IoError(fmt::format("has {} slice{}", grid.size[2], grid.size[2] == 1 ? "" : "s"), "",
                  "a DICOM series needs at least 3 to be read as a volume");
  if (std::max(grid.size[0], grid.size[1]) > 65535)
    throw IoError(fmt::format("slices of {} x {} pixels", grid.size[0], grid.size[1]), "",
                  "DICOM holds at most 65535 x 65535: crop the image");
  const fs::path target = fs::absolute(folder / "").lexically_normal().parent_path();
  std::error_code ec;
  if (fs::exists(target, ec) && !(fs::is_directory(target, ec) && fs::is_empty(target, ec)))
    throw IoError("exists and is not an empty folder", where, "give another name");
  if (!fs::is_directory(target.parent_path(), ec))
    throw IoError("its folder does not exist", where, "make the folder first");

  silence_gdcm();
  const Step step = choose_step(ct_HU.values);
  const Volume<std::int16_t> stored = stored_volume(ct_HU, step.HU);
  const Digest content = digest_of(stored, step.HU);
  const fs::path temporary =
      target.parent_path() / fmt::format(".part-{}-{}", ::getpid(), target.filename().string());
  try {
    fs::create_directory(temporary);
    write_slices(temporary, stored, step, content, series_description);
    fs::rename(temporary, target);  // takes the place of an empty folder
  } catch (const fs::filesystem_error&) {
    fs::remove_all(temporary, ec);
    throw IoError("cannot be written", where, "check the folder and the free space");
  } catch (...) {
    fs::remove_all(temporary, ec);
    throw;
  }
  return {uid_of(content, "series"), std::size_t(grid.size[2]), step.HU, step.rounding_HU};
}

}  // namespace spinetherm
