/* SPDX-License-Identifier: MIT */
/* An event as a JSON object, whose members json.c describes. */
#ifndef FREC_EXPORT_JSON_H
#define FREC_EXPORT_JSON_H

#include "export/by_id.h"
#include "proto/table.h"
#include "export/read/text.h"
#include "export/writer.h"
#include "unwind/registers.h"

struct frec_json {
	const struct frec_snapshot *snapshot;
	const struct frec_registers *registers; /* NULL if the machine is unknown */
	struct frec_json_source *sources;	/* by index of the source */
	/* the host's name, written in every event; NULL if there is only one host */
	const char *host;
	/* entries are struct frec_text: the JSON of a location on a stack, made when first
	 * needed */
	struct frec_by_id locations;
	size_t locations_size;	   /* bytes of the texts in `locations` */
	struct frec_text location; /* the JSON of a location that is not kept in `locations` */
	struct frec_by_id names;   /* entries are struct frec_text: the names of a thread */
	struct frec_table threads; /* index in `names`, by the address of the process entry */
};

/* Prepares the parts that are the same in every event. The snapshot must outlive `json`. Returns 0
 * or -ENOMEM. */
int frec__json_init(struct frec_json *json, const struct frec_snapshot *snapshot);
void frec__json_deinit(struct frec_json *json);

/* Adds the event's object, without a newline. */
void frec__json_event(struct frec_text *line, struct frec_json *json,
		      const struct frec_event *event);

/* Adds "registers":{...}, for a record that has registers. */
void frec__json_registers(struct frec_text *line, const struct frec_registers *layout,
			  const struct frec_record *record);

#endif
