// SPDX-License-Identifier: Apache-2.0
#define SPINETHERM_KERNELS avx512
#include "thermal/heat_kernel_impl.h"
