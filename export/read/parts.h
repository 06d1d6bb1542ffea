/* SPDX-License-Identifier: MIT */
/* Reading single parts of a .frec file, wherever they stand. */
#ifndef FREC_EXPORT_READ_PARTS_H
#define FREC_EXPORT_READ_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <protobuf-c/protobuf-c.h>

#include "proto/part.h"

/* Start with the descriptor and zeroes. */
struct frec_part_reader {
	int fd;		 /* ours to close */
	uint64_t size;	 /* bytes of the file when it was opened */
	uint8_t *buffer; /* the part read last */
	size_t buffer_size;
};

/*
 * Reads the part at `offset`, which must lie before the end of the file; what *ret points to is
 * valid until the next call. Returns 0, what frec__part_next returns (-EAGAIN also for a file that
 * was cut since it was opened), or the negative errno of reading.
 */
int frec__part_read(struct frec_part_reader *reader, uint64_t offset, struct frec_part_view *ret);

/* Words for what frec__part_read returned. */
const char *frec__part_why(int r);

/* Whether a file may have only one part of this number, which is up to FREC_PART_LAST. */
bool frec__part_once(uint32_t field);

/* The part as a message of its kind (field up to FREC_PART_LAST), to be freed with
 * protobuf_c_message_free_unpacked, or NULL: it is not one, or there is no memory. */
ProtobufCMessage *frec__part_unpack(const struct frec_part_view *view);

void frec__part_reader_deinit(struct frec_part_reader *reader);

#endif
