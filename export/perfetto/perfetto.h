/* SPDX-License-Identifier: MIT */
/* What the files of the Perfetto writer share. */
#ifndef FREC_EXPORT_PERFETTO_PERFETTO_H
#define FREC_EXPORT_PERFETTO_PERFETTO_H

#include "export/arena.h"
#include "export/by_id.h"
#include "export/writer.h"
#include "perfetto_trace.pb-c.h"
#include "unwind/registers.h"

#define FREC_KNOWN_FIELDS_MAX 8

/* The sequence that all packets of the first host but the kernel's tracepoints belong to; those of
 * other hosts follow. And the flag of packets that need what those before them said. */
enum { FREC_PERFETTO_SEQUENCE = 1, FREC_PERFETTO_NEEDS_STATE = 2 };

/* Numbers of tracks, below which 32 bits say which, and above which 24 bits say of which host. */
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

/* How an annotation of a field begins: all up to its value, with one byte for its length. */
struct frec_perfetto_annotation {
	uint8_t bytes[15];
	uint8_t size;
};

/* How the events of one source are written. */
struct frec_perfetto_source {
	bool interned;		 /* its names are in the trace */
	uint64_t annotation_iid; /* of its first field; the others follow */
	/* For a tracepoint that Perfetto knows: its member of FtraceEvent, and which of our fields
	 * fills each of its own. */
	const ProtobufCFieldDescriptor *known;
	size_t known_field[FREC_KNOWN_FIELDS_MAX];
	struct frec_perfetto_annotation *annotations; /* one for each field */
	size_t *long_fields; /* those whose values can take more than a number does */
	size_t long_count;
	/* bytes that an event takes at most, but for its long fields, its shape and registers */
	size_t bound;
	/* bytes that the lengths of the last packet and of the event in it took */
	size_t packet_length, event_length;
};

/* What of the call stacks the trace holds already: numbers in the trace, uint64_t, 0: it is not
 * there yet. */
struct frec_perfetto_stacks {
	struct frec_by_id stacks, codes;
	struct frec_by_id locations; /* of the outermost of its functions; the others follow */
	uint64_t next_frame;
};

struct frec_perfetto {
	const struct frec_export *context;
	struct frec_perfetto_source **sources; /* of each host */
	const struct frec_host *host;	       /* of the packet being made */
	struct frec_arena arena;	       /* of it, too */
	struct frec_table described;	       /* numbers of the tracks that have a descriptor */
	struct frec_table counters;	       /* of counters and processes: number of the track */
	uint64_t log_count;		       /* numbers of log messages */
	struct frec_perfetto_stacks stacks;
	uint8_t *packed;
	size_t packed_size;
};

/* Names of the current host's registers; NULL for a machine that is not known. */
static inline const struct frec_registers *frec__perfetto_registers(
	const struct frec_perfetto *perfetto)
{
	return frec__registers_find(perfetto->host->snapshot->header->machine);
}

/* Packs and writes a packet of the current host's sequence, and resets the arena. */
int frec__perfetto_write(struct frec_perfetto *perfetto, Perfetto__Protos__TracePacket *packet,
			 struct frec_error *reterr);

/* For packets made by hand: room for one of up to `size` bytes, or NULL; and to write what was put
 * there, up to `end`, which fails where the arena has failed. Both reset nothing else. */
uint8_t *frec__perfetto_room(struct frec_perfetto *perfetto, size_t size,
			     struct frec_error *reterr);
int frec__perfetto_flush(struct frec_perfetto *perfetto, const uint8_t *end,
			 struct frec_error *reterr);

/* perfetto/event.c: an event, as an instant or one end of a slice, with the names of its source
 * when this is its first. */
int frec__perfetto_write_event(struct frec_perfetto *perfetto, const struct frec_event *event,
			       uint64_t track, uint64_t callstack_iid,
			       const Perfetto__Protos__InternedData *interned,
			       struct frec_error *reterr);

/* How the annotations of the field begin whose name has this number. */
void frec__perfetto_prepare_annotation(struct frec_perfetto_annotation *ret, uint64_t iid);

/* One value of a counter. */
int frec__perfetto_write_value(struct frec_perfetto *perfetto, uint64_t time, uint64_t track,
			       const struct frec_value *value, struct frec_error *reterr);

/* perfetto/shapes.c: what stands beside an event for its shape. Writes what comes before it, and
 * tells its track where that is not its thread's. */
int frec__perfetto_before(struct frec_perfetto *perfetto, const struct frec_event *event,
			  uint64_t thread_track, uint64_t *ret_track, struct frec_error *reterr);
int frec__perfetto_after(struct frec_perfetto *perfetto, const struct frec_event *event,
			 struct frec_error *reterr);

