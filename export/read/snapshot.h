/* SPDX-License-Identifier: MIT */
/*
 * A .frec file, open for reading. This folder goes from the bytes of a file to records and values:
 *
 *     bytes -> parts.h -> wire.h -> snapshot.h     parts: found by their framing, checked, unpacked
 *     snapshot.h -> chunk.h                        the records of one Records part, uncompressed
 *     chunk.h -> records.h                         perf records, one after the other
 *     records.h -> decode_plan.h or eventheader.h  the fields of a record, as values (fields.h)
 *     fields.h -> text_values.h                    values as text, with text.h and numbers.h
 *
 * input.h opens a snapshot for commands and exports. processes.h and clocks.h look things up in its
 * tables. Data flows down this list only, and nothing here knows about events or export formats.
 *
 * The small parts are unpacked into memory. The records stay in the file: an index says where they
 * are, and they are read one chunk at a time. All reading goes through pread(2): if the file is
 * truncated while it is read, the read fails, whereas with a mapping the reader would be killed by
 * SIGBUS.
 *
 * Invariants: no byte of a file is trusted. wire.c checks every message before protobuf-c unpacks
 * it, and no read of a record goes outside it. A damaged file is readable up to the damage.
 *
 * Not thread-safe: one thread per snapshot.
 */
#ifndef FREC_EXPORT_READ_SNAPSHOT_H
#define FREC_EXPORT_READ_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "export/read/chunk.h"
#include "export/read/limits.h"
#include "export/read/parts.h"
#include "flightrec.pb-c.h"
#include "proto/error.h"

struct frec_part_list {
	void **items;
	size_t count;
};

struct frec_snapshot {
	struct frec_part_reader reader;
	char *name; /* for messages */

	const Flightrec__Header *header;
	/* this and the next two are NULL if the file has no such part */
	const Flightrec__Trigger *trigger;
	const Flightrec__Crash *crash;
	const Flightrec__End *end;
	Flightrec__Source *const *sources;
	size_t source_count;
	Flightrec__Process *const *processes;
	size_t process_count;
	Flightrec__CpuCoverage *const *cpus;
	size_t cpu_count;
	Flightrec__Loss *const *losses;
	size_t loss_count;
	Flightrec__Clocks *const *clocks;
	size_t clocks_count;
	Flightrec__ThreadStack *const *thread_stacks;
	size_t thread_stack_count;
	Flightrec__KernelSymbols *const *kernel_symbols;
	size_t kernel_symbols_count;
	Flightrec__Program *const *programs;
	size_t program_count;
	struct frec_chunk_view *chunks; /* in file order */
	size_t chunk_count;
	uint64_t part_count; /* how many complete parts precede the End part */
	/* how many of them were skipped, because this reader does not know their kind */
	uint64_t unknown_parts;

	/* Code 0 if the file is not damaged. Otherwise the message says which byte is bad and why,
	 * and the members above hold what comes before that byte. */
	struct frec_error damage;

	/* what was left out because it would cost too much; and how many bytes are left of
	 * FREC_LIMIT_TABLES and FREC_LIMIT_RECORDS */
	struct frec_left_out *left_out;
	uint64_t tables_left, records_left;

	/* the unpacked parts, indexed by FREC_PART_...; freed when the snapshot is closed */
	struct frec_part_list lists[FREC_PART_LAST + 1];
	bool source_ids_in_order; /* sources[n] has id n + 1, as recorders number them */
	/* indices of the sources that the file has, sorted by id */
	uint32_t *source_order;
	size_t source_order_count;
	uint32_t *loss_order; /* indices of `losses`, sorted by the id of the source */
	/* The sources that payloads describe, or NULL. eventheader.c sets and frees it. */
	struct frec_eventheader *eventheader;
};

/*
 * Opens `path`. Returns 0, also for a damaged file whose header is not damaged (ret->damage reports
 * the damage). Returns a negative errno, and leaves nothing to close, if the file cannot be read,
 * is empty, is not a .frec file, or has a newer version, or if memory runs out.
 */
int frec__snapshot_open(struct frec_snapshot *ret, const char *path, struct frec_error *reterr);

/* Like frec__snapshot_open(), but for a file that is open already. Takes ownership of `fd`, also on
 * failure. `name` is for messages. */
int frec__snapshot_open_fd(struct frec_snapshot *ret, int fd, const char *name,
			   struct frec_error *reterr);

/* Frees everything. `snapshot` may be all zeroes. */
void frec__snapshot_close(struct frec_snapshot *snapshot);

/* Adds a source that the file itself does not have, and on success takes ownership of it. Returns 0
 * or -ENOMEM. */
int frec__snapshot_add_source(struct frec_snapshot *snapshot, Flightrec__Source *source);

/* Returns the index in `sources` of the file's source with this id, or SIZE_MAX if there is
 * none. */
size_t frec__snapshot_source(const struct frec_snapshot *snapshot, uint64_t id);

/* Returns the position in `loss_order` of the first loss of the source with this id. If the source
 * has no loss, returns the position of a loss of another source, or `loss_count`. */
size_t frec__snapshot_loss(const struct frec_snapshot *snapshot, uint32_t id);

/* Reads and uncompresses the records of a chunk. Returns 0 or a negative errno. The caller frees
 * data->data. */
int frec__snapshot_read_chunk(struct frec_snapshot *snapshot, const struct frec_chunk_view *chunk,
			      struct frec_chunk_data *data, struct frec_error *reterr);

#endif
