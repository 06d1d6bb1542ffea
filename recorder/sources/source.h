/* SPDX-License-Identifier: MIT */
/*
 * Sources: the things that a recorder records. This directory turns a selection (the argument of
 * -e) into sources, and connects each source with the rings.
 *
 *	-e TEXT --selection.h--> struct frec_selection --by its kind, see below-->
 *		struct frec_source --frec__source_open(), once per ring--> records in the rings
 *
 * The engine keeps the list of sources and opens each on every ring, whatever its kind.
 * frec__source_count() returns how many records a source has produced, and a snapshot uses this to
 * prove that none is missing.
 *
 *	kind of source		initialised by			written by
 *	tracepoint, user event	frec__source_init()		the kernel: a perf event of its own
 *				(see tracepoints.h)		or tracepoints.bpf.c
 *	event at a site		frec__source_init_declared()	usdt.bpf.c, which usdt.h attaches
 *	event in shared memory	frec__source_init_declared()	the service itself (see rings/)
 *	probe of a program	foreign.h, foreign_usdt.h	foreign_usdt.bpf.c
 *	raw tracepoint		foreign.h, foreign_raw.h	foreign_raw.bpf.c
 *	fatal signal		crash_program.h			crash.bpf.c
 *
 * bpf_output.h connects the BPF programs with the rings: for each source, a program writes to one
 * perf event per CPU, which is redirected into that CPU's ring. stack_choice.h is the choice of
 * stacks that go into the records.
 *
 * To add a kind of source: add its SourceKind to flightrec.proto, and a file here that finds what a
 * selection matches and fills in struct frec_source: its names (`listed`), the layout of its
 * records (`format`) and its `sample_type`. If a BPF program writes the records, set `output` and
 * `slot` too; opening and counting then need no changes. Otherwise extend
 * frec__source_open_event() and frec__source_count() in source.c. If the argument of -e needs a new
 * first word, add a value to
 * enum frec_selection_kind in selection.h and handle it in foreign.c.
 *
 * To add a transport, a way in which events of services reach the recorder: add it to transport.h,
 * its name to transport.c and its Transport to flightrec.proto. The sender's half belongs in
 * service/, which runs inside the services. The recorder's half is a BPF program here, like that of
 * usdt.h, or a type of ring in rings/, like that of shm_ring.h. The engine calls
 * frec__source_init_declared() for each event that arrives this way.
 *
 * Invariants: the descriptors of a source are in the order of the recorder's rings, -1 for a ring
 * on which it is not open. A source is removed only together with all rings that have its records,
 * so a record always refers to a known source. The id of a source in a snapshot is its position in
 * the engine's list plus one.
 */
#ifndef FREC_RECORDER_SOURCES_SOURCE_H
#define FREC_RECORDER_SOURCES_SOURCE_H

#include "recorder/sources/bpf_output.h"
#include "recorder/declared/catalog.h"
#include "recorder/declared/declarations.h"
#include "recorder/declared/format.h"
#include "recorder/rings/perf.h"
#include "recorder/rings/ring.h"
#include "recorder/sources/stack_choice.h"

/* The maximum size in bytes of the user stack in a crash record. With registers and payload it fits
 * into a record, which is limited to 64 KiB. */
#define FREC_CRASH_STACK_MAX (60u << 10)

struct frec_source {
	struct frec_listed listed;
	struct frec_format format;
	char *format_text;
	Flightrec__Transport transport;
	const char *filter; /* the tracepoint's filter, a static string, or NULL */
	uint64_t since;	    /* when it was opened, nanoseconds of CLOCK_MONOTONIC */
	struct frec_stack_choice stack;
	uint64_t sample_type;
	uint64_t sample_regs_user;
	bool counts_records; /* see Source.counts_records */
	bool stack_missing;  /* stacks were requested, but this transport cannot take any */
	size_t opened;	     /* length of `fd`, `perf_id` and `counted`: one element per ring */
	int *fd;
	/* per ring: the PERF_SAMPLE_IDENTIFIER of the source's records, or 0 if it has none
	 * there */
	uint64_t *perf_id;
	struct frec_bpf_counts *counted; /* per ring: the counts when the source was opened */
	/* the BPF object that writes the records, or NULL. It outlives the source. */
	const struct frec_bpf_output *output;
	uint32_t slot; /* the source's number in `output` */
	/* index into the engine's declarations, for an event that no format file describes */
	size_t declared;
	/* for an event that services write to shared memory: that memory, its number, and the index
	 * of the event in it */
	const struct frec_shm_rings *shm;
	uint32_t shm_number;
	size_t shm_event;
	/* Whose event this is, the owner of a program file or of shared memory; 0: root's, or that
	 * of somebody whom root has allowed to register events. */
	uint32_t uid;
};

/*
 * Initialises `source` with the description of `listed` in tracefs. Does not open it. `filter` is
 * NULL except for the tracepoint of fatal signals. Returns 0, or a negative errno with a message.
 */
int frec__source_init(struct frec_source *source, int tracefs, const struct frec_listed *listed,
		      const char *filter, struct frec_error *reterr);

/* Chooses the stacks that each record contains. Must be called before the source is opened. */
void frec__source_set_stack(struct frec_source *source, const struct frec_stack_choice *stack);

/* Returns whether this is the kernel's tracepoint of fatal signals, which is recorded without being
 * selected. */
bool frec__source_is_crash(const struct frec_source *source);

/*
 * Initialises `source` with the layout of a declaration instead of tracefs, for an event that
 * arrives by `transport`. If a BPF program writes the records, `output` is the output of
 * that program and `slot` one of its slots, else they are NULL and 0. Returns 0 or -ENOMEM.
 */
int frec__source_init_declared(struct frec_source *source, const struct frec_declared *event,
			       Flightrec__Transport transport, const struct frec_bpf_output *output,
			       uint32_t slot);

/* Opens the perf event of the source on a CPU and enables it. Its records go into the ring of
 * `output_fd`, which is written backwards if `backward` is set. Returns a descriptor, or a negative
 * errno with a message. */
int frec__source_open_event(const struct frec_source *source, int cpu, int output_fd, bool backward,
			    struct frec_error *reterr);

/* Opens the source on ring number `at` and starts to record there. Returns 0, or a negative errno
 * with a message. */
int frec__source_open(struct frec_source *source, size_t at, const struct frec_ring *ring,
		      struct frec_error *reterr);

/* Forgets `count` rings from number `first` on. The numbers of the rings after them become lower.
 * The source must not be open on the rings that are forgotten. */
void frec__source_remove_rings(struct frec_source *source, size_t first, size_t count);

/*
 * Reads how many records the source has produced on ring number `at`: the complete ones, or if
 * `begun` is true also those in progress. For perf events and shared memory `begun` makes no
 * difference: see snapshot/capture.h. All counts are 0 if the source does not write to that ring.
 */
void frec__source_count(const struct frec_source *source, size_t at, const struct frec_ring *ring,
			bool begun, struct frec_count *ret);

/* Closes and frees everything. */
void frec__source_deinit(struct frec_source *source);

/* Returns the size in bytes of the source's largest possible record, header included. */
size_t frec__source_largest(const struct frec_source *source);

#endif
