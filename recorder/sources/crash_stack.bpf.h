/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Which memory of a dying thread goes into its crash record.
 *
 * perf copies the stack from the stack pointer up to the first page that cannot be read without
 * waiting: mostly a page of a large local variable that was never touched. After that, and in the
 * other cases that perf knows nothing of, these pages are copied, each once, until the record is
 * full:
 *
 * 1. the stack above what perf has copied, page by page across holes. A hole begins at the stack
 *    pointer if that is in a guard page, or if a frame of many megabytes has taken it far below the
 *    stack;
 * 2. the last pages of the stack that the thread was started on, because its outermost frames are
 *    there. This stack may be another one than that of step 1, or its end may be too far above the
 *    stack pointer for step 1. The end is known: for the main thread from the kernel, for others
 *    because C libraries put the thread's own data (what fs or tpidr_el0 points to) there;
 * 3. if the thread is on its alternative stack: 1 and 2 from the stack pointer on that the kernel
 *    saved when it delivered the signal there.
 *
 * Nothing here faults a page in: a page that is not in memory is a hole. How far is searched is
 * limited by REACH. Each `frec_...` function that is not inlined is verified by itself, which
 * keeps its loops from being counted once for each way to reach it.
 */
#ifndef FREC_RECORDER_SOURCES_CRASH_STACK_BPF_H
#define FREC_RECORDER_SOURCES_CRASH_STACK_BPF_H

#include <linux/bpf.h>
#include <linux/types.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "recorder/sources/crash_record.h"

#define PAGE ((__u64)FREC_CRASH_PAGE)
/* How far above an address to look for the next readable page: SCAN times SCAN pages, which is
 * 16 MiB. Nothing else runs on the CPU meanwhile: about a microsecond for each page. */
#define SCAN 64
#define REACH (SCAN * SCAN * PAGE)
/* The same on a stack that the thread was not started on, whose end is not known. */
#define OTHER_REACH (256 * PAGE)
/* How many pages steps 1 and 2 may copy in all. Less for step 1 on an alternative stack, because
 * what was interrupted matters more than the handler. */
#define PAGES_UP 10
#define PAGES_OF_HANDLER 4
/* In how many bytes below the end of an alternative stack the saved registers are looked for. The
 * state of vector registers lies between them and the end. */
#define FRAME_REACH 16384

/* Up to this many bytes from the stack pointer on are in perf's copy of the stack. */
const volatile __u32 frec_stack_copied = 0;

/* The kernel's types, with only the members that are read here. */
struct pt_regs {
	unsigned long sp;
} __attribute__((preserve_access_index));

struct mm_struct {
	unsigned long start_stack;
} __attribute__((preserve_access_index));

struct thread_struct {
	unsigned long fsbase; /* x86_64 */
	struct {
		unsigned long tp_value;
	} uw; /* aarch64 */
} __attribute__((preserve_access_index));

struct task_struct {
	struct mm_struct *mm;
	int pid, tgid;
	unsigned long sas_ss_sp;
	unsigned long sas_ss_size;
	struct thread_struct thread;
} __attribute__((preserve_access_index));

/* A record is too large for a value of each CPU, so the array has one for each possible CPU. The
 * kernel does not run the program twice at a time on a CPU. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, int);
	__type(value, struct frec_crash_record);
} records SEC(".maps");

static __always_inline struct frec_crash_record *frec_crash_record_here(void)
{
	__u32 cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&records, &cpu);
}

static __always_inline int is_readable(__u64 address)
{
	char probe;

	return !bpf_probe_read_user(&probe, 1, (void *)address);
}

static __always_inline __u64 page_of(__u64 address)
{
	return address & ~(PAGE - 1);
}

/* Returns the first readable page of the SCAN pages from `address` on, or the end of these. */
__noinline __u64 frec_scan(__u64 address)
{
	for (int i = 0; i < SCAN; i++) {
		if (is_readable(address))
			break;
		address += PAGE;
	}
	return address;
}

/* Returns the first readable page from `address` on, or `end` or more if there is none below. */
__noinline __u64 frec_next_page(__u64 address, __u64 end)
{
	for (int i = 0; i < SCAN; i++) {
		if (address >= end || is_readable(address))
			break;
		address = frec_scan(address);
	}
	return address;
}

