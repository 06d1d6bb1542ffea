// SPDX-License-Identifier: MIT
// The packets around the events: clocks, processes and threads, what the trace covers and lacks, why it was taken, the crash.
#include "export/perfetto.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "export/crash.h"

// Perfetto's numbers of clocks, and of reasons why data is missing.
enum { CLOCK_ID_REALTIME = 1, CLOCK_ID_MONOTONIC = 3, CLOCK_ID_BOOTTIME = 6 };
enum { LOSS_PRESENT = 1, LOSS_OVERWRITE = 64 };

#define TRACK_OF_PROCESS (1ull << 32)

static uint32_t dropped_before(const struct frec_snapshot *snapshot)
{
	uint32_t reasons = 0;

	for (size_t i = 0; i < snapshot->cpu_count; i++) {
		if (snapshot->cpus[i]->wrapped)
			reasons |= LOSS_PRESENT | LOSS_OVERWRITE;
	}
	for (size_t i = 0; i < snapshot->loss_count; i++) {
		if (snapshot->losses[i]->overwritten)
			reasons |= LOSS_PRESENT | LOSS_OVERWRITE;
		if (snapshot->losses[i]->lost)
			reasons |= LOSS_PRESENT;
	}
	return reasons;
}

static int write_clocks(struct frec_perfetto *perfetto, const Flightrec__Clocks *from, bool first,
			struct frec_error *reterr)
{
	Perfetto__Protos__TracePacket packet = PERFETTO__PROTOS__TRACE_PACKET__INIT;
	Perfetto__Protos__TracePacketDefaults defaults =
		PERFETTO__PROTOS__TRACE_PACKET_DEFAULTS__INIT;
	Perfetto__Protos__ClockSnapshot clocks = PERFETTO__PROTOS__CLOCK_SNAPSHOT__INIT;
	Perfetto__Protos__ClockSnapshot__Clock clock[3];
	Perfetto__Protos__ClockSnapshot__Clock *pointers[] = {&clock[0], &clock[1], &clock[2]};
	const uint32_t ids[] = {CLOCK_ID_MONOTONIC, CLOCK_ID_BOOTTIME, CLOCK_ID_REALTIME};
	const uint64_t times[] = {from->monotonic, from->boottime, from->realtime};

	for (size_t i = 0; i < 3; i++) {
		perfetto__protos__clock_snapshot__clock__init(&clock[i]);
		clock[i].has_clock_id = clock[i].has_timestamp = true;
		clock[i].clock_id = ids[i];
		clock[i].timestamp = times[i];
	}
	clocks.clocks = pointers;
	clocks.n_clocks = 3;
	clocks.has_primary_trace_clock = true;
	clocks.primary_trace_clock = CLOCK_ID_BOOTTIME;
	packet.clock_snapshot = &clocks;
	if (first) {
		packet.has_sequence_flags = packet.has_first_packet_on_sequence = true;
		packet.sequence_flags = 1; // the reader's state begins here
		packet.first_packet_on_sequence = true;
		packet.previous_packet_dropped = dropped_before(perfetto->context->snapshot);
		packet.has_previous_packet_dropped = packet.previous_packet_dropped != 0;
		defaults.has_timestamp_clock_id = true;
		defaults.timestamp_clock_id = CLOCK_ID_MONOTONIC;
		packet.trace_packet_defaults = &defaults;
	}
	return frec__perfetto_write(perfetto, &packet, reterr);
}

int frec__perfetto_write_clocks(struct frec_perfetto *perfetto, struct frec_error *reterr)
{
	// A file torn before its clocks: without any, readers would drop every event.
	const Flightrec__Clocks none = FLIGHTREC__CLOCKS__INIT;
	const struct frec_snapshot *snapshot = perfetto->context->snapshot;
	int result = 0;

	if (!snapshot->clocks_count)
		return write_clocks(perfetto, &none, true, reterr);
	for (size_t i = 0; i < snapshot->clocks_count && !result; i++)
		result = write_clocks(perfetto, snapshot->clocks[i], !i, reterr);
	return result;
}

static char **command_line(struct frec_arena *arena, const Flightrec__Process *process, size_t *ret_count)
{
	char **arguments = frec__arena_array(arena, process->n_cmdline + 1, sizeof(*arguments));

	*ret_count = 0;
	if (!arguments)
		return NULL;
	for (size_t i = 0; i < process->n_cmdline; i++)
		arguments[i] = frec__arena_utf8(arena, process->cmdline[i].data,
						process->cmdline[i].len, "");
	*ret_count = process->n_cmdline;
	if (!process->n_cmdline && process->name.len) {
		arguments[0] = frec__arena_utf8(arena, process->name.data, process->name.len, "");
		*ret_count = 1;
	}
	return arguments;
}

