// SPDX-License-Identifier: Apache-2.0
#include "imaging/dicom_structure.h"

#include <gtest/gtest.h>

#include <sstream>

#include "tests/imaging/dicom_fixture.h"

namespace spinetherm {
namespace {

std::optional<DicomLayout> layout_of(const std::string& bytes, bool through_pixels = true) {
  std::istringstream in(bytes);
  return dicom_layout(in, bytes.size(), through_pixels);
}
std::string word(std::uint32_t value, int bytes) {
  std::string out;
  for (int n = 0; n < bytes; ++n) out += char(value >> (8 * n) & 0xff);
  return out;
}
std::string tag(std::uint32_t t) { return word(t >> 16, 2) + word(t & 0xffff, 2); }
const std::string kItem = tag(0xfffee000), kItemEnd = tag(0xfffee00d) + word(0, 4),
                  kSequenceEnd = tag(0xfffee0dd) + word(0, 4), kUndefined = word(0xffffffff, 4);

/// A whole object around a sequence that is put before the pixels.
std::string with_sequence(const std::string& sequence) {
  std::string bytes = FakeDicom(0, 0).bytes();
  const auto pixels = bytes.find(tag(0x7fe00010));
  return bytes.insert(pixels, sequence);
}
std::string sequence(const std::string& items, bool delimited) {
  const std::string head = tag(0x00400275) + "SQ" + word(0, 2);
  return delimited ? head + kUndefined + items + kSequenceEnd
                   : head + word(std::uint32_t(items.size()), 4) + items;
}
const std::string kText = FakeDicom::element(0x00081030, "LO", "text");

TEST(DicomStructure, FindsTheTransferSyntaxAndWhereThePixelsBegin) {
  const std::string bytes = FakeDicom(0, 0).bytes();
  const auto layout = layout_of(bytes, false);
  ASSERT_TRUE(layout);
  EXPECT_EQ(layout->transfer_syntax, "1.2.840.10008.1.2.1");
  EXPECT_EQ(layout->header_bytes, bytes.find(tag(0x7fe00010)));
  EXPECT_TRUE(layout->fragments.empty());
}

TEST(DicomStructure, EveryTruncationIsSeen) {
  const std::string whole =
      with_sequence(sequence(kItem + word(std::uint32_t(kText.size()), 4) + kText, false));
  ASSERT_TRUE(layout_of(whole));
  int between_elements = 0;
  for (std::size_t keep = 0; keep < whole.size(); ++keep) {
    const auto layout = layout_of(whole.substr(0, keep));
    between_elements += layout.has_value();
    EXPECT_FALSE(layout && keep > whole.find(tag(0x7fe00010))) << keep << ": the pixels are cut";
  }
  EXPECT_LT(between_elements, 35) << "only where an element ends could more not have been meant";
}

TEST(DicomStructure, SequencesOfKnownAndUndefinedLengthAreWalked) {
  const std::string item = kItem + word(std::uint32_t(kText.size()), 4) + kText;
  const std::string open_item = kItem + kUndefined + kText + kItemEnd;
  for (const bool delimited : {false, true}) {
    EXPECT_TRUE(layout_of(with_sequence(sequence("", delimited))));
    EXPECT_TRUE(layout_of(with_sequence(sequence(item + open_item, delimited))));
    EXPECT_TRUE(layout_of(
        with_sequence(sequence(kItem + kUndefined + sequence(item, delimited) + kItemEnd, delimited))));
    EXPECT_FALSE(layout_of(with_sequence(sequence(kText, delimited)))) << "an element where an item belongs";
    EXPECT_FALSE(layout_of(with_sequence(sequence(kItem + kUndefined + kText, delimited)))) << "no delimiter";
    EXPECT_FALSE(layout_of(with_sequence(sequence(kItem + word(1000, 4) + kText, delimited)))) << "too long";
  }
}

TEST(DicomStructure, NestingHasABottom) {
  const auto nested = [](int depth) {
    std::string inner;
    for (int n = 0; n < depth; ++n) inner = sequence(kItem + kUndefined + inner + kItemEnd, true);
    return with_sequence(inner);
  };
  EXPECT_TRUE(layout_of(nested(30)));
  EXPECT_FALSE(layout_of(nested(40)));
}

TEST(DicomStructure, UnknownValueRepresentationsAndDeflatedObjectsAreRefused) {
  EXPECT_FALSE(layout_of(with_sequence(tag(0x00400275) + "zz" + word(2, 2) + "ab")));
  std::string deflated = FakeDicom(0, 0).bytes();
  const std::string plain("1.2.840.10008.1.2.1\0", 20);
  deflated.replace(deflated.find(plain), plain.size(), "1.2.840.10008.1.2.1.99");
  EXPECT_FALSE(layout_of(deflated));
}

/// An object whose pixels are fragments: an empty offset table, then these.
std::string encapsulated(const std::string& syntax, const std::vector<std::string>& fragments) {
  std::string out(128, '\0');
  const std::string meta = FakeDicom::element(0x00020010, "UI", syntax);
  out += "DICM" + FakeDicom::element(0x00020000, "UL", word(std::uint32_t(meta.size()), 4)) + meta + kText;
  out += tag(0x7fe00010) + "OB" + word(0, 2) + kUndefined + kItem + word(0, 4);
  for (const std::string& f : fragments) out += kItem + word(std::uint32_t(f.size()), 4) + f;
  return out + kSequenceEnd;
}
bool fit(const std::string& syntax, const std::vector<std::string>& fragments, std::array<int, 2> pixels,
         int bits) {
  const std::string bytes = encapsulated(syntax, fragments);
  std::istringstream in(bytes);
  const auto layout = dicom_layout(in, bytes.size(), true);
  EXPECT_TRUE(layout);
  return layout && fragments_fit(in, *layout, pixels, bits);
}
const std::string kRle = "1.2.840.10008.1.2.5", kJpeg2000 = "1.2.840.10008.1.2.4.90";

TEST(DicomStructure, FragmentsAreListedWithTheirPlaces) {
  const std::string bytes = encapsulated(kRle, {"abcd", "efghij"});
  const auto layout = layout_of(bytes);
  ASSERT_TRUE(layout);
  ASSERT_EQ(layout->fragments.size(), 3u);
  EXPECT_EQ(layout->fragments[0].second, 0u);
  EXPECT_EQ(bytes.substr(layout->fragments[1].first, layout->fragments[1].second), "abcd");
  EXPECT_EQ(bytes.substr(layout->fragments[2].first, layout->fragments[2].second), "efghij");
  EXPECT_FALSE(layout_of(bytes.substr(0, bytes.size() - 8))) << "no end of the fragments";
}

std::string rle(std::uint32_t segments, std::vector<std::uint32_t> offsets) {
  offsets.resize(15);
  std::string head = word(segments, 4);
  for (const auto o : offsets) head += word(o, 4);
  return head + std::string(100, '\1');
}

TEST(DicomStructure, RleHeadersMustFitTheDeclaredBits) {
  EXPECT_TRUE(fit(kRle, {rle(2, {64, 100})}, {6, 4}, 16));
  EXPECT_TRUE(fit(kRle, {rle(1, {64})}, {6, 4}, 8));
  EXPECT_FALSE(fit(kRle, {rle(2, {64, 100})}, {6, 4}, 8)) << "two bytes a pixel declared as one";
  EXPECT_FALSE(fit(kRle, {rle(15, {64, 100})}, {6, 4}, 16));
  EXPECT_FALSE(fit(kRle, {rle(2, {60, 100})}, {6, 4}, 16)) << "the first segment begins behind the header";
  EXPECT_FALSE(fit(kRle, {rle(2, {64, 64})}, {6, 4}, 16)) << "segments must grow";
  EXPECT_FALSE(fit(kRle, {rle(2, {64, 5000})}, {6, 4}, 16)) << "beyond the fragment";
  EXPECT_FALSE(fit(kRle, {"short"}, {6, 4}, 16));
}

std::string jpeg_2000(std::uint32_t width, std::uint32_t height, int components, int bits) {
  const auto big = [](std::uint32_t v, int bytes) {
    std::string out;
    for (int n = bytes - 1; n >= 0; --n) out += char(v >> (8 * n) & 0xff);
    return out;
  };
  std::string head = "\xff\x4f\xff\x51";
  head += big(41, 2) + big(0, 2) + big(width, 4) + big(height, 4) + big(0, 4) + big(0, 4) + big(width, 4) +
          big(height, 4) + big(0, 4) + big(0, 4) + big(std::uint32_t(components), 2) +
          big(std::uint32_t(bits - 1), 1) + big(1, 1) + big(1, 1);
  return head + std::string(60, '\0');
}

TEST(DicomStructure, Jpeg2000HeadersMustFitTheDeclaredSize) {
  EXPECT_TRUE(fit(kJpeg2000, {jpeg_2000(6, 4, 1, 12)}, {6, 4}, 16));
  EXPECT_FALSE(fit(kJpeg2000, {jpeg_2000(60, 4, 1, 12)}, {6, 4}, 16));
  EXPECT_FALSE(fit(kJpeg2000, {jpeg_2000(6, 5, 1, 12)}, {6, 4}, 16));
  EXPECT_FALSE(fit(kJpeg2000, {jpeg_2000(6, 4, 3, 8)}, {6, 4}, 8));
  EXPECT_FALSE(fit(kJpeg2000, {jpeg_2000(6, 4, 1, 20)}, {6, 4}, 16));
  EXPECT_FALSE(fit(kJpeg2000, {std::string(100, 'x')}, {6, 4}, 16)) << "no codestream at all";
  EXPECT_TRUE(fit("1.2.840.10008.1.2.4.70", {"any"}, {6, 4}, 16)) << "other codecs check themselves";
}

}  // namespace
}  // namespace spinetherm
