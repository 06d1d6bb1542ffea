/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/*
 * What the BPF program on signal_deliver tells about a fatal signal beyond the tracepoint's fields:
 * shared between crash.bpf.c and its readers. Little-endian, packed by nature.
 */
#ifndef FREC_RECORDER_SOURCES_CRASH_RECORD_H
#define FREC_RECORDER_SOURCES_CRASH_RECORD_H

/*
 * Whether a signal is a crash, where it has its default action: SIGILL, SIGTRAP, SIGABRT, SIGBUS,
 * SIGFPE, SIGSEGV, SIGSYS. The kernel's filter says the same: FREC_CRASH_FILTER in sideband.h.
 */
#define FREC_IS_CRASH(sig) \
	((sig) == 4 || (sig) == 5 || (sig) == 6 || (sig) == 7 || (sig) == 8 || (sig) == 11 || \
	 (sig) == 31)

/* Bytes of user stack in it: taken from the first mapped byte at or above the stack pointer. */
#define FREC_CRASH_RECORD_STACK 16384

struct frec_crash_record {
	unsigned int signal;
	int code;
	unsigned long long address;	  /* si_addr, of the signals that have one */
	unsigned long long stack_address; /* of the first byte of `stack` */
	unsigned int sender_pid;	  /* si_pid, where code <= 0 */
	unsigned int stack_size;	  /* bytes that follow */
	unsigned char stack[FREC_CRASH_RECORD_STACK];
};

#endif