// A process and its threads as the process table of the trace: the only place that command lines are read from.
static int write_process_tree(struct frec_perfetto *perfetto, const Flightrec__Process *from,
			      struct frec_error *reterr)
{
	Perfetto__Protos__TracePacket packet = PERFETTO__PROTOS__TRACE_PACKET__INIT;
	Perfetto__Protos__ProcessTree tree = PERFETTO__PROTOS__PROCESS_TREE__INIT;
	Perfetto__Protos__ProcessTree__Process process = PERFETTO__PROTOS__PROCESS_TREE__PROCESS__INIT;
	Perfetto__Protos__ProcessTree__Process *processes[] = {&process};
	struct frec_arena *arena = &perfetto->arena;
	Perfetto__Protos__ProcessTree__Thread *threads =
		frec__arena_array(arena, from->n_thread, sizeof(*threads));
	Perfetto__Protos__ProcessTree__Thread **pointers =
		frec__arena_array(arena, from->n_thread, sizeof(*pointers));

	process.has_pid = process.has_ppid = true;
	process.pid = (int32_t)from->pid;
	process.ppid = (int32_t)from->ppid;
	process.cmdline = command_line(arena, from, &process.n_cmdline);
	process.has_cmdline_is_comm = process.cmdline_is_comm = !from->n_cmdline;
	process.has_is_kthread = process.is_kthread = from->kernel;
	process.has_uid = from->owner_case == FLIGHTREC__PROCESS__OWNER_UID;
	process.uid = process.has_uid ? (int32_t)from->uid : 0;
	process.has_process_start_from_boot = from->start != 0;
	if (from->start)
		process.process_start_from_boot =
			frec__snapshot_boottime(perfetto->context->snapshot, from->start);
	for (size_t i = 0; threads && pointers && i < from->n_thread; i++) {
		perfetto__protos__process_tree__thread__init(&threads[i]);
		threads[i].has_tid = threads[i].has_tgid = true;
		threads[i].tid = (int32_t)from->thread[i]->tid;
		threads[i].tgid = (int32_t)from->pid;
		if (from->thread[i]->name.len)
			threads[i].name = frec__arena_utf8(arena, from->thread[i]->name.data,
							   from->thread[i]->name.len, "");
		pointers[i] = &threads[i];
		tree.n_threads = i + 1;
	}
	tree.processes = processes;
	tree.n_processes = 1;
	tree.threads = pointers;
	packet.process_tree = &tree;
	return frec__perfetto_write(perfetto, &packet, reterr);
}

static int write_process_track(struct frec_perfetto *perfetto, const Flightrec__Process *from,
			       struct frec_error *reterr)
{
	Perfetto__Protos__TracePacket packet = PERFETTO__PROTOS__TRACE_PACKET__INIT;
	Perfetto__Protos__TrackDescriptor track = PERFETTO__PROTOS__TRACK_DESCRIPTOR__INIT;
	Perfetto__Protos__ProcessDescriptor process = PERFETTO__PROTOS__PROCESS_DESCRIPTOR__INIT;

	process.has_pid = true;
	process.pid = (int32_t)from->pid;
	process.cmdline = command_line(&perfetto->arena, from, &process.n_cmdline);
	if (from->name.len)
		process.process_name =
			frec__arena_utf8(&perfetto->arena, from->name.data, from->name.len, "");
	track.has_uuid = true;
	track.uuid = TRACK_OF_PROCESS | from->pid;
	track.process = &process;
	packet.track_descriptor = &track;
	return frec__perfetto_write(perfetto, &packet, reterr);
}

int frec__perfetto_write_processes(struct frec_perfetto *perfetto, struct frec_error *reterr)
{
	const struct frec_snapshot *snapshot = perfetto->context->snapshot;
	const struct frec_processes *table = &perfetto->context->processes;
	int result = 0;

	for (size_t i = 0; i < snapshot->process_count && !result; i++) {
		result = write_process_tree(perfetto, snapshot->processes[i], reterr);
		if (!result)
			result = write_process_track(perfetto, snapshot->processes[i], reterr);
	}
	for (size_t i = 0; i < table->count && !result; i++) {
		const struct frec_process_entry *entry = &table->entries[i];
		uint64_t uuid;

		// Of several that had one number, the last.
		if (i + 1 < table->count && table->entries[i + 1].tid == entry->tid)
			continue;
		result = frec__perfetto_track(perfetto, entry->process->pid, entry->tid, entry, &uuid,
					      reterr);
	}
	return result;
}

