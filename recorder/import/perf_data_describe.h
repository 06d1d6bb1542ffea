/* SPDX-License-Identifier: MIT */
/* What a perf.data file says about the recording itself. perf_data.c adds that to a struct
 * frec_perf_data as it reads the file, and the import looks it up there. */
#ifndef FREC_RECORDER_IMPORT_PERF_DATA_DESCRIBE_H
#define FREC_RECORDER_IMPORT_PERF_DATA_DESCRIBE_H

#include "recorder/import/perf_data.h"

/* Each of these functions parses one piece of the description, and returns 0 or a negative
 * errno. */
int frec__perf_data_add_event(struct frec_perf_data *data, const void *attr, size_t attr_size,
			      const void *ids, size_t ids_size, struct frec_error *reterr);
int frec__perf_data_feature(struct frec_perf_data *data, uint64_t feature, const void *body,
			    size_t size, struct frec_error *reterr);
int frec__perf_data_tracing(struct frec_perf_data *data, const void *body, size_t size,
			    struct frec_error *reterr);
int frec__perf_data_build_id(struct frec_perf_data *data, const void *record, size_t size);
int frec__perf_data_update(struct frec_perf_data *data, const void *body, size_t size);

/* Frees everything that these functions added. */
void frec__perf_data_forget(struct frec_perf_data *data);

/* Returns the event to which the kernel gave this id, or NULL. */
const struct frec_perf_event *frec__perf_data_event(struct frec_perf_data *data, uint64_t id);

/* Returns the layout of the tracepoint with this id, or NULL. */
const struct frec_perf_format *frec__perf_data_format(struct frec_perf_data *data, uint64_t id);

#endif
