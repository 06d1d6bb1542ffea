/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The layout of the records of foreign probes: common fields, 8 bytes for each argument, data that
 * belongs to arguments (a task's pid and name), then texts. The BPF programs and the code that
 * describes their records share it.
 */
#ifndef FREC_RECORDER_SOURCES_FOREIGN_RECORD_H
#define FREC_RECORDER_SOURCES_FOREIGN_RECORD_H

#include "recorder/sources/bpf_counts.h"

/* libbpf reads no more of a probe, and BPF programs get no more of a tracepoint. */
#define FREC_FOREIGN_ARGUMENTS_MAX 12
#define FREC_FOREIGN_ARGUMENT_SIZE 8
/* Bytes of one text, including its NUL. It never spans more than two pages. */
#define FREC_FOREIGN_TEXT_MAX 4096
#define FREC_FOREIGN_ABSENT "(not in memory)"
#define FREC_FOREIGN_NULL "(null)"

#define FREC_FOREIGN_ARGUMENT_OFFSET(n) (FREC_BPF_COMMON_SIZE + (n)*FREC_FOREIGN_ARGUMENT_SIZE)

/* What the program on USDT probes needs to know of a source. */
struct frec_usdt_slot {
	unsigned int arguments;
	unsigned int texts;	/* bit n is set if argument n is the address of a text */
	unsigned int text_size; /* bytes for each text, at most FREC_FOREIGN_TEXT_MAX */
};

/* The members of a task_struct that are recorded with its address. */
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

struct frec_raw_argument {
	unsigned int kind;
	unsigned int task_at; /* of FREC_RAW_TASK: offset of its struct frec_foreign_task */
};

/* What the program on a raw tracepoint needs to know. It is set before the program is loaded. */
struct frec_raw_layout {
	unsigned int slot;
	unsigned int arguments;
	unsigned int size; /* without the texts */
	unsigned int text_size;
	struct frec_raw_argument argument[FREC_FOREIGN_ARGUMENTS_MAX];
};

#endif
