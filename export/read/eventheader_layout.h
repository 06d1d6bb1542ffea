/* SPDX-License-Identifier: MIT */
/* The description that an EventHeader payload carries, taken apart: what eventheader.c finds and
 * eventheader_values.c follows. */
#ifndef FREC_EXPORT_READ_EVENTHEADER_LAYOUT_H
#define FREC_EXPORT_READ_EVENTHEADER_LAYOUT_H

#include "export/read/eventheader_head.h"
#include "flightrec.pb-c.h"

/* A description with more fields is left out: every record of a hostile file can have one. */
#define FREC_EVENTHEADER_FIELDS_MAX 256

/* How a value lies in the payload. */
enum frec_eventheader_encoding {
	FREC_EH_STRUCT = 1, /* nothing of its own: the next fields are its members */
	FREC_EH_VALUE8,	    /* 1, 2, 4, 8 and 16 bytes */
	FREC_EH_VALUE16,
	FREC_EH_VALUE32,
	FREC_EH_VALUE64,
	FREC_EH_VALUE128,
	FREC_EH_ZSTRING8, /* characters of 1, 2 and 4 bytes up to one that is 0 */
	FREC_EH_ZSTRING16,
	FREC_EH_ZSTRING32,
	FREC_EH_STRING8, /* u16 count, then so many characters */
	FREC_EH_STRING16,
	FREC_EH_STRING32,
	FREC_EH_BINARY, /* u16 count, then so many bytes */
	FREC_EH_ENCODINGS,
	FREC_EH_ENCODING_MASK = 0x1f,
	FREC_EH_FIXED_ARRAY = 0x20,    /* its length stands in the description */
	FREC_EH_VARIABLE_ARRAY = 0x40, /* u16 length in the payload */
	FREC_EH_CHAIN = 0x80,	       /* a format follows; in a format: a tag follows */
};

/* What a value means. */
enum frec_eventheader_format {
	FREC_EH_DEFAULT,
	FREC_EH_UNSIGNED,
	FREC_EH_SIGNED,
	FREC_EH_HEX,
	FREC_EH_ERRNO,
	FREC_EH_PID,
	FREC_EH_TIME, /* seconds since 1970 */
	FREC_EH_BOOLEAN,
	FREC_EH_FLOAT,
	FREC_EH_HEX_BYTES,
	FREC_EH_LATIN1,
	FREC_EH_UTF,
	FREC_EH_UTF_BOM,
	FREC_EH_XML,
	FREC_EH_JSON,
	FREC_EH_UUID,
	FREC_EH_PORT, /* this one and the next two: in network byte order */
	FREC_EH_IP,
	FREC_EH_IP_OLD,
};

#define FREC_EH_NO_SLOT SIZE_MAX

/* A field of the description, structs before their members. */
struct frec_eventheader_node {
	char *name;
	uint8_t encoding; /* without flags */
	uint8_t format;	  /* one that fits the encoding */
	bool array, variable;
	uint16_t length; /* of an array that is not variable */
	uint8_t members; /* of a struct */
	size_t next;	 /* the node behind it and all its members */
	/* The source's field that it is; FREC_EH_NO_SLOT for structs, and for members of arrays of
	 * structs, which are JSON text in one field together. */
	size_t slot;
};

/* A description, and the source that it became. */
struct frec_eventheader_layout {
	size_t raw_source, source; /* indices in snapshot->sources */
	/* the metadata is a copy, and nothing else points anywhere */
	struct frec_eventheader_head head;
	bool has_activity, has_related;
	uint64_t hash;
	struct frec_eventheader_node *nodes;
	size_t node_count;
	size_t slots; /* fields that come from nodes: those of the header stand behind them */
	uint64_t keyword;
};

/*
 * Reads layout->head.metadata into nodes, and makes the source. Returns it, to be freed by
 * protobuf-c, or NULL: not to be understood, or out of memory.
 */
Flightrec__Source *frec__eventheader_make_source(struct frec_eventheader_layout *layout,
						 const Flightrec__Source *raw, uint32_t id);

#endif
