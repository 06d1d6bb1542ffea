/* SPDX-License-Identifier: MIT */
/* An event as a JSON object, whose members json.c describes. */
#ifndef FREC_EXPORT_JSON_H
#define FREC_EXPORT_JSON_H

#include "export/made_texts.h"
#include "export/writer.h"
#include "unwind/registers.h"

struct frec_json {
	const struct frec_registers *registers; /* NULL if the machine is unknown */
	struct frec_made_texts texts;
	/* the host's name, written in every event; NULL if there is only one host */
	const char *host;
	/* entries are struct frec_text: the JSON of a location on a stack, made when first
	 * needed */
	struct frec_by_id locations;
	size_t locations_size;	   /* bytes of the texts in `locations` */
	struct frec_text location; /* the JSON of a location that is not kept in `locations` */
};

/* The snapshot must outlive `json`. */
void frec__json_init(struct frec_json *json, const struct frec_snapshot *snapshot);
void frec__json_deinit(struct frec_json *json);

/* Adds the event's object, without a newline. */
void frec__json_event(struct frec_text *line, struct frec_json *json,
		      const struct frec_event *event);

/* Adds "registers":{...}, for a record that has registers. */
void frec__json_registers(struct frec_text *line, const struct frec_registers *layout,
			  const struct frec_record *record);

#endif
