// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace spinetherm {

/// A small DICOM object, written byte by byte (PS3.5, explicit VR little endian), so that tests can break
/// each rule on its own. Tags are kept as group << 16 | element.
class FakeDicom {
 public:
  FakeDicom(int slice, double z_mm) {
    set(0x00080008, "CS", "ORIGINAL\\PRIMARY\\AXIAL");
    set(0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.2");
    set(0x00080018, "UI", fmt::format("1.2.3.4.{}", slice + 1));
    set(0x00080060, "CS", "CT");
    set(0x0008103e, "LO", "made for a test");
    set(0x0020000e, "UI", "1.2.3.4");
    set(0x00200011, "IS", "5");
    set(0x00200013, "IS", std::to_string(slice + 1));
    set(0x00200032, "DS", fmt::format("-10\\-20\\{}", z_mm));
    set(0x00200037, "DS", "1\\0\\0\\0\\1\\0");
    set_short(0x00280002, 1);
    set(0x00280004, "CS", "MONOCHROME2");
    set_short(0x00280010, kRows);
    set_short(0x00280011, kColumns);
    set(0x00280030, "DS", "0.75\\0.5");  // between rows, between columns
    set_short(0x00280100, 16);
    set_short(0x00280101, 16);
    set_short(0x00280102, 15);
    set_short(0x00280103, 1);
    set(0x00281052, "DS", "-1024");
    set(0x00281053, "DS", "2");
    for (int n = 0; n < kRows * kColumns; ++n) pixels.push_back(std::int16_t(100 * slice + n));
  }

  FakeDicom& set(std::uint32_t tag, const std::string& vr, const std::string& value) {
    elements_[tag] = {vr, value};
    return *this;
  }
  FakeDicom& set_short(std::uint32_t tag, int value) {
    return set(tag, "US", {char(value & 0xff), char(value >> 8)});
  }
  FakeDicom& erase(std::uint32_t tag) {
    elements_.erase(tag);
    return *this;
  }

  std::string bytes() const {
    const std::string syntax = element(0x00020010, "UI", "1.2.840.10008.1.2.1");
    std::string out(128, '\0');
    out += "DICM";
    out += element(0x00020000, "UL", little(std::uint32_t(syntax.size()), 4)) + syntax;
    for (const auto& [tag, entry] : elements_) out += element(tag, entry.first, entry.second);
    std::string data;
    for (const std::int16_t p : pixels) data += little(std::uint16_t(p), 2);
    return out + element(0x7fe00010, "OW", data);
  }
  void write(const std::filesystem::path& path) const { std::ofstream(path, std::ios::binary) << bytes(); }

  /// One value of a sequence: an item of undefined length is not needed for tests.
  static std::string item(const std::string& content) {
    return little(0xfffe, 2) + little(0xe000, 2) + little(std::uint32_t(content.size()), 4) + content;
  }
  static std::string element(std::uint32_t tag, const std::string& vr, std::string value) {
    if (value.size() % 2) value += vr == "UI" ? '\0' : ' ';
    std::string out = little(tag >> 16, 2) + little(tag & 0xffff, 2) + vr;
    if (vr == "OW" || vr == "OB" || vr == "SQ")
      return out + little(0, 2) + little(std::uint32_t(value.size()), 4) + value;
    return out + little(std::uint32_t(value.size()), 2) + value;
  }

  static constexpr int kRows = 4, kColumns = 6;
  std::vector<std::int16_t> pixels;

 private:
  static std::string little(std::uint32_t value, int count) {
    std::string out;
    for (int n = 0; n < count; ++n) out += char(value >> (8 * n) & 0xff);
    return out;
  }
  std::map<std::uint32_t, std::pair<std::string, std::string>> elements_;
};

/// A series of `count` slices 2 mm apart, each changed by `change` before it is written; file names run
/// against the positions, so that a reader that sorts by name fails.
inline void write_fake_series(const std::filesystem::path& folder, int count,
                              const std::function<void(FakeDicom&, int)>& change = {}) {
  std::filesystem::create_directories(folder);
  for (int slice = 0; slice < count; ++slice) {
    FakeDicom object(slice, -100 + 2.0 * slice);
    if (change) change(object, slice);
    object.write(folder / fmt::format("{:03}.dcm", 500 - slice));
  }
}

}  // namespace spinetherm
