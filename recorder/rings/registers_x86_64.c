// SPDX-License-Identifier: MIT
// x86_64: all general registers, ip, flags, cs and ss. The kernel refuses ds, es, fs and gs in
// 64-bit mode.
#include "recorder/rings/registers.h"

#ifdef __x86_64__
const uint64_t frec__perf_user_registers = 0xff0fff;
const unsigned int frec__perf_user_stack_pointer = 7;
#endif
