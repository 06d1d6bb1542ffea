// SPDX-License-Identifier: MIT
// Parses what a perf.data file says about the recording: its events with their ids and names, the
// formats of tracepoints, build-ids, host and clocks.
#include "recorder/import/perf_data_describe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proto/bytes.h"
#include "proto/grow.h"

#define TRACING_MAGIC "\x17\x08\x44tracing"
#define BUILD_ID_ROOM 24
#define BUILD_ID_SIZED (1 << 15)
#define UPDATE_NAME 2

int frec__perf_data_add_event(struct frec_perf_data *data, const void *attr, size_t attr_size,
			      const void *ids, size_t ids_size, struct frec_error *reterr)
{
	struct frec_bytes numbers = frec__bytes(ids, ids_size);
	struct frec_perf_event *event;

	if (data->event_count == FREC_PERF_EVENTS_MAX ||
	    ids_size / 8 > FREC_PERF_IDS_MAX - data->id_count)
		return frec__error(reterr, -E2BIG, "%s: too many events", data->name);
	if (!frec__grow(&data->events, data->event_count, sizeof(*data->events)))
		return frec__error(reterr, -ENOMEM, "%s: out of memory", data->name);
	event = &data->events[data->event_count];
	*event = (struct frec_perf_event){0};
	memcpy(&event->attr, attr,
	       attr_size < sizeof(event->attr) ? attr_size : sizeof(event->attr));
	data->ids_sorted = false;
	while (frec__bytes_left(&numbers) >= 8) {
		if (!frec__grow(&data->ids, data->id_count, sizeof(*data->ids)))
			return frec__error(reterr, -ENOMEM, "%s: out of memory", data->name);
		data->ids[data->id_count++] = (struct frec_perf_id){frec__bytes_u64(&numbers),
								    (uint32_t)data->event_count};
	}
	data->event_count++;
	return 0;
}

