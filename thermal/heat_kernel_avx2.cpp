// SPDX-License-Identifier: Apache-2.0
#define SPINETHERM_KERNELS avx2
#include "thermal/heat_kernel_impl.h"
