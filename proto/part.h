/* SPDX-License-Identifier: MIT */
/*
 * Framing of a .frec file: each top-level field of flightrec.Snapshot is one part,
 *
 *	tag and length (varints) | message | 0x7d | CRC-32C of tag and message, 4 bytes
 *	little-endian
 *
 * where the last five bytes are the message's own field 15. The tag is checked too because a
 * flipped bit in it would turn the part into one of another kind; a flipped length moves the
 * checksum away from where it is looked for. See flightrec.proto.
 */
#ifndef FREC_PROTO_PART_H
#define FREC_PROTO_PART_H

#include <stddef.h>
#include <stdint.h>

#include <protobuf-c/protobuf-c.h>

#define FREC_PART_CHECKSUM_SIZE 5
#define FREC_PART_HEAD_MAX 16
/* No part may be larger, checksum included: a reader may refuse what is. */
#define FREC_PART_SIZE_MAX (64u << 20)
/* No Records part may hold more bytes of records, uncompressed: a reader holds one of each CPU. */
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
	FREC_PART_LAST = FREC_PART_KERNEL_SYMBOLS, /* the highest number of all */
};

/*
 * Packs `message`, whose crc32c member must be 0, as part number `part` with its checksum.
 * Returns 0, -ENOMEM, or -E2BIG above FREC_PART_SIZE_MAX. The caller frees *ret_data with free().
 */
int frec__part_pack(enum frec_part part, const ProtobufCMessage *message, uint8_t **ret_data,
		    size_t *ret_size);

struct frec_part_view {
	/* top-level field number: an enum frec_part, or one not known to us */
	uint32_t field;
	const uint8_t *body; /* the message without its checksum */
	size_t body_size;    /* bytes */
	size_t size;	     /* bytes of the whole part: where the next one begins */
	uint32_t crc;	     /* what its checksum has to be */
};

/*
 * Reads the part at the start of `data`. Points into `data`, copies nothing. Returns 0; -EAGAIN
 * when the data ends inside the part (a torn file; ret->size then is what it takes, 0 where that is
 * not known yet); -EBADMSG when it is not a part (a tag that is not length-delimited, a field
 * number of 0, a size beyond the limit, no checksum field); -EILSEQ when the checksum does not
 * match (`*ret` is then filled in all the same).
 */
int frec__part_next(const uint8_t *data, size_t size, struct frec_part_view *ret);

#endif
