/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The layout of the records of foreign probes: common fields, 8 bytes for each argument, data that
 * belongs to arguments (of a tracepoint: a task's pid and name; of a USDT probe: 8 bytes in which
 * bit n is set if argument n has no value), then texts. The BPF programs share this layout with the
 * code that describes their records.
 */
#ifndef FREC_RECORDER_SOURCES_FOREIGN_RECORD_H
#define FREC_RECORDER_SOURCES_FOREIGN_RECORD_H

#include "recorder/declared/usdt_place.h"
#include "recorder/sources/bpf_counts.h"

/* The maximum number of arguments of a tracepoint: BPF programs get no more. */
#define FREC_RAW_ARGUMENTS_MAX 12
#define FREC_FOREIGN_ARGUMENT_SIZE 8
/* The maximum size of one text in bytes, including its NUL. So a text never spans more than two
 * pages. */
#define FREC_FOREIGN_TEXT_MAX 4096
#define FREC_FOREIGN_ABSENT "(not in memory)"
#define FREC_FOREIGN_NULL "(null)"

#define FREC_FOREIGN_ARGUMENT_OFFSET(n) (FREC_BPF_COMMON_SIZE + (n)*FREC_FOREIGN_ARGUMENT_SIZE)

#define FREC_USDT_ABSENT_OFFSET(arguments) FREC_FOREIGN_ARGUMENT_OFFSET(arguments)
#define FREC_USDT_TEXTS_OFFSET(arguments) (FREC_USDT_ABSENT_OFFSET(arguments) + 8)

/* The length of a text that ends in a NUL. */
#define FREC_USDT_TO_NUL 255

/* What the BPF program for USDT probes needs to know about a source. */
struct frec_usdt_slot {
	unsigned int arguments;
	unsigned int texts;	/* bit n is set if argument n is the address of a text */
	unsigned int text_size; /* maximum size of each text, at most FREC_FOREIGN_TEXT_MAX */
	/* for each text the number of the argument that is its length, or FREC_USDT_TO_NUL */
	unsigned char length[FREC_USDT_ARGUMENTS_MAX];
};

/* What it needs to know about a site. The cookie of a breakpoint is the number of its site. */
struct frec_usdt_site {
	unsigned int slot;
	unsigned int places; /* the arguments after these have no value here */
	struct frec_usdt_place place[FREC_USDT_ARGUMENTS_MAX];
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
	struct frec_raw_argument argument[FREC_RAW_ARGUMENTS_MAX];
};

#endif
