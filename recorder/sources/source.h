/* SPDX-License-Identifier: MIT */
/*
 * Sources: each thing that is recorded, opened once per ring and redirected into it.
 *
 * Invariants: the fds of a source stand in the order of the recorder's rings, -1 where it could not
 * be opened on that CPU; a source is never removed while the recorder runs, so records that refer
 * to it can always be told; its id is its position plus one.
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

/* Bytes of user stack that a crash record carries at most: what fits, together with registers and
 * payload, into the 64 KiB that a record can have. */
#define FREC_CRASH_STACK_MAX (60u << 10)

struct frec_source {
	struct frec_listed listed;
	struct frec_format format;
	char *format_text;
	Flightrec__Transport transport;
	const char *filter; /* static, or NULL */
	uint64_t since;	    /* when it was opened, nanoseconds of CLOCK_MONOTONIC */
	struct frec_stack_choice stack;
	uint64_t sample_type;
	uint64_t sample_regs_user;
	bool stack_missing; /* stacks were asked for, and nobody can take them here */
	size_t opened;	    /* rings that it was opened on: the length of the two below */
	int *fd;
	/* the kernel's id of the event: what it writes as PERF_SAMPLE_IDENTIFIER */
	uint64_t *perf_id;
	/* NULL, or the BPF programs that write it. It outlives the source. */
	const struct frec_bpf_output *output;
	uint32_t slot; /* its number there */
	/* of an event that no format file describes: which of the engine's declarations it is */
	size_t declared;
	/* Of events that services write themselves: the memory that they are in, with its number,
	 * and which event there. */
	const struct frec_shm_rings *shm;
	uint32_t shm_number;
	size_t shm_event;
	struct frec_bpf_counts *counted; /* what was counted when each ring was opened */
};

/*
 * Reads what tracefs says about `listed`. Opens nothing.
 */
int frec__source_init(struct frec_source *source, int tracefs, const struct frec_listed *listed,
		      const char *filter, struct frec_error *reterr);

/* Has each record carry stacks: before the source is opened. */
void frec__source_set_stack(struct frec_source *source, const struct frec_stack_choice *stack);

/* Whether it is the kernel's word on a fatal signal, which every recorder listens to. */
bool frec__source_is_crash(const struct frec_source *source);

/*
 * Takes the layout from a declaration instead of tracefs, for an event that comes in by
 * `transport`. `output` and `slot` are the program's that writes it, or NULL. Returns 0 or -ENOMEM.
 */
int frec__source_init_declared(struct frec_source *source, const struct frec_declared *event,
			       Flightrec__Transport transport, const struct frec_bpf_output *output,
			       uint32_t slot);

/* Opens the source on ring number `at` and lets it record. */
int frec__source_open(struct frec_source *source, size_t at, const struct frec_ring *ring,
		      struct frec_error *reterr);

/*
 * Reads what the source emitted on its ring number `at`: what is finished, or, with `begun`, also
 * what is under way. perf itself and services make no difference: see capture.h. All zero where it
 * is not open.
 */
void frec__source_count(const struct frec_source *source, size_t at, const struct frec_ring *ring,
			bool begun, struct frec_count *ret);

/* Closes and frees everything. */
void frec__source_deinit(struct frec_source *source);

/* The size of its largest possible record in bytes, header included. */
size_t frec__source_largest(const struct frec_source *source);

#endif
