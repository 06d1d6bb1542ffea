// SPDX-License-Identifier: MIT
// Register numbers of x86_64: the kernel's arch/x86/include/uapi/asm/perf_regs.h.
#include "unwind/registers.h"

static const char *const names[] = {
	[0] = "ax",   [1] = "bx",   [2] = "cx",	  [3] = "dx",	[4] = "si",   [5] = "di",
	[6] = "bp",   [7] = "sp",   [8] = "ip",	  [9] = "flags", [10] = "cs", [11] = "ss",
	[16] = "r8",  [17] = "r9",  [18] = "r10", [19] = "r11", [20] = "r12", [21] = "r13",
	[22] = "r14", [23] = "r15",
};

const struct frec_registers frec__registers_x86_64 = {
	.machine = "x86_64",
	.names = names,
	.count = sizeof(names) / sizeof(names[0]),
	.pc = 8,
	.sp = 7,
};