static int by_id(const void *a, const void *b)
{
	const struct frec_perf_id *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

const struct frec_perf_event *frec__perf_data_event(struct frec_perf_data *data, uint64_t id)
{
	struct frec_perf_id key = {.id = id}, *found;

	if (!data->ids_sorted && data->id_count)
		qsort(data->ids, data->id_count, sizeof(*data->ids), by_id);
	data->ids_sorted = true;
	found = data->id_count ? bsearch(&key, data->ids, data->id_count, sizeof(*data->ids), by_id)
			       : NULL;
	return found ? &data->events[found->event] : NULL;
}

// Copies a text of at most `size` bytes, which a NUL may end earlier.
static int set_text(char **ret, const void *text, size_t size)
{
	char *copy = strndup(text, size);

	if (!copy)
		return -ENOMEM;
	free(*ret);
	*ret = copy;
	return 0;
}

static int set_name(struct frec_perf_data *data, uint64_t id, const void *name, size_t size)
{
	const struct frec_perf_event *event = frec__perf_data_event(data, id);

	return event ? set_text(&data->events[event - data->events].name, name, size) : 0;
}

// Reads a text: a u32 size, and then as many bytes, the last of which are NULs.
static int feature_text(struct frec_bytes *bytes, char **ret)
{
	uint32_t size = frec__bytes_u32(bytes);
	const uint8_t *text = frec__bytes_take(bytes, size);

	return text ? set_text(ret, text, size) : 0;
}

// Names the first event without a name that has the type and the number of this attribute, for
// tables that list no ids: a recording of one event needs none.
static int name_by_attribute(struct frec_perf_data *data, const uint8_t *attribute, size_t size,
			     const void *name, size_t name_size)
{
	struct perf_event_attr attr = {0};

	memcpy(&attr, attribute, size < sizeof(attr) ? size : sizeof(attr));
	for (size_t i = 0; i < data->event_count; i++) {
		struct frec_perf_event *event = &data->events[i];

		if (!event->name && event->attr.type == attr.type &&
		    event->attr.config == attr.config)
			return set_text(&event->name, name, name_size);
	}
	return 0;
}

static int event_names(struct frec_perf_data *data, struct frec_bytes *bytes)
{
	uint32_t count = frec__bytes_u32(bytes), attr_size = frec__bytes_u32(bytes);
	int r = 0;

	while (count-- && !bytes->failed && !r) {
		const uint8_t *attribute = frec__bytes_take(bytes, attr_size), *name;
		uint32_t ids, size;

		ids = frec__bytes_u32(bytes);
		size = frec__bytes_u32(bytes);
		name = frec__bytes_take(bytes, size);
		if (!ids && !bytes->failed)
			r = name_by_attribute(data, attribute, attr_size, name, size);
		for (uint32_t i = 0; i < ids && !bytes->failed && !r; i++) {
			uint64_t id = frec__bytes_u64(bytes);

			// One of the event's ids is enough to find the event.
			if (!i && !bytes->failed)
				r = set_name(data, id, name, size);
		}
	}
	return r;
}

static int build_ids(struct frec_perf_data *data, struct frec_bytes *bytes)
{
	int r = 0;

	while (frec__bytes_left(bytes) >= sizeof(struct perf_event_header) && !r) {
		struct perf_event_header header;

		memcpy(&header, bytes->at, sizeof(header));
		if (header.size < sizeof(header) || header.size > frec__bytes_left(bytes)) {
			frec__bytes_fail(bytes);
			break;
		}
		r = frec__perf_data_build_id(data, bytes->at, header.size);
		frec__bytes_take(bytes, header.size);
	}
	return r;
}

int frec__perf_data_feature(struct frec_perf_data *data, uint64_t feature, const void *body,
			    size_t size, struct frec_error *reterr)
{
	struct frec_bytes bytes = frec__bytes(body, size);
	int r = 0;

	switch (feature) {
	case FREC_PERF_TRACING_DATA:
		return frec__perf_data_tracing(data, body, size, reterr);
	case FREC_PERF_BUILD_ID:
		r = build_ids(data, &bytes);
		break;
	case FREC_PERF_HOSTNAME:
		r = feature_text(&bytes, &data->hostname);
		break;
	case FREC_PERF_OSRELEASE:
		r = feature_text(&bytes, &data->release);
		break;
	case FREC_PERF_VERSION:
		r = feature_text(&bytes, &data->version);
		break;
	case FREC_PERF_ARCH:
		r = feature_text(&bytes, &data->machine);
		break;
	case FREC_PERF_NRCPUS:
		data->cpus_available = frec__bytes_u32(&bytes);
		data->cpus_online = frec__bytes_u32(&bytes);
		break;
	case FREC_PERF_EVENT_DESC:
		r = event_names(data, &bytes);
		break;
	case FREC_PERF_CLOCK_DATA:
		frec__bytes_u32(&bytes); // the version; later ones may append fields
		data->clock = frec__bytes_u32(&bytes);
		data->wall_time = frec__bytes_u64(&bytes);
		data->clock_time = frec__bytes_u64(&bytes);
		data->clock_known = !bytes.failed;
		break;
	default:
		break;
	}
	if (r)
		return frec__error(reterr, r, "%s: out of memory", data->name);
	return bytes.failed
		       ? frec__error(reterr, -EBADMSG, "%s: table %u after the records is cut off",
				     data->name, (unsigned int)feature)
		       : 0;
}

int frec__perf_data_build_id(struct frec_perf_data *data, const void *record, size_t size)
{
	struct frec_bytes bytes = frec__bytes(record, size);
	struct perf_event_header header;
	struct frec_perf_build_id *build_id;
	const uint8_t *id, *head = frec__bytes_take(&bytes, sizeof(header));

	frec__bytes_u32(&bytes); // the pid, or -1
	id = frec__bytes_take(&bytes, BUILD_ID_ROOM);
	if (!id || data->build_id_count == FREC_PERF_TABLE_MAX / sizeof(*data->build_ids))
		return 0;
	memcpy(&header, head, sizeof(header));
	if (!frec__grow(&data->build_ids, data->build_id_count, sizeof(*data->build_ids)))
		return -ENOMEM;
	build_id = &data->build_ids[data->build_id_count];
	*build_id = (struct frec_perf_build_id){.size = sizeof(build_id->id)};
	if (header.misc & BUILD_ID_SIZED && id[sizeof(build_id->id)] <= sizeof(build_id->id))
		build_id->size = id[sizeof(build_id->id)];
	memcpy(build_id->id, id, sizeof(build_id->id));
	build_id->path = strndup((const char *)bytes.at, frec__bytes_left(&bytes));
	data->build_id_count += build_id->path != NULL;
	return build_id->path ? 0 : -ENOMEM;
}

int frec__perf_data_update(struct frec_perf_data *data, const void *body, size_t size)
{
	struct frec_bytes bytes = frec__bytes(body, size);
	uint64_t type = frec__bytes_u64(&bytes), id = frec__bytes_u64(&bytes);

	return type == UPDATE_NAME && !bytes.failed
		       ? set_name(data, id, bytes.at, frec__bytes_left(&bytes))
		       : 0;
}

static int add_format(struct frec_perf_data *data, const char *system, const char *text,
		      size_t size)
{
	struct frec_perf_format *format;
	const char *id;

	if (!frec__grow(&data->formats, data->format_count, sizeof(*data->formats)))
		return -ENOMEM;
	format = &data->formats[data->format_count++];
	*format = (struct frec_perf_format){.system = strdup(system), .text = strndup(text, size)};
	data->formats_sorted = false;
	if (!format->system || !format->text)
		return -ENOMEM;
	id = strstr(format->text, "\nID: ");
	format->id = id ? (uint32_t)strtoul(id + 5, NULL, 10) : UINT32_MAX;
	return 0;
}

static int by_format_id(const void *a, const void *b)
{
	const struct frec_perf_format *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

const struct frec_perf_format *frec__perf_data_format(struct frec_perf_data *data, uint64_t id)
{
	struct frec_perf_format key = {.id = (uint32_t)id};

	if (!data->format_count || id >= UINT32_MAX)
		return NULL;
	if (!data->formats_sorted)
		qsort(data->formats, data->format_count, sizeof(*data->formats), by_format_id);
	data->formats_sorted = true;
	return bsearch(&key, data->formats, data->format_count, sizeof(*data->formats),
		       by_format_id);
}

// `body` has the layout of a file of trace-cmd: magic, layout of ftrace's pages and events, formats
// of ftrace's own events, formats by system. perf leaves the rest (kernel symbols, printk formats,
// thread names) empty.
int frec__perf_data_tracing(struct frec_perf_data *data, const void *body, size_t size,
			    struct frec_error *reterr)
{
	struct frec_bytes bytes = frec__bytes(body, size);
	const uint8_t *magic = frec__bytes_take(&bytes, sizeof(TRACING_MAGIC) - 1);
	uint32_t count;
	int r = 0;

	if (!size) // no tracepoints were recorded
		return 0;
	if (!magic || memcmp(magic, TRACING_MAGIC, sizeof(TRACING_MAGIC) - 1))
		return frec__error(reterr, -EBADMSG,
				   "%s: the formats of its tracepoints have an unknown layout",
				   data->name);
	frec__bytes_text(&bytes);    // version
	frec__bytes_take(&bytes, 6); // byte order, size of a long, size of a page
	for (int i = 0; i < 2; i++) {
		frec__bytes_text(&bytes); // "header_page", "header_event"
		frec__bytes_take(&bytes, frec__bytes_u64(&bytes));
	}
	for (count = frec__bytes_u32(&bytes); count && !bytes.failed; count--)
		frec__bytes_take(&bytes, frec__bytes_u64(&bytes));
	for (count = frec__bytes_u32(&bytes); count && !bytes.failed && !r; count--) {
		const char *system = frec__bytes_text(&bytes);

		for (uint32_t formats = frec__bytes_u32(&bytes); formats && !bytes.failed && !r;
		     formats--) {
			uint64_t length = frec__bytes_u64(&bytes);
			const char *text = (const char *)frec__bytes_take(&bytes, length);

			if (text)
				r = add_format(data, system, text, (size_t)length);
		}
	}
	if (r)
		return frec__error(reterr, r, "%s: out of memory", data->name);
	return bytes.failed
		       ? frec__error(reterr, -EBADMSG,
				     "%s: the formats of its tracepoints are cut off", data->name)
		       : 0;
}

void frec__perf_data_forget(struct frec_perf_data *data)
{
	for (size_t i = 0; i < data->event_count; i++)
		free(data->events[i].name);
	for (size_t i = 0; i < data->format_count; i++) {
		free(data->formats[i].system);
		free(data->formats[i].text);
	}
	for (size_t i = 0; i < data->build_id_count; i++)
		free(data->build_ids[i].path);
	free(data->events);
	free(data->ids);
	free(data->formats);
	free(data->build_ids);
	free(data->hostname);
	free(data->release);
	free(data->version);
	free(data->machine);
}
