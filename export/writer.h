/* SPDX-License-Identifier: MIT */
/* What an output format implements. */
#ifndef FREC_EXPORT_WRITER_H
#define FREC_EXPORT_WRITER_H

#include "export/output.h"
#include "export/processes.h"
#include "export/records.h"

/* What is the same for every event of one export; outlives the writer. */
struct frec_export {
	struct frec_snapshot *snapshot;
	struct frec_processes processes;
	struct frec_output *output;
};

/* One event, valid during the call. Its fields: frec__field_decode over record->source->field. */
struct frec_export_event {
	const struct frec_record *record;
	const struct frec_process_entry
		*who; /* the thread, NULL where the process table does not know it */
};

struct frec_writer {
	const char *name;	  /* as after -f */
	const char *suffix;	  /* of a file named after its input */
	const char *other_suffix; /* also taken for this format, or NULL */

	/* Each returns 0 or a negative errno. `end` is called after the last event, `destroy` in
	 * any case after a begin that succeeded. */
	int (*begin)(const struct frec_export *context, void **ret_state,
		     struct frec_error *reterr);
	int (*event)(void *state, const struct frec_export_event *event, struct frec_error *reterr);
	int (*end)(void *state, struct frec_error *reterr);
	void (*destroy)(void *state);
};

extern const struct frec_writer frec__writer_perfetto;
extern const struct frec_writer frec__writer_json;

#endif
