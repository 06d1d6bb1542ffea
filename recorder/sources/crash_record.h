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
 * The maximum size in bytes of the user stack in a record. The stack is recorded only if the memory
 * at the stack pointer is not readable, and then from the first readable page above the stack
 * pointer on.
 */
#define FREC_CRASH_RECORD_STACK 16384

struct frec_crash_record {
	unsigned int signal;
	int code;
	unsigned long long address;	  /* si_addr if code > 0, else 0 */
	unsigned long long stack_address; /* address of the first byte of `stack`, or 0 */
	unsigned int sender_pid;	  /* si_pid if code <= 0, else 0 */
	unsigned int stack_size;	  /* bytes of `stack` */
	unsigned char stack[FREC_CRASH_RECORD_STACK];
};

#endif
