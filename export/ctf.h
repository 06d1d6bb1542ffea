/* SPDX-License-Identifier: MIT */
/* What the files of the CTF writer share: how the fields of a source are laid out. */
#ifndef FREC_EXPORT_CTF_H
#define FREC_EXPORT_CTF_H

#include "export/text.h"
#include "export/writer.h"

#define FREC_CTF_MAGIC 0xc1fc1fc1u

enum frec_ctf_type {
	FREC_CTF_INTEGER, /* field->size bytes */
	FREC_CTF_FLOAT,
	FREC_CTF_STRING,
	FREC_CTF_BYTES, /* u32 count, then as many bytes */
	FREC_CTF_ARRAY, /* u32 count, then as many elements */
};

/* The type of a field, whatever a record holds. */
enum frec_ctf_type frec__ctf_type(const Flightrec__Field *field);

/* The metadata file, in TSDL: the trace, its clock, a class for each source, whose id is its index. */
void frec__ctf_metadata(struct frec_text *text, const struct frec_export *context);

#endif
