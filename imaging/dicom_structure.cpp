// SPDX-License-Identifier: Apache-2.0
#include "imaging/dicom_structure.h"

#include <algorithm>
#include <string_view>

namespace spinetherm {
namespace {

constexpr std::uint32_t kUndefined = 0xffffffff;
constexpr std::uint32_t kPixels = 0x7fe00010, kItem = 0xfffee000, kItemEnd = 0xfffee00d,
                        kSequenceEnd = 0xfffee0dd;
constexpr std::string_view kShortVr = "AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US";
constexpr std::string_view kLongVr = "OB OD OF OL OV OW SQ SV UC UN UR UT UV";

class Walker {
 public:
  Walker(std::istream& in, std::uint64_t size, bool through_pixels)
      : in_(in), size_(size), through_(through_pixels) {}

  bool object() {
    std::array<char, 132> head{};
    if (!read(head.data(), head.size())) return false;
    if (std::string_view(head.data() + 128, 4) != "DICM") jump(0);
    std::string syntax;
    if (!meta(syntax)) return false;
    while (!syntax.empty() && (syntax.back() == '\0' || syntax.back() == ' ')) syntax.pop_back();
    if (syntax == "1.2.840.10008.1.2.1.99") return false;
    big_ = syntax == "1.2.840.10008.1.2.2";
    bool explicit_vr = syntax != "1.2.840.10008.1.2";
    if (syntax.empty()) {  // no meta header: the first element shows whether it has a VR
      std::array<char, 6> first{};
      const auto start = at_;
      if (!read(first.data(), first.size())) return false;
      explicit_vr = (kShortVr.find(std::string_view(first.data() + 4, 2)) != std::string_view::npos);
      jump(start);
    }
    layout_.transfer_syntax = syntax;
    layout_.header_bytes = size_;
    return elements(size_, explicit_vr, 0, false) && in_.good();
  }
  const DicomLayout& layout() const { return layout_; }

 private:
  bool read(char* to, std::size_t count) {
    if (at_ + count > size_) return false;
    in_.read(to, std::streamsize(count));
    at_ += count;
    return in_.good();
  }
  void jump(std::uint64_t to) {
    at_ = to;
    in_.seekg(std::streamoff(to));
  }
  bool skip(std::uint64_t count, std::uint64_t end) {
    if (count > end - at_) return false;
    if (count > 0) jump(at_ + count);
    return in_.good();
  }
  bool number(std::size_t bytes, std::uint32_t& value) {
    std::array<char, 4> raw{};
    if (!read(raw.data(), bytes)) return false;
    value = 0;
    for (std::size_t n = 0; n < bytes; ++n)
      value |= std::uint32_t(static_cast<unsigned char>(raw[n])) << 8 * (big_ ? bytes - 1 - n : n);
    return true;
  }
  bool tag(std::uint32_t& value) {
    std::uint32_t group = 0, element = 0;
    if (!number(2, group) || !number(2, element)) return false;
    value = group << 16 | element;
    return true;
  }
  bool vr_and_length(bool explicit_vr, std::string& vr, std::uint32_t& length) {
    vr = "??";
    if (!explicit_vr) return number(4, length);
    if (!read(vr.data(), 2)) return false;
    if (kShortVr.find(vr) != std::string_view::npos) return number(2, length);
    std::uint32_t reserved = 0;
    return kLongVr.find(vr) != std::string_view::npos && number(2, reserved) && number(4, length);
  }

  /// The elements of group 2, always explicit little endian.
  bool meta(std::string& syntax) {
    while (at_ < size_) {
      const auto start = at_;
      std::uint32_t t = 0, length = 0;
      std::string vr;
      if (!tag(t)) return false;
      if (t >> 16 != 2) {
        jump(start);
        return true;
      }
      if (!vr_and_length(true, vr, length) || length == kUndefined) return false;
      if (t == 0x00020010 && length <= 64) {
        syntax.resize(length);
        if (!read(syntax.data(), length)) return false;
      } else if (!skip(length, size_)) {
        return false;
      }
    }
    return true;
  }

