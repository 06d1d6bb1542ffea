// SPDX-License-Identifier: MIT
// Writing a record as a restartable sequence (rseq(2)), on x86_64.
//
// A thread announces a section of its code to the kernel by a pointer in its rseq area. When the
// kernel preempts the thread, migrates it or delivers a signal to it, the kernel clears the
// pointer. A thread that was within the section continues at the section's abort address. We set
// the pointer well before the section, when the clock is read. If the pointer is still set when the
// section is entered, nothing else has run on this CPU since, so the records of one ring are in the
// order of their times.
//
// The instruction that moves the position is an exchange-and-add. It leaves the old position in the
// register that held the size, so after an abort this register shows whether the record was
// committed.
#include "recorder/service/shm_sequence.h"

// The section must clear the pointer when it ends. Otherwise, if the code is unloaded before the
// thread is next preempted, the kernel reads a description that is gone, and kills the process. The
// four bytes before the abort address are a signature that the kernel requires; the C library chose
// its value.
__attribute__((naked, noinline)) enum frec__shm_result frec__shm_commit(
	struct frec__shm_area *area __attribute__((unused)),
	const struct frec__shm_write *write __attribute__((unused)))
{
	__asm__ volatile(
		".pushsection .data.rel.ro.frec_shm, \"aw\"\n"
		".balign 32\n"
		".globl frec__shm_section\n"
		".hidden frec__shm_section\n"
		".type frec__shm_section, @object\n"
		".size frec__shm_section, 32\n"
		"frec__shm_section:\n"
		".long 0, 0\n"		  // version, flags
		".quad 1f, 3f - 1f, 4f\n" // begin, length, abort address
		".popsection\n"

		"movq 0(%rsi), %rcx\n"	// rcx: the position's address
		"movq 24(%rsi), %r9\n"	// r9: the record
		"movq 32(%rsi), %rax\n" // rax: the record's size
		"movq 40(%rsi), %r8\n"	// r8: the count's address
		"movl 60(%rsi), %r10d\n"
		"leaq frec__shm_section(%rip), %r11\n"
		"1:\n"
		".globl frec__shm_entered, frec__shm_committed\n" // for tests, which stop here
		".hidden frec__shm_entered, frec__shm_committed\n"
		"frec__shm_entered:\n"
		"cmpq %r11, 8(%rdi)\n"
		"jne 5f\n"
		"cmpl %r10d, 4(%rdi)\n"
		"jne 5f\n"
		"movq (%rcx), %r10\n"
		"addq %rax, %r10\n" // r10: the new position
		"movq %r10, %r11\n"
		"negq %r11\n"
		"andq 16(%rsi), %r11\n"
		"addq 8(%rsi), %r11\n" // r11: where the record goes
		"shrq $3, %r10\n"
		"xorl 56(%rsi), %r10d\n"
		"orq 48(%rsi), %r10\n" // r10: commit word and checksum
		"movl $8, %edx\n"      // rdx: bytes copied
		"testb $8, %al\n"
		"jnz 2f\n"
		"movq 8(%r9), %xmm0\n"
		"movq %xmm0, 8(%r11)\n"
		"movl $16, %edx\n"
		"2:\n"
		"movups (%r9, %rdx), %xmm0\n"
		"movups %xmm0, (%r11, %rdx)\n"
		"addq $16, %rdx\n"
		"cmpq %rax, %rdx\n"
		"jb 2b\n"
		"movq %r10, (%r11)\n"
		"xaddq %rax, (%rcx)\n"
		"frec__shm_committed:\n"
		"incq (%r8)\n"
		"3:\n"
		"movq $0, 8(%rdi)\n"
		"xorl %eax, %eax\n"
		"ret\n"
		// makes the signature part of an instruction, for disassemblers
		".byte 0x0f, 0xb9, 0x3d\n"
		".long 0x53053053\n"
		"4:\n"
		"cmpq %rax, 32(%rsi)\n"
		"je 5f\n"
		"movl $1, %eax\n"
		"ret\n"
		"5:\n"
		"movq $0, 8(%rdi)\n"
		"movl $2, %eax\n"
		"ret\n");
}

_Static_assert(offsetof(struct frec__shm_area, cpu_id) == 4 &&
		       offsetof(struct frec__shm_area, section) == 8,
	       "the kernel's offsets");
_Static_assert(offsetof(struct frec__shm_write, ring) == 8 &&
		       offsetof(struct frec__shm_write, mask) == 16 &&
		       offsetof(struct frec__shm_write, record) == 24 &&
		       offsetof(struct frec__shm_write, size) == 32 &&
		       offsetof(struct frec__shm_write, emitted) == 40 &&
		       offsetof(struct frec__shm_write, frame) == 48 &&
		       offsetof(struct frec__shm_write, key) == 56 &&
		       offsetof(struct frec__shm_write, cpu) == 60,
	       "the assembler's offsets");
_Static_assert(FREC__SHM_COUNTED == 0 && FREC__SHM_COMMITTED == 1 && FREC__SHM_ABORTED == 2,
	       "the assembler's results");

// The two bits of a key in the register PKRU: deny all access, and deny writing. A new thread
// inherits the rights of its creator, and a signal handler starts with all access denied.
#define RIGHTS(key) (3u << 2 * (key))

static void set_rights(uint32_t rights)
{
	__asm__ volatile(".byte 0x0f, 0x01, 0xef"
			 :
			 : "a"(rights), "c"(0), "d"(0)
			 : "memory"); // wrpkru
}

uint32_t frec__shm_guard_open(int key)
{
	uint32_t before, zero;

	__asm__ volatile(".byte 0x0f, 0x01, 0xee" : "=a"(before), "=d"(zero) : "c"(0)); // rdpkru
	set_rights(before & ~RIGHTS(key));
	return before;
}

void frec__shm_guard_close(uint32_t before)
{
	set_rights(before);
}
