// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "planning/plan.h"

namespace spinetherm {

/// Writes the applicators of a plan as line markups of 3D Slicer (entry, tip; LPS mm) and its thermocouples
/// as points. IoError.
void write_needles(const Plan& plan, const std::filesystem::path& path);

}  // namespace spinetherm
