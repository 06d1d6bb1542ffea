/* SPDX-License-Identifier: MIT */
/* An event as a JSON object: json.c says what is in it. */
#ifndef FREC_EXPORT_JSON_H
#define FREC_EXPORT_JSON_H

#include "export/by_id.h"
#include "proto/table.h"
#include "export/read/text.h"
#include "export/writer.h"
#include "unwind/registers.h"

struct frec_json {
	const struct frec_snapshot *snapshot;
	const struct frec_registers *registers; /* NULL for a machine that is not known */
	struct frec_json_source *sources;	/* by index */
	const char *host;			/* told in every event; NULL: there is but one */
	/* struct frec_text: objects of places on stacks, made when first met */
	struct frec_by_id locations;
	struct frec_by_id names;   /* the same: of threads */
	struct frec_table threads; /* number of the names of one, by the address of its entry */
};

/* Prepares what is the same in every event. The snapshot must outlive it. Returns 0 or -ENOMEM. */
int frec__json_init(struct frec_json *json, const struct frec_snapshot *snapshot);
void frec__json_deinit(struct frec_json *json);

/* Adds the object, without a newline. */
void frec__json_event(struct frec_text *line, struct frec_json *json,
		      const struct frec_event *event);

/* Adds "registers":{...} of a record that has some. */
void frec__json_registers(struct frec_text *line, const struct frec_registers *layout,
			  const struct frec_record *record);

#endif
