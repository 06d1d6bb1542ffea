// SPDX-License-Identifier: MIT
// The parts of the parser that are not inline, because an export does not call them for each event.
#include "proto/perf_sample.h"

int frec__perf_sample_read(const struct perf_event_attr *attr, const void *body, size_t size,
			   struct frec_perf_sample *ret)
{
	const struct frec_perf_layout layout = frec__perf_layout(attr);
	struct frec_bytes bytes = frec__bytes(body, size);

	return frec__perf_sample_parse(&layout, &bytes, ret);
}

#define TRAILER \
	(PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_ID | PERF_SAMPLE_STREAM_ID | \
	 PERF_SAMPLE_CPU | PERF_SAMPLE_IDENTIFIER)

int frec__perf_sample_read_trailer(const struct perf_event_attr *attr, const void *body,
				   size_t size, struct frec_perf_sample *ret)
{
	uint64_t type = attr->sample_type & TRAILER;
	size_t trailer = 8 * (size_t)__builtin_popcountll(type);
	struct frec_bytes bytes = frec__bytes(body, size);

	*ret = (struct frec_perf_sample){0};
	if (!attr->sample_id_all)
		return 0;
	if (size < trailer)
		return -EPROTO;
	frec__bytes_take(&bytes, size - trailer);
	frec__perf_sample_parse_common(&bytes, type, ret);
	if (type & PERF_SAMPLE_IDENTIFIER)
		ret->id = frec__bytes_u64(&bytes);
	return 0;
}

size_t frec__perf_sample_id_offset(const struct perf_event_attr *attr)
{
	uint64_t before = PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_ADDR;

	if (attr->sample_type & PERF_SAMPLE_IDENTIFIER)
		return 0;
	return attr->sample_type & PERF_SAMPLE_ID
		       ? 8 * (size_t)__builtin_popcountll(attr->sample_type & before)
		       : SIZE_MAX;
}

size_t frec__perf_sample_id_trailer(const struct perf_event_attr *attr)
{
	uint64_t after = PERF_SAMPLE_ID | PERF_SAMPLE_STREAM_ID | PERF_SAMPLE_CPU;

	if (!attr->sample_id_all)
		return SIZE_MAX;
	if (attr->sample_type & PERF_SAMPLE_IDENTIFIER)
		return 8;
	return attr->sample_type & PERF_SAMPLE_ID
		       ? 8 * (size_t)__builtin_popcountll(attr->sample_type & after)
		       : SIZE_MAX;
}
