// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace spinetherm {

/// Version of the program, as in CMakeLists.txt: "0.1.0".
std::string_view version();

}  // namespace spinetherm
