/* SPDX-License-Identifier: MIT */
/* The metadata of a CTF trace. In its streams, a field of bytes or an array is preceded by its
 * length, a u32. */
#ifndef FREC_EXPORT_CTF_METADATA_H
#define FREC_EXPORT_CTF_METADATA_H

#include "export/read/text.h"
#include "export/writer.h"

#define FREC_CTF_MAGIC 0xc1fc1fc1u

/* Adds the contents of the metadata file, in TSDL: the trace, its clock, and an event class for
 * each source, whose id is the source's index. */
void frec__ctf_metadata(struct frec_text *text, const struct frec_export *context);

#endif
