// SPDX-License-Identifier: Apache-2.0
#define SPINETHERM_KERNELS baseline
#include "thermal/heat_kernel_impl.h"
