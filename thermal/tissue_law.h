// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "thermal/tissue.h"
#include "thermal/tissue_table.h"

namespace spinetherm {

template <class Real>
TissueTable<Real> make_tissue_table(const std::vector<Tissue>& tissues);

/// u [K] of theta [K], the inverse of theta_of_u. For set-up, not for kernels.
double u_of_theta(const Tissue& tissue, double theta);

/// Electrical conductivity [S/m] at T:
///   sigma37 (1 + electrical_per_K (T - 37)), growth capped at 100 degC,
/// falling by a smooth step to drying.residual of its value at drying.from_degC.
/// ConfigError when the tissue has none.
double electrical_S_per_m(const Tissue& tissue, double T_degC);

}  // namespace spinetherm
