/* SPDX-License-Identifier: MIT */
/* The fields of an EventHeader payload, decoded to values. */
#ifndef FREC_EXPORT_READ_EVENTHEADER_VALUES_H
#define FREC_EXPORT_READ_EVENTHEADER_VALUES_H

#include "export/read/eventheader_layout.h"
#include "export/read/fields.h"
#include "export/read/text.h"

/* Decodes the fields of `source`, which was made from `layout`, into `values`, one for each.
 * Converted values point into `scratch`. Returns false if the payload is too short. */
bool frec__eventheader_values(const struct frec_eventheader_layout *layout,
			      const Flightrec__Source *source,
			      const struct frec_eventheader_head *head, struct frec_text *scratch,
			      struct frec_value *values);

/* Formats a UUID as RFC 9562 does: 36 characters and a NUL. */
void frec__eventheader_uuid(const uint8_t *bytes, char ret[37]);

#endif
