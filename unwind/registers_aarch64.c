// SPDX-License-Identifier: MIT
// Register numbers of aarch64. The kernel's are those of arch/arm64/include/uapi/asm/perf_regs.h;
// DWARF's are the same up to sp.
#include "unwind/registers.h"

#include <elf.h>
#include <string.h>

static const char *const names[] = {
	"x0",  "x1",  "x2",  "x3",  "x4",  "x5",  "x6",	 "x7",	"x8",  "x9",  "x10",
	"x11", "x12", "x13", "x14", "x15", "x16", "x17", "x18", "x19", "x20", "x21",
	"x22", "x23", "x24", "x25", "x26", "x27", "x28", "x29", "lr",  "sp",  "pc",
};

static const uint8_t dwarf[] = {0,  1,	2,  3,	4,  5,	6,  7,	8,  9,	10, 11, 12, 13, 14, 15,
				16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31};

// mov x8, #139; svc #0
static const uint8_t sigreturn[] = {0x68, 0x11, 0x80, 0xd2, 0x01, 0x00, 0x00, 0xd4};

// At sp there is a struct rt_sigframe of the kernel's arch/arm64/kernel/signal.c: siginfo, and then
// a ucontext with uc_mcontext at offset 176, aligned to 16 bytes. In uc_mcontext the registers
// follow the fault address.
#define X(n) (128 + 176 + 8 + 8 * (n))
static const uint16_t saved[] = {X(0),	X(1),  X(2),  X(3),  X(4),  X(5),  X(6),  X(7),
				 X(8),	X(9),  X(10), X(11), X(12), X(13), X(14), X(15),
				 X(16), X(17), X(18), X(19), X(20), X(21), X(22), X(23),
				 X(24), X(25), X(26), X(27), X(28), X(29), X(30), X(31)};

static size_t stub(const uint8_t *code, size_t size, uint64_t address, uint64_t *ret)
{
	uint32_t page, load;
	size_t at = 0;

	if (size < 12)
		return 0;
	memcpy(&page, code, sizeof(page));
	if (page == 0xd503245f) { // bti c
		at = 4;
		memcpy(&page, code + at, sizeof(page));
	}
	memcpy(&load, code + at + 4, sizeof(load));
	// adrp x16, page; ldr x17, [x16, #offset]
	if ((page & 0x9f00001f) != 0x90000010 || (load & 0xffc003ff) != 0xf9400211)
		return 0;
	*ret = ((address + at) & ~0xfffull) +
	       ((uint64_t)((int64_t)((uint64_t)(page >> 5 & 0x7ffff) << 45) >> 31) |
		(page >> 29 & 3) << 12) +
	       (load >> 10 & 0xfff) * 8;
	return at ? 24 : 16;
}

const struct frec_registers frec__registers_aarch64 = {
	.machine = "aarch64",
	.names = names,
	.count = sizeof(names) / sizeof(names[0]),
	.pc = 32,
	.sp = 31,
	.elf_machine = EM_AARCH64,
	.dwarf = dwarf,
	.dwarf_count = sizeof(dwarf),
	.dwarf_sp = 31,
	.dwarf_fp = 29,
	.dwarf_ra = 30,
	.callee_saved = 0x7ffull << 19 | 1ull << 30,
	// Pointer authentication puts its signature above the 48 bits of a user address. (Addresses
	// of 52 bits exist, but only for programs that ask for them.)
	.address_mask = (1ull << 48) - 1,
	.top_ra = 0,
	.sigreturn = {sigreturn, sizeof(sigreturn), saved, X(32)},
	.stub = stub,
	.chosen_relocation = R_AARCH64_IRELATIVE,
};
