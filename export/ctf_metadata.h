/* SPDX-License-Identifier: MIT */
/* The metadata of a trace in the Common Trace Format (CTF). In the streams that it describes, a u32
 * with the number of elements precedes each field that is an array or bytes. */
#ifndef FREC_EXPORT_CTF_METADATA_H
#define FREC_EXPORT_CTF_METADATA_H

#include "export/read/text.h"
#include "export/writer.h"

#define FREC_CTF_MAGIC 0xc1fc1fc1u

/* Ids of the stream classes: of events whose CPU is known, and of those whose CPU is not. */
enum frec_ctf_class { FREC_CTF_OF_CPU, FREC_CTF_OF_NO_CPU };

/* Adds the contents of the metadata file, in CTF's language TSDL: the trace, its clock, the stream
 * classes (the second only if `no_cpu` is true), and in each stream class an event class for each
 * exported source, with the source's index as its id. */
void frec__ctf_metadata(struct frec_text *text, const struct frec_export *context, bool no_cpu);

#endif
