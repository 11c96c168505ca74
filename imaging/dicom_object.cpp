// SPDX-License-Identifier: Apache-2.0
#include "imaging/dicom_object.h"

#include <gdcmReader.h>
#include <gdcmSequenceOfItems.h>
#include <gdcmTrace.h>

#include <charconv>
#include <cmath>
#include <cstring>
#include <mutex>
#include <sstream>

#include "imaging/dicom_structure.h"

namespace spinetherm {
namespace {

using gdcm::DataSet;
using gdcm::Tag;

std::string text_of(const DataSet& data, const Tag& tag) {
  if (!data.FindDataElement(tag)) return "";
  const gdcm::ByteValue* value = data.GetDataElement(tag).GetByteValue();
  if (!value || !value->GetPointer()) return "";
  std::string text(value->GetPointer(), value->GetLength());
  while (!text.empty() && (text.back() == ' ' || text.back() == '\0')) text.pop_back();
  const auto first = text.find_first_not_of(' ');
  return first == std::string::npos ? "" : text.substr(first);
}

/// Decimal strings divided by backslashes; NaN for a word that is no number.
std::vector<double> numbers_of(const DataSet& data, const Tag& tag) {
  const std::string text = text_of(data, tag);
  std::vector<double> out;
  for (std::size_t at = 0; !text.empty() && at <= text.size();) {
    const auto end = std::min(text.find('\\', at), text.size());
    const auto first = std::min(text.find_first_not_of(" +", at), end);
    double v = 0;
    const auto parsed = std::from_chars(text.data() + first, text.data() + end, v);
    out.push_back(parsed.ec == std::errc() ? v : std::nan(""));
    at = end + 1;
  }
  return out;
}

std::optional<double> number_of(const DataSet& data, const Tag& tag) {
  const auto v = numbers_of(data, tag);
  if (v.empty() || !std::isfinite(v[0])) return std::nullopt;
  return v[0];
}

/// An unsigned short (US); gdcm::Attribute would abort on another VR.
int whole_of(const DataSet& data, const Tag& tag, int fallback) {
  if (!data.FindDataElement(tag)) return fallback;
  const gdcm::ByteValue* value = data.GetDataElement(tag).GetByteValue();
  if (!value || value->GetLength() < 2) return fallback;
  std::uint16_t number = 0;  // GDCM has put the bytes into the machine's order
  std::memcpy(&number, value->GetPointer(), 2);
  return number;
}

gdcm::SmartPointer<gdcm::SequenceOfItems> sequence_of(const DataSet& data, const Tag& tag) {
  if (!data.FindDataElement(tag)) return nullptr;
  return data.GetDataElement(tag).GetValueAsSQ();
}

/// Calls `use` with the first item of a sequence, when there is one.
template <class Use>
void first_item(const DataSet& data, const Tag& tag, Use use) {
  const auto sequence = sequence_of(data, tag);
  if (sequence && sequence->GetNumberOfItems() > 0) use(sequence->GetItem(1).GetNestedDataSet());
}

void read_position(const DataSet& data, DicomSlice& slice) {
  const auto v = numbers_of(data, Tag(0x0020, 0x0032));
  if (v.size() == 3) slice.position_mm = Eigen::Vector3d(v[0], v[1], v[2]);
}
void read_axes(const DataSet& data, DicomSlice& slice) {
  const auto v = numbers_of(data, Tag(0x0020, 0x0037));
  if (v.size() != 6) return;
  const Eigen::Vector3d row(v[0], v[1], v[2]), column(v[3], v[4], v[5]);
  Eigen::Matrix3d axes;
  axes << row, column, row.cross(column);
  slice.axes = axes;
}
void read_pixel_spacing(const DataSet& data, DicomSlice& slice) {
  const auto v = numbers_of(data, Tag(0x0028, 0x0030));  // between rows first, then between columns
  if (v.size() == 2) slice.pixel_mm = Eigen::Vector2d(v[1], v[0]);
}
bool read_rescale(const DataSet& data, DicomSlice& slice) {
  const auto intercept = number_of(data, Tag(0x0028, 0x1052)), slope = number_of(data, Tag(0x0028, 0x1053));
  if (!slope) return false;
  slice.slope = *slope;
  slice.intercept = intercept.value_or(0);
  return true;
}

/// The functional groups of an enhanced multi-frame object (DICOM PS3.3 C.7.6.16) that place a frame.
bool read_functional_groups(const DataSet& groups, DicomSlice& slice) {
  bool rescale = false;
  first_item(groups, Tag(0x0020, 0x9113), [&](const DataSet& d) { read_position(d, slice); });
  first_item(groups, Tag(0x0020, 0x9116), [&](const DataSet& d) { read_axes(d, slice); });
  first_item(groups, Tag(0x0028, 0x9110), [&](const DataSet& d) { read_pixel_spacing(d, slice); });
  first_item(groups, Tag(0x0028, 0x9145), [&](const DataSet& d) { rescale = read_rescale(d, slice); });
  return rescale;
}

DicomObject object_of(const gdcm::File& file) {
  const DataSet& data = file.GetDataSet();
  DicomObject object;
  object.series_uid = text_of(data, Tag(0x0020, 0x000e));
  object.description = text_of(data, Tag(0x0008, 0x103e));
  object.modality = text_of(data, Tag(0x0008, 0x0060));
  object.sop_class = text_of(data, Tag(0x0008, 0x0016));
  object.image_type = text_of(data, Tag(0x0008, 0x0008));
  object.photometric = text_of(data, Tag(0x0028, 0x0004));
  object.transfer_syntax = file.GetHeader().GetDataSetTransferSyntax().GetString();
  if (const auto n = number_of(data, Tag(0x0020, 0x0011)); n && std::abs(*n) < 2e9)
    object.series_number = int(*n);
  object.tilt_deg = number_of(data, Tag(0x0018, 0x1120));
  object.columns = whole_of(data, Tag(0x0028, 0x0011), 0);
  object.rows = whole_of(data, Tag(0x0028, 0x0010), 0);
  object.samples = whole_of(data, Tag(0x0028, 0x0002), 1);
  object.bits = whole_of(data, Tag(0x0028, 0x0100), 0);
  const double frames = number_of(data, Tag(0x0028, 0x0008)).value_or(1);
  object.frames = frames >= 1 && frames <= 1e6 ? int(frames) : 0;

  DicomSlice common;
  read_position(data, common);
  read_axes(data, common);
  read_pixel_spacing(data, common);
  object.has_rescale = read_rescale(data, common);
  const auto per_frame = sequence_of(data, Tag(0x5200, 0x9230));
  if (object.frames > 1 || per_frame) {
    // A position at top level is that of the first frame only: where the other frames lie, it does not say.
    if (object.frames > 1) common.position_mm.reset();
    first_item(data, Tag(0x5200, 0x9229),
               [&](const DataSet& groups) { object.has_rescale |= read_functional_groups(groups, common); });
  }
  for (int frame = 0; frame < object.frames; ++frame) {
    DicomSlice slice = common;
    slice.frame = frame;
    if (per_frame && frame < int(per_frame->GetNumberOfItems()))
      object.has_rescale |= read_functional_groups(
          per_frame->GetItem(gdcm::SequenceOfItems::SizeType(frame) + 1).GetNestedDataSet(), slice);
    object.slices.push_back(slice);
  }
  return object;
}

}  // namespace

void silence_gdcm() {
  static std::once_flag once;
  std::call_once(once, [] {
    gdcm::Trace::DebugOff();
    gdcm::Trace::WarningOff();
    gdcm::Trace::ErrorOff();
  });
}

bool begins_as_dicom(std::string_view head) {
  if (head.size() >= 132 && head.substr(128, 4) == "DICM") return true;
  if (head.size() < 132) return false;
  // A bare data set: group 2 or 8, a low even-numbered element, then a VR or a short 32-bit length.
  const auto byte = [&](std::size_t n) { return static_cast<unsigned char>(head[n]); };
  if ((byte(0) != 0x02 && byte(0) != 0x08) || byte(1) != 0 || byte(3) != 0) return false;
  const bool explicit_vr = std::isupper(byte(4)) && std::isupper(byte(5));
  const bool implicit_vr = byte(6) == 0 && byte(7) == 0 && byte(4) <= 128;
  return explicit_vr || implicit_vr;
}

std::optional<DicomObject> read_dicom_object(std::istream& in, std::uint64_t size) {
  silence_gdcm();
  const auto layout = dicom_layout(in, size, false);
  if (!layout) return std::nullopt;
  try {
    // GDCM gets the header alone: it would look into the pixels else.
    std::string header(std::size_t(layout->header_bytes), '\0');
    in.clear();
    in.seekg(0);
    in.read(header.data(), std::streamsize(header.size()));
    if (!in) return std::nullopt;
    std::istringstream memory(std::move(header));
    gdcm::Reader reader;
    reader.SetStream(memory);
    if (!reader.Read()) return std::nullopt;
    DicomObject object = object_of(reader.GetFile());
    if (object.series_uid.empty() && object.sop_class.empty()) return std::nullopt;
    return object;
  } catch (const std::exception&) {  // among them bad_alloc, for a length that no memory holds
    return std::nullopt;
  }
}

}  // namespace spinetherm
