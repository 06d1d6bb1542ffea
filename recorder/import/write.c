// SPDX-License-Identifier: MIT
// Writes the parts of the .frec file in order: header, clocks, sources, processes, and for each CPU
// its records, its coverage and its losses. What perf.data does not have (owner and arguments of
// processes, when rings were opened) is left out.
#include "recorder/import/attribute.h"
#include "recorder/import/event_name.h"
#include "recorder/import/import_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proto/cleanup.h"
#include "recorder/import/perf_data_describe.h"
#include "recorder/snapshot/chunk.h"
#include "recorder/sources/source.h"

#define PROCESSES_EXITED_MAX 65536
#define SOURCE_NAME_MAX 256

static ProtobufCBinaryData bytes(const char *text)
{
	return (ProtobufCBinaryData){.len = text ? strlen(text) : 0, .data = (uint8_t *)text};
}

// Replaces blanks and all that is not printable ASCII with '_': names are `string`s in the .frec
// file, which must be UTF-8, and perf.data may contain anything.
static void copy_name(char *ret, size_t room, const char *from)
{
	size_t size = 0;

	for (; from && *from && size < room - 1; from++) {
		bool plain = *from > ' ' && *from < 0x7f;

		ret[size++] = plain ? *from : '_';
	}
	ret[size] = 0;
}

static void write_header(struct frec_import *import)
{
	const struct frec_perf_data *data = &import->data;
	Flightrec__Header header = FLIGHTREC__HEADER__INIT;
	Flightrec__Host host = FLIGHTREC__HOST__INIT;
	FREC_FREE char **selection = calloc(data->event_count + 1, sizeof(*selection));
	FREC_FREE char *names = calloc(data->event_count + 1, SOURCE_NAME_MAX);
	char release[128], machine[64], version[64], writer[192];

	if (!selection || !names) {
		frec__error(&import->parts.error, -ENOMEM, "out of memory");
		return;
	}
	copy_name(release, sizeof(release), data->release);
	copy_name(machine, sizeof(machine), data->machine);
	copy_name(version, sizeof(version), data->version);
	snprintf(writer, sizeof(writer), "flightrec " FREC_VERSION " import from perf%s%s",
		 *version ? " " : "", version);
	for (size_t i = 0; i < data->event_count; i++) {
		if (!data->events[i].name || !frec__import_is_written(&data->events[i].attr))
			continue;
		selection[header.n_selection] = names + i * SOURCE_NAME_MAX;
		copy_name(selection[header.n_selection++], SOURCE_NAME_MAX, data->events[i].name);
	}
	host.hostname = bytes(data->hostname);
	host.kernel_release = release;
	host.cpus_online = data->cpus_online;
	host.cpus_possible = data->cpus_available;
	header.magic = bytes("FREC");
	header.version = 1;
	header.writer = writer;
	header.host = &host;
	header.selection = selection;
	header.recording_since = import->first;
	header.machine = machine;
	frec__parts_write(&import->parts, FREC_PART_HEADER, &header.base);
}

static void write_clocks(struct frec_import *import)
{
	const struct frec_perf_data *data = &import->data;
	Flightrec__Clocks clocks = FLIGHTREC__CLOCKS__INIT;

	if (!import->result.clock_known)
		return;
	clocks.when = FLIGHTREC__CLOCKS__WHEN__START;
	clocks.monotonic = data->clock_time;
	clocks.boottime = data->clock_time; // unknown: assumes that the machine has never slept
	clocks.realtime = data->wall_time;
	frec__parts_write(&import->parts, FREC_PART_CLOCKS, &clocks.base);
}

// Names a source that has no format by perf's name for its event. For a tracepoint, that can be
// "sched:sched_switch", which contains the system.
static void name_source(struct frec_listed *listed, const struct frec_perf_event *event)
{
	char name[SOURCE_NAME_MAX];
	char *colon;

	copy_name(name, sizeof(name), event->name);
	if (!*name)
		frec__event_name(name, sizeof(name), &event->attr);
	colon = strchr(name, ':');
	if (event->attr.type != PERF_TYPE_TRACEPOINT || !colon || colon == name || !colon[1]) {
		frec__catalog_name(listed, "perf", name);
		return;
	}
	*colon = 0;
	frec__catalog_name(listed, name, colon + 1);
}

static void name_from_format(struct frec_listed *listed, const struct frec_perf_format *format)
{
	char system[SOURCE_NAME_MAX], name[SOURCE_NAME_MAX];
	FREC_FREE char *line = strndup(format->text, strcspn(format->text, "\n"));

	copy_name(system, sizeof(system), format->system);
	copy_name(name, sizeof(name), line && !strncmp(line, "name: ", 6) ? line + 6 : "unnamed");
	frec__catalog_name(listed, system, name);
}

static void write_source(struct frec_import *import, size_t index)
{
	const struct frec_perf_event *event = &import->data.events[index];
	const struct frec_perf_format *format = NULL;
	struct frec_source source = {.since = import->first};

	if (event->attr.type == PERF_TYPE_TRACEPOINT)
		format = frec__perf_data_format(&import->data, event->attr.config);
	if (format)
		name_from_format(&source.listed, format);
	else
		name_source(&source.listed, event);
	if (source.listed.kind != FLIGHTREC__SOURCE_KIND__SOURCE_TRACEPOINT)
		source.transport = FLIGHTREC__TRANSPORT__TRANSPORT_USER_EVENTS;
	// A source is written even if its layout is unknown.
	if (format &&
	    !frec__format_parse(&source.format, format->text,
				source.listed.kind == FLIGHTREC__SOURCE_KIND__SOURCE_EVENT, NULL))
		source.format_text = format->text;
	if (source.format_text && import->ours &&
	    frec__format_symbols(&source.format, format->text))
		frec__error(&import->parts.error, -ENOMEM, "out of memory");
	source.sample_type = frec__import_sample_type(&event->attr);
	source.counts_records = true;
	source.sample_regs_user = event->attr.sample_regs_user;
	frec__parts_write_source(&import->parts, &source, (uint32_t)index + 1, false, -1);
	frec__format_deinit(&source.format);
	import->result.sources++;
}

