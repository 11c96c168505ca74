// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <istream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace spinetherm {

struct DicomLayout {
  std::string transfer_syntax;     ///< UID; empty without a meta header
  std::uint64_t header_bytes = 0;  ///< where the pixel element begins, else the whole file
  /// First byte and length of each fragment of encapsulated pixels; the first is the offset table.
  std::vector<std::pair<std::uint64_t, std::uint64_t>> fragments;
};

/// Walks the elements of a DICOM object (PS3.5, sections 7.1 to 7.5 and A.4) without looking at their values.
/// Empty when an element, sequence or item does not end within `size` bytes, or an explicit VR is unknown.
/// GDCM as Debian builds it aborts the program on a truncated or garbled object, so that nothing reaches it
/// that fails here. Stops at the pixels, whose length is checked too, unless `through_pixels` asks to walk
/// their fragments. Limits: a deflated transfer syntax is not walked, and counts as garbled; nesting at most
/// 32 deep.
std::optional<DicomLayout> dicom_layout(std::istream& in, std::uint64_t size, bool through_pixels);

/// True when the headers of RLE (PS3.5, G.5) and JPEG 2000 (ISO 15444-1, A.5.1) fragments agree with the size
/// that the object declares: the decoders trust them and write past their buffers otherwise.
bool fragments_fit(std::istream& in, const DicomLayout& layout, const std::array<int, 2>& pixels, int bits);

}  // namespace spinetherm
