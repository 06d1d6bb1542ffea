/* SPDX-License-Identifier: MIT */
/*
 * Limits on what a file may cost its reader. Anybody can write a small file that is expensive to
 * read: all its fields can claim the same bytes, a hundred of its bytes can uncompress to a
 * megabyte of records, and outputs repeat its names for each event. So memory and work are limited
 * to a constant plus a multiple of the file's size. No recorded file comes near these limits, which
 * docs/limits.md states.
 *
 * If the unpacked parts or the uncompressed records would exceed their limit, the file counts as
 * damaged from that part on (frec_snapshot.damage). If records would have to be uncompressed again
 * too often, the rest of a part is not read (frec_merge.problem). Everything else that exceeds a
 * limit is left out and counted in struct frec_left_out, and the commands report the counts in one
 * line.
 */
#ifndef FREC_EXPORT_READ_LIMITS_H
#define FREC_EXPORT_READ_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

#include "export/read/parts.h"
#include "export/read/text.h"
#include "proto/error.h"

/* Bytes of memory for the unpacked parts of a file of `size` bytes, without its records. */
#define FREC_LIMIT_TABLES(size) ((64ull << 20) + 16 * (uint64_t)(size))
/* Bytes of all records together, after they are uncompressed. */
#define FREC_LIMIT_RECORDS(size) ((256ull << 20) + 1024 * (uint64_t)(size))
/* Bytes of uncompressed records that the merge of all rings keeps in memory at one time. */
#define FREC_LIMIT_RINGS(size) ((64ull << 20) + 8 * (uint64_t)(size))
/* Bytes of records that are uncompressed in all if the merge would exceed FREC_LIMIT_RINGS: it then
 * uncompresses the same chunks several times. */
#define FREC_LIMIT_WINDOWS(size) (4 * FREC_LIMIT_RECORDS(size))
/* How many fields of events are decoded. A field with many enumerators counts as several, because
 * the name of its value has to be searched for. */
#define FREC_LIMIT_FIELDS(size) ((64ull << 20) + 256 * (uint64_t)(size))
/* Bytes of one output, before compression. */
#define FREC_LIMIT_OUTPUT(size) ((256ull << 20) + 1024 * (uint64_t)(size))
/* The places in all different call stacks, plus the different places, plus the addresses in
 * processes for which a place was looked up. */
#define FREC_LIMIT_PLACES(size) ((1ull << 20) + (uint64_t)(size) / 4)
/* Mappings that are set up to unwind stacks. If the mappings of a process changed between two of
 * its stacks, all its mappings are set up, and counted, again. */
#define FREC_LIMIT_MAPPED(size) ((16ull << 20) + 16 * (uint64_t)(size))
/* Bytes of all texts, byte strings and arrays of one event whose payload has `size` bytes. */
#define FREC_LIMIT_VALUES(size) (1024 + 2 * (size))

/* Fields of one source, and enumerators of one field. Recorders write at most 256 fields and 4096
 * enumerators. */
#define FREC_LIMIT_SOURCE_FIELDS 512
#define FREC_LIMIT_ENUMERATORS 4096
/* Mappings of one process. Recorders write at most 4096. */
#define FREC_LIMIT_MAPS 8192
/* Bytes of each name that outputs repeat for each event, of a kernel symbol's name, and of a
 * mapping's path. */
#define FREC_LIMIT_NAME 255
#define FREC_LIMIT_SYMBOL 1023
#define FREC_LIMIT_PATH 4095
/* Programs of which something was kept, and bytes of all of them together after they are
 * uncompressed. Recorders write at most 64 programs, and 32 MiB compressed. */
#define FREC_LIMIT_PROGRAMS 256
#define FREC_LIMIT_PROGRAM_BYTES (64u << 20)
/* Readings of the clocks. Recorders write two. */
#define FREC_LIMIT_CLOCKS 64

/* How much was left out of a file, and how much is left of some of its limits. */
struct frec_left_out {
	uint64_t fields;      /* of sources */
	uint64_t enumerators; /* of fields */
	uint64_t names;	      /* and paths that were cut */
	uint64_t clocks;      /* readings of the clocks */
	uint64_t values;   /* of events that claim the same bytes of their payload several times */
	uint64_t events;   /* that were not decoded, or not written to an output */
	uint64_t stacks;   /* of events */
	uint64_t maps;	   /* of processes */
	uint64_t programs; /* of which something was kept */
	/* what is left of FREC_LIMIT_FIELDS, FREC_LIMIT_PLACES and FREC_LIMIT_MAPPED */
	uint64_t fields_left, places_left, mapped_left;
	/* a negative errno: something failed that is not due to the file, such as memory or the
	 * disk, so anything may be missing, and the command fails */
	int failed;
};

/* Sets the counts to zero, and the ..._left members to the limits of a file of `size` bytes. */
void frec__left_out_init(struct frec_left_out *left_out, uint64_t size);

/* Cuts off `message` what exceeds a limit, and counts it. `field` is the field number of the part
 * from which the message was unpacked. */
void frec__limits_trim(struct frec_left_out *left_out, uint32_t field, ProtobufCMessage *message);

/* Adds a sentence that says what was left out, without an end of line. Returns false, and adds
 * nothing, if nothing was left out. */
bool frec__left_out_words(struct frec_text *text, const struct frec_left_out *left_out);

/* If anything was left out, sets `ret` to an error of the file `name` that says what, or adds that
 * sentence to the error that `ret` already is. */
void frec__left_out_error(const struct frec_left_out *left_out, const char *name,
			  struct frec_error *ret);

/* Fails if something failed that is not due to the file. Returns 0, or a negative errno with
 * `reterr` filled in. */
int frec__left_out_failed(const struct frec_left_out *left_out, const char *name,
			  struct frec_error *reterr);

#endif
