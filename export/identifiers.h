/* SPDX-License-Identifier: MIT */
/* Names for formats that allow only letters, digits and underscores. */
#ifndef FREC_EXPORT_IDENTIFIERS_H
#define FREC_EXPORT_IDENTIFIERS_H

#include "export/read/text.h"
#include "flightrec.pb-c.h"

/* Adds the name, with an underscore in place of each byte that an identifier cannot contain, and
 * another one in front unless the name begins with a letter or an underscore. Returns whether the
 * name had to be changed. */
bool frec__identifier(struct frec_text *text, const char *name);

/* Adds the name of a field, followed by the field's number if the name had to be changed or an
 * earlier field has the same name, so that no two fields of a source get the same name. */
void frec__field_identifier(struct frec_text *text, const Flightrec__Source *source, size_t index);

#endif