struct attributes {
	struct frec_arena *arena;
	Perfetto__Protos__TraceAttributes__Attribute **items;
	size_t count, capacity;
};

static Perfetto__Protos__TraceAttributes__Attribute *add(struct attributes *attributes, const char *key)
{
	Perfetto__Protos__TraceAttributes__Attribute *attribute =
		frec__arena_alloc(attributes->arena, sizeof(*attribute));

	if (!attribute || attributes->count == attributes->capacity)
		return NULL;
	perfetto__protos__trace_attributes__attribute__init(attribute);
	attribute->key = frec__arena_string(attributes->arena, key);
	attributes->items[attributes->count++] = attribute;
	return attribute;
}

static void add_string(struct attributes *attributes, const char *key, const void *data, size_t size)
{
	Perfetto__Protos__TraceAttributes__Attribute *attribute = add(attributes, key);

	if (!attribute)
		return;
	attribute->value_case = PERFETTO__PROTOS__TRACE_ATTRIBUTES__ATTRIBUTE__VALUE_STRING_VALUE;
	attribute->string_value = frec__arena_utf8(attributes->arena, data, size, "");
}

static void add_number(struct attributes *attributes, const char *prefix, const char *name, uint64_t value)
{
	Perfetto__Protos__TraceAttributes__Attribute *attribute;
	char key[512];

	snprintf(key, sizeof(key), "%s.%s", prefix, name);
	attribute = add(attributes, key);
	if (!attribute)
		return;
	attribute->value_case = PERFETTO__PROTOS__TRACE_ATTRIBUTES__ATTRIBUTE__VALUE_LONG_VALUE;
	attribute->long_value = (int64_t)value;
}

static void add_loss(struct attributes *attributes, const char *prefix, const struct frec_loss_sum *sum)
{
	add_number(attributes, prefix, "emitted", sum->emitted);
	add_number(attributes, prefix, "in_file", sum->in_file);
	add_number(attributes, prefix, "filtered", sum->filtered);
	add_number(attributes, prefix, "overwritten", sum->overwritten);
	add_number(attributes, prefix, "lost", sum->lost);
}

static void add_coverage(struct attributes *attributes, const Flightrec__CpuCoverage *cpu)
{
	char prefix[64];

	snprintf(prefix, sizeof(prefix), "flightrec.coverage.cpu%" PRIu32, cpu->cpu);
	add_number(attributes, prefix, "from_ns", cpu->from);
	add_number(attributes, prefix, "until_ns", cpu->until);
	add_number(attributes, prefix, "wrapped", cpu->wrapped);
}

int frec__perfetto_write_attributes(struct frec_perfetto *perfetto, struct frec_error *reterr)
{
	const struct frec_snapshot *snapshot = perfetto->context->snapshot;
	const Flightrec__Header *header = snapshot->header;
	Perfetto__Protos__TracePacket packet = PERFETTO__PROTOS__TRACE_PACKET__INIT;
	Perfetto__Protos__TraceAttributes message = PERFETTO__PROTOS__TRACE_ATTRIBUTES__INIT;
	struct attributes attributes = {.arena = &perfetto->arena};
	struct frec_loss_sum sum;

	attributes.capacity = 16 + 5 * snapshot->source_count + 3 * snapshot->cpu_count;
	attributes.items = frec__arena_array(&perfetto->arena, attributes.capacity,
					     sizeof(*attributes.items));
	if (!attributes.items)
		attributes.capacity = 0;
	add_string(&attributes, "flightrec.version", header->writer, strlen(header->writer));
	if (header->host) {
		const Flightrec__Host *host = header->host;

		add_string(&attributes, "flightrec.host", host->hostname.data, host->hostname.len);
		add_string(&attributes, "flightrec.kernel", host->kernel_release,
			   strlen(host->kernel_release));
		add_string(&attributes, "flightrec.boot_id", host->boot_id, strlen(host->boot_id));
	}
	for (size_t i = 0; i < snapshot->cpu_count; i++)
		add_coverage(&attributes, snapshot->cpus[i]);
	frec__loss_sum(snapshot, NULL, &sum);
	add_loss(&attributes, "flightrec.loss", &sum);
	for (size_t i = 0; i < snapshot->source_count; i++) {
		const Flightrec__Source *source = snapshot->sources[i];
		char prefix[400];

		frec__loss_sum(snapshot, source, &sum);
		snprintf(prefix, sizeof(prefix), "flightrec.loss.%s:%s", source->system, source->name);
		if (sum.parts)
			add_loss(&attributes, prefix, &sum);
	}
	message.attribute = attributes.items;
	message.n_attribute = attributes.count;
	packet.trace_attributes = &message;
	return frec__perfetto_write(perfetto, &packet, reterr);
}

