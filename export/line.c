// SPDX-License-Identifier: MIT
// Formats an event as a line of text. The format `text` is a file of such lines.
#include "export/line.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "export/read/clocks.h"
#include "export/read/numbers.h"
#include "export/read/text_values.h"
#include "export/report/stack_text.h"
#include "export/writer.h"

#define NAME_WIDTH_MAX 32
#define TIME_WIDTH 16
#define NS_PER_S UINT64_C(1000000000)

static void add_names(struct frec_text *text, const struct frec_process_entry *who, void *data)
{
	const ProtobufCBinaryData *process = &who->process->name;
	ProtobufCBinaryData thread = frec__process_entry_thread_name(who);

	(void)data;
	frec__text_plain(text, process->data, process->len);
	if (thread.len &&
	    (thread.len != process->len || memcmp(thread.data, process->data, thread.len) != 0)) {
		frec__text_puts(text, "/");
		frec__text_plain(text, thread.data, thread.len);
	}
}

static void pad(struct frec_text *text, size_t start, int width)
{
	// One byte counts as one column, so names outside ASCII come out a little narrower.
	size_t size = text->size - start, missing = (size_t)width > size ? (size_t)width - size : 0;
	char *p = frec__text_room(text, missing);

	if (p)
		frec__text_end(text, (char *)memset(p, ' ', missing) + missing);
}

static void add_event_name(struct frec_text *text, const Flightrec__Source *source, void *data)
{
	const struct frec_line_style *style = data;
	size_t start = text->size;

	frec__text_puts(text, style->colored ? "\033[36m" : "");
	frec__text_plain(text, source->system, strlen(source->system));
	frec__text_puts(text, ":");
	frec__text_plain(text, source->name, strlen(source->name));
	frec__text_puts(text, style->colored ? "\033[0m" : "");
	if (source->n_field)
		pad(text, start, style->event_width + (style->colored ? 9 : 0));
}

static void add_field_name(struct frec_text *text, const Flightrec__Source *source, size_t i,
			   void *data)
{
	(void)data;
	frec__text_puts(text, i ? " " : "  ");
	frec__text_plain(text, source->field[i]->name, strlen(source->field[i]->name));
	frec__text_puts(text, "=");
}

static void add_stack(struct frec_text *text, const struct frec_call_stack *stack)
{
	frec__text_puts(text, "  at ");
	frec__stack_line(text, stack);
}

