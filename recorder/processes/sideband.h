/* SPDX-License-Identifier: MIT */
/*
 * The sideband is a small ring on each CPU, whose records are read and removed instead of being
 * overwritten. The records report forks, execs, renames, mappings and exits for the process table,
 * and raise alerts for fatal signals, SIGKILL, the OOM killer and execs. An alert wakes the
 * recorder at once. All records are read whenever the recorder wakes, and before each snapshot.
 *
 * What wakes the recorder are the rings, at each alert and when one is a quarter full, and the
 * doorbells. A doorbell is a further ring on each CPU, of one page, to which the kernel writes the
 * forks, mappings and exits once more. Nobody reads it: its descriptor becomes readable with each
 * record. So a recorder that has slept reacts to the first such record at once. Each ring costs the
 * process that causes it some microseconds, so a recorder that is awake has the doorbells off, and
 * looks now and then by itself.
 */
#ifndef FREC_RECORDER_PROCESSES_SIDEBAND_H
#define FREC_RECORDER_PROCESSES_SIDEBAND_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/error.h"
#include "recorder/declared/format.h"
#include "recorder/processes/processes.h"
#include "recorder/rings/forward_ring.h"

enum frec_alert_kind {
	FREC_ALERT_FATAL, /* a fatal signal is delivered to a thread */
	FREC_ALERT_KILL,  /* SIGKILL was sent */
	FREC_ALERT_OOM,	  /* the OOM killer chose a victim */
	FREC_ALERT_EXEC,  /* a process called exec: its arguments can be read now */
	/* The kernel has changed its clock source. This alert only wakes the recorder and is not
	 * passed on. */
	FREC_ALERT_CLOCK,
	FREC_ALERT_COUNT,
	/* A process is gone, and how it ended is unknown. No tracepoint raises this alert. */
	FREC_ALERT_GONE = FREC_ALERT_COUNT
};

struct frec_alert {
	enum frec_alert_kind kind;
	/* the victim, or the process that called exec; pid is 0 if only the thread is known */
	uint32_t pid, tid;
	int signal, code;
	bool code_unknown;
	uint32_t sender; /* FREC_ALERT_KILL: the process that sent the signal; 0: the kernel */
	uint64_t time;
};

struct frec_sideband_cpu {
	int cpu;
	int fd;
	struct frec_forward_ring ring;
	int bell_fd;
	void *bell;
	int alert_fd[FREC_ALERT_COUNT];
	uint64_t alert_id[FREC_ALERT_COUNT];
};

struct frec_sideband {
	size_t count;
	struct frec_sideband_cpu *cpu;
	struct frec_format format[FREC_ALERT_COUNT];
	/* which alerts can be raised; to do without one, clear its entry before CPUs are opened */
	bool available[FREC_ALERT_COUNT];
	bool deaf;	  /* the doorbells are off */
	uint64_t handled; /* records that were read */
	uint64_t lost;	  /* records that the kernel dropped because a ring was full */
	void (*alert)(void *context, const struct frec_alert *alert);
	/* Called when a process has mapped a file as code; may be NULL. The callback must not open
	 * the file, because it can be called during a snapshot. */
	void (*mapped)(void *context, uint32_t pid, const struct frec_mapping *map);
	void *context;
	struct frec_process_table *processes;
};

/* The filter that signal:signal_deliver needs to report only fatal signals with their default
 * action. The source that records registers and stack of a crash uses this filter too. */
#define FREC_CRASH_FILTER \
	"sa_handler==0&&(sig==4||sig==5||sig==6||sig==7||sig==8||sig==11||sig==31)"

int frec__sideband_init(struct frec_sideband *sideband, int tracefs,
			struct frec_process_table *processes, struct frec_error *reterr);
int frec__sideband_open(struct frec_sideband *sideband, int cpu, struct frec_error *reterr);

/* Switches the doorbells on or off. They are on at first. */
void frec__sideband_listen(struct frec_sideband *sideband, bool on);

enum frec_sideband_fds { FREC_SIDEBAND_ALERTS, FREC_SIDEBAND_BELLS };
/* Fills `fds` with the descriptors of the rings or of the doorbells, at most `room`. Returns how
 * many. */
size_t frec__sideband_poll(const struct frec_sideband *sideband, enum frec_sideband_fds which,
			   struct pollfd *fds, size_t room);

/* Drains all rings, then closes the ring of `cpu`. */
void frec__sideband_close(struct frec_sideband *sideband, int cpu);
void frec__sideband_deinit(struct frec_sideband *sideband);

/* Reads the records of all CPUs and passes them, in order of time, to the process table and the
 * alert callback. */
void frec__sideband_drain(struct frec_sideband *sideband);

#endif
