/* SPDX-License-Identifier: MIT */
/*
 * The sideband: per CPU a small ring that is drained, not overwritten. It tells who was born,
 * renamed, mapped what and died, and raises alerts: fatal signals, SIGKILL, the OOM killer. An
 * alert wakes the recorder at once; the rest is read when the ring is a quarter full, at every
 * alert and before every snapshot.
 */
#ifndef FREC_RECORDER_PROCESSES_SIDEBAND_H
#define FREC_RECORDER_PROCESSES_SIDEBAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/error.h"
#include "recorder/declared/format.h"
#include "recorder/processes/processes.h"

enum frec_alert_kind {
	FREC_ALERT_FATAL, /* a fatal signal is delivered to its thread */
	FREC_ALERT_KILL,  /* SIGKILL was sent */
	FREC_ALERT_OOM,	  /* the OOM killer chose a victim */
	FREC_ALERT_EXEC,  /* a process has a new image: its arguments can be read now */
	FREC_ALERT_COUNT,
	/* No tracepoint tells of this one: a process is gone, and how is not known. */
	FREC_ALERT_GONE = FREC_ALERT_COUNT
};

struct frec_alert {
	enum frec_alert_kind kind;
	/* of the process it happens to; pid is 0 where only the thread is known */
	uint32_t pid, tid;
	int signal, code;
	bool code_unknown;
	uint32_t sender; /* FREC_ALERT_KILL: the process that sent it; 0: the kernel */
	uint64_t time;
};

struct frec_sideband_cpu {
	int cpu;
	int fd; /* poll(2) it for POLLIN */
	void *map;
	int alert_fd[FREC_ALERT_COUNT];
	uint64_t alert_id[FREC_ALERT_COUNT];
};

struct frec_sideband {
	size_t count;
	struct frec_sideband_cpu *cpu;
	struct frec_format format[FREC_ALERT_COUNT];
	bool available[FREC_ALERT_COUNT];
	uint64_t lost; /* records that the kernel had no room for */
	void (*alert)(void *context, const struct frec_alert *alert);
	/* A process has mapped a file to run it. May be NULL. Not the place to look at the file:
	 * this can be within a snapshot. */
	void (*mapped)(void *context, uint32_t pid, const char *path);
	void *context;
	struct frec_process_table *processes;
};

/* Default-action fatal signals: the filter, shared with the source that records registers and
 * stack. */
#define FREC_CRASH_FILTER \
	"sa_handler==0&&(sig==4||sig==5||sig==6||sig==7||sig==8||sig==11||sig==31)"

int frec__sideband_init(struct frec_sideband *sideband, int tracefs,
			struct frec_process_table *processes, struct frec_error *reterr);
int frec__sideband_open(struct frec_sideband *sideband, int cpu, struct frec_error *reterr);
/* Takes in what the CPU's ring still holds, and closes it. */
void frec__sideband_close(struct frec_sideband *sideband, int cpu);
void frec__sideband_deinit(struct frec_sideband *sideband);

/* Reads everything that there is, on all CPUs in order of time, into the process table and the
 * alert callback. */
void frec__sideband_drain(struct frec_sideband *sideband);

#endif
