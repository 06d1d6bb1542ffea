/* SPDX-License-Identifier: MIT */
/* The description that an EventHeader payload carries, parsed. eventheader.c keeps a layout for
 * each distinct description; eventheader_values.c decodes payloads with it. */
#ifndef FREC_EXPORT_READ_EVENTHEADER_LAYOUT_H
#define FREC_EXPORT_READ_EVENTHEADER_LAYOUT_H

#include "export/read/eventheader_head.h"
#include "flightrec.pb-c.h"

/* A description that would give its source more fields than this is left out, because in a hostile
 * file every record can have such a description. */
#define FREC_EVENTHEADER_FIELDS_MAX 256

/* How a value lies in the payload. */
enum frec_eventheader_encoding {
	FREC_EH_STRUCT = 1, /* has no bytes of its own: the next fields are its members */
	FREC_EH_VALUE8,	    /* this and the next four: a value of 1, 2, 4, 8 or 16 bytes */
	FREC_EH_VALUE16,
	FREC_EH_VALUE32,
	FREC_EH_VALUE64,
	FREC_EH_VALUE128,
	FREC_EH_ZSTRING8, /* this and the next two: characters of 1, 2 or 4 bytes up to a 0 */
	FREC_EH_ZSTRING16,
	FREC_EH_ZSTRING32,
	FREC_EH_STRING8, /* this and the next two: a u16 count, then that many characters */
	FREC_EH_STRING16,
	FREC_EH_STRING32,
	FREC_EH_BINARY, /* a u16 count, then that many bytes */
	FREC_EH_ENCODINGS,
	FREC_EH_ENCODING_MASK = 0x1f,
	FREC_EH_FIXED_ARRAY = 0x20,    /* its length is in the description */
	FREC_EH_VARIABLE_ARRAY = 0x40, /* its length is in the payload, as a u16 */
	/* in an encoding: a byte with the format follows; in a format: a tag follows */
	FREC_EH_CHAIN = 0x80,
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
	FREC_EH_PORT, /* this and the next two are in network byte order */
	FREC_EH_IP,
	FREC_EH_IP_OLD,
};

#define FREC_EH_NO_SLOT SIZE_MAX

/* A field of the description. A struct comes before its members. */
struct frec_eventheader_node {
	char *name;
	uint8_t encoding; /* enum frec_eventheader_encoding, without flags */
	uint8_t format;	  /* enum frec_eventheader_format; one that fits the encoding */
	bool array, variable;
	uint16_t length; /* how many elements an array has, if it is not variable */
	uint8_t members; /* how many members a struct has */
	size_t next;	 /* index of the node that follows this one and all its members */
	/* Index of the source's field that holds the value. FREC_EH_NO_SLOT for a struct, whose
	 * members have fields, and for a member of an array of structs, because the whole array is
	 * one field of JSON text. */
	size_t slot;
};

/* A description, and the source that was made from it. */
struct frec_eventheader_layout {
	size_t raw_source, source; /* indices in snapshot->sources */
	/* head.metadata is a copy that the layout owns; head.activity, head.related and head.data
	 * are not used */
	struct frec_eventheader_head head;
	bool has_activity, has_related;
	uint64_t hash;
	struct frec_eventheader_node *nodes;
	size_t node_count;
	/* how many fields of the source come from nodes; those of the header follow */
	size_t slots;
	uint64_t keyword;
};

/*
 * Parses layout->head.metadata into nodes, and makes the source. Returns the source, which the
 * caller frees with protobuf_c_message_free_unpacked(), or NULL if the description is malformed,
 * has too many fields, or memory runs out.
 */
Flightrec__Source *frec__eventheader_make_source(struct frec_eventheader_layout *layout,
						 const Flightrec__Source *raw, uint32_t id);

#endif
