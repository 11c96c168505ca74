// SPDX-License-Identifier: Apache-2.0
#include "apps/version.h"

namespace spinetherm {

std::string_view version() { return SPINETHERM_VERSION; }

}  // namespace spinetherm
