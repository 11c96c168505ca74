// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "thermal/bioheat_solver.h"

namespace spinetherm {

/// How `simulate` and `verify` start the engine: with the state in double up to 300 000 cells, where that
/// costs nothing that a user would notice. A float state no longer follows changes of less than about 1e-5
/// K/s, which is 0.04 K in a slab of layers after hours; 300 000 cells of float are what the benchmark's
/// smallest case has. Small problems are also held to 1 mK a step instead of 20.
BioheatOptions engine_options(const ThermalProblem& problem, int threads);
/// How the runs of patients do: plain flows, as tissue changes from cell to cell, where a wider stencil gains
/// nothing and costs three times; larger cells far from applicators; and steps of 40 mK, less than the tissue
/// is known to.
BioheatOptions patient_options(int threads);

}  // namespace spinetherm
