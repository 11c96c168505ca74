// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "thermal/heat_kernel.h"

// The kernels of heat_kernel.h once per instruction set; heat_kernel.cpp picks at run time.
#define SPINETHERM_DECLARE_KERNELS(set)                                                                   \
  namespace spinetherm::set {                                                                             \
  template <class Real>                                                                                   \
  void run_stage(const HeatView<Real>&, const StageView<Real>&, Real*, int);                              \
  template <class Real>                                                                                   \
  void run_two_stages(const HeatView<Real>&, const StageView<Real>&, const StageView<Real>&, PlaneFlows*, \
                      Real*, int);                                                                        \
  template <class Real>                                                                                   \
  StepFindings run_rates(const HeatView<Real>&, const StepView<Real>&, Real*, StepFindings*, int);        \
  template <class Real>                                                                                   \
  void run_correction(const HeatView<Real>&, const CorrectionView<Real>&, Real*, int);                    \
  template <class Real>                                                                                   \
  void run_properties(const HeatView<Real>&, Real*, Real*, int);                                          \
  template <class Real>                                                                                   \
  double run_dose(const HeatView<Real>&, const DoseView<Real>&, int);                                     \
  template <class Real>                                                                                   \
  void run_ranges(const HeatView<Real>&, const Real*, const Real*, RowRange<Real>*, int);                 \
  template <class Real>                                                                                   \
  void run_extremes(const HeatView<Real>&, const ExtremesView<Real>&, int);                               \
  }
SPINETHERM_DECLARE_KERNELS(baseline)
SPINETHERM_DECLARE_KERNELS(avx2)
SPINETHERM_DECLARE_KERNELS(avx512)
#undef SPINETHERM_DECLARE_KERNELS
