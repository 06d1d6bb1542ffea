/* SPDX-License-Identifier: MIT */
/*
 * The framing of a .frec file. Each top-level field of flightrec.Snapshot is one part:
 *
 *	tag and length (varints) | message | 0x7d | checksum (4 bytes, little-endian)
 *
 * The last five bytes are field 15 of the message itself. The checksum is CRC-32C over the tag and
 * the message: a flipped bit in the tag would turn the part into one of another kind. The checksum
 * need not cover the length, because if the length is wrong, the checksum is read from a wrong
 * place and does not match. See flightrec.proto.
 */
#ifndef FREC_PROTO_PART_H
#define FREC_PROTO_PART_H

#include <stddef.h>
#include <stdint.h>

#include <protobuf-c/protobuf-c.h>

#define FREC_PART_CHECKSUM_SIZE 5
#define FREC_PART_HEAD_MAX 16
/* The largest size of a part with its checksum. A reader may refuse a larger one. */
#define FREC_PART_SIZE_MAX (64u << 20)
/* The most bytes of records in a Records part, uncompressed. The limit is small because a reader
 * holds one part of each CPU in memory. */
#define FREC_RECORDS_SIZE_MAX (1u << 20)

enum frec_part {
	FREC_PART_HEADER = 1,
	FREC_PART_SOURCE = 2,
	FREC_PART_PROCESS = 3,
	FREC_PART_TRIGGER = 4,
	FREC_PART_CRASH = 5,
	FREC_PART_RECORDS = 6,
	FREC_PART_CPU = 7,
	FREC_PART_LOSS = 8,
	FREC_PART_CLOCKS = 9,
	FREC_PART_END = 10,
	FREC_PART_THREAD_STACK = 11,
	FREC_PART_KERNEL_SYMBOLS = 12,
	FREC_PART_SUMMARY = 13,
	FREC_PART_PROGRAM = 14,
	FREC_PART_LAST = FREC_PART_PROGRAM, /* the highest number */
};

/*
 * Packs `message`, whose crc32c member must be 0, as part number `part` with its checksum.
 * Returns 0, -ENOMEM, or -E2BIG above FREC_PART_SIZE_MAX. The caller frees *ret_data with free().
 */
int frec__part_pack(enum frec_part part, const ProtobufCMessage *message, uint8_t **ret_data,
		    size_t *ret_size);

struct frec_part_view {
	/* top-level field number: an enum frec_part, or a number that only newer writers use */
	uint32_t field;
	const uint8_t *body; /* the message without its checksum */
	size_t body_size;    /* bytes */
	size_t size;	     /* bytes from this part to the next */
	uint32_t crc;	     /* the checksum, computed anew */
};

/*
 * Reads the part at the start of `data`. `*ret` points into `data`; nothing is copied. Returns
 *
 * - 0 if the part is whole;
 * - -EAGAIN if the data ends inside the part, as in a torn file; ret->size is then the size of the
 *   part, or 0 if it is not known yet;
 * - -EBADMSG if this is no part: the tag is not length-delimited, the field number is 0, the size
 *   is above the limit, or there is no checksum field;
 * - -EILSEQ if the checksum does not match; `*ret` is filled in anyway.
 */
int frec__part_next(const uint8_t *data, size_t size, struct frec_part_view *ret);

#endif
