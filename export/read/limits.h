/* SPDX-License-Identifier: MIT */
/*
 * What a file may cost its reader. Anybody can write a file whose few bytes stand for a lot: fields
 * that all show the same bytes, a megabyte of records in a hundred bytes, a thousand names for each
 * event. So memory and work are limited to multiples of the file's size, which no honest file comes
 * near. docs/limits.md states them.
 *
 * A limit is met in one of two ways. If the tables take too much, the file counts as damaged from
 * that part on (struct frec_snapshot, `damage`). Anything else that is too much is left out and
 * counted here, and every command says so in one line.
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
/* Bytes of uncompressed records that the merge of all rings holds at one time. */
#define FREC_LIMIT_RINGS(size) ((64ull << 20) + 8 * (uint64_t)(size))
/* Bytes of records that are uncompressed because of that limit, some several times. */
#define FREC_LIMIT_WINDOWS(size) (4 * FREC_LIMIT_RECORDS(size))
/* How many fields of events are decoded. Looking for the name of an enumerator counts, too. */
#define FREC_LIMIT_FIELDS(size) ((64ull << 20) + 256 * (uint64_t)(size))
/* Bytes of one output, before compression. */
#define FREC_LIMIT_OUTPUT(size) ((256ull << 20) + 1024 * (uint64_t)(size))
/* Places in all different call stacks together, and addresses of all processes at which a place was
 * looked up. */
#define FREC_LIMIT_PLACES(size) ((1ull << 20) + (uint64_t)(size) / 4)
/* Mappings that are set up to unwind stacks, each again whenever the mappings of a process changed
 * between two of its stacks. */
#define FREC_LIMIT_MAPPED(size) ((16ull << 20) + 16 * (uint64_t)(size))
/* Bytes of all values of one event whose payload has `size` bytes. */
#define FREC_LIMIT_VALUES(size) (1024 + 2 * (size))

/* In one source, and in one field. Recorders write at most 256 fields and 4096 enumerators. */
#define FREC_LIMIT_SOURCE_FIELDS 512
#define FREC_LIMIT_ENUMERATORS 4096
/* In one process. Recorders write at most 4096. */
#define FREC_LIMIT_MAPS 8192
/* Bytes of the names that outputs repeat for each event, of a kernel symbol, and of a path. */
#define FREC_LIMIT_NAME 255
#define FREC_LIMIT_SYMBOL 1023
#define FREC_LIMIT_PATH 4095
/* Readings of the clocks. Recorders write two. */
#define FREC_LIMIT_CLOCKS 64

/* What was left out of a file, and what is left of its limits. */
struct frec_left_out {
	uint64_t fields;      /* of sources */
	uint64_t enumerators; /* of fields */
	uint64_t names;	      /* that were cut */
	uint64_t clocks;
	uint64_t values; /* of events that claim the same bytes of their payload several times */
	uint64_t events; /* that were not decoded, or not written to an output */
	uint64_t stacks; /* of events */
	uint64_t maps;	 /* of processes */
	uint64_t fields_left, places_left, mapped_left;
	/* a negative errno: something failed that is not due to the file, such as memory or the
	 * disk, so anything may be missing, and the command fails */
	int failed;
};

/* Sets the counts to zero, and what is left to the limits of a file of `size` bytes. */
void frec__left_out_init(struct frec_left_out *left_out, uint64_t size);

/* Cuts what exceeds a limit off a message that was unpacked from a part with this field number. */
void frec__limits_trim(struct frec_left_out *left_out, uint32_t field, ProtobufCMessage *message);

/* Adds what was left out, in words without an end of line. If nothing was, adds nothing and returns
 * false. */
bool frec__left_out_words(struct frec_text *text, const struct frec_left_out *left_out);

/* The same as an error of the file with this name, or at the end of the one that `ret` has. */
void frec__left_out_error(const struct frec_left_out *left_out, const char *name,
			  struct frec_error *ret);

/* Fails if something failed that is not due to the file. Returns 0, or a negative errno with
 * `reterr` filled in. */
int frec__left_out_failed(const struct frec_left_out *left_out, const char *name,
			  struct frec_error *reterr);

#endif
