/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The layout of the records of foreign probes: common fields, 8 bytes for each argument, data that
 * belongs to arguments (a task's pid and name), then texts. The BPF programs share this layout with
 * the code that describes their records.
 */
#ifndef FREC_RECORDER_SOURCES_FOREIGN_RECORD_H
#define FREC_RECORDER_SOURCES_FOREIGN_RECORD_H

#include "recorder/sources/bpf_counts.h"

/* The maximum number of arguments: libbpf reads no more from a USDT probe, and BPF programs get
 * no more from a tracepoint. */
#define FREC_FOREIGN_ARGUMENTS_MAX 12
#define FREC_FOREIGN_ARGUMENT_SIZE 8
/* The maximum size of one text in bytes, including its NUL. So a text never spans more than two
 * pages. */
#define FREC_FOREIGN_TEXT_MAX 4096
#define FREC_FOREIGN_ABSENT "(not in memory)"
#define FREC_FOREIGN_NULL "(null)"

#define FREC_FOREIGN_ARGUMENT_OFFSET(n) (FREC_BPF_COMMON_SIZE + (n)*FREC_FOREIGN_ARGUMENT_SIZE)

/* What the BPF program for USDT probes needs to know about a source. */
struct frec_usdt_slot {
	unsigned int arguments;
	unsigned int texts;	/* bit n is set if argument n is the address of a text */
	unsigned int text_size; /* maximum size of each text, at most FREC_FOREIGN_TEXT_MAX */
};

/* The parts of a task_struct that are recorded in addition to its address. */
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
	unsigned int task_at; /* FREC_RAW_TASK: offset of frec_foreign_task in the record */
};

/* What the BPF program for a raw tracepoint needs to know. This is set before the program is
 * loaded. */
struct frec_raw_layout {
	unsigned int slot;
	unsigned int arguments;
	unsigned int size; /* bytes of a record without its texts */
	unsigned int text_size;
	struct frec_raw_argument argument[FREC_FOREIGN_ARGUMENTS_MAX];
};

#endif
