/* SPDX-License-Identifier: MIT */
/* Reads single parts of a .frec file, at any offset. */
#ifndef FREC_EXPORT_READ_PARTS_H
#define FREC_EXPORT_READ_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <protobuf-c/protobuf-c.h>

#include "proto/part.h"

/* To start, set the descriptor and the size of the file, and everything else to zero. */
struct frec_part_reader {
	int fd;		 /* closed by frec__part_reader_deinit() */
	uint64_t size;	 /* of the file in bytes, when it was opened */
	uint8_t *buffer; /* the part read last */
	size_t buffer_size;
};

/*
 * Reads the part at `offset`, which must lie before the end of the file. *ret points into the
 * reader's buffer and is valid until the next call. Returns 0, one of the errors of
 * frec__part_next() (-EAGAIN also if the file was truncated since it was opened), or another
 * negative errno if the file cannot be read or memory runs out.
 */
int frec__part_read(struct frec_part_reader *reader, uint64_t offset, struct frec_part_view *ret);

/* Returns words for an error of frec__part_read() or frec__part_unpack(). */
const char *frec__part_why(int r);

/* Returns whether a file may have only one part of this kind. `field` is at most FREC_PART_LAST. */
bool frec__part_once(uint32_t field);

/* Unpacks a part whose field is at most FREC_PART_LAST, and subtracts the bytes that the message
 * takes from *memory. The caller frees the message with protobuf_c_message_free_unpacked(). Returns
 * 0, -EBADMSG if the part is malformed, -E2BIG if the message would take more than *memory bytes,
 * or -ENOMEM. */
int frec__part_unpack(const struct frec_part_view *view, uint64_t *memory, ProtobufCMessage **ret);

void frec__part_reader_deinit(struct frec_part_reader *reader);

#endif
