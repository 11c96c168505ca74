// SPDX-License-Identifier: Apache-2.0
#include "imaging/dicom_series.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <numeric>
#include <streambuf>

#include "imaging/archive_reader.h"
#include "imaging/core/units.h"
#include "imaging/dicom_object.h"

namespace spinetherm {
namespace {

namespace fs = std::filesystem;

/// Seekable view of an archive member that is fetched only as far as somebody reads.
class MemberBuffer : public std::streambuf {
 public:
  explicit MemberBuffer(ArchiveMember& member) : member_(member) {}

  std::vector<char> take_all() {
    while (fetch()) continue;
    return std::move(bytes_);
  }
  std::string_view head() {
    fetch();
    return {bytes_.data(), bytes_.size()};
  }
  std::size_t size() const { return bytes_.size(); }

 protected:
  int_type underflow() override {
    const auto at = std::size_t(gptr() - eback());
    while (at >= bytes_.size())
      if (!fetch()) return traits_type::eof();
    point_to(at);
    return traits_type::to_int_type(*gptr());
  }
  pos_type seekoff(off_type offset, std::ios_base::seekdir from, std::ios_base::openmode mode) override {
    if (from == std::ios_base::cur) return seekpos(pos_type(gptr() - eback()) + offset, mode);
    if (from == std::ios_base::end) {
      while (fetch()) continue;
      return seekpos(pos_type(off_type(bytes_.size())) + offset, mode);
    }
    return seekpos(pos_type(offset), mode);
  }
  pos_type seekpos(pos_type to, std::ios_base::openmode) override {
    if (to < pos_type(0)) return pos_type(off_type(-1));
    while (off_type(to) > off_type(bytes_.size()))
      if (!fetch()) return pos_type(off_type(-1));
    point_to(std::size_t(off_type(to)));
    return to;
  }

 private:
  bool fetch() {
    const auto at = std::size_t(gptr() - eback());
    constexpr std::size_t block = 1 << 16;  // more than most headers, far less than a slice
    const bool more = member_.read(bytes_, block) > 0;
    point_to(at);
    return more;
  }
  void point_to(std::size_t at) {
    char* begin = bytes_.data();
    setg(begin, begin + std::min(at, bytes_.size()), begin + bytes_.size());
  }

