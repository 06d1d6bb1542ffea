/* SPDX-License-Identifier: MIT */
/*
 * A .frec file, open for reading. The small parts are unpacked into memory; the records stay in the
 * file, indexed, and are read one chunk at a time. Everything goes through pread: a file that is
 * cut while it is being read gives an error, where a mapping would kill the reader with SIGBUS.
 *
 * Not thread-safe: one snapshot, one thread.
 */
#ifndef FREC_EXPORT_READ_SNAPSHOT_H
#define FREC_EXPORT_READ_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "export/read/chunk.h"
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
	const Flightrec__Trigger *trigger; /* NULL where the file has none, as the next two */
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
	struct frec_chunk_view *chunks; /* in file order */
	size_t chunk_count;
	uint64_t part_count;	/* parts before End */
	uint64_t unknown_parts; /* of them, of kinds that this reader does not know and skipped */

	/* code 0: the file is whole. Else what is above came before the bad part, and this says at
	 * which byte and why. */
	struct frec_error damage;

	/* owns the unpacked parts, by part number */
	struct frec_part_list lists[FREC_PART_LAST + 1];
	bool source_ids_in_order; /* source number n has id n + 1, as recorders number them */
	/* indices of the sources that the file has, sorted by id */
	uint32_t *source_order;
	size_t source_order_count;
	/* The sources that payloads describe, or NULL. eventheader.c sets and frees it. */
	struct frec_eventheader *eventheader;
};

/*
 * Opens `path`. Returns 0 also for a damaged file whose header is whole (look at ret->damage); else
 * a negative errno and nothing to close: the file cannot be read, is empty, is no .frec file, or is
 * of a newer version.
 */
int frec__snapshot_open(struct frec_snapshot *ret, const char *path, struct frec_error *reterr);

/* The same for an open file, which it takes over (and closes in any case). `name` is for messages.
 */
int frec__snapshot_open_fd(struct frec_snapshot *ret, int fd, const char *name,
			   struct frec_error *reterr);

/* Frees everything; harmless on zeroes. */
void frec__snapshot_close(struct frec_snapshot *snapshot);

/* One more source, which the file itself does not have. Takes it over. Returns 0 or -ENOMEM. */
int frec__snapshot_add_source(struct frec_snapshot *snapshot, Flightrec__Source *source);

/* Index in `sources` of the one of the file with this id, or SIZE_MAX. */
size_t frec__snapshot_source(const struct frec_snapshot *snapshot, uint64_t id);

/* Reads and uncompresses the records of a chunk. Returns 0 or a negative errno. The caller frees
 * data->data. */
int frec__snapshot_read_chunk(struct frec_snapshot *snapshot, const struct frec_chunk_view *chunk,
			      struct frec_chunk_data *data, struct frec_error *reterr);

#endif
