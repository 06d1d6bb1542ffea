// SPDX-License-Identifier: MIT
// aarch64: x0 to x29, lr, sp and pc.
#include "recorder/rings/registers.h"

#ifdef __aarch64__
const uint64_t frec__perf_user_registers = (1ULL << 33) - 1;
const unsigned int frec__perf_user_stack_pointer = 31;
#endif
