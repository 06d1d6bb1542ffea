// SPDX-License-Identifier: MIT
// Writes what follows the records in perf.data: the host, the clock, the events and their formats,
// the build ids. A table in front of these gives the offset of each. It has one entry for each
// feature bit that is set in the file's header, in the order of the bits.
#include "export/perf/features.h"

#include <stdlib.h>
#include <string.h>

#include "export/identifiers.h"
#include "export/read/clocks.h"
#include "proto/cleanup.h"

// perf's feature numbers, from tools/perf/Documentation/perf.data-file-format.txt.
enum feature {
	TRACING_DATA = 1,
	BUILD_ID = 2,
	HOSTNAME = 3,
	OSRELEASE = 4,
	VERSION = 5,
	ARCH = 6,
	NRCPUS = 7,
	CPUDESC = 8,
	CPUID = 9,
	EVENT_DESC = 12,
	CLOCKID = 23,
	CLOCK_DATA = 29,
	FEATURES = 32,
};

#define BUILD_ID_RECORD 67
#define BUILD_ID_SIZE 24 /* 20 for the id, 1 for its size, 3 unused */

// Adds a u32 with the size, then the text and at least one NUL, padded to 8 bytes.
static void add_string(struct frec_text *bytes, const void *data, size_t size)
{
	size_t at = bytes->size + 4;

	frec__perf_add(bytes, 0, 4);
	frec__text_plain(bytes, data, size);
	frec__text_add(bytes, "\0\0\0\0\0\0\0\0", 8 - (bytes->size - at) % 8);
	if (!bytes->failed) {
		uint32_t length = (uint32_t)(bytes->size - at);

		memcpy(bytes->data + at - 4, &length, sizeof(length));
	}
}

// The layout of pages in ftrace's ring. The file has no such pages, but readers insist on the
// layout.
static const char header_page[] = "\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;\n"
				  "\tfield: local_t commit;\toffset:8;\tsize:8;\tsigned:1;\n"
				  "\tfield: char data;\toffset:16;\tsize:4080;\tsigned:0;\n";
static const char header_event[] = "# none\n";

// Adds the format files, in the encoding that trace-cmd and perf share.
static void add_tracing_data(struct frec_text *bytes, const struct frec_export *context,
			     const struct frec_perf_source *sources)
{
	const struct frec_snapshot *snapshot = context->snapshot;
	FREC_TEXT_FREE struct frec_text format = {0};
	uint32_t wanted = 0;

	frec__text_add(bytes, "\x17\x08\x44tracing0.6", 14);
	frec__perf_add(bytes, 0 | 8 << 8, 2); // little-endian, and a long has 8 bytes
	frec__perf_add(bytes, 4096, 4);
	frec__text_add(bytes, "header_page", 12);
	frec__perf_add(bytes, sizeof(header_page) - 1, 8);
	frec__text_puts(bytes, header_page);
	frec__text_add(bytes, "header_event", 13);
	frec__perf_add(bytes, sizeof(header_event) - 1, 8);
	frec__text_puts(bytes, header_event);
	frec__perf_add(bytes, 0, 4); // no formats of ftrace's own events
	for (size_t i = 0; i < snapshot->source_count; i++)
		wanted += sources[i].id != 0;
	frec__perf_add(bytes, wanted, 4);
	for (size_t i = 0; i < snapshot->source_count; i++) {
		if (!sources[i].id)
			continue;
		// The format allows the same system several times, so each event gets an entry for
		// its system.
		frec__identifier(bytes, snapshot->sources[i]->system);
		frec__text_add(bytes, "", 1);
		frec__perf_add(bytes, 1, 4);
		frec__text_clear(&format);
		frec__perf_format(&format, &sources[i], snapshot->sources[i]);
		bytes->failed |= format.failed;
		frec__perf_add(bytes, format.size, 8);
		frec__text_add(bytes, format.data, format.size);
	}
	frec__perf_add(bytes, 0, 4); // no kernel symbols
	frec__perf_add(bytes, 0, 4); // no printk formats
	frec__perf_add(bytes, 0, 8); // no names of threads: records have them
}

static int by_path(const void *a, const void *b)
{
	const Flightrec__Map *x = *(const Flightrec__Map *const *)a;
	const Flightrec__Map *y = *(const Flightrec__Map *const *)b;
	size_t shorter = x->path.len < y->path.len ? x->path.len : y->path.len;
	int order = shorter ? memcmp(x->path.data, y->path.data, shorter) : 0;

	return order ? order : (x->path.len > y->path.len) - (x->path.len < y->path.len);
}

static void add_build_id(struct frec_text *bytes, const Flightrec__Map *map)
{
	size_t path = map->path.len < 4096 ? map->path.len : 4096;
	size_t padded = (path + 1 + 7) / 8 * 8;
	uint8_t id[BUILD_ID_SIZE] = {0};
	size_t size = map->build_id.len < 20 ? map->build_id.len : 20;

	memcpy(id, map->build_id.data, size);
	id[20] = (uint8_t)size;
	frec__perf_add(bytes, BUILD_ID_RECORD, 4);
	// Flags: the id's size is given, and the program runs in user space.
	frec__perf_add(bytes, PERF_RECORD_MISC_USER | 1 << 15, 2);
	frec__perf_add(bytes, 8 + 4 + BUILD_ID_SIZE + padded, 2);
	frec__perf_add(bytes, (uint32_t)-1, 4); // pid: no process in particular
	frec__text_add(bytes, id, sizeof(id));
	frec__text_add(bytes, map->path.data, path);
	for (size_t i = path; i < padded; i++)
		frec__text_add(bytes, "", 1);
}

