// SPDX-License-Identifier: MIT
// CSV as in RFC 4180, one row for each event. The first columns are common to all events, preceded
// by "host" if there are several hosts. Then follows one column for each field name of the exported
// sources, "fields.NAME", which is empty in the rows of events without such a field. The last
// column, "truncated", lists the fields whose text was longer when it was emitted. Values are
// spelled as in JSON (see json.c). Text, and everything that is spelled like text, is always
// quoted, so that an empty text differs from a missing value, and digits in a name are not taken
// for a number.
//
// A spreadsheet would run text that looks like a formula, and anybody may have emitted that text.
// So an apostrophe is written before such text, and control characters are written as \xNN. With
// --raw, only NULs and bytes that are not valid UTF-8 are written as \xNN, and the rest of a text
// as it was emitted.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "export/made_texts.h"
#include "export/read/numbers.h"
#include "export/read/text.h"
#include "export/read/text_values.h"
#include "export/writer.h"

// The column in which a field of a source is written. Arrays of these are sorted by column.
struct placement {
	size_t column, field;
};

struct csv {
	const struct frec_export *context;
	const char **columns; /* field names, sorted */
	size_t column_count;
	/* by index of the host and of the source; NULL if the source is not exported */
	struct placement ***placements;
	struct frec_made_texts *texts; /* by index of the host */
	struct frec_text row, scratch;
};

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int by_column(const void *a, const void *b)
{
	const struct placement *x = a, *y = b;

	if (x->column != y->column)
		return (x->column > y->column) - (x->column < y->column);
	return (x->field > y->field) - (x->field < y->field);
}

static void destroy(void *state)
{
	struct csv *csv = state;

	const struct frec_hosts *hosts = &csv->context->timeline->hosts;

	for (size_t h = 0; csv->placements && h < hosts->count; h++) {
		for (size_t i = 0; csv->placements[h] && i < hosts->hosts[h].snapshot->source_count;
		     i++)
			free(csv->placements[h][i]);
		free(csv->placements[h]);
	}
	free(csv->placements);
	for (size_t h = 0; csv->texts && h < hosts->count; h++)
		frec__made_texts_deinit(&csv->texts[h]);
	free(csv->texts);
	free(csv->columns);
	frec__text_free(&csv->row);
	frec__text_free(&csv->scratch);
	free(csv);
}

// Names are sorted so that the order of columns does not depend on the order of sources.
static bool find_columns(struct csv *csv)
{
	const struct frec_hosts *hosts = &csv->context->timeline->hosts;
	size_t count = 0, names = 0;

	for (size_t h = 0; h < hosts->count; h++) {
		for (size_t i = 0; i < hosts->hosts[h].snapshot->source_count; i++)
			count += hosts->hosts[h].snapshot->sources[i]->n_field;
	}
	csv->columns = calloc(count + 1, sizeof(*csv->columns));
	if (!csv->columns)
		return false;
	for (size_t h = 0; h < hosts->count; h++) {
		const struct frec_host *host = &hosts->hosts[h];

		for (size_t i = 0; i < host->snapshot->source_count; i++) {
			const Flightrec__Source *source = host->snapshot->sources[i];

			for (size_t k = 0; host->filter.sources[i] && k < source->n_field; k++)
				csv->columns[names++] = source->field[k]->name;
		}
	}
	qsort(csv->columns, names, sizeof(*csv->columns), by_name);
	for (size_t i = 0; i < names; i++) {
		if (!csv->column_count ||
		    by_name(&csv->columns[csv->column_count - 1], &csv->columns[i]))
			csv->columns[csv->column_count++] = csv->columns[i];
	}
	return true;
}

static bool place_fields(struct csv *csv, const struct frec_host *host)
{
	const struct frec_snapshot *snapshot = host->snapshot;
	struct placement **places = calloc(snapshot->source_count + 1, sizeof(struct placement *));

	csv->placements[host->index] = places;
	if (!places)
		return false;
	for (size_t i = 0; i < snapshot->source_count; i++) {
		const Flightrec__Source *source = snapshot->sources[i];
		struct placement *placements;

		if (!host->filter.sources[i])
			continue;
		placements = calloc(source->n_field + 1, sizeof(*placements));
		places[i] = placements;
		if (!placements)
			return false;
		for (size_t k = 0; k < source->n_field; k++) {
			const char **column =
				bsearch(&source->field[k]->name, csv->columns, csv->column_count,
					sizeof(*csv->columns), by_name);

			placements[k] = (struct placement){(size_t)(column - csv->columns), k};
		}
		qsort(placements, source->n_field, sizeof(*placements), by_column);
	}
	return true;
}