  /// Elements up to `end`; inside an item of undefined length up to its delimiter, which must come.
  bool elements(std::uint64_t end, bool explicit_vr, int depth, bool delimited) {
    if (depth > 32) return false;
    while (at_ < end) {
      const auto start = at_;
      std::uint32_t t = 0, length = 0;
      std::string vr;
      if (!tag(t)) return false;
      if (t == kItemEnd) return number(4, length) && delimited;
      if (t >> 16 == 0xfffe || !vr_and_length(explicit_vr, vr, length)) return false;
      if (t == kPixels && depth == 0) {
        layout_.header_bytes = start;
        if (!through_) return length == kUndefined || length <= end - at_;
        if (length == kUndefined ? !fragments() : !skip(length, end)) return false;
      } else if (length == kUndefined) {
        // Of unknown VR and undefined length, the content is implicit (PS3.5, 6.2.2 note 2).
        if (vr != "SQ" && vr != "UN" && vr != "??") return false;
        if (!items(end, explicit_vr && vr == "SQ", depth, true)) return false;
      } else if (length <= end - at_ && (vr == "SQ" || (vr == "??" && begins_an_item(length)))) {
        if (!items(at_ + length, explicit_vr, depth, false)) return false;
      } else if (!skip(length, end)) {
        return false;
      }
    }
    return !delimited && at_ == end;
  }

  bool begins_an_item(std::uint32_t length) {
    if (length < 8) return false;
    const auto start = at_;
    std::uint32_t t = 0;
    const bool is = tag(t) && t == kItem;
    jump(start);
    return is;
  }

  bool items(std::uint64_t end, bool explicit_vr, int depth, bool delimited) {
    while (at_ < end) {
      std::uint32_t t = 0, length = 0;
      if (!tag(t) || !number(4, length)) return false;
      if (t == kSequenceEnd) return delimited;
      if (t != kItem) return false;
      if (length == kUndefined ? !elements(end, explicit_vr, depth + 1, true)
                               : length > end - at_ || !elements(at_ + length, explicit_vr, depth + 1, false))
        return false;
    }
    return !delimited && at_ == end;
  }

  bool fragments() {
    while (at_ < size_) {
      std::uint32_t t = 0, length = 0;
      if (!tag(t) || !number(4, length)) return false;
      if (t == kSequenceEnd) return true;
      layout_.fragments.emplace_back(at_, length);
      if (t != kItem || !skip(length, size_)) return false;
    }
    return false;
  }

  std::istream& in_;
  std::uint64_t size_, at_ = 0;
  bool through_, big_ = false;
  DicomLayout layout_;
};

}  // namespace

std::optional<DicomLayout> dicom_layout(std::istream& in, std::uint64_t size, bool through_pixels) {
  Walker walker(in, size, through_pixels);
  if (!walker.object()) return std::nullopt;
  return walker.layout();
}

bool fragments_fit(std::istream& in, const DicomLayout& layout, const std::array<int, 2>& pixels, int bits) {
  const bool rle = layout.transfer_syntax == "1.2.840.10008.1.2.5";
  const bool jpeg_2000 = layout.transfer_syntax.starts_with("1.2.840.10008.1.2.4.9");
  if (!rle && !jpeg_2000) return true;
  for (std::size_t n = 1; n < layout.fragments.size(); ++n) {
    const auto [first, length] = layout.fragments[n];
    std::array<unsigned char, 64> head{};
    if (length < head.size()) return false;
    in.clear();
    in.seekg(std::streamoff(first));
    in.read(reinterpret_cast<char*>(head.data()), std::streamsize(head.size()));
    if (!in) return false;
    if (rle) {
      const auto word = [&](std::size_t w) {
        std::uint64_t v = 0;
        for (std::size_t b = 0; b < 4; ++b) v |= std::uint64_t(head[4 * w + b]) << 8 * b;
        return v;
      };
      if (word(0) != std::uint64_t(bits) / 8 || word(1) != 64) return false;
      for (std::size_t s = 2; s <= word(0); ++s)
        if (word(s) <= word(s - 1) || word(s) >= length) return false;
    } else if (head[0] == 0xff &&
               head[1] == 0x4f) {  // a frame may be split, so that not every fragment has a header
      const auto word = [&](std::size_t at) {
        std::uint32_t v = 0;
        for (std::size_t b = 0; b < 4; ++b) v = v << 8 | head[at + b];
        return v;
      };
      // SOC, SIZ, Lsiz, Rsiz, Xsiz, Ysiz, XOsiz, YOsiz, XTsiz, YTsiz, XTOsiz, YTOsiz, Csiz, Ssiz, XRsiz,
      // YRsiz
      if (head[2] != 0xff || head[3] != 0x51 || word(8) - word(16) != std::uint32_t(pixels[0]) ||
          word(12) - word(20) != std::uint32_t(pixels[1]) || head[40] != 0 || head[41] != 1 ||
          (head[42] & 0x7f) + 1 > bits || head[43] != 1 || head[44] != 1)
        return false;
    } else if (n == 1) {
      return false;
    }
  }
  return true;
}

}  // namespace spinetherm
