/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/*
 * How records of probes that are not ours are laid out: common fields, 8 bytes for each argument,
 * what belongs to arguments (a task's number and name), then texts. Shared between the BPF programs
 * and those who describe their records.
 */
#ifndef FREC_RECORDER_SOURCES_FOREIGN_RECORD_H
#define FREC_RECORDER_SOURCES_FOREIGN_RECORD_H

#include "recorder/sources/bpf_counts.h"

/* As many as libbpf reads of a probe, and as a tracepoint can have for BPF programs. */
#define FREC_FOREIGN_ARGUMENTS_MAX 12
#define FREC_FOREIGN_COMMON_SIZE 8
#define FREC_FOREIGN_ARGUMENT_SIZE 8
/* Bytes of one text, its NUL included: two pages hold it, wherever it lies. */
#define FREC_FOREIGN_TEXT_MAX 4096
#define FREC_FOREIGN_ABSENT "(not in memory)"
#define FREC_FOREIGN_NULL "(null)"

#define FREC_FOREIGN_ARGUMENT_OFFSET(n) (FREC_FOREIGN_COMMON_SIZE + (n)*FREC_FOREIGN_ARGUMENT_SIZE)

/* What the program on USDT probes is told of one source. */
struct frec_usdt_slot {
	unsigned int arguments;
	unsigned int texts;	/* bit n: argument n is the address of a text */
	unsigned int text_size; /* bytes that each may take, FREC_FOREIGN_TEXT_MAX at most */
};

/* What of a task_struct is recorded with its address. */
#define FREC_FOREIGN_COMM_SIZE 16
struct frec_foreign_task {
	int pid;
	char comm[FREC_FOREIGN_COMM_SIZE];
	unsigned int reserved;
};

enum frec_raw_argument_kind {
	FREC_RAW_VALUE,
	FREC_RAW_TEXT,
	FREC_RAW_TASK,
};

/* What the program on one raw tracepoint is told before it is loaded. */
struct frec_raw_argument {
	unsigned int kind;
	unsigned int task_at; /* of FREC_RAW_TASK: where its struct frec_foreign_task goes */
};

struct frec_raw_layout {
	unsigned int slot;
	unsigned int arguments;
	unsigned int size; /* all but the texts */
	unsigned int text_size;
	struct frec_raw_argument argument[FREC_FOREIGN_ARGUMENTS_MAX];
};

#endif
