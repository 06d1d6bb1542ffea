// SPDX-License-Identifier: MIT
// A profile for pprof: the number of events for each call stack, with labels for the event and the
// process, so that `pprof -tagfocus event=...` selects one event. Addresses are those in the
// program files, so they do not depend on where a process mapped a file. Names and lines are in the
// profile, so pprof need not look them up.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "export/arena.h"
#include "export/by_id.h"
#include "export/packed.h"
#include "export/read/clocks.h"
#include "export/stack_counts.h"
#include "export/report/stack_text.h"
#include "export/strings.h"
#include "export/writer.h"
#include "pprof.pb-c.h"

struct pprof {
	const struct frec_export *context;
	struct frec_stack_counts counts;
	struct frec_strings strings;
	struct frec_arena arena; /* for the message being assembled */
	struct frec_packed packed;
	struct frec_by_id locations, codes; /* entries are bool: whether it is in the profile */
	uint64_t functions;
	uint64_t first, last; /* times of events with stacks */
	bool failed;
};

static void destroy(void *state)
{
	struct pprof *pprof = state;

	frec__stack_counts_deinit(&pprof->counts);
	frec__strings_deinit(&pprof->strings);
	frec__arena_free(&pprof->arena);
	free(pprof->packed.data);
	free(pprof->locations.entries);
	free(pprof->codes.entries);
	free(pprof);
}

static int64_t string(struct pprof *pprof, const char *text)
{
	int64_t number = frec__strings_add(&pprof->strings, text);

	pprof->failed |= number < 0;
	return number < 0 ? 0 : number;
}

// Returns the number of a text's string, and frees the text.
static int64_t made_string(struct pprof *pprof, struct frec_text *text)
{
	int64_t number = string(pprof, text->data ? text->data : "");

	pprof->failed |= text->failed;
	frec__text_free(text);
	return number;
}

static int begin(const struct frec_export *context, void **ret_state, struct frec_error *reterr)
{
	struct pprof *pprof = calloc(1, sizeof(*pprof));

	if (!pprof)
		return frec__error(reterr, -ENOMEM, "out of memory");
	pprof->context = context;
	string(pprof, "");
	*ret_state = pprof;
	return 0;
}

static int event(void *state, const struct frec_event *event, struct frec_error *reterr)
{
	struct pprof *pprof = state;

	if (frec__event_stack(event)) {
		pprof->first = pprof->first ? pprof->first : event->time;
		pprof->last = event->time;
	}
	return frec__stack_counts_add(&pprof->counts, event, reterr);
}

// Concatenated protobuf messages are one message, so the profile is written in pieces that each
// hold a few of its repeated fields.
static int write_piece(struct pprof *pprof, const Pprof__Profile *piece, struct frec_error *reterr)
{
	int r;

	if (pprof->failed || pprof->arena.failed)
		return frec__error(reterr, -ENOMEM, "out of memory");
	r = frec__packed_write(&pprof->packed, &piece->base, pprof->context->output, reterr);
	frec__arena_reset(&pprof->arena);
	return r;
}

// Returns true if `id` was not in `seen` yet, and adds it.
static bool is_new(struct pprof *pprof, struct frec_by_id *seen, uint32_t id)
{
	bool *entry = frec__by_id(seen, id, sizeof(*entry));

	pprof->failed |= !entry;
	if (!entry || *entry)
		return false;
	return *entry = true;
}

static int write_code(struct pprof *pprof, const struct frec_code *code, struct frec_error *reterr)
{
	Pprof__Mapping mapping = PPROF__MAPPING__INIT, *mappings = &mapping;
	Pprof__Profile piece = PPROF__PROFILE__INIT;
	struct frec_text path = {0}, build_id = {0};

	frec__text_utf8(&path, code->path, strlen(code->path));
	frec__text_hex(&build_id, code->build_id, code->build_id_size);
	mapping.id = code->id + 1;
	mapping.filename = made_string(pprof, &path);
	mapping.build_id = made_string(pprof, &build_id);
	if (code->file) {
		mapping.memory_start = code->start;
		mapping.memory_limit = code->end;
		mapping.file_offset = code->offset;
	}
	mapping.has_functions = mapping.has_filenames = mapping.has_line_numbers = true;
	mapping.has_inline_frames = true;
	piece.mapping = &mappings;
	piece.n_mapping = 1;
	return write_piece(pprof, &piece, reterr);
}

static int write_location(struct pprof *pprof, const struct frec_location *from,
			  struct frec_error *reterr)
{
	size_t count = from->names.count ? from->names.count : 1;
	Pprof__Location location = PPROF__LOCATION__INIT, *locations = &location;
	Pprof__Profile piece = PPROF__PROFILE__INIT;
	struct frec_arena *arena = &pprof->arena;

