// SPDX-License-Identifier: MIT
// x86_64: registers are in struct user_regs_struct of the kernel's arch/x86/include/asm/user_64.h.
#include "recorder/core/registers.h"

#include <errno.h>
#include <string.h>
#include <sys/user.h>

#include "recorder/rings/registers.h"

#ifdef __x86_64__
#define AT(member) (offsetof(struct user_regs_struct, member) / sizeof(uint64_t))

// The places of registers in struct user_regs_struct, indexed by perf's numbers. Registers that
// frec__perf_user_registers leaves out have 0.
static const uint8_t places[] = {
	AT(rax), AT(rbx),    AT(rcx), AT(rdx), AT(rsi), AT(rdi), AT(rbp), AT(rsp),
	AT(rip), AT(eflags), AT(cs),  AT(ss),  0,	0,	 0,	  0,
	AT(r8),	 AT(r9),     AT(r10), AT(r11), AT(r12), AT(r13), AT(r14), AT(r15),
};

int frec__core_registers(const void *set, size_t size, uint64_t ret[FREC_CORE_REGISTERS_MAX])
{
	size_t count = 0;

	if (size < sizeof(struct user_regs_struct))
		return -EBADMSG;
	for (size_t i = 0; i < sizeof(places); i++) {
		if (frec__perf_user_registers & UINT64_C(1) << i)
			memcpy(&ret[count++], (const char *)set + sizeof(uint64_t) * places[i],
			       sizeof(uint64_t));
	}
	return 0;
}
#endif
