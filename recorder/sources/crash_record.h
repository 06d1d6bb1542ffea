/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* The details of a fatal signal that the tracepoint signal_deliver does not contain. crash.bpf.c
 * writes this struct to the rings, little-endian and without padding. */
#ifndef FREC_RECORDER_SOURCES_CRASH_RECORD_H
#define FREC_RECORDER_SOURCES_CRASH_RECORD_H

/*
 * Returns whether a signal with its default action is a crash: SIGILL, SIGTRAP, SIGABRT, SIGBUS,
 * SIGFPE, SIGSEGV, SIGSYS. FREC_CRASH_FILTER in sideband.h has the same list for the kernel's
 * filter.
 */
#define FREC_IS_CRASH(sig) \
	((sig) == 4 || (sig) == 5 || (sig) == 6 || (sig) == 7 || (sig) == 8 || (sig) == 11 || \
	 (sig) == 31)

/*
 * The memory in a record: whole pages that perf's own copy of the stack does not have. That copy
 * goes from the stack pointer to the first page that was never touched. crash_stack.bpf.h says
 * which pages are copied. Nothing relies on their order.
 */
#define FREC_CRASH_PAGE 4096
#define FREC_CRASH_PAGES 14

struct frec_crash_record {
	unsigned int signal;
	int code;
	unsigned long long address;		   /* si_addr if code > 0, else 0 */
	unsigned int sender_pid;		   /* si_pid if code <= 0, else 0 */
	unsigned int pages;			   /* how many pages are in `memory` */
	unsigned long long page[FREC_CRASH_PAGES]; /* their addresses; no two are the same */
	unsigned char memory[FREC_CRASH_PAGES * FREC_CRASH_PAGE];
};

#endif
