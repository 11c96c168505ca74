// SPDX-License-Identifier: Apache-2.0
#pragma once

// Shared by the experiments of validation.h; no public interface.

#include <functional>

#include "apps/validation.h"
#include "apps/verification_detail.h"
#include "imaging/core/tissue_class.h"

namespace spinetherm::validation {

using verification::kRest_degC;
using verification::Runner;

inline constexpr Boundary kInsulated{BoundaryKind::insulated, 0, 0};

/// A row of the built-in table.
const Tissue& tissue(TissueClass c);
/// The same without blood and metabolism.
Tissue excised(TissueClass c);
/// Agar or gelatin of a few per cent: water that does not flow, k 0.62 W/m/K and c 4180 J/kg/K at body
/// temperature; ice at -40 degC by Fukusako 1990, k = 0.4685 + 488.19 / T and c = 7.16 T + 138 (T in kelvin);
/// one density, so that it does not expand. Freezes between -1 and 0 degC.
Tissue water_gel();

/// Cells of h mm that fill the box from `min_mm` to `max_mm`.
Grid cells_in(const Eigen::Vector3d& min_mm, const Eigen::Vector3d& max_mm, double h_mm);
/// At rest, outer faces held at rest; the label of a cell by the place of its centre.
ThermalProblem problem_in(const Grid& grid, std::vector<Tissue> tissues, double rest_degC,
                          const std::function<int(const Eigen::Vector3d&)>& label = {});

/// A published number that nothing can be simulated beside, and why.
ValidationRow unknown_row(std::string id, std::string quantity, std::string unit, std::string published,
                          std::string cause);

/// Value of a field in the cell that holds the point; NaN for an empty field.
double cell_value(const Volume<float>& field, const Eigen::Vector3d& at_mm);
/// Area [mm2] of the plane of cells `k` in which a field is below the level, bilinear between cell centres.
double area_below_mm2(const Volume<float>& field, int k, double level);
/// First distance [mm] beyond `from_mm` along a ray at which the field, linear between samples every 0.1 mm,
/// rises above the level; 0 when it is above at once, NaN when it stays below inside the grid.
double edge_below_mm(const Volume<float>& field, const Eigen::Vector3d& origin_mm,
                     const Eigen::Vector3d& direction, double from_mm, double level);

std::vector<ValidationRow> run_v1(const VerificationOptions& options, const Progress& progress);
std::vector<ValidationRow> run_v2(const VerificationOptions& options, const Progress& progress);
std::vector<ValidationRow> run_v3(const VerificationOptions& options, const Progress& progress);
std::vector<ValidationRow> run_v4(const VerificationOptions& options, const Progress& progress);
std::vector<ValidationRow> run_v5(const VerificationOptions& options, const Progress& progress);
std::vector<ValidationRow> run_v6(const VerificationOptions& options, const Progress& progress);
std::vector<ValidationRow> run_v7(const VerificationOptions& options, const Progress& progress);
std::vector<ValidationRow> run_v8(const VerificationOptions& options, const Progress& progress);
std::vector<ValidationRow> run_v9(const VerificationOptions& options, const Progress& progress);
std::vector<ValidationRow> run_v10(const VerificationOptions& options, const Progress& progress);
std::vector<ValidationRow> run_v11(const VerificationOptions& options, const Progress& progress);
std::vector<ValidationRow> run_v12(const VerificationOptions& options, const Progress& progress);
std::vector<ValidationRow> run_v13(const VerificationOptions& options, const Progress& progress);
std::vector<ValidationRow> run_v14(const VerificationOptions& options, const Progress& progress);
std::vector<ValidationRow> run_v15(const VerificationOptions& options, const Progress& progress);
std::vector<ValidationRow> run_v16(const VerificationOptions& options, const Progress& progress);
std::vector<ValidationRow> run_v17(const VerificationOptions& options, const Progress& progress);

}  // namespace spinetherm::validation
