// SPDX-License-Identifier: MIT
// Writes what the trace covers and lacks, and where it comes from, as attributes, which Perfetto
// shows in its overview.
#include "export/perfetto/attributes.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "export/report/crash.h"
#include "export/report/pairs.h"

struct attributes {
	const char *prefix; /* "flightrec", followed by a number if there are several files */
	struct frec_arena *arena;
	Perfetto__Protos__TraceAttributes__Attribute **items;
	size_t count, capacity;
};

static Perfetto__Protos__TraceAttributes__Attribute *add(struct attributes *attributes,
							 const char *key)
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

// Adds an attribute "flightrec.NAME" or "flightrec.2.NAME".
static Perfetto__Protos__TraceAttributes__Attribute *add_named(struct attributes *attributes,
							       const char *name)
{
	char key[600];

	snprintf(key, sizeof(key), "%.32s.%.512s", attributes->prefix, name);
	return add(attributes, key);
}

static void add_string(struct attributes *attributes, const char *key, const void *data,
		       size_t size)
{
	Perfetto__Protos__TraceAttributes__Attribute *attribute = add_named(attributes, key);

	if (!attribute)
		return;
	attribute->value_case = PERFETTO__PROTOS__TRACE_ATTRIBUTES__ATTRIBUTE__VALUE_STRING_VALUE;
	attribute->string_value = frec__arena_utf8(attributes->arena, data, size, "");
}

static void add_number(struct attributes *attributes, const char *prefix, const char *name,
		       uint64_t value)
{
	Perfetto__Protos__TraceAttributes__Attribute *attribute;
	char key[512];

	snprintf(key, sizeof(key), "%s.%s", prefix, name);
	attribute = add_named(attributes, key);
	if (!attribute)
		return;
	attribute->value_case = PERFETTO__PROTOS__TRACE_ATTRIBUTES__ATTRIBUTE__VALUE_LONG_VALUE;
	attribute->long_value = (int64_t)value;
}

// Adds an attribute for each pair, with the name PREFIX.KEY (see add_named()).
static void add_pairs(struct attributes *attributes, const char *prefix,
		      Flightrec__Pair *const *pairs, size_t count)
{
	const Flightrec__Pair *pair;
	size_t at = 0;

	while ((pair = frec__pairs_next(pairs, count, &at))) {
		char key[512];

		snprintf(key, sizeof(key), "%s.%s", prefix, pair->key);
		add_string(attributes, key, pair->value.data, pair->value.len);
	}
}

static void add_tags(struct attributes *attributes, const struct frec_snapshot *snapshot)
{
	const Flightrec__Process *process;
	size_t at = 0;

	add_pairs(attributes, "tag", snapshot->header->tag, snapshot->header->n_tag);
	if (snapshot->trigger)
		add_pairs(attributes, "trigger", snapshot->trigger->field,
			  snapshot->trigger->n_field);
	for (int i = 0; i < FREC_TAGGED_SHOWN_MAX && (process = frec__tagged_next(snapshot, &at));
	     i++) {
		char prefix[64];

		snprintf(prefix, sizeof(prefix), "process.%" PRIu32 ".tag", process->pid);
		add_pairs(attributes, prefix, process->tag, process->n_tag);
	}
}

// The most attributes that add_tags() adds.
static size_t count_tags(const struct frec_snapshot *snapshot)
{
	size_t at = 0, lists = 2;

	while (lists < 2 + FREC_TAGGED_SHOWN_MAX && frec__tagged_next(snapshot, &at))
		lists++;
	return lists * FREC_PAIRS_SHOWN_MAX;
}

static void add_loss(struct attributes *attributes, const char *prefix,
		     const struct frec_loss_sum *sum)
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

	snprintf(prefix, sizeof(prefix), "coverage.cpu%" PRId32, (int32_t)cpu->cpu);
	if (cpu->ring)
		snprintf(prefix + strlen(prefix), sizeof(prefix) - strlen(prefix), ".shm%" PRIu32,
			 cpu->ring);
	add_number(attributes, prefix, "from_ns", cpu->from);
	add_number(attributes, prefix, "until_ns", cpu->until);
	add_number(attributes, prefix, "wrapped", cpu->wrapped);
}

// Adds the name of one of several files, and how the clock of its host relates to the timeline's.
static void add_place(struct attributes *attributes, const struct frec_timeline *timeline,
		      size_t number)
{
	const struct frec_host *host = timeline->files[number].host;
	const char *name = timeline->snapshots[number]->name;

	add_string(attributes, "file", name, strlen(name));
	add_number(attributes, "clock", "shift_ns", host->shift);
	add_number(attributes, "clock", "uncertainty_ns", host->uncertainty);
}

static int write_attributes(struct frec_perfetto *perfetto, size_t number, const char *prefix,
			    struct frec_error *reterr)
{
	const struct frec_timeline *timeline = perfetto->context->timeline;
	const struct frec_snapshot *snapshot = timeline->snapshots[number];
	const Flightrec__Header *header = snapshot->header;
	Perfetto__Protos__TracePacket packet = PERFETTO__PROTOS__TRACE_PACKET__INIT;
	Perfetto__Protos__TraceAttributes message = PERFETTO__PROTOS__TRACE_ATTRIBUTES__INIT;
	struct attributes attributes = {.prefix = prefix, .arena = &perfetto->arena};
	struct frec_loss_sum sum;

	attributes.capacity =
		16 + 5 * snapshot->source_count + 3 * snapshot->cpu_count + count_tags(snapshot);
	attributes.items =
		frec__arena_array(&perfetto->arena, attributes.capacity, sizeof(*attributes.items));
	if (!attributes.items)
		attributes.capacity = 0;
	add_string(&attributes, "version", header->writer, strlen(header->writer));
	if (header->host) {
		const Flightrec__Host *host = header->host;

		add_string(&attributes, "host", host->hostname.data, host->hostname.len);
		add_string(&attributes, "kernel", host->kernel_release,
			   strlen(host->kernel_release));
		add_string(&attributes, "boot_id", host->boot_id, strlen(host->boot_id));
	}
	add_tags(&attributes, snapshot);
	if (timeline->file_count > 1)
		add_place(&attributes, timeline, number);
	for (size_t i = 0; i < snapshot->cpu_count; i++)
		add_coverage(&attributes, snapshot->cpus[i]);
	frec__loss_sum(snapshot, NULL, &sum);
	add_loss(&attributes, "loss", &sum);
	for (size_t i = 0; i < snapshot->source_count; i++) {
		const Flightrec__Source *source = snapshot->sources[i];
		char name[400];

		frec__loss_sum(snapshot, source, &sum);
		snprintf(name, sizeof(name), "loss.%s:%s", source->system, source->name);
		if (sum.parts)
			add_loss(&attributes, name, &sum);
	}
	message.attribute = attributes.items;
	message.n_attribute = attributes.count;
	packet.trace_attributes = &message;
	return frec__perfetto_write(perfetto, &packet, reterr);
}

int frec__perfetto_write_attributes(struct frec_perfetto *perfetto, struct frec_error *reterr)
{
	size_t count = perfetto->context->timeline->file_count;
	int r = 0;

	for (size_t i = 0; i < count && !r; i++) {
		char prefix[32] = "flightrec";

		if (count > 1)
			snprintf(prefix, sizeof(prefix), "flightrec.%zu", i + 1);
		r = write_attributes(perfetto, i, prefix, reterr);
	}
	return r;
}
