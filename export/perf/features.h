/* SPDX-License-Identifier: MIT */
/* The features of a perf.data file: the tables after its records. */
#ifndef FREC_EXPORT_PERF_FEATURES_H
#define FREC_EXPORT_PERF_FEATURES_H

#include "export/perf/payload.h"
#include "export/writer.h"

/* Adds the features to `bytes`, which will be at `offset` in the file. Sets *ret_bits to the
 * header's bits of the features that are present. */
void frec__perf_features(struct frec_text *bytes, const struct frec_export *context,
			 const struct frec_perf_source *sources, uint64_t offset,
			 uint64_t *ret_bits);

#endif