// Columns are as wide as the longest name in the snapshot's tables (at most NAME_WIDTH_MAX), so
// that their widths are known before the first event.
void frec__line_style_init(struct frec_line_style *style, const struct frec_snapshot *snapshot,
			   const struct frec_processes *processes)
{
	static const struct frec_made_by by = {.event = add_event_name,
					       .field = add_field_name,
					       .thread = add_names,
					       .stack = add_stack};

	*style = (struct frec_line_style){
		.reference = frec__snapshot_reference(snapshot),
		.name_width = 8,
		.texts = {.by = &by, .data = style, .snapshot = snapshot},
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

void frec__line_style_deinit(struct frec_line_style *style)
{
	frec__made_texts_deinit(&style->texts);
}

// Adds "shopd/worker-1[125]": the process, the thread if its name differs, and the tid.
static void name_thread(struct frec_text *text, struct frec_line_style *style,
			const struct frec_event *event)
{
	uint32_t tid = event->record->tid;

	if (event->who)
		frec__text_add_if_made(text, frec__made_thread(&style->texts, event->who));
	if (tid == FREC_UNKNOWN) {
		frec__text_puts(text, "?");
	} else if (!tid) {
		frec__text_puts(text, "swapper");
	} else {
		frec__text_puts(text, "[");
		frec__text_unsigned(text, tid);
		frec__text_puts(text, "]");
	}
}

// Adds seconds with nine decimals and a sign, 16 columns wide.
static void add_seconds(struct frec_text *line, int64_t ns)
{
	uint64_t distance = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;
	char *p = frec__text_room(line, 2 * FREC_DIGITS_MAX + TIME_WIDTH), digits[FREC_DIGITS_MAX];
	size_t size = (size_t)(frec__digits(digits, distance / NS_PER_S) - digits);

	if (!p)
		return;
	for (size_t i = size + 11; i < TIME_WIDTH; i++)
		*p++ = ' ';
	*p++ = ns < 0 ? '-' : '+';
	memcpy(p, digits, size);
	// The first of these ten digits becomes the point.
	frec__digits(p + size, NS_PER_S + distance % NS_PER_S);
	p[size] = '.';
	frec__text_end(line, p + size + 10);
}

static void add_cpu(struct frec_text *line, uint32_t cpu)
{
	if (cpu == FREC_UNKNOWN) {
		frec__text_puts(line, "  ?  ");
		return;
	}
	frec__text_puts(line, cpu < 10 ? "  " : "");
	frec__text_puts(line, cpu >= 10 && cpu < 100 ? " " : "");
	frec__text_unsigned(line, cpu);
	frec__text_puts(line, "  ");
}

void frec__line_event(struct frec_text *line, struct frec_line_style *style,
		      const struct frec_event *event)
{
	const struct frec_record *record = event->record;
	const struct frec_made_source *made = frec__made_source(&style->texts, event);
	const struct frec_call_stack *stack = frec__event_stack(event);
	size_t start;

	if (!made) {
		line->failed = true;
		return;
	}
	add_seconds(line, (int64_t)(event->time - style->reference));
	frec__text_puts(line, " ");
	add_cpu(line, record->cpu);
	start = line->size;
	if (style->host_width) {
		frec__text_plain(line, event->host->name, strlen(event->host->name));
		pad(line, start, style->host_width);
		frec__text_puts(line, "  ");
		start = line->size;
	}
	if (record->claimed_pid)
		frec__text_printf(line, "claims [%" PRIu32 "]", record->claimed_pid);
	else
		name_thread(line, style, event);
	pad(line, start, style->name_width);
	frec__text_puts(line, "  ");
	frec__text_add_if_made(line, &made->event);
	for (size_t i = 0; i < event->source->n_field; i++) {
		frec__text_add_if_made(line, &made->fields[i]);
		frec__text_plain_value(line, &event->values[i]);
	}
	if (stack)
		frec__text_add_if_made(line, frec__made_stack(&style->texts, stack));
}

struct lines {
	const struct frec_export *context;
	struct frec_line_style *hosts; /* by index of the host */
	struct frec_text line;
};

// Makes each column as wide as the host with the longest names needs it.
static void share_style(struct frec_line_style *hosts, const struct frec_export *context)
{
	size_t count = context->timeline->hosts.count;
	int name_width = 0, event_width = 0, host_width = 0;

	for (size_t i = 0; i < count; i++) {
		const struct frec_host *host = &context->timeline->hosts.hosts[i];
		int width = (int)strnlen(host->name, NAME_WIDTH_MAX);

		frec__line_style_init(&hosts[i], host->snapshot, &host->processes);
		if (hosts[i].name_width > name_width)
			name_width = hosts[i].name_width;
		if (hosts[i].event_width > event_width)
			event_width = hosts[i].event_width;
		if (count > 1 && width > host_width)
			host_width = width;
	}
	for (size_t i = 0; i < count; i++) {
		hosts[i].name_width = name_width;
		hosts[i].event_width = event_width;
		hosts[i].host_width = host_width;
		hosts[i].reference = context->timeline->reference;
	}
}

static int begin(const struct frec_export *context, void **ret_state, struct frec_error *reterr)
{
	struct lines *lines = calloc(1, sizeof(*lines));

	if (lines)
		lines->hosts = calloc(context->timeline->hosts.count, sizeof(*lines->hosts));
	if (!lines || !lines->hosts) {
		free(lines);
		return frec__error(reterr, -ENOMEM, "out of memory");
	}
	lines->context = context;
	share_style(lines->hosts, context);
	*ret_state = lines;
	return 0;
}

static int event(void *state, const struct frec_event *event, struct frec_error *reterr)
{
	struct lines *lines = state;
	struct frec_text *line = &lines->line;

	frec__text_clear(line);
	frec__line_event(line, &lines->hosts[event->host->index], event);
	frec__text_puts(line, "\n");
	return frec__output_text(lines->context->output, line, reterr);
}

static void destroy(void *state)
{
	struct lines *lines = state;

	for (size_t i = 0; i < lines->context->timeline->hosts.count; i++)
		frec__line_style_deinit(&lines->hosts[i]);
	free(lines->hosts);
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
