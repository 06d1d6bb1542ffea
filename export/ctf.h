/* SPDX-License-Identifier: MIT */
/* What the files of the CTF writer share. A field of bytes or an array has its count, a u32, before
 * it. */
#ifndef FREC_EXPORT_CTF_H
#define FREC_EXPORT_CTF_H

#include "export/read/text.h"
#include "export/writer.h"

#define FREC_CTF_MAGIC 0xc1fc1fc1u

/* The metadata file, in TSDL: the trace, its clock, a class for each source, whose id is its
 * index. */
void frec__ctf_metadata(struct frec_text *text, const struct frec_export *context);

#endif