static void add_build_ids(struct frec_text *bytes, const struct frec_snapshot *snapshot)
{
	FREC_FREE const Flightrec__Map **maps = NULL;
	size_t count = 0;

	for (size_t i = 0; i < snapshot->process_count; i++)
		count += snapshot->processes[i]->n_map;
	maps = calloc(count + 1, sizeof(*maps));
	if (!maps) {
		bytes->failed = true;
		return;
	}
	count = 0;
	for (size_t i = 0; i < snapshot->process_count; i++) {
		for (size_t k = 0; k < snapshot->processes[i]->n_map; k++) {
			const Flightrec__Map *map = snapshot->processes[i]->map[k];

			if (map->build_id.len && map->path.len)
				maps[count++] = map;
		}
	}
	qsort(maps, count, sizeof(*maps), by_path);
	for (size_t i = 0; i < count; i++) {
		if (!i || by_path(&maps[i - 1], &maps[i]))
			add_build_id(bytes, maps[i]);
	}
}

static void add_event_descriptions(struct frec_text *bytes, const struct frec_export *context,
				   const struct frec_perf_source *sources)
{
	const struct frec_snapshot *snapshot = context->snapshot;
	uint32_t wanted = 0;

	for (size_t i = 0; i < snapshot->source_count; i++)
		wanted += sources[i].id != 0;
	frec__perf_add(bytes, wanted, 4);
	frec__perf_add(bytes, PERF_ATTR_SIZE_VER5, 4);
	for (size_t i = 0; i < snapshot->source_count; i++) {
		FREC_TEXT_FREE struct frec_text name = {0};

		if (!sources[i].id)
			continue;
		frec__identifier(&name, snapshot->sources[i]->system);
		frec__text_puts(&name, ":");
		frec__identifier(&name, snapshot->sources[i]->name);
		frec__text_add(bytes, &sources[i].attr, sources[i].attr.size);
		frec__perf_add(bytes, 1, 4);
		add_string(bytes, name.data, name.size);
		frec__perf_add(bytes, sources[i].id, 8);
		bytes->failed |= name.failed;
	}
}

// Adds the time of one moment on CLOCK_REALTIME and on CLOCK_MONOTONIC, so that readers can compute
// dates, as `perf script -F tod` does.
static void add_clock(struct frec_text *bytes, const struct frec_snapshot *snapshot)
{
	uint64_t reference = frec__snapshot_reference(snapshot);

	frec__perf_add(bytes, 1, 4);
	frec__perf_add(bytes, 1, 4); // CLOCK_MONOTONIC
	frec__perf_add(bytes, frec__snapshot_realtime(snapshot, reference), 8);
	frec__perf_add(bytes, reference, 8);
}

static bool add_feature(struct frec_text *bytes, enum feature feature,
			const struct frec_export *context, const struct frec_perf_source *sources)
{
	const Flightrec__Header *header = context->snapshot->header;
	const Flightrec__Host *host = header->host;

	switch (feature) {
	case TRACING_DATA:
		add_tracing_data(bytes, context, sources);
		return true;
	case BUILD_ID:
		add_build_ids(bytes, context->snapshot);
		return true;
	case HOSTNAME:
		if (host)
			add_string(bytes, host->hostname.data, host->hostname.len);
		return host;
	case OSRELEASE:
		if (host)
			add_string(bytes, host->kernel_release, strlen(host->kernel_release));
		return host;
	case VERSION:
		add_string(bytes, "flightrec", 9);
		return true;
	case ARCH:
		add_string(bytes, header->machine, strlen(header->machine));
		return true;
	case NRCPUS:
		if (host) {
			frec__perf_add(bytes, host->cpus_possible, 4);
			frec__perf_add(bytes, host->cpus_online, 4);
		}
		return host;
	case CPUDESC:
	case CPUID:
		// Snapshots do not record which CPU the machine has. These features are written all
		// the same, because if one is missing, `perf data convert --to-json` crashes.
		add_string(bytes, "unknown", 7);
		return true;
	case EVENT_DESC:
		add_event_descriptions(bytes, context, sources);
		return true;
	case CLOCKID:
		frec__perf_add(bytes, 1, 8); // the clock's resolution in ns
		return true;
	case CLOCK_DATA:
		add_clock(bytes, context->snapshot);
		return true;
	default:
		return false;
	}
}

void frec__perf_features(struct frec_text *bytes, const struct frec_export *context,
			 const struct frec_perf_source *sources, uint64_t offset,
			 uint64_t *ret_bits)
{
	FREC_TEXT_FREE struct frec_text bodies = {0};
	struct {
		uint64_t offset, size;
	} table[FEATURES];
	size_t count = 0;

	*ret_bits = 0;
	for (enum feature feature = 0; feature < FEATURES; feature++) {
		size_t at = bodies.size;

		if (!add_feature(&bodies, feature, context, sources))
			continue;
		*ret_bits |= 1ull << feature;
		table[count].offset = at;
		table[count++].size = bodies.size - at;
	}
	for (size_t i = 0; i < count; i++)
		table[i].offset += offset + count * sizeof(table[0]);
	frec__text_add(bytes, table, count * sizeof(table[0]));
	frec__text_add(bytes, bodies.data, bodies.size);
	bytes->failed |= bodies.failed;
}