int frec__perfetto_write_trigger(struct frec_perfetto *perfetto, struct frec_error *reterr)
{
	const Flightrec__Trigger *from = perfetto->context->snapshot->trigger;
	Perfetto__Protos__TracePacket packet = PERFETTO__PROTOS__TRACE_PACKET__INIT;
	Perfetto__Protos__Trigger trigger = PERFETTO__PROTOS__TRIGGER__INIT;

	if (!from)
		return 0;
	trigger.trigger_name = frec__arena_string(&perfetto->arena,
						  *from->name ? from->name : frec__trigger_kind(from));
	trigger.producer_name = "flightrec";
	trigger.has_trusted_producer_uid = from->requested_by_pid != 0;
	trigger.trusted_producer_uid = (int32_t)from->requested_by_uid;
	packet.has_timestamp = true;
	packet.timestamp = from->time;
	packet.trigger = &trigger;
	return frec__perfetto_write(perfetto, &packet, reterr);
}

static void add_crash(struct frec_perfetto *perfetto, const Flightrec__Crash *crash,
		      struct frec_annotations *annotations)
{
	struct frec_arena *arena = &perfetto->arena;
	struct frec_text text = {0};
	Perfetto__Protos__DebugAnnotation *annotation;

	if (crash->signal) {
		frec__crash_signal(&text, crash);
		frec__annotation_add_string(arena, annotations, "signal", text.data ? text.data : "");
		frec__text_clear(&text);
		frec__crash_code(&text, crash);
		frec__annotation_add_string(arena, annotations, "code", text.data ? text.data : "");
	} else {
		annotation = frec__annotation_add(arena, annotations, "exit_status");
		if (annotation) {
			annotation->value_case = PERFETTO__PROTOS__DEBUG_ANNOTATION__VALUE_INT_VALUE;
			annotation->int_value = crash->exit_status;
		}
	}
	if (crash->fault_case == FLIGHTREC__CRASH__FAULT_ADDRESS) {
		annotation = frec__annotation_add(arena, annotations, "address");
		if (annotation) {
			annotation->value_case = PERFETTO__PROTOS__DEBUG_ANNOTATION__VALUE_POINTER_VALUE;
			annotation->pointer_value = crash->address;
		}
	}
	frec__text_clear(&text);
	frec__text_utf8(&text, crash->process_name.data, crash->process_name.len);
	frec__annotation_add_string(arena, annotations, "process", text.data ? text.data : "");
	frec__text_clear(&text);
	frec__crash_command_line(&text, crash);
	frec__annotation_add_string(arena, annotations, "cmdline", text.data ? text.data : "");
	arena->failed |= text.failed;
	frec__text_free(&text);
	if (crash->registers)
		frec__annotation_add_registers(arena, annotations, perfetto->registers,
					       crash->registers->mask, crash->registers->value,
					       crash->registers->n_value);
}

int frec__perfetto_write_crash(struct frec_perfetto *perfetto, struct frec_error *reterr)
{
	const Flightrec__Crash *crash = perfetto->context->snapshot->crash;
	Perfetto__Protos__TracePacket packet = PERFETTO__PROTOS__TRACE_PACKET__INIT;
	Perfetto__Protos__TrackEvent instant = PERFETTO__PROTOS__TRACK_EVENT__INIT;
	struct frec_annotations annotations = {0};
	char *category = "flightrec";
	struct frec_text name = {0};
	uint32_t tid;
	int result;

	if (!crash)
		return 0;
	tid = crash->tid ? crash->tid : crash->pid;
	result = frec__perfetto_track(
		perfetto, crash->pid, tid,
		frec__processes_find(&perfetto->context->processes, tid, crash->time),
		&instant.track_uuid, reterr);
	if (result)
		return result;
	add_crash(perfetto, crash, &annotations);
	if (crash->signal) {
		frec__text_puts(&name, "crash: ");
		frec__crash_signal(&name, crash);
	} else {
		frec__text_printf(&name, "exit: status %" PRId32, crash->exit_status);
	}
	instant.name = name.data;
	instant.categories = &category;
	instant.n_categories = 1;
	instant.has_track_uuid = instant.has_type = true;
	instant.type = PERFETTO__PROTOS__TRACK_EVENT__TYPE__TYPE_INSTANT;
	instant.debug_annotations = annotations.items;
	instant.n_debug_annotations = annotations.count;
	packet.has_timestamp = true;
	packet.timestamp = crash->time;
	packet.track_event = &instant;
	result = frec__perfetto_write(perfetto, &packet, reterr);
	frec__text_free(&name);
	return result;
}
