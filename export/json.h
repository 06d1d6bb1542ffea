/* SPDX-License-Identifier: MIT */
/* An event as a JSON object: json.c says what is in it. */
#ifndef FREC_EXPORT_JSON_H
#define FREC_EXPORT_JSON_H

#include "export/text.h"
#include "export/writer.h"
#include "unwind/registers.h"

/* Adds the object, without a newline. `registers` is the layout of the snapshot's machine, or NULL.
 */
void frec__json_event(struct frec_text *line, const struct frec_registers *registers,
		      const struct frec_event *event);

/* Adds "registers":{...} of a record that has some. */
void frec__json_registers(struct frec_text *line, const struct frec_registers *layout,
			  const struct frec_record *record);

#endif
