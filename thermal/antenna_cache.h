// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "thermal/antenna_field.h"

namespace spinetherm {

/// solve_antenna(), or the field that it gave before for the same antenna in the same tissue: the last 16
/// fields of the process are kept (about 1 MB each). The same tissue: equal at the nodes of a lattice of
/// 0.25 mm along r and 0.5 mm along z, which sees all rings of mean_around(). From any thread.
std::shared_ptr<const AntennaField> cached_antenna_field(const CoaxialAntenna& antenna,
                                                         const DielectricAround& tissue,
                                                         const AntennaFieldOptions& options = {});

}  // namespace spinetherm