/* The name of the spans that the source's events begin, or NULL. */
const char *frec__perfetto_span_name(const struct frec_perfetto *perfetto,
				     const struct frec_host *host, size_t source);

/* Whether a track is not described yet; it is taken to be from now on. Returns 1, 0 or -ENOMEM. */
int frec__perfetto_is_new(struct frec_perfetto *perfetto, uint64_t uuid);

/* Text as a field of this number, valid UTF-8 whatever the bytes, with `end` behind it. Room: four
 * times its size, and a little. */
uint8_t *frec__perfetto_pack_text(struct frec_perfetto *perfetto, uint8_t *p, uint32_t field,
				  const void *data, size_t size, const char *end);

/* perfetto/sources.c: what is the same in all events of a source, prepared for those of a host.
 * Returns whether there was memory. */
bool frec__perfetto_prepare_sources(struct frec_perfetto *perfetto, const struct frec_host *host);
void frec__perfetto_free_sources(struct frec_perfetto_source *sources, size_t count);

/* Bytes that an event can take at most, whichever way it is written. */
size_t frec__perfetto_event_bound(const struct frec_perfetto_source *source,
				  const struct frec_event *event);

/* The track of a thread of the current host. Writes its descriptor when it has none. */
int frec__perfetto_track(struct frec_perfetto *perfetto, uint32_t pid, uint32_t tid,
			 const struct frec_process_entry *who, uint64_t *ret_uuid,
			 struct frec_error *reterr);

/* perfetto/meta.c, perfetto/attributes.c, perfetto/crash.c: the packets around the events. */
int frec__perfetto_write_clocks(struct frec_perfetto *perfetto, struct frec_error *reterr);
int frec__perfetto_write_processes(struct frec_perfetto *perfetto, struct frec_error *reterr);
int frec__perfetto_write_system(struct frec_perfetto *perfetto, struct frec_error *reterr);
int frec__perfetto_write_attributes(struct frec_perfetto *perfetto, struct frec_error *reterr);
int frec__perfetto_write_trigger(struct frec_perfetto *perfetto,
				 const struct frec_timeline_file *file, struct frec_error *reterr);
int frec__perfetto_write_crash(struct frec_perfetto *perfetto,
			       const struct frec_timeline_file *file, struct frec_error *reterr);

/* perfetto/coverage.c: for each ring a track with what the file covers, and what is missing. */
int frec__perfetto_write_coverage(struct frec_perfetto *perfetto,
				  const struct frec_timeline_file *file, size_t number,
				  struct frec_error *reterr);

/*
 * perfetto/stacks.c: call stacks. The number of one in the trace, 0 for NULL; what is not there yet
 * is written. Then, behind the event, the sample that flame graphs are drawn from.
 */
int frec__perfetto_stack(struct frec_perfetto *perfetto, const struct frec_call_stack *stack,
			 uint64_t *ret_iid, struct frec_error *reterr);
int frec__perfetto_write_sample(struct frec_perfetto *perfetto, uint64_t time, uint32_t cpu,
				uint32_t pid, uint32_t tid, const struct frec_call_stack *stack,
				uint64_t iid, struct frec_error *reterr);
/* The stacks of the threads of the process that died, as instants of theirs. */
int frec__perfetto_write_threads(struct frec_perfetto *perfetto,
				 const struct frec_timeline_file *file, struct frec_error *reterr);
void frec__perfetto_stacks_deinit(struct frec_perfetto_stacks *stacks);

/* perfetto/ftrace.c: kernel tracepoints. */
void frec__perfetto_find_known(struct frec_perfetto_source *source, const Flightrec__Source *from);
int frec__perfetto_write_ftrace(struct frec_perfetto *perfetto, const struct frec_event *event,
				struct frec_error *reterr);

/*
 * perfetto/values.c: debug annotations, allocated in the arena. The array grows as needed; start
 * with zeroes. Without memory they add nothing and the arena has failed.
 */
struct frec_annotations {
	Perfetto__Protos__DebugAnnotation **items;
	size_t count, capacity;
};

Perfetto__Protos__DebugAnnotation *frec__annotation_add(struct frec_arena *arena,
							struct frec_annotations *annotations,
							const char *name);
void frec__annotation_add_string(struct frec_arena *arena, struct frec_annotations *annotations,
				 const char *name, const char *value);
/* `values`: u64 each, lowest bit of the mask first, perhaps not aligned; `count` of them are there.
 */
void frec__annotation_add_registers(struct frec_arena *arena, struct frec_annotations *annotations,
				    const struct frec_registers *layout, uint64_t mask,
				    const void *values, size_t count);

#endif
