// SPDX-License-Identifier: MIT
// Register numbers of aarch64: the kernel's arch/arm64/include/uapi/asm/perf_regs.h.
#include "unwind/registers.h"

static const char *const names[] = {
	"x0",  "x1",  "x2",  "x3",  "x4",  "x5",  "x6",	 "x7",	"x8",  "x9",  "x10",
	"x11", "x12", "x13", "x14", "x15", "x16", "x17", "x18", "x19", "x20", "x21",
	"x22", "x23", "x24", "x25", "x26", "x27", "x28", "x29", "lr",  "sp",  "pc",
};

const struct frec_registers frec__registers_aarch64 = {
	.machine = "aarch64",
	.names = names,
	.count = sizeof(names) / sizeof(names[0]),
	.pc = 32,
	.sp = 31,
};