// The CPU whose records are being written.
struct ring {
	bool begun;
	uint32_t cpu;
	struct frec_chunk chunk;
	uint64_t first, records, bytes;
	/* Indexed by source id, which is 0 for sources that are not written. */
	uint64_t *in_file, *lost, *lost_samples;
};

static void end_ring(struct frec_import *import, struct ring *ring)
{
	Flightrec__CpuCoverage cpu = FLIGHTREC__CPU_COVERAGE__INIT;

	if (!ring->begun)
		return;
	frec__chunk_flush(&ring->chunk, &import->parts);
	cpu.cpu = ring->cpu;
	cpu.from = import->backward && ring->first ? ring->first : import->first;
	cpu.until = import->last;
	cpu.bytes_written = cpu.bytes_kept = ring->bytes;
	cpu.records_kept = ring->records;
	cpu.wrapped = import->backward;
	frec__parts_write(&import->parts, FREC_PART_CPU, &cpu.base);
	import->result.cpus++;
	for (size_t source = 0; source <= import->data.event_count; source++) {
		Flightrec__Loss loss = FLIGHTREC__LOSS__INIT;

		loss.source = (uint32_t)source;
		loss.cpu = ring->cpu;
		loss.in_file = ring->in_file[source];
		loss.lost = import->lost_samples ? ring->lost_samples[source] : ring->lost[source];
		loss.emitted_before = loss.emitted_after = loss.in_file + loss.lost;
		if (source && loss.emitted_after)
			frec__parts_write(&import->parts, FREC_PART_LOSS, &loss.base);
		if (source)
			import->result.lost += loss.lost;
		ring->in_file[source] = ring->lost[source] = ring->lost_samples[source] = 0;
	}
	ring->begun = false;
}

static void begin_ring(struct ring *ring, uint32_t cpu)
{
	ring->begun = true;
	ring->cpu = ring->chunk.records.cpu = cpu;
	ring->first = ring->records = ring->bytes = 0;
}

static void write_record(struct frec_import *import, struct ring *ring, const uint8_t *record,
			 const struct frec_sort_item *item)
{
	Flightrec__Records *records = &ring->chunk.records;
	struct perf_event_header header;
	uint64_t source;

	memcpy(&header, record, sizeof(header));
	if (header.type != PERF_RECORD_SAMPLE) {
		struct frec_import_loss loss;

		memcpy(&loss, record, sizeof(loss));
		(header.type == PERF_RECORD_LOST ? ring->lost : ring->lost_samples)[loss.source] +=
			loss.lost;
		return;
	}
	if (records->size + item->size > FREC_CHUNK_SIZE)
		frec__chunk_flush(&ring->chunk, &import->parts);
	memcpy(ring->chunk.plain + records->size, record, item->size);
	memcpy(&source, record + sizeof(header), sizeof(source));
	ring->in_file[source]++;
	ring->first = ring->records ? ring->first : item->time;
	ring->records++;
	ring->bytes += item->size;
	records->first = records->count ? records->first : item->time;
	records->last = item->time;
	records->count++;
	records->size += item->size;
}

static void write_records(struct frec_import *import, struct ring *ring)
{
	static const struct frec_reason nothing_happened;
	FREC_PROCESS_TABLE struct frec_process_table processes = {.exited_max =
									  PROCESSES_EXITED_MAX};
	struct frec_snapshot_job snapshot = {
		.processes = &processes, .reason = &nothing_happened, .only_uid = -1};
	struct frec_parts *parts = &import->parts;
	struct frec_sort_item item;
	const uint8_t *record;
	bool more = true, processes_written = false;

	while (more && !parts->error.code) {
		more = frec__record_sort_next(&import->sort, &item, &record, &parts->error) > 0;
		if (more && item.key == FREC_IMPORT_SIDEBAND) {
			frec__import_process_record(&processes, record, item.size, item.time);
			continue;
		}
		if (!processes_written) {
			processes_written = true;
			frec__import_finish_processes(&processes, &import->data);
			frec__parts_write_processes(parts, &snapshot, &import->finder,
						    import->first);
		}
		if (!more || (ring->begun && frec__import_key(ring->cpu) != item.key))
			end_ring(import, ring);
		if (!more)
			break;
		if (!ring->begun)
			begin_ring(ring, (uint32_t)(item.key - frec__import_key(0)));
		write_record(import, ring, record, &item);
	}
}

void frec__import_write(struct frec_import *import)
{
	size_t room = import->data.event_count + 1;
	FREC_FREE uint64_t *counts = calloc(3 * room, sizeof(*counts));
	struct ring ring = {0};
	Flightrec__End end = FLIGHTREC__END__INIT;

	if (counts) {
		ring.in_file = counts;
		ring.lost = counts + room;
		ring.lost_samples = counts + 2 * room;
	}
	write_header(import);
	write_clocks(import);
	for (size_t i = 0; i < import->data.event_count; i++) {
		if (frec__import_is_written(&import->data.events[i].attr))
			write_source(import, i);
	}
	if (!frec__chunk_init(&ring.chunk) && counts)
		write_records(import, &ring);
	else
		frec__error(&import->parts.error, -ENOMEM, "out of memory");
	end.parts = import->parts.count;
	end.records = import->parts.records;
	frec__parts_write(&import->parts, FREC_PART_END, &end.base);
	frec__chunk_deinit(&ring.chunk);
}
