// SPDX-License-Identifier: Apache-2.0
#include "imaging/read.h"

#include <fmt/format.h>
#include <itkMetaImageIO.h>
#include <itkNrrdImageIO.h>
#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <vector>

#include "imaging/archive_reader.h"
#include "imaging/dicom_series.h"
#include "imaging/image_header.h"

namespace spinetherm {
namespace {

namespace fs = std::filesystem;

/// ITK's message without its class name and pointer.
std::string plain(const itk::ExceptionObject& e) {
  std::string text = e.GetDescription();
  if (const auto end = text.find("): "); text.starts_with("itk::ERROR") && end != std::string::npos)
    text = text.substr(end + 3);
  return text.substr(0, text.find('\n'));
}

/// Voxels as the file stores them, i fastest.
struct RawVoxels {
  std::vector<char> bytes;
  double slope = 1, intercept = 0;
  itk::IOComponentEnum type = itk::IOComponentEnum::UNKNOWNCOMPONENTTYPE;
};

IoError damaged(const fs::path& path, const std::string& why) {
  return IoError("voxels cannot be read: truncated or damaged" + (why.empty() ? "" : " [" + why + "]"),
                 path.string(), "fetch the file again");
}

/// Not through ITK: its NIfTI reader fills a truncated file with zeros, and turns NaN into 0.
RawVoxels read_nifti_voxels(const fs::path& path, const ImageHeader& header) {
  static const std::map<std::string, itk::IOComponentEnum> types = {
      {"uint8", itk::IOComponentEnum::UCHAR},      {"int8", itk::IOComponentEnum::CHAR},
      {"uint16", itk::IOComponentEnum::USHORT},    {"int16", itk::IOComponentEnum::SHORT},
      {"uint32", itk::IOComponentEnum::UINT},      {"int32", itk::IOComponentEnum::INT},
      {"uint64", itk::IOComponentEnum::ULONGLONG}, {"int64", itk::IOComponentEnum::LONGLONG},
      {"float32", itk::IOComponentEnum::FLOAT},    {"float64", itk::IOComponentEnum::DOUBLE}};
  RawVoxels raw;
  raw.type = types.at(header.value_type);
  raw.slope = header.slope;
  raw.intercept = header.intercept;
  const auto width = std::size_t(header.bytes_per_value);
  raw.bytes.resize(header.grid->count() * width);
  const std::unique_ptr<gzFile_s, int (*)(gzFile)> in(gzopen(header.data_file.c_str(), "rb"), gzclose);
  if (!in) throw IoError("cannot be opened", header.data_file.string(), "check the path and the permissions");
  gzbuffer(in.get(), 1 << 18);
  if (gzseek(in.get(), z_off_t(header.data_offset), SEEK_SET) < 0) throw damaged(path, "");
  for (std::size_t done = 0; done < raw.bytes.size();) {
    const auto want = unsigned(std::min<std::size_t>(raw.bytes.size() - done, 1 << 30));
    const int got = gzread(in.get(), raw.bytes.data() + done, want);
    if (got <= 0) throw damaged(path, fmt::format("{} of {} bytes", done, raw.bytes.size()));
    done += std::size_t(got);
  }
  if (header.swapped_bytes)
    for (auto at = raw.bytes.begin(); at != raw.bytes.end(); at += std::ptrdiff_t(width))
      std::reverse(at, at + std::ptrdiff_t(width));
  return raw;
}

RawVoxels read_raw(const fs::path& path, const ImageHeader& header) {
  if (header.format == VolumeFormat::nifti) return read_nifti_voxels(path, header);
  try {
    itk::ImageIOBase::Pointer io;
    if (header.format == VolumeFormat::nrrd)
      io = itk::NrrdImageIO::New();
    else
      io = itk::MetaImageIO::New();
    io->SetFileName(path.string());
    io->ReadImageInformation();
    const unsigned dimensions = io->GetNumberOfDimensions();
    itk::ImageIORegion region(dimensions);
    double voxels = 1;
    for (unsigned a = 0; a < dimensions; ++a) {
      region.SetSize(a, io->GetDimensions(a));
      region.SetIndex(a, 0);
      voxels *= double(io->GetDimensions(a));
    }
    if (voxels != double(header.grid->count()) || io->GetNumberOfComponents() != 1)
      throw damaged(path, "ITK reads another size than the header declares");
    io->SetIORegion(region);
    RawVoxels raw;
    raw.type = io->GetComponentType();
    raw.bytes.resize(std::size_t(io->GetImageSizeInBytes()));
    io->Read(raw.bytes.data());
    return raw;
  } catch (const itk::ExceptionObject& e) {
    throw damaged(path, plain(e));
  }
}

/// Calls `use` with the voxels as a pointer to their own type.
template <class Use>
void with_type(const RawVoxels& raw, const fs::path& path, Use use) {
  const void* data = raw.bytes.data();
  switch (raw.type) {
    case itk::IOComponentEnum::UCHAR:
      return use(static_cast<const unsigned char*>(data));
    case itk::IOComponentEnum::CHAR:
      return use(static_cast<const signed char*>(data));
    case itk::IOComponentEnum::USHORT:
      return use(static_cast<const unsigned short*>(data));
    case itk::IOComponentEnum::SHORT:
      return use(static_cast<const short*>(data));
    case itk::IOComponentEnum::UINT:
      return use(static_cast<const unsigned*>(data));
    case itk::IOComponentEnum::INT:
      return use(static_cast<const int*>(data));
    case itk::IOComponentEnum::ULONG:
      return use(static_cast<const unsigned long*>(data));
    case itk::IOComponentEnum::LONG:
      return use(static_cast<const long*>(data));
    case itk::IOComponentEnum::ULONGLONG:
      return use(static_cast<const unsigned long long*>(data));
    case itk::IOComponentEnum::LONGLONG:
      return use(static_cast<const long long*>(data));
    case itk::IOComponentEnum::FLOAT:
      return use(static_cast<const float*>(data));
    case itk::IOComponentEnum::DOUBLE:
      return use(static_cast<const double*>(data));
    default:
      throw IoError("has voxels of a type that is not read here", path.string(),
                    "convert it to int16 or float32");
  }
}

void check_memory(const ImageHeader& header, const fs::path& path, const ReadOptions& options) {
  if (header.need_MB() > options.max_memory_MB)
    throw IoError(fmt::format("declares {} voxels, which need {:.0f} MB", fmt::join(header.size, " x "),
                              header.need_MB()),
                  path.string(),
                  fmt::format("the limit is {:.0f} MB: crop or resample the image", options.max_memory_MB));
}

/// The header, once everything that can be refused without voxels has been.
ImageHeader acceptable_header(const fs::path& path, const ReadOptions& options) {
  ImageHeader header = read_image_header(path);
  if (header.refusal) throw *header.refusal;
  check_memory(header, path, options);
  return header;
}

bool is_dicom_source(const fs::path& path) {
  std::error_code ec;
  if (!fs::exists(path, ec)) throw IoError("does not exist", path.string(), "check the path");
  if (fs::is_directory(path, ec)) return true;
  if (volume_format(path)) return false;
  return is_archive(path) || is_dicom_file(path);
}

Image read_dicom(const fs::path& path, const ReadOptions& options) {
  const DicomFolder folder = scan_dicom(path, {.keep_archive = true, .max_memory_MB = options.max_memory_MB});
  const DicomSeries& series = choose_series(folder, options.series, options.expected);
  Image image = read_dicom_series(folder, series, options.max_memory_MB);
  if (options.expected && *options.expected != Modality::unknown) image.modality = *options.expected;
  if (options.series.empty() && folder.series.size() > 1)
    image.warnings.push_back(fmt::format("series {} of {} was chosen",
                                         series.number ? std::to_string(*series.number) : series.uid,
                                         folder.series.size()));
  return image;
}

}  // namespace

void ReadOptions::validate() const {
  require(max_memory_MB > 0 && std::isfinite(max_memory_MB), "max_memory_MB", max_memory_MB,
          "must be positive");
}

Image read_image(const fs::path& path, const ReadOptions& options) {
  options.validate();
  try {
    if (is_dicom_source(path)) return read_dicom(path, options);
    if (!options.series.empty())
      throw IoError("is not DICOM, and has no series", path.string(), "leave out the series");
    const ImageHeader header = acceptable_header(path, options);
    Image image;
    image.source = path.string();
    image.modality = options.expected.value_or(Modality::unknown);
    image.warnings = header.warnings;
    const RawVoxels raw = read_raw(path, header);
    image.volume = Volume<float>(*header.grid);
    std::size_t not_finite = 0;
    with_type(raw, path, [&](const auto* voxels) {
      for (std::size_t n = 0; n < image.volume.values.size(); ++n) {
        image.volume[n] = float(double(voxels[n]) * raw.slope + raw.intercept);
        not_finite += !std::isfinite(image.volume[n]);
      }
    });
    if (not_finite > 0) image.warnings.push_back(fmt::format("{} voxels are not finite numbers", not_finite));
    return image;
  } catch (const std::bad_alloc&) {
    throw IoError("needs more memory than there is", path.string(), "crop or resample the image");
  }
}

Volume<float> read_volume(const fs::path& path, const ReadOptions& options) {
  return std::move(read_image(path, options).volume);
}

Volume<std::uint32_t> read_label_volume(const fs::path& path, const ReadOptions& options) {
  options.validate();
  try {
    if (is_dicom_source(path))
      throw IoError("is DICOM, not a label map", path.string(), "convert it to NIfTI, NRRD or MHA");
    const ImageHeader header = acceptable_header(path, options);
    const RawVoxels raw = read_raw(path, header);
    Volume<std::uint32_t> labels(*header.grid);
    with_type(raw, path, [&](const auto* voxels) {
      for (std::size_t n = 0; n < labels.values.size(); ++n) {
        // As double: exact for every value that is allowed; the comparisons are false for NaN.
        const double v = double(voxels[n]) * raw.slope + raw.intercept;
        if (!(v >= 0 && v <= double(std::numeric_limits<std::uint32_t>::max()) && v == std::floor(v)))
          throw IoError(fmt::format("is no label map: it holds the value {}", v), path.string(),
                        "labels are whole numbers from 0 up");
        labels[n] = std::uint32_t(v);
      }
    });
    return labels;
  } catch (const std::bad_alloc&) {
    throw IoError("needs more memory than there is", path.string(), "crop or resample the image");
  }
}

}  // namespace spinetherm
