/* SPDX-License-Identifier: MIT */
/* Names for formats that have a grammar: letters, digits and underscores. */
#ifndef FREC_EXPORT_IDENTIFIERS_H
#define FREC_EXPORT_IDENTIFIERS_H

#include "export/read/text.h"
#include "flightrec.pb-c.h"

/* The name with underscores for what an identifier cannot have, and one in front of a digit or
 * nothing. Returns whether it had to be changed. */
bool frec__identifier(struct frec_text *text, const char *name);

/* The name of a field, with its number behind it where the name had to be changed or an earlier
 * field has it: no two fields of a source get one name. */
void frec__field_identifier(struct frec_text *text, const Flightrec__Source *source, size_t index);

#endif