/* Copies a page. Returns 0, or -1 if it cannot be read or the record has `room` pages already. */
static __always_inline int copy_page(struct frec_crash_record *record, __u64 address, __u32 room)
{
	__u64 at = record->pages;

	// Otherwise the compiler computes the place in a way in which the verifier does not see the
	// limit that is checked next.
	asm volatile("" : "+r"(at));
	if (at >= FREC_CRASH_PAGES || at >= room ||
	    bpf_probe_read_user(record->memory + at * FREC_CRASH_PAGE, FREC_CRASH_PAGE,
				(void *)address))
		return -1;
	record->page[at] = address;
	record->pages = (__u32)at + 1;
	return 0;
}

/* Copies pages from `address` up to `end`. Returns the address behind the last one. */
__noinline __u64 frec_copy_up(__u64 address, __u64 end, __u32 room)
{
	struct frec_crash_record *record = frec_crash_record_here();

	for (int i = 0; record && i < FREC_CRASH_PAGES; i++) {
		__u64 found = frec_next_page(address, end);

		if (found >= end || copy_page(record, found, room))
			break;
		address = found + PAGE;
	}
	return address;
}

/* Copies pages from the one below `end` down to `address`. Returns 0. */
__noinline int frec_copy_down(__u64 end, __u64 address)
{
	struct frec_crash_record *record = frec_crash_record_here();

	for (int i = 0; record && i < FREC_CRASH_PAGES; i++) {
		end -= PAGE;
		if (end < address || copy_page(record, end, FREC_CRASH_PAGES))
			break;
	}
	return 0;
}

/* Returns the end of the stack that the thread was started on. */
static __always_inline __u64 end_of_stack(struct task_struct *task)
{
	__u64 at = 0;

	if (BPF_CORE_READ(task, pid) == BPF_CORE_READ(task, tgid))
		at = BPF_CORE_READ(task, mm, start_stack);
	else if (bpf_core_field_exists(task->thread.fsbase))
		at = BPF_CORE_READ(task, thread.fsbase);
	else if (bpf_core_field_exists(task->thread.uw.tp_value))
		at = BPF_CORE_READ(task, thread.uw.tp_value);
	return page_of(at) + PAGE;
}

/* Steps 1 and 2. `copied`: where perf's copy of this stack ends at the latest. */
static __always_inline void copy_stack(struct task_struct *task, __u64 sp, __u64 copied)
{
	__u64 end = end_of_stack(task), at = page_of(sp);
	__u64 limit = end - sp < REACH ? end : sp + OTHER_REACH;

	for (int i = 0; i < 16; i++) {
		if (at + PAGE > copied || !is_readable(at))
			break;
		at += PAGE;
	}
	at = frec_copy_up(at, limit, PAGES_UP);
	frec_copy_down(end, limit == end ? at : 0);
}

/*
 * Returns the stack pointer that the kernel saved when it delivered a signal on the alternative
 * stack, or 0. The saved registers follow a description of that stack (struct rt_sigframe), for
 * which is searched from the end of the stack downwards, so that the first signal is found if there
 * are several.
 */
__noinline __u64 frec_interrupted_sp(__u64 stack, __u64 size)
{
#ifdef __TARGET_ARCH_arm64
	const __u64 sp_offset = 416; /* from uc_stack to uc_mcontext.sp */
#else
	const __u64 sp_offset = 144; /* from uc_stack to uc_mcontext.rsp */
#endif
	__u64 at = (stack + size) & ~15ul, sp;

	for (int i = 0; i < FRAME_REACH / 16; i++) {
		__u64 described[3]; /* ss_sp, ss_flags, ss_size */

		at -= 16;
		if (bpf_probe_read_user(described, sizeof(described), (void *)at) ||
		    described[0] != stack || described[2] != size)
			continue;
		if (!bpf_probe_read_user(&sp, sizeof(sp), (void *)(at + sp_offset)) &&
		    sp - stack > size)
			return sp;
	}
	return 0;
}

/* Fills in the pages of this CPU's record. */
static __always_inline void frec_copy_stack(struct frec_crash_record *record)
{
	struct task_struct *task = (void *)bpf_get_current_task_btf();
	struct pt_regs *registers = (void *)bpf_task_pt_regs((void *)task);
	__u64 sp = BPF_CORE_READ(registers, sp), copied = sp + frec_stack_copied;
	__u64 stack = BPF_CORE_READ(task, sas_ss_sp), size = BPF_CORE_READ(task, sas_ss_size);
	__u64 interrupted = sp - stack < size ? frec_interrupted_sp(stack, size) : 0;

	record->pages = 0;
	if (interrupted) {
		frec_copy_up(page_of(copied), stack + size, PAGES_OF_HANDLER);
		copy_stack(task, interrupted, 0);
	} else {
		copy_stack(task, sp, copied);
	}
}

#endif