	location.id = from->id + 1;
	location.mapping_id = from->code ? from->code->id + 1 : 0;
	// The format wants addresses in memory, in the mapping.
	location.address = from->code && from->code->file
				   ? from->offset - from->code->offset + from->code->start
				   : from->address;
	location.line = frec__arena_array(arena, count, sizeof(*location.line));
	piece.function = frec__arena_array(arena, count, sizeof(*piece.function));
	for (size_t i = 0; i < count && !arena->failed; i++) {
		Pprof__Function *function = frec__arena_alloc(arena, sizeof(*function));
		Pprof__Line *line = frec__arena_alloc(arena, sizeof(*line));
		const struct frec_name *name = i < from->names.count ? &from->names.names[i] : NULL;
		struct frec_text text = {0};

		if (!function || !line)
			break;
		pprof__function__init(function);
		pprof__line__init(line);
		frec__function_text(&text, from, i);
		function->id = line->function_id = ++pprof->functions;
		function->name = function->system_name = made_string(pprof, &text);
		if (name && name->file)
			function->filename = string(pprof, frec__arena_string(arena, name->file));
		line->line = name ? name->line : 0;
		location.line[location.n_line++] = line;
		piece.function[piece.n_function++] = function;
	}
	piece.location = &locations;
	piece.n_location = 1;
	return write_piece(pprof, &piece, reterr);
}

static int write_places(struct pprof *pprof, const struct frec_call_stack *stack,
			struct frec_error *reterr)
{
	int r = 0;

	for (size_t i = 0; i < stack->count && !r; i++) {
		const struct frec_location *location = stack->locations[i];

		if (location->code && is_new(pprof, &pprof->codes, location->code->id))
			r = write_code(pprof, location->code, reterr);
		if (!r && is_new(pprof, &pprof->locations, location->id))
			r = write_location(pprof, location, reterr);
	}
	return r;
}

static Pprof__Label *label(struct pprof *pprof, const char *key, struct frec_text *text)
{
	Pprof__Label *ret = frec__arena_alloc(&pprof->arena, sizeof(*ret));

	if (ret) {
		pprof__label__init(ret);
		ret->key = string(pprof, key);
		ret->str = made_string(pprof, text);
	}
	return ret;
}

static int write_sample(struct pprof *pprof, const struct frec_stack_count *item,
			struct frec_error *reterr)
{
	Pprof__Sample sample = PPROF__SAMPLE__INIT, *samples = &sample;
	Pprof__Profile piece = PPROF__PROFILE__INIT;
	struct frec_text event = {0}, process = {0};
	int64_t value = (int64_t)item->count;
	Pprof__Label *labels[2];
	int r = write_places(pprof, item->stack, reterr);

	if (r)
		return r;
	sample.location_id =
		frec__arena_array(&pprof->arena, item->stack->count, sizeof(*sample.location_id));
	for (size_t i = 0; i < item->stack->count && sample.location_id; i++)
		sample.location_id[sample.n_location_id++] = item->stack->locations[i]->id + 1;
	sample.value = &value;
	sample.n_value = 1;
	if (item->source) {
		frec__text_utf8(&event, item->source->system, strlen(item->source->system));
		frec__text_puts(&event, ":");
		frec__text_utf8(&event, item->source->name, strlen(item->source->name));
	} else {
		frec__text_puts(&event, "thread at the death of the process");
	}
	labels[sample.n_label++] = label(pprof, "event", &event);
	if (item->process) {
		frec__text_utf8(&process, item->process->name.data, item->process->name.len);
		frec__text_printf(&process, "[%u]", item->process->pid);
		labels[sample.n_label++] = label(pprof, "process", &process);
	}
	sample.label = labels;
	piece.sample = &samples;
	piece.n_sample = 1;
	return write_piece(pprof, &piece, reterr);
}

static int write_profile(struct pprof *pprof, struct frec_error *reterr)
{
	const struct frec_snapshot *snapshot = pprof->context->snapshot;
	Pprof__ValueType type = PPROF__VALUE_TYPE__INIT, *types = &type;
	Pprof__Profile piece = PPROF__PROFILE__INIT;
	struct frec_text comment = {0};
	int64_t number;

	type.type = string(pprof, "events");
	type.unit = string(pprof, "count");
	frec__text_puts(&comment, "flightrec: ");
	frec__text_utf8(&comment, snapshot->name, strlen(snapshot->name));
	number = made_string(pprof, &comment);
	piece.sample_type = &types;
	piece.n_sample_type = 1;
	piece.period_type = &type;
	piece.period = 1;
	piece.time_nanos = (int64_t)frec__snapshot_realtime(snapshot, pprof->first);
	piece.duration_nanos = (int64_t)(pprof->last - pprof->first);
	piece.comment = &number;
	piece.n_comment = 1;
	return write_piece(pprof, &piece, reterr);
}

static int end(void *state, struct frec_error *reterr)
{
	struct pprof *pprof = state;
	Pprof__Profile strings = PPROF__PROFILE__INIT;
	int r = frec__stack_counts_add_threads(&pprof->counts, pprof->context->timeline, reterr);

	if (!r)
		r = write_profile(pprof, reterr);
	for (size_t i = 0; i < pprof->counts.count && !r; i++)
		r = write_sample(pprof, &pprof->counts.items[i], reterr);
	strings.string_table = pprof->strings.strings;
	strings.n_string_table = pprof->strings.count;
	return r ? r : write_piece(pprof, &strings, reterr);
}

const struct frec_writer frec__writer_pprof = {
	.name = "pprof",
	.what = "a profile of call stacks for pprof",
	.suffix = ".pb.gz",
	.other_suffix = ".pprof",
	.several_hosts = true,
	.of_stacks = true,
	.begin = begin,
	.event = event,
	.end = end,
	.destroy = destroy,
};
