// SPDX-License-Identifier: MIT
// Formats an event as a line of text. The format `text` is a file of such lines.
#include "export/line.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "export/read/clocks.h"
#include "export/read/text_values.h"
#include "export/report/stack_text.h"
#include "export/writer.h"

#define NAME_WIDTH_MAX 32

// Columns are as wide as the longest name in the snapshot's tables (at most NAME_WIDTH_MAX), so
// that their widths are known before the first event.
void frec__line_style_init(struct frec_line_style *style, const struct frec_snapshot *snapshot,
			   const struct frec_processes *processes)
{
	*style = (struct frec_line_style){
		.reference = frec__snapshot_reference(snapshot),
		.name_width = 8,
	};
	for (size_t i = 0; i < processes->count; i++) {
		const struct frec_process_entry *entry = &processes->entries[i];
		size_t width = entry->process->name.len + 1 +
			       frec__process_entry_thread_name(entry).len + 9;

		if (width > NAME_WIDTH_MAX)
			width = NAME_WIDTH_MAX;
		if ((int)width > style->name_width)
			style->name_width = (int)width;
	}
	for (size_t i = 0; i < snapshot->source_count; i++) {
		size_t width = strlen(snapshot->sources[i]->system) + 1 +
			       strlen(snapshot->sources[i]->name);

		if (width > NAME_WIDTH_MAX)
			width = NAME_WIDTH_MAX;
		if ((int)width > style->event_width)
			style->event_width = (int)width;
	}
}

// Adds "shopd/worker-1[125]": the process, the thread if its name differs, and the tid.
static void name_thread(struct frec_text *text, const struct frec_process_entry *who, uint32_t tid)
{
	ProtobufCBinaryData thread = frec__process_entry_thread_name(who);

	if (who) {
		const ProtobufCBinaryData *process = &who->process->name;

		frec__text_plain(text, process->data, process->len);
		if (thread.len && (thread.len != process->len ||
				   memcmp(thread.data, process->data, thread.len))) {
			frec__text_puts(text, "/");
			frec__text_plain(text, thread.data, thread.len);
		}
	}
	if (tid == FREC_UNKNOWN)
		frec__text_puts(text, "?");
	else if (!tid)
		frec__text_puts(text, "idle");
	else
		frec__text_printf(text, "[%" PRIu32 "]", tid);
}

static void pad(struct frec_text *text, size_t start, int width)
{
	// One byte counts as one column, so names outside ASCII come out a little narrower.
	while (!text->failed && text->size < start + (size_t)width)
		frec__text_puts(text, " ");
}

void frec__line_event(struct frec_text *line, const struct frec_line_style *style,
		      const struct frec_event *event)
{
	const struct frec_record *record = event->record;
	const Flightrec__Source *source = record->source;
	const struct frec_call_stack *stack = frec__event_stack(event);
	double seconds = (double)(int64_t)(event->time - style->reference) / 1e9;
	size_t start;

	frec__text_printf(line, "%+16.9f ", seconds);
	if (record->cpu == FREC_UNKNOWN)
		frec__text_puts(line, "  ?  ");
	else
		frec__text_printf(line, "%3" PRIu32 "  ", record->cpu);
	start = line->size;
	if (style->host_width) {
		frec__text_plain(line, event->host->name, strlen(event->host->name));
		pad(line, start, style->host_width);
		frec__text_puts(line, "  ");
		start = line->size;
	}
	name_thread(line, event->who, record->tid);
	pad(line, start, style->name_width);
	frec__text_puts(line, "  ");
	start = line->size;
	frec__text_puts(line, style->colored ? "\033[36m" : "");
	frec__text_plain(line, source->system, strlen(source->system));
	frec__text_puts(line, ":");
	frec__text_plain(line, source->name, strlen(source->name));
	frec__text_puts(line, style->colored ? "\033[0m" : "");
	if (source->n_field)
		pad(line, start, style->event_width + (style->colored ? 9 : 0));
	for (size_t i = 0; i < source->n_field; i++) {
		frec__text_puts(line, i ? " " : "  ");
		frec__text_plain(line, source->field[i]->name, strlen(source->field[i]->name));
		frec__text_puts(line, "=");
		frec__text_plain_value(line, &event->values[i]);
	}
	if (stack) {
		frec__text_puts(line, "  at ");
		frec__stack_line(line, stack);
	}
}

struct lines {
	const struct frec_export *context;
	struct frec_line_style style;
	struct frec_text line;
};

// Makes each column as wide as the host with the longest names needs it.
static void style_of_hosts(struct frec_line_style *style, const struct frec_export *context)
{
	const struct frec_hosts *hosts = &context->timeline->hosts;

	*style = (struct frec_line_style){0};
	for (size_t i = 0; i < hosts->count; i++) {
		const struct frec_host *host = &hosts->hosts[i];
		struct frec_line_style one;
		int width = (int)strnlen(host->name, NAME_WIDTH_MAX);

		frec__line_style_init(&one, host->snapshot, &host->processes);
		if (one.name_width > style->name_width)
			style->name_width = one.name_width;
		if (one.event_width > style->event_width)
			style->event_width = one.event_width;
		if (hosts->count > 1 && width > style->host_width)
			style->host_width = width;
	}
	style->reference = context->timeline->reference;
}

static int begin(const struct frec_export *context, void **ret_state, struct frec_error *reterr)
{
	struct lines *lines = calloc(1, sizeof(*lines));

	if (!lines)
		return frec__error(reterr, -ENOMEM, "out of memory");
	lines->context = context;
	style_of_hosts(&lines->style, context);
	*ret_state = lines;
	return 0;
}

static int event(void *state, const struct frec_event *event, struct frec_error *reterr)
{
	struct lines *lines = state;
	struct frec_text *line = &lines->line;

	frec__text_clear(line);
	frec__line_event(line, &lines->style, event);
	frec__text_puts(line, "\n");
	return frec__output_text(lines->context->output, line, reterr);
}

static void destroy(void *state)
{
	struct lines *lines = state;

	frec__text_free(&lines->line);
	free(lines);
}

const struct frec_writer frec__writer_text = {
	.name = "text",
	.what = "a line for each event: seconds from the trigger, cpu, thread, event",
	.suffix = ".txt",
	.several_hosts = true,
	.begin = begin,
	.event = event,
	.destroy = destroy,
};
