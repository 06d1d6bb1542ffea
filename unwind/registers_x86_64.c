// SPDX-License-Identifier: MIT
// Register numbers of x86_64. The kernel's are those of arch/x86/include/uapi/asm/perf_regs.h;
// DWARF's are those of the psABI.
#include "unwind/registers.h"

#include <elf.h>
#include <string.h>

static const char *const names[] = {
	[0] = "ax",   [1] = "bx",   [2] = "cx",	  [3] = "dx",	[4] = "si",
	[5] = "di",   [6] = "bp",   [7] = "sp",	  [8] = "ip",	[9] = "flags",
	[10] = "cs",  [11] = "ss",  [16] = "r8",  [17] = "r9",	[18] = "r10",
	[19] = "r11", [20] = "r12", [21] = "r13", [22] = "r14", [23] = "r15",
};

static const uint8_t dwarf[] = {0, 3, 2, 1, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23, 8};

// mov $15, %rax; syscall
static const uint8_t sigreturn[] = {0x48, 0xc7, 0xc0, 0x0f, 0x00, 0x00, 0x00, 0x0f, 0x05};

// At sp there is a struct ucontext of the kernel's arch/x86/include/uapi/asm/ucontext.h, with
// uc_mcontext at offset 40.
static const uint16_t saved[] = {144, 136, 152, 128, 112, 104, 120, 160, 40,
				 48,  56,  64,	72,  80,  88,  96,  168};

static size_t stub(const uint8_t *code, size_t size, uint64_t address, uint64_t *ret)
{
	static const uint8_t mark[] = {0xf3, 0x0f, 0x1e, 0xfa}; // endbr64
	size_t at = size > sizeof(mark) && !memcmp(code, mark, sizeof(mark)) ? sizeof(mark) : 0;
	int32_t distance;

	at += at < size && code[at] == 0xf2; // bnd
	// jmp *distance(%rip)
	if (size < at + 6 || code[at] != 0xff || code[at + 1] != 0x25)
		return 0;
	memcpy(&distance, code + at + 2, sizeof(distance));
	*ret = address + at + 6 + (uint64_t)(int64_t)distance;
	return 16;
}

const struct frec_registers frec__registers_x86_64 = {
	.machine = "x86_64",
	.names = names,
	.count = sizeof(names) / sizeof(names[0]),
	.pc = 8,
	.sp = 7,
	.elf_machine = EM_X86_64,
	.dwarf = dwarf,
	.dwarf_count = sizeof(dwarf),
	.dwarf_sp = 7,
	.dwarf_fp = 6,
	.dwarf_ra = 16,
	.callee_saved = 1 << 3 | 1 << 6 | 1 << 12 | 1 << 13 | 1 << 14 | 1 << 15,
	.address_mask = UINT64_MAX,
	.top_ra = 8,
	.sigreturn = {sigreturn, sizeof(sigreturn), saved, 168},
	.stub = stub,
	.chosen_relocation = R_X86_64_IRELATIVE,
};
