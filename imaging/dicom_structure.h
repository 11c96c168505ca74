// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <istream>

namespace spinetherm {

/// Walks the elements of a DICOM object (PS3.5, sections 7.1 to 7.5 and A.4) without looking at their values:
/// true when every element, sequence and item ends within `size` bytes and every explicit VR is known. GDCM
/// as Debian builds it aborts the program on a truncated or garbled object, so that nothing reaches it that
/// fails here. Stops at the pixels, whose length is checked too, unless `through_pixels` asks to walk their
/// fragments. Limits: a deflated transfer syntax is not walked, and counts as garbled; nesting above 32.
bool is_whole_dicom(std::istream& in, std::uint64_t size, bool through_pixels);

}  // namespace spinetherm