// Returns whether a spreadsheet may take this text for a formula. Some spreadsheets also know the
// wide forms of the signs + - = @ (U+FF0B, U+FF0D, U+FF1D, U+FF20), and some skip blanks before a
// sign.
static bool looks_like_formula(const uint8_t *p, size_t size)
{
	static const uint8_t wide[] = {0x8b, 0x8d, 0x9d, 0xa0};

	while (size && *p <= ' ')
		p++, size--;
	switch (size ? *p : 0) {
	case '=':
	case '+':
	case '-':
	case '@':
		return true;
	case 0xef:
		return size >= 3 && p[1] == 0xbc && memchr(wide, p[2], sizeof(wide));
	default:
		return false;
	}
}

// A `special` for frec__bytes_are_plain() that treats as special what is not printable ASCII, and
// the quote.
static uint64_t not_plain_in_csv(uint64_t word)
{
	return frec__not_printable(word) | ((word ^ FREC_IN_ALL_BYTES('"')) - FREC_IN_ALL_BYTES(1));
}

// Adds text in quotes, as valid UTF-8 and with the quotes in it doubled.
static void add_text(struct csv *csv, struct frec_text *to, const void *data, size_t size)
{
	bool formula = !csv->context->raw && looks_like_formula(data, size);
	const char *p, *end;

	frec__text_puts(to, "\"");
	frec__text_puts(to, formula ? "'" : "");
	if (frec__bytes_are_plain(data, size, not_plain_in_csv)) {
		frec__text_add(to, data, size);
		frec__text_puts(to, "\"");
		return;
	}
	frec__text_clear(&csv->scratch);
	(csv->context->raw ? frec__text_utf8 : frec__text_plain)(&csv->scratch, data, size);
	to->failed |= csv->scratch.failed;
	p = csv->scratch.data;
	end = p ? p + csv->scratch.size : NULL;
	while (p < end) {
		const char *quote = memchr(p, '"', (size_t)(end - p));
		const char *stop = quote ? quote + 1 : end;

		frec__text_add(to, p, (size_t)(stop - p));
		frec__text_puts(to, quote ? "\"" : "");
		p = stop;
	}
	frec__text_puts(to, "\"");
}

static void add_pair(struct csv *csv, struct frec_text *to, const char *first, const char *between,
		     const char *second)
{
	char name[512];

	snprintf(name, sizeof(name), "%s%s%s", first, between, second);
	add_text(csv, to, name, strlen(name));
}

static void make_event_name(struct frec_text *text, const Flightrec__Source *source, void *csv)
{
	frec__text_puts(text, ",");
	add_pair(csv, text, source->system, ":", source->name);
}

static void make_names(struct frec_text *text, const struct frec_process_entry *who, void *csv)
{
	ProtobufCBinaryData thread = frec__process_entry_thread_name(who);

	frec__text_puts(text, ",");
	if (who->process->name.len)
		add_text(csv, text, who->process->name.data, who->process->name.len);
	frec__text_puts(text, ",");
	if (thread.len)
		add_text(csv, text, thread.data, thread.len);
}

static void add_value(struct csv *csv, const struct frec_value *value)
{
	switch (value->kind) {
	case FREC_VALUE_INVALID:
		break;
	case FREC_VALUE_TEXT:
		add_text(csv, &csv->row, value->data, value->size);
		break;
	case FREC_VALUE_ENUM:
		if (value->name)
			add_text(csv, &csv->row, value->name, strlen(value->name));
		else
			frec__text_json_value(&csv->row, value);
		break;
	case FREC_VALUE_DOUBLE:
	case FREC_VALUE_FLOAT:
		frec__text_double(&csv->row, value->d, value->kind == FREC_VALUE_FLOAT);
		break;
	case FREC_VALUE_ARRAY:
		frec__text_puts(&csv->row, "\"");
		frec__text_json_value(&csv->row, value);
		frec__text_puts(&csv->row, "\"");
		break;
	default:
		frec__text_json_value(&csv->row, value);
	}
}

