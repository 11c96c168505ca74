// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "thermal/antenna_field.h"
#include "thermal/tissue.h"

namespace spinetherm {

/// Frequencies that tissue is known at: 915 and 2450 MHz, within 5 %.
bool is_microwave_MHz(double frequency_MHz);
/// Dielectric of a tissue at 37 degC and the known frequency nearest to this one; empty where its numbers are
/// missing.
std::optional<Dielectric> microwave_of(const Tissue& tissue, double frequency_MHz);

/// Dielectric of tissue that has another temperature than 37 degC: permittivity and conductivity fall as
/// sigmoids while water leaves,
///   eps(T) = eps_37 s(T; 5.22, 0.0524) / s(37; ...), sigma(T) = sigma_37 s(T; 6.58, 0.0598) / s(37; ...),
///   s(T; a, b) = 1 - 1/(1 + exp(a - b T)), permittivity at least 1.
/// Shape from measurements in liver at 2.45 GHz (Ji and Brace 2011, doi:10.1088/0031-9155/56/16/011);
/// coefficients recalled, low confidence; taken for all tissues and for 915 MHz as well. Below 0 degC the
/// value at 0 degC: ice is not part of it.
Dielectric heated(const Dielectric& at_37_degC, double T_degC);

/// Optical properties of a tissue at 980 or 1064 nm; null where they are missing.
const Optical* optical_of(const Tissue& tissue, double wavelength_nm);
/// Of tissue of which 1 - exp(-Omega) is coagulated: the mean of native and coagulated, weighted so. Without
/// coagulated values: native.
OpticalProperties coagulated(const Optical& optical, double arrhenius);

}  // namespace spinetherm
