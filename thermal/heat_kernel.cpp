// SPDX-License-Identifier: Apache-2.0
#include "thermal/heat_kernel.h"

#include <cstdlib>
#include <string_view>

#include "thermal/heat_kernel_sets.h"

namespace spinetherm {
namespace {

enum class InstructionSet { baseline, avx2, avx512 };

InstructionSet choose() {
#if defined(__x86_64__) && defined(__GNUC__)
  __builtin_cpu_init();
  // For the test that all sets give the same bits.
  const char* limit = std::getenv("SPINETHERM_INSTRUCTION_SET");
  const std::string_view most = limit != nullptr ? limit : "avx512";
  if (most == "avx512" && __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512dq") != 0 &&
      __builtin_cpu_supports("avx512bw") != 0 && __builtin_cpu_supports("avx512vl") != 0)
    return InstructionSet::avx512;
  if (most != "baseline" && __builtin_cpu_supports("avx2") != 0) return InstructionSet::avx2;
#endif
  return InstructionSet::baseline;
}

}  // namespace

std::size_t kernel_scratch(const int size[3]) {
  return 8 * std::size_t(size[0]) * std::size_t(size[1]) + 8 * (std::size_t(size[0]) + 1) + 64;
}

#define SPINETHERM_PICK(call)      \
  switch (choose()) {              \
    case InstructionSet::avx512:   \
      return avx512::call;         \
    case InstructionSet::avx2:     \
      return avx2::call;           \
    case InstructionSet::baseline: \
      break;                       \
  }                                \
  return baseline::call

template <class Real>
void run_stage(const HeatView<Real>& view, const StageView<Real>& stage, Real* scratch, int threads) {
  SPINETHERM_PICK(run_stage(view, stage, scratch, threads));
}
template <class Real>
void run_two_stages(const HeatView<Real>& view, const StageView<Real>& stage, const StageView<Real>& next,
                    PlaneFlows* next_flows, Real* scratch, int threads) {
  SPINETHERM_PICK(run_two_stages(view, stage, next, next_flows, scratch, threads));
}
template <class Real>
StepFindings run_rates(const HeatView<Real>& view, const StepView<Real>& step, Real* scratch,
                       StepFindings* plane_findings, int threads) {
  SPINETHERM_PICK(run_rates(view, step, scratch, plane_findings, threads));
}
template <class Real>
void run_correction(const HeatView<Real>& view, const CorrectionView<Real>& correction, Real* scratch,
                    int threads) {
  SPINETHERM_PICK(run_correction(view, correction, scratch, threads));
}
template <class Real>
void run_properties(const HeatView<Real>& view, Real* theta, Real* resistivity, int threads) {
  SPINETHERM_PICK(run_properties(view, theta, resistivity, threads));
}
template <class Real>
double run_dose(const HeatView<Real>& view, const DoseView<Real>& dose, int k) {
  SPINETHERM_PICK(run_dose(view, dose, k));
}
template <class Real>
void run_ranges(const HeatView<Real>& view, const Real* u0, const Real* theta, RowRange<Real>* by_row,
                int k) {
  SPINETHERM_PICK(run_ranges(view, u0, theta, by_row, k));
}
template <class Real>
void run_extremes(const HeatView<Real>& view, const ExtremesView<Real>& extremes, int k) {
  SPINETHERM_PICK(run_extremes(view, extremes, k));
}
#undef SPINETHERM_PICK

template void run_ranges(const HeatView<float>&, const float*, const float*, RowRange<float>*, int);
template void run_ranges(const HeatView<double>&, const double*, const double*, RowRange<double>*, int);
template void run_extremes(const HeatView<float>&, const ExtremesView<float>&, int);
template void run_extremes(const HeatView<double>&, const ExtremesView<double>&, int);

template void run_stage(const HeatView<float>&, const StageView<float>&, float*, int);
template void run_two_stages(const HeatView<float>&, const StageView<float>&, const StageView<float>&,
                             PlaneFlows*, float*, int);
template void run_two_stages(const HeatView<double>&, const StageView<double>&, const StageView<double>&,
                             PlaneFlows*, double*, int);
template void run_stage(const HeatView<double>&, const StageView<double>&, double*, int);
template StepFindings run_rates(const HeatView<float>&, const StepView<float>&, float*, StepFindings*, int);
template StepFindings run_rates(const HeatView<double>&, const StepView<double>&, double*, StepFindings*,
                                int);
template void run_correction(const HeatView<float>&, const CorrectionView<float>&, float*, int);
template void run_correction(const HeatView<double>&, const CorrectionView<double>&, double*, int);
template double run_dose(const HeatView<float>&, const DoseView<float>&, int);
template double run_dose(const HeatView<double>&, const DoseView<double>&, int);
template void run_properties(const HeatView<float>&, float*, float*, int);
template void run_properties(const HeatView<double>&, double*, double*, int);

}  // namespace spinetherm