static void add_truncated(struct csv *csv, const struct frec_event *event)
{
	FREC_TEXT_FREE struct frec_text names = {0};

	for (size_t i = 0; i < event->source->n_field; i++) {
		if (!event->values[i].cut)
			continue;
		frec__text_puts(&names, names.size ? " " : "");
		frec__text_puts(&names, event->source->field[i]->name);
	}
	if (names.size)
		add_text(csv, &csv->row, names.data, names.size);
	csv->row.failed |= names.failed;
}

static int write_head(struct csv *csv, struct frec_error *reterr)
{
	frec__text_puts(&csv->row, csv->context->timeline->hosts.count > 1 ? "host," : "");
	frec__text_puts(&csv->row, "time,cpu,pid,tid,process,thread,event");
	for (size_t i = 0; i < csv->column_count; i++) {
		frec__text_puts(&csv->row, ",");
		add_pair(csv, &csv->row, "fields", ".", csv->columns[i]);
	}
	frec__text_puts(&csv->row, ",truncated\r\n");
	return frec__output_text(csv->context->output, &csv->row, reterr);
}

static int begin(const struct frec_export *context, void **ret_state, struct frec_error *reterr)
{
	const struct frec_hosts *hosts = &context->timeline->hosts;
	static const struct frec_made_by by = {.event = make_event_name, .thread = make_names};
	struct csv *csv = calloc(1, sizeof(*csv));
	bool placed;
	int r;

	if (!csv)
		return frec__error(reterr, -ENOMEM, "out of memory");
	csv->context = context;
	csv->placements = calloc(hosts->count, sizeof(struct placement **));
	csv->texts = calloc(hosts->count, sizeof(*csv->texts));
	placed = csv->placements && csv->texts && find_columns(csv);
	for (size_t i = 0; i < hosts->count && placed; i++) {
		csv->texts[i] = (struct frec_made_texts){
			.by = &by, .data = csv, .snapshot = hosts->hosts[i].snapshot};
		placed = place_fields(csv, &hosts->hosts[i]);
	}
	if (placed)
		r = write_head(csv, reterr);
	else
		r = frec__error(reterr, -ENOMEM, "out of memory");
	if (r)
		destroy(csv);
	else
		*ret_state = csv;
	return r;
}

static void add_number(struct csv *csv, uint32_t number)
{
	frec__text_puts(&csv->row, ",");
	if (number != FREC_UNKNOWN)
		frec__text_unsigned(&csv->row, number);
}

static int event(void *state, const struct frec_event *event, struct frec_error *reterr)
{
	struct csv *csv = state;
	const struct frec_record *record = event->record;
	const Flightrec__Source *source = event->source;
	const struct placement *next = csv->placements[event->host->index][event->source_index];
	const struct placement *last = next + source->n_field;
	struct frec_made_texts *texts = &csv->texts[event->host->index];
	const struct frec_made_source *made = frec__made_source(texts, event);

	if (!made)
		return frec__error(reterr, -ENOMEM, "out of memory");
	frec__text_clear(&csv->row);
	if (csv->context->timeline->hosts.count > 1) {
		add_text(csv, &csv->row, event->host->name, strlen(event->host->name));
		frec__text_puts(&csv->row, ",");
	}
	frec__text_unsigned(&csv->row, event->time);
	add_number(csv, record->cpu);
	add_number(csv, record->pid);
	add_number(csv, record->tid);
	if (event->who)
		frec__text_add_if_made(&csv->row, frec__made_thread(texts, event->who));
	else
		frec__text_puts(&csv->row, ",,");
	frec__text_add_if_made(&csv->row, &made->event);
	for (size_t column = 0; column < csv->column_count; column++) {
		frec__text_puts(&csv->row, ",");
		// If two fields of a source have the same name, only the first is written.
		if (next < last && next->column == column)
			add_value(csv, &event->values[next->field]);
		while (next < last && next->column == column)
			next++;
	}
	frec__text_puts(&csv->row, ",");
	add_truncated(csv, event);
	frec__text_puts(&csv->row, "\r\n");
	return frec__output_text(csv->context->output, &csv->row, reterr);
}

const struct frec_writer frec__writer_csv = {
	.name = "csv",
	.what = "for spreadsheets and databases: a row for each event, a column for each field",
	.suffix = ".csv",
	.several_hosts = true,
	.begin = begin,
	.event = event,
	.destroy = destroy,
};
