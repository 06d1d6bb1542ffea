/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The details of a fatal signal that the tracepoint signal_deliver does not contain, shared between
 * crash.bpf.c and its readers. Little-endian and without padding.
 */
#ifndef FREC_RECORDER_SOURCES_CRASH_RECORD_H
#define FREC_RECORDER_SOURCES_CRASH_RECORD_H

/*
 * Whether a signal with its default action is a crash: SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE,
 * SIGSEGV, SIGSYS. FREC_CRASH_FILTER in sideband.h has the same list for the kernel's filter.
 */
#define FREC_IS_CRASH(sig) \
	((sig) == 4 || (sig) == 5 || (sig) == 6 || (sig) == 7 || (sig) == 8 || (sig) == 11 || \
	 (sig) == 31)

/* Maximum of user stack in bytes, from the first mapped byte at or above the stack pointer. */
#define FREC_CRASH_RECORD_STACK 16384

struct frec_crash_record {
	unsigned int signal;
	int code;
	unsigned long long address;	  /* si_addr, if the signal has one */
	unsigned long long stack_address; /* of the first byte of `stack` */
	unsigned int sender_pid;	  /* si_pid, if code <= 0 */
	unsigned int stack_size;	  /* bytes that follow */
	unsigned char stack[FREC_CRASH_RECORD_STACK];
};

#endif