  ArchiveMember& member_;
  std::vector<char> bytes_;
};

struct Found {
  DicomFolder folder;
  std::vector<DicomObject> objects;  // in the order of folder.files
};

void scan_file(const fs::path& path, Found& found) {
  std::ifstream in(path, std::ios::binary);
  std::string head(132, '\0');
  in.read(head.data(), std::streamsize(head.size()));
  head.resize(std::size_t(in.gcount()));
  if (!begins_as_dicom(head)) {
    // What calls itself DICOM and is none is a lost slice, not somebody's notes.
    if (path.extension() == ".dcm")
      found.folder.broken.push_back(path.string());
    else
      ++found.folder.other_files;
    return;
  }
  in.clear();
  in.seekg(0);
  std::error_code ec;
  auto object = read_dicom_object(in, fs::file_size(path, ec));
  if (!object) {
    found.folder.broken.push_back(path.string());
    return;
  }
  found.folder.files.push_back(path.string());
  found.objects.push_back(std::move(*object));
}

void scan_folder(const fs::path& path, Found& found) {
  std::vector<fs::path> files;
  std::error_code ec;
  fs::recursive_directory_iterator it(path, fs::directory_options::skip_permission_denied, ec);
  if (ec) throw IoError("cannot be opened", path.string(), "check the permissions");
  for (; it != fs::recursive_directory_iterator(); it.increment(ec)) {
    if (ec) throw IoError("cannot be listed", path.string(), "check the permissions");
    std::error_code skip;  // a link to nowhere is no file
    if (it->is_regular_file(skip) && it->path().filename() != "DICOMDIR") files.push_back(it->path());
  }
  std::sort(files.begin(), files.end());  // the order in which a folder is listed is the file system's whim
  for (const auto& file : files) scan_file(file, found);
}

void scan_archive(const fs::path& path, const DicomScanOptions& options, Found& found) {
  double kept_bytes = 0;
  for_each_archive_member(path, [&](ArchiveMember& member) {
    MemberBuffer buffer(member);
    if (!begins_as_dicom(buffer.head()) || fs::path(member.name()).filename() == "DICOMDIR") {
      if (fs::path(member.name()).extension() == ".dcm")
        found.folder.broken.push_back(member.name());
      else
        ++found.folder.other_files;
      return true;
    }
    std::istream in(&buffer);
    auto object = read_dicom_object(in, member.size());
    if (!object) {
      found.folder.broken.push_back(member.name());
      return true;
    }
    found.folder.files.push_back(member.name());
    found.objects.push_back(std::move(*object));
    if (options.keep_archive) {
      found.folder.contents.push_back(buffer.take_all());
      kept_bytes += double(found.folder.contents.back().size());
      if (kept_bytes > options.max_memory_MB * 1e6)
        throw IoError(fmt::format("unpacks to more than {:.0f} MB", options.max_memory_MB), path.string(),
                      "unpack it and name the folder");
    }
    return true;
  });
}

struct Kind {
  const char *modality, *kind, *to_do;
};
constexpr Kind kOtherKinds[] = {
    {"SEG", "segmentation", "convert it to NRRD or NIfTI (dcmqi segimage2itkimage) and read it as labels"},
    {"RTSTRUCT", "structure set", "convert it to a label map (plastimatch convert)"},
    {"RTPLAN", "radiotherapy plan", "name an image series"},
    {"RTDOSE", "radiotherapy dose", "name an image series"},
    {"REG", "spatial registration", "convert it to an ITK transform"},
    {"SR", "structured report", "name an image series"},
    {"PR", "presentation state", "name an image series"},
    {"KO", "key object selection", "name an image series"}};

/// Sorts the slices along the normal and sets `grid`, or says why not.
void arrange(DicomSeries& series, const std::vector<const DicomObject*>& objects, const std::string& where,
             bool one_file) {
  const auto refuse = [&](std::string what, std::string to_do) {
    series.refusal = IoError(std::move(what), where, std::move(to_do));
  };
  for (const auto& k : kOtherKinds)
    if (series.modality == k.modality) {
      series.kind = k.kind;
      return refuse(fmt::format("is a DICOM {}, not an image", k.kind), k.to_do);
    }
  const auto any = [&](auto test) {
    return std::any_of(objects.begin(), objects.end(), [&](auto* o) { return test(*o); });
  };
  if (any([](const DicomObject& o) { return o.columns < 1 || o.rows < 1; })) {
    series.kind = "other";
    return refuse("holds DICOM objects without pixels", "name an image series");
  }
  if (any([](const DicomObject& o) { return o.image_type.find("LOCALIZER") != std::string::npos; })) {
    series.kind = "localizer";
    return refuse("is a localizer, not a volume", "choose another series");
  }
  if (any([](const DicomObject& o) { return o.samples != 1 || o.photometric == "PALETTE COLOR"; }))
    return refuse("has colour pixels (RGB)", "choose a series of grey values");
  if (any([](const DicomObject& o) { return o.bits != 8 && o.bits != 16 && o.bits != 32 && o.bits != 64; }) ||
      any([&](const DicomObject& o) { return o.bits != series.bits; }))
    return refuse(fmt::format("has pixels of {} bits", objects.front()->bits), "export the series again");
  if (any([](const DicomObject& o) { return o.image_type.find("MOSAIC") != std::string::npos; }))
    return refuse("is a mosaic: many slices in one picture", "unpack it with dcm2niix");
  if (any([&](const DicomObject& o) { return o.columns != series.pixels[0] || o.rows != series.pixels[1]; }))
    return refuse("mixes slices of different size", "split the series");
  auto& slices = series.slices;
  if (slices.size() < 3)
    return refuse(fmt::format("is not a volume: {} slice{}", slices.size(), slices.size() == 1 ? "" : "s"),
                  one_file ? "name the folder of the whole series"
                           : "at least 3 are needed to know that they are even");
  const auto lacks = [&](auto member) {
    return std::any_of(slices.begin(), slices.end(), [&](const DicomSlice& s) { return !(s.*member); });
  };
  if (lacks(&DicomSlice::position_mm) || lacks(&DicomSlice::axes))
    return refuse(objects.size() == 1 ? "is a multi-frame object whose frames have no positions of their own"
                                      : "has slices without position or orientation",
                  "convert it with the maker's software or dcm2niix, and check left and right");
  if (lacks(&DicomSlice::pixel_mm))
    return refuse("has slices without pixel spacing", "export the series again");

  const DicomSlice first = slices.front();
  const Eigen::Matrix3d axes = *first.axes;
  const Eigen::Vector2d pixel = *first.pixel_mm;
  if (!axes.allFinite() ||
      (axes.transpose() * axes - Eigen::Matrix3d::Identity()).cwiseAbs().maxCoeff() > 1e-3)
    return refuse("has an orientation that is not orthonormal", "export the series again");
  if (!pixel.allFinite() || (pixel.array() <= 0).any())
    return refuse(fmt::format("has pixel spacing {} x {} mm", pixel[0], pixel[1]),
                  "spacing must be positive and finite: export the series again");
  for (const auto& s : slices) {
    if (!s.position_mm->allFinite())
      return refuse("has a slice position that is not a number", "export the series again");
    // 1e-3 of a direction cosine is 0.06 deg: what six digits and oblique planes round to.
    if (!((*s.axes - axes).cwiseAbs().maxCoeff() < 1e-3))
      return refuse("mixes slices of different orientation", "split the series");
    if (!((*s.pixel_mm - pixel).cwiseAbs().maxCoeff() < 1e-3 * pixel.minCoeff()))
      return refuse("mixes slices of different pixel spacing", "split the series");
  }

  const Eigen::Vector3d normal = axes.col(2).normalized();
  const auto along = [&](const DicomSlice& s) { return normal.dot(*s.position_mm); };
  std::stable_sort(slices.begin(), slices.end(),
                   [&](const auto& a, const auto& b) { return along(a) < along(b); });
  const double length = along(slices.back()) - along(slices.front());
  const auto count = slices.size();
  if (length < 1e-3)
    return refuse(fmt::format("is not a volume: all {} slices lie at one position", count),
                  "choose another series");
  std::size_t duplicates = 0;
  std::vector<double> steps;
  double duplicate_at = 0;
  for (std::size_t n = 1; n < count; ++n) {
    const double step = along(slices[n]) - along(slices[n - 1]);
    if (step < 1e-3) {
      ++duplicates;
      duplicate_at = along(slices[n]);
    } else
      steps.push_back(step);
  }
  if (duplicates > 0) {
    if (duplicates + 1 < count && count % (count - duplicates) == 0)
      return refuse(fmt::format("is 4-D: {} images at each of {} positions", count / (count - duplicates),
                                count - duplicates),
                    "split it by time, echo or phase");
    return refuse(fmt::format("has {} duplicate slice position{}, e.g. at {:.2f} mm along the normal",
                              duplicates, duplicates == 1 ? "" : "s", duplicate_at),
                  "remove the copies, or split the series");
  }

  const Eigen::Vector3d run = *slices.back().position_mm - *slices.front().position_mm;
  const Eigen::Vector3d drift = run - normal * normal.dot(run);
  const double shear_deg = std::atan2(drift.norm(), length) * 180 / kPi;
  std::nth_element(steps.begin(), steps.begin() + std::ptrdiff_t(steps.size() / 2), steps.end());
  const double typical = steps[steps.size() / 2];
  std::string reasons;
  const auto add = [&](const std::string& reason) { reasons += (reasons.empty() ? "" : "; ") + reason; };
  const bool tilted = drift.norm() > 0.3;  // over the whole stack; less is rounding of positions
  if (tilted) add(fmt::format("gantry tilt: slices are sheared by {:.1f} deg", shear_deg));

  // Every slice has its place on an even ladder; the first bad step tells where a gap is.
  const double spacing = length / double(count - 1);
  const auto off_step = [&](std::size_t n) {
    return std::abs(along(slices[n]) - along(slices[n - 1]) - typical);
  };
  double worst = 0;
  bool uneven = false;
  for (std::size_t n = 1; n < count; ++n) {
    const double place = along(slices.front()) + double(n) * spacing;
    uneven |= std::abs(along(slices[n]) - place) > 0.1 * spacing;
    worst = std::max(worst, off_step(n));
  }
  std::size_t worst_at = 1;
  while (worst_at + 1 < count && off_step(worst_at) < 0.9 * worst) ++worst_at;
  if (uneven) {
    const double low = along(slices[worst_at - 1]), high = along(slices[worst_at]);
    const double missing = (high - low) / typical - 1;
    if (missing > 0.9 && std::abs(missing - std::round(missing)) < 0.1)
      add(fmt::format(
          "{:.0f} slice{} missing between {:.2f} and {:.2f} mm along the normal (slices {} and {} of {})",
          missing, missing < 1.5 ? "" : "s", low, high, worst_at, worst_at + 1, count));
    else
      add(
          fmt::format("uneven slices: {:.2f} mm apart between {:.2f} and {:.2f} mm along the normal (slices "
                      "{} and {} of {}), {:.2f} mm elsewhere",
                      high - low, low, high, worst_at, worst_at + 1, count, typical));
  }
  if (!reasons.empty())
    return refuse(reasons,
                  tilted ? "resample it with the tilt corrected (dcm2niix), or export an untilted reformat"
                         : "export the whole series again, or resample it onto even slices");

  Grid grid;
  grid.size = {series.pixels[0], series.pixels[1], int(count)};
  grid.spacing_mm = {pixel[0], pixel[1], spacing};
  grid.origin_mm = *slices.front().position_mm;
  grid.direction.col(0) = axes.col(0).normalized();
  grid.direction.col(2) = normal;
  grid.direction.col(1) = normal.cross(grid.direction.col(0));
  series.grid = grid;
  if (any([](const DicomObject& o) { return std::abs(o.tilt_deg.value_or(0)) > 0.1; }))
    series.warnings.push_back(
        "header names a gantry tilt, but the slices are not sheared: taken as a reformat");
  if (series.modality == "CT" && any([](const DicomObject& o) { return !o.has_rescale; }))
    series.warnings.push_back("CT without rescale slope: the values may not be HU");
}

DicomSeries series_of(const std::vector<std::size_t>& members, const Found& found) {
  std::vector<const DicomObject*> objects;
  for (auto m : members) objects.push_back(&found.objects[m]);
  const DicomObject& first = *objects.front();
  DicomSeries series;
  series.uid = first.series_uid;
  series.number = first.series_number;
  series.description = first.description;
  series.modality = first.modality;
  series.kind = "image";
  series.files = members.size();
  series.pixels = {first.columns, first.rows};
  series.bits = first.bits;
  for (auto m : members)
    for (DicomSlice slice : found.objects[m].slices) {
      slice.file = m;
      series.slices.push_back(slice);
    }
  // An axial slice stays axial under the tilt that gantries reach, 30 deg.
  if (!first.slices.empty() && first.slices[0].axes)
    series.axial = std::abs((*first.slices[0].axes)(2, 2)) > std::cos(30.1 * kPi / 180);
  arrange(series, objects,
          fmt::format("{}, series {}", found.folder.path.string(),
                      series.number ? std::to_string(*series.number) : series.uid),
          std::filesystem::is_regular_file(found.folder.path) && !is_archive(found.folder.path));
  return series;
}

std::string summary(const DicomSeries& s) {
  return fmt::format("{}{} '{}' ({} slices)", s.number ? fmt::format("{}: ", *s.number) : s.uid + ": ",
                     s.modality, s.description, s.slices.size());
}

bool fits(const DicomSeries& s, std::optional<Modality> expected) {
  if (!expected || *expected == Modality::unknown) return true;
  if (is_mr(*expected)) return s.modality == "MR";
  if (*expected == Modality::cbct) return s.modality == "CT" || s.modality == "XA";
  return s.modality == "CT";
}

}  // namespace

bool is_dicom_file(const fs::path& path) {
  std::error_code ec;
  if (!fs::is_regular_file(path, ec)) return false;
  std::ifstream in(path, std::ios::binary);
  std::string head(132, '\0');
  in.read(head.data(), std::streamsize(head.size()));
  head.resize(std::size_t(in.gcount()));
  return begins_as_dicom(head);
}

DicomFolder scan_dicom(const fs::path& path, const DicomScanOptions& options) {
  std::error_code ec;
  if (!fs::exists(path, ec)) throw IoError("does not exist", path.string(), "check the path");
  Found found;
  found.folder.path = path;
  if (fs::is_directory(path, ec))
    scan_folder(path, found);
  else if (is_archive(path))
    scan_archive(path, options, found);
  else
    scan_file(path, found);
  DicomFolder& folder = found.folder;
  if (found.objects.empty()) {
    if (!folder.broken.empty())
      throw IoError("is a broken DICOM file", folder.broken.front(), "fetch it again");
    throw IoError("holds no DICOM image", path.string(), "name a DICOM folder, or a NIfTI, NRRD or MHA file");
  }
  std::map<std::string, std::vector<std::size_t>> by_uid;
  for (std::size_t n = 0; n < found.objects.size(); ++n) by_uid[found.objects[n].series_uid].push_back(n);
  for (const auto& [uid, members] : by_uid) folder.series.push_back(series_of(members, found));
  std::stable_sort(folder.series.begin(), folder.series.end(),
                   [](const auto& a, const auto& b) { return a.number < b.number; });
  return std::move(found.folder);
}

const DicomSeries& choose_series(const DicomFolder& folder, std::string_view wanted,
                                 std::optional<Modality> expected) {
  const std::string where = folder.path.string();
  std::string list;
  for (const auto& s : folder.series) list += (list.empty() ? "" : ", ") + summary(s);
  const DicomSeries* chosen = nullptr;
  if (!wanted.empty()) {
    for (const auto& s : folder.series)
      if (s.uid == wanted || (s.number && std::to_string(*s.number) == wanted)) {
        if (chosen)
          throw IoError(fmt::format("has two series '{}'", wanted), where, "name the SeriesInstanceUID");
        chosen = &s;
      }
    if (!chosen) throw IoError(fmt::format("has no series '{}'", wanted), where, "there is " + list);
    if (!fits(*chosen, expected))
      throw IoError(fmt::format("series '{}' is {}", wanted, chosen->modality), where,
                    fmt::format("a {} series is needed here; there is {}", to_string(*expected), list));
  } else {
    const bool mr = expected && is_mr(*expected);
    std::vector<const DicomSeries*> images, preferred;
    for (const auto& s : folder.series)
      if (s.kind == "image" && fits(s, expected)) {
        images.push_back(&s);
        if (mr || (s.modality == "CT" && s.axial)) preferred.push_back(&s);
      }
    if (images.empty() && folder.series.size() == 1 && !expected && folder.series[0].refusal)
      throw *folder.series[0].refusal;
    if (images.empty())
      throw IoError(
          expected ? fmt::format("holds no {} series", to_string(*expected)) : "holds no image series", where,
          "there is " + list);
    if (mr && images.size() > 1)
      throw IoError(fmt::format("holds {} MR series", images.size()), where, "choose with --series: " + list);
    if (preferred.empty() && images.size() > 1)
      throw IoError(fmt::format("holds {} image series and no axial CT", images.size()), where,
                    "choose with --series: " + list);
    const auto& among = preferred.empty() ? images : preferred;
    chosen = *std::max_element(among.begin(), among.end(),
                               [](auto* a, auto* b) { return a->slices.size() < b->slices.size(); });
  }
  if (chosen->refusal && wanted.empty() && folder.series.size() > 1)
    throw IoError(chosen->refusal->what_is_wrong(), chosen->refusal->where(),
                  chosen->refusal->what_to_do() + "; or choose with --series: " + list);
  if (chosen->refusal) throw *chosen->refusal;
  if (!folder.broken.empty())
    throw IoError("holds a broken DICOM file, which may be a slice of the series", folder.broken.front(),
                  "fetch it again, or remove it");
  return *chosen;
}

}  // namespace spinetherm
