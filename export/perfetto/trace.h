/* SPDX-License-Identifier: MIT */
/*
 * A Perfetto trace while it is written: the state that the files of this folder share, and the
 * packets that it consists of. perfetto.c is the writer and drives all others:
 *
 *     perfetto.c -> meta, attributes, coverage           before the events
 *                -> event, ftrace, shapes, stacks        for each event
 *                -> crash, stacks                        after the events
 *     all of these -> sources, annotations -> trace      (packet.h, pack.h: packed by hand)
 *
 * Packets of events are packed by hand, in one pass; those of everything else by protobuf-c.
 */
#ifndef FREC_EXPORT_PERFETTO_TRACE_H
#define FREC_EXPORT_PERFETTO_TRACE_H

#include "export/arena.h"
#include "export/by_id.h"
#include "export/packed.h"
#include "export/writer.h"
#include "perfetto_trace.pb-c.h"
#include "unwind/registers.h"

/* FREC_PERFETTO_SEQUENCE is the id of the first host's packet sequence; the ids of other hosts'
 * sequences follow. Packets of kernel tracepoints belong to no sequence. FREC_PERFETTO_NEEDS_STATE
 * is the flag of packets that refer to earlier packets. */
enum { FREC_PERFETTO_SEQUENCE = 1, FREC_PERFETTO_NEEDS_STATE = 2 };

/* The uuid of a track: host, kind, and 32 bits that distinguish tracks of a kind. */
#define FREC_PERFETTO_HOST_SHIFT 40
enum frec_perfetto_track {
	FREC_PERFETTO_PROCESS = 1,
	FREC_PERFETTO_THREAD,
	FREC_PERFETTO_LANE,
	FREC_PERFETTO_COUNTER,
	FREC_PERFETTO_COVERAGE,
};

static inline uint64_t frec__perfetto_uuid(const struct frec_host *host,
					   enum frec_perfetto_track kind, uint32_t number)
{
	return (uint64_t)host->index << FREC_PERFETTO_HOST_SHIFT | (uint64_t)kind << 32 | number;
}

/* Which parts of call stacks are in the trace. The tables' entries are uint64_t: the number in the
 * trace, or 0 if not written yet. */
struct frec_perfetto_stacks {
	struct frec_by_id stacks, codes;
	/* number of the location's outermost function; its inlined ones follow */
	struct frec_by_id locations;
	uint64_t next_frame;
};

#define FREC_COMM_SIZE 16

/* The thread to which the last switch on a CPU led. */
struct frec_perfetto_running {
	bool known;
	int32_t pid, prio;
	size_t comm_size;
	char comm[FREC_COMM_SIZE];
};

struct frec_perfetto_switches {
	struct frec_table cpus; /* index in `running`, by host and CPU */
	struct frec_perfetto_running *running;
	size_t count;
};

struct frec_perfetto {
	const struct frec_export *context;
	struct frec_perfetto_source **sources; /* by host, then by source */
	const struct frec_host *host;	       /* of the packet being assembled */
	struct frec_arena arena;	       /* for the same packet */
	struct frec_table described;	       /* uuids of the tracks that have a descriptor */
	struct frec_table counters;	       /* number of the track, by counter and process */
	uint64_t log_count;		       /* log messages so far */
	struct frec_perfetto_stacks stacks;
	struct frec_perfetto_switches switches;
	struct frec_packed packed;
};

/* Names of the current host's registers; NULL if the machine is unknown. */
static inline const struct frec_registers *frec__perfetto_registers(
	const struct frec_perfetto *perfetto)
{
	return frec__registers_find(perfetto->host->snapshot->header->machine);
}

/* Packs and writes a packet of the current host's sequence, and resets the arena. Returns 0 or a
 * negative errno. */
int frec__perfetto_write(struct frec_perfetto *perfetto, Perfetto__Protos__TracePacket *packet,
			 struct frec_error *reterr);

/* For packets packed by hand: returns space for up to `size` bytes, or NULL if memory runs out. */
uint8_t *frec__perfetto_room(struct frec_perfetto *perfetto, size_t size,
			     struct frec_error *reterr);

/* Writes what was packed into the space that frec__perfetto_room returned, up to `end`. Returns 0
 * or a negative errno: -ENOMEM if the arena has failed. Does not reset the arena. */
int frec__perfetto_flush(struct frec_perfetto *perfetto, const uint8_t *end,
			 struct frec_error *reterr);

/* Marks a track as described. Returns 1 if it was not described before, 0 if it was, or -ENOMEM. */
int frec__perfetto_is_new(struct frec_perfetto *perfetto, uint64_t uuid);

/* Sets *ret_uuid to the track of a thread of the current host, and writes the track's descriptor if
 * that is not in the trace yet. Returns 0 or a negative errno. */
int frec__perfetto_track(struct frec_perfetto *perfetto, uint32_t pid, uint32_t tid,
			 const struct frec_process_entry *who, uint64_t *ret_uuid,
			 struct frec_error *reterr);

/* Ends the innermost slice of a track. */
int frec__perfetto_end_slice(struct frec_perfetto *perfetto, uint64_t time, uint64_t track,
			     struct frec_error *reterr);

#endif
