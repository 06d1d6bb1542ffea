// SPDX-License-Identifier: MIT
// Cuts oversized tables, and puts into words what was left out.
#include "export/read/limits.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "flightrec.pb-c.h"

void frec__left_out_init(struct frec_left_out *left_out, uint64_t size)
{
	*left_out = (struct frec_left_out){.fields_left = FREC_LIMIT_FIELDS(size),
					   .places_left = FREC_LIMIT_PLACES(size),
					   .mapped_left = FREC_LIMIT_MAPPED(size)};
}

static void cut_string(struct frec_left_out *left_out, char *string, size_t most)
{
	if (strnlen(string, most + 1) <= most)
		return;
	string[most] = 0;
	left_out->names++;
}

static void cut_bytes(struct frec_left_out *left_out, ProtobufCBinaryData *bytes, size_t most)
{
	if (bytes->len <= most)
		return;
	bytes->len = most;
	left_out->names++;
}

static void trim_field(struct frec_left_out *left_out, Flightrec__Field *field)
{
	cut_string(left_out, field->name, FREC_LIMIT_NAME);
	while (field->n_enumerator > FREC_LIMIT_ENUMERATORS) {
		field->n_enumerator--;
		protobuf_c_message_free_unpacked(&field->enumerator[field->n_enumerator]->base,
						 NULL);
		left_out->enumerators++;
	}
	for (size_t i = 0; i < field->n_enumerator; i++)
		cut_string(left_out, field->enumerator[i]->name, FREC_LIMIT_NAME);
}

static void trim_source(struct frec_left_out *left_out, Flightrec__Source *source)
{
	cut_string(left_out, source->system, FREC_LIMIT_NAME);
	cut_string(left_out, source->name, FREC_LIMIT_NAME);
	while (source->n_field > FREC_LIMIT_SOURCE_FIELDS) {
		source->n_field--;
		protobuf_c_message_free_unpacked(&source->field[source->n_field]->base, NULL);
		left_out->fields++;
	}
	for (size_t i = 0; i < source->n_field; i++)
		trim_field(left_out, source->field[i]);
}

static void trim_process(struct frec_left_out *left_out, Flightrec__Process *process)
{
	cut_bytes(left_out, &process->name, FREC_LIMIT_NAME);
	for (size_t i = 0; i < process->n_thread; i++)
		cut_bytes(left_out, &process->thread[i]->name, FREC_LIMIT_NAME);
	while (process->n_map > FREC_LIMIT_MAPS) {
		process->n_map--;
		protobuf_c_message_free_unpacked(&process->map[process->n_map]->base, NULL);
		left_out->maps++;
	}
	for (size_t i = 0; i < process->n_map; i++)
		cut_bytes(left_out, &process->map[i]->path, FREC_LIMIT_PATH);
}

void frec__limits_trim(struct frec_left_out *left_out, uint32_t field, ProtobufCMessage *message)
{
	Flightrec__KernelSymbols *symbols = (Flightrec__KernelSymbols *)message;
	Flightrec__Header *header = (Flightrec__Header *)message;

	switch (field) {
	case FREC_PART_HEADER:
		if (header->host)
			cut_bytes(left_out, &header->host->hostname, FREC_LIMIT_NAME);
		break;
	case FREC_PART_SOURCE:
		trim_source(left_out, (Flightrec__Source *)message);
		break;
	case FREC_PART_PROCESS:
		trim_process(left_out, (Flightrec__Process *)message);
		break;
	case FREC_PART_KERNEL_SYMBOLS:
		for (size_t i = 0; i < symbols->n_symbol; i++)
			cut_string(left_out, symbols->symbol[i]->name, FREC_LIMIT_SYMBOL);
		break;
	default:
		break;
	}
}

bool frec__left_out_words(struct frec_text *text, const struct frec_left_out *left_out)
{
	const struct {
		uint64_t count;
		const char *one, *several;
	} counts[] = {
		{left_out->events, "event", "events"},
		{left_out->values, "value", "values"},
		{left_out->stacks, "call stack", "call stacks"},
		{left_out->fields, "field of a source", "fields of sources"},
		{left_out->enumerators, "enumerator", "enumerators"},
		{left_out->maps, "mapping", "mappings"},
		{left_out->programs, "kept program", "kept programs"},
		{left_out->names, "end of a long name", "ends of long names"},
		{left_out->clocks, "reading of the clocks", "readings of the clocks"},
	};
	bool any = false;

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		if (!counts[i].count)
			continue;
		frec__text_printf(text, "%s%" PRIu64 " %s",
				  any ? ", " : "left out, as too much for a file of this size: ",
				  counts[i].count,
				  counts[i].count == 1 ? counts[i].one : counts[i].several);
		any = true;
	}
	return any;
}

void frec__left_out_error(const struct frec_left_out *left_out, const char *name,
			  struct frec_error *ret)
{
	FREC_TEXT_FREE struct frec_text words = {0};
	struct frec_error first = *ret;

	if (!frec__left_out_words(&words, left_out) || !words.data)
		return;
	if (first.code)
		frec__error(ret, first.code, "%s; %s", first.message, words.data);
	else
		frec__error(ret, -E2BIG, "%s: %s", name, words.data);
}

int frec__left_out_failed(const struct frec_left_out *left_out, const char *name,
			  struct frec_error *reterr)
{
	int r = frec__text_ran_out() ? -ENOMEM : left_out->failed;

	if (!r)
		return 0;
	return frec__error(reterr, r, "%s: %s", name,
			   r == -EPIPE ? "the process that opens program files is gone, so names "
					 "are missing: try again"
				       : frec__part_why(r));
}
