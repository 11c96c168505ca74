// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gdcmPixmapReader.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <exception>
#include <fstream>
#include <istream>
#include <limits>
#include <map>
#include <streambuf>

#include "imaging/dicom_object.h"
#include "imaging/dicom_series.h"
#include "imaging/dicom_structure.h"

namespace spinetherm {
namespace {

/// Reads memory without copying it.
class MemoryBuffer : public std::streambuf {
 public:
  explicit MemoryBuffer(const std::vector<char>& bytes) {
    char* begin = const_cast<char*>(bytes.data());  // a streambuf for reading never writes
    setg(begin, begin, begin + bytes.size());
  }

 protected:
  pos_type seekoff(off_type offset, std::ios_base::seekdir from, std::ios_base::openmode) override {
    const off_type base = from == std::ios_base::beg   ? 0
                          : from == std::ios_base::cur ? gptr() - eback()
                                                       : egptr() - eback();
    const off_type to = base + offset;
    if (to < 0 || to > egptr() - eback()) return pos_type(off_type(-1));
    setg(eback(), eback() + to, egptr());
    return to;
  }
  pos_type seekpos(pos_type to, std::ios_base::openmode mode) override {
    return seekoff(off_type(to), std::ios_base::beg, mode);
  }
};

std::string name_of(const DicomFolder& folder, std::size_t file) {
  return folder.contents.empty() ? folder.files[file] : folder.path.string() + "/" + folder.files[file];
}

template <class Stored>
void convert(const char* bytes, std::size_t count, const DicomSlice& slice, float* out) {
  for (std::size_t n = 0; n < count; ++n) {
    Stored stored;
    std::memcpy(&stored, bytes + n * sizeof(Stored), sizeof(Stored));
    out[n] = float(double(stored) * slice.slope + slice.intercept);
  }
}

/// Decodes one file and writes each wanted frame of it: `into(frame)` gives the target of a frame, or null.
void decode(const DicomFolder& folder, std::size_t file,
            const std::vector<std::pair<const DicomSlice*, float*>>& frames, const std::array<int, 2>& pixels,
            int bits) {
  const std::string where = name_of(folder, file);
  const auto broken = [&](const std::string& what) { return IoError(what, where, "fetch the file again"); };
  std::optional<MemoryBuffer> memory;
  std::ifstream file_in;
  std::istream in(nullptr);
  std::uint64_t size = 0;
  if (!folder.contents.empty()) {
    size = folder.contents[file].size();
    in.rdbuf(&memory.emplace(folder.contents[file]));
  } else {
    file_in.open(folder.files[file], std::ios::binary);
    std::error_code ec;
    size = std::filesystem::file_size(folder.files[file], ec);
    if (!file_in || ec) throw IoError("cannot be opened", where, "check the path and the permissions");
    in.rdbuf(file_in.rdbuf());
  }
  const auto layout = dicom_layout(in, size, true);
  if (!layout || !fragments_fit(in, *layout, pixels, bits)) throw broken("is truncated or garbled");
  in.clear();
  in.seekg(0);
  // Not ImageReader: that reads the geometry too, and aborts on what it does not expect there.
  gdcm::PixmapReader reader;
  reader.SetStream(in);
  std::vector<char> bytes;
  gdcm::PixelFormat::ScalarType type = gdcm::PixelFormat::UNKNOWN;
  std::size_t value_bytes = 0;
  const std::size_t per_frame = std::size_t(pixels[0]) * std::size_t(pixels[1]);
  try {
    if (!reader.Read())
      throw broken("pixels cannot be read: truncated, or packed in a way that is not known");
    const gdcm::Pixmap& image = reader.GetPixmap();
    type = image.GetPixelFormat().GetScalarType();
    value_bytes = image.GetPixelFormat().GetPixelSize();
    const unsigned* extent = image.GetDimensions();
    const std::size_t depth = image.GetNumberOfDimensions() > 2 ? extent[2] : 1;
    std::size_t need = depth;
    for (const auto& [slice, target] : frames) need = std::max(need, std::size_t(slice->frame) + 1);
    if (extent[0] != unsigned(pixels[0]) || extent[1] != unsigned(pixels[1]) || need > depth ||
        image.GetBufferLength() < per_frame * depth * value_bytes)
      throw broken("pixels do not fit the header");
    bytes.resize(image.GetBufferLength());
    if (!image.GetBuffer(bytes.data())) throw broken("pixels cannot be unpacked");
  } catch (const Error&) {
    throw;
  } catch (const std::bad_alloc&) {
    throw broken("pixels need more memory than there is");
  } catch (const std::exception&) {
    throw broken("pixels cannot be read");
  }
  for (const auto& [slice, target] : frames) {
    const char* from = bytes.data() + std::size_t(slice->frame) * per_frame * value_bytes;
    switch (type) {
      case gdcm::PixelFormat::UINT8:
        convert<std::uint8_t>(from, per_frame, *slice, target);
        break;
      case gdcm::PixelFormat::INT8:
        convert<std::int8_t>(from, per_frame, *slice, target);
        break;
      case gdcm::PixelFormat::UINT12:
      case gdcm::PixelFormat::UINT16:
        convert<std::uint16_t>(from, per_frame, *slice, target);
        break;
      case gdcm::PixelFormat::INT12:
      case gdcm::PixelFormat::INT16:
        convert<std::int16_t>(from, per_frame, *slice, target);
        break;
      case gdcm::PixelFormat::UINT32:
        convert<std::uint32_t>(from, per_frame, *slice, target);
        break;
      case gdcm::PixelFormat::INT32:
        convert<std::int32_t>(from, per_frame, *slice, target);
        break;
      case gdcm::PixelFormat::FLOAT32:
        convert<float>(from, per_frame, *slice, target);
        break;
      case gdcm::PixelFormat::FLOAT64:
        convert<double>(from, per_frame, *slice, target);
        break;
      default:
        throw broken("pixels are of a type that is not read here");
    }
  }
}

Modality modality_of(const DicomSeries& series) {
  if (series.modality == "CT") return Modality::ct;
  if (series.modality == "MR") return Modality::mr_other;
  return Modality::unknown;
}

}  // namespace

Image read_dicom_series(const DicomFolder& folder, const DicomSeries& series, double max_memory_MB) {
  if (series.refusal) throw *series.refusal;
  if (!series.grid) throw IoError("is not a volume", folder.path.string(), "choose another series");
  const double need_MB = double(series.grid->count()) * sizeof(float) / 1e6;
  if (need_MB > max_memory_MB)
    throw IoError(fmt::format("needs {:.0f} MB", need_MB), folder.path.string(),
                  fmt::format("the limit is {:.0f} MB: choose a smaller series", max_memory_MB));
  silence_gdcm();
  Image image;
  image.volume = Volume<float>(*series.grid);
  image.modality = modality_of(series);
  image.source = fmt::format("{}, series {}", folder.path.string(),
                             series.number ? std::to_string(*series.number) : series.uid);
  image.warnings = series.warnings;
  const std::size_t per_slice = std::size_t(series.pixels[0]) * std::size_t(series.pixels[1]);
  std::map<std::size_t, std::vector<std::pair<const DicomSlice*, float*>>> by_file;
  for (std::size_t k = 0; k < series.slices.size(); ++k)
    by_file[series.slices[k].file].emplace_back(&series.slices[k],
                                                image.volume.values.data() + k * per_slice);
  const std::vector<std::pair<std::size_t, std::vector<std::pair<const DicomSlice*, float*>>>> jobs(
      by_file.begin(), by_file.end());

  std::vector<std::exception_ptr> failures(jobs.size());
  std::atomic<bool> failed = false;
#pragma omp parallel for schedule(dynamic)
  for (std::size_t n = 0; n < jobs.size(); ++n) {
    if (failed) continue;
    try {
      decode(folder, jobs[n].first, jobs[n].second, series.pixels, series.bits);
    } catch (...) {
      failures[n] = std::current_exception();
      failed = true;
    }
  }
  for (const auto& failure : failures)
    if (failure) std::rethrow_exception(failure);
  return image;
}

std::array<float, 2> dicom_slice_range(const DicomFolder& folder, const DicomSeries& series,
                                       std::size_t slice) {
  silence_gdcm();
  std::vector<float> values(std::size_t(series.pixels[0]) * std::size_t(series.pixels[1]));
  decode(folder, series.slices.at(slice).file, {{&series.slices.at(slice), values.data()}}, series.pixels,
         series.bits);
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  return {*low, *high};
}

}  // namespace spinetherm
