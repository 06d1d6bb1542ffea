// SPDX-License-Identifier: MIT
// One page for the person on call: everything in one file that any browser opens, without a
// network. page.html is its frame; page.css and *.js are its looks and behaviour. At build time
// embed.cmake puts them together, with a Content Security Policy that allows exactly this script
// and this style, by their hashes. The writer adds only data: two blocks of JSON in which every '<'
// is escaped, so that no text in a block can end the block.
//
// The page and the memory for it stay bounded, whatever the size of the snapshot: only the last
// events are kept, limited by number and by bytes, and the page says how many older ones it leaves
// out. Up to half of the space is reserved for the process that died; otherwise the last
// millisecond of the rest of the machine would push out the last seconds of that process. Stacks
// and threads are written once each, and only if an event refers to them.
#include "export/html/html_page.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "export/read/text_values.h"
#include "export/report/crash.h"
#include "export/json.h"
#include "export/show.h"
#include "export/writer.h"
#include "proto/cleanup.h"
#include "unwind/registers.h"

// The most events that the page holds: even a browser on a phone can search this many without a
// noticeable pause.
#define EVENTS_MAX 20000
#define EVENTS_BYTES_MAX (12u << 20)
// The most bytes of a field's value that the page holds. The page says how many bytes it leaves
// out.
#define VALUE_BYTES_MAX 1024

// The last events of a group, oldest first.
struct queue {
	struct frec_html_event *ring;
	size_t capacity, first, count;
	size_t bytes; /* of their texts */
	uint64_t left_out;
};

struct html {
	const struct frec_export *context;
	const struct frec_timeline_file *file; /* the file whose report the page shows */
	struct queue dead, others; /* events of the process that died, and of all others */
	uint64_t seen;
	struct frec_text text;
};

static struct frec_html_event *slot(const struct queue *queue, size_t index)
{
	return &queue->ring[(queue->first + index) % queue->capacity];
}

static void drop_oldest(struct queue *queue)
{
	struct frec_html_event *oldest = slot(queue, 0);

	queue->bytes -= oldest->size;
	free(oldest->text);
	*oldest = (struct frec_html_event){0};
	queue->first = (queue->first + 1) % queue->capacity;
	queue->count--;
}

// Appends an event. Returns 0 and takes ownership of the event's text, or returns -ENOMEM.
static int append(struct queue *queue, const struct frec_html_event *event)
{
	if (queue->count == queue->capacity) {
		size_t more = queue->capacity ? 2 * queue->capacity : 64;
		struct frec_html_event *ring = calloc(more, sizeof(*ring));

		if (!ring)
			return -ENOMEM;
		for (size_t i = 0; i < queue->count; i++)
			ring[i] = *slot(queue, i);
		free(queue->ring);
		queue->ring = ring;
		queue->capacity = more;
		queue->first = 0;
	}
	*slot(queue, queue->count++) = *event;
	queue->bytes += event->size;
	return 0;
}

static void queue_free(struct queue *queue)
{
	while (queue->count)
		drop_oldest(queue);
	free(queue->ring);
}

static bool is_full(const struct html *html, size_t size)
{
	return html->dead.count + html->others.count >= EVENTS_MAX ||
	       html->dead.bytes + html->others.bytes + size > EVENTS_BYTES_MAX;
}

// Drops old events until there is room for one of `size` bytes: those of `others` if they use half
// of the space or more, or if `dead` is empty; else those of `dead`.
static void make_room(struct html *html, size_t size)
{
	struct queue *dead = &html->dead, *others = &html->others;

	while (dead->count + others->count && is_full(html, size)) {
		bool many =
			others->count >= EVENTS_MAX / 2 || others->bytes >= EVENTS_BYTES_MAX / 2;
		struct queue *queue = others->count && (many || !dead->count) ? others : dead;

		drop_oldest(queue);
		queue->left_out++;
	}
}

static void destroy(void *state)
{
	struct html *html = state;

	queue_free(&html->dead);
	queue_free(&html->others);
	frec__text_free(&html->text);
	free(html);
}

static int begin(const struct frec_export *context, void **ret_state, struct frec_error *reterr)
{
	struct html *html = calloc(1, sizeof(*html));

	if (!html)
		return frec__error(reterr, -ENOMEM, "out of memory");
	html->context = context;
	html->file = frec__html_file(context->timeline);
	*ret_state = html;
	return 0;
}

// Shortens the value to the part that the page shows. Returns how many bytes are left out.
static size_t shorten(struct frec_value *value)
{
	size_t element, left_out;

	if (value->kind != FREC_VALUE_TEXT && value->kind != FREC_VALUE_BYTES &&
	    value->kind != FREC_VALUE_ARRAY)
		return 0;
	if (value->size <= VALUE_BYTES_MAX)
		return 0;
	left_out = value->size - VALUE_BYTES_MAX;
	element = value->kind == FREC_VALUE_ARRAY ? value->field->element_size : 1;
	if (element > 1)
		left_out += VALUE_BYTES_MAX % element;
	// Do not cut within a character of UTF-8: all its bytes but the first are 10xxxxxx.
	for (size_t i = 0; value->kind == FREC_VALUE_TEXT && i < 3; i++)
		left_out += (value->data[value->size - left_out] & 0xc0) == 0x80;
	value->size -= left_out;
	return left_out;
}

static void add_span(struct frec_text *text, const struct frec_event *event)
{
	const struct frec_shape *shape = event->shape;

	frec__text_printf(text, ",\"span\":%" PRIu32, shape->span);
	if (shape->lane)
		frec__text_printf(text, ",\"lane\":%" PRIu32, shape->lane);
	if (shape->kind == FREC_SHAPE_END)
		frec__text_printf(text, ",\"took\":%" PRIu64, event->time - shape->begin);
	if (shape->cut)
		frec__text_puts(text, ",\"cut\":true");
	if (shape->abandoned)
		frec__text_printf(text, ",\"abandoned\":%zu", shape->abandoned);
}

static bool is_edge(const struct frec_event *event)
{
	return event->shape && event->shape->kind != FREC_SHAPE_INSTANT;
}

// Returns whether the value is text although the field holds bytes.
static bool is_readable(const struct frec_value *value)
{
	return value->kind == FREC_VALUE_TEXT && frec__field_type(value->field) == FREC_FIELD_BYTES;
}

static void add_notes(struct html *html, const struct frec_event *event)
{
	struct frec_text *text = &html->text;
	const struct frec_record *record = event->record;

	frec__text_printf(text, ",{\"stack_size\":%zu", record->stack_size);
	for (size_t i = 0; i < event->source->n_field; i++) {
		struct frec_value value = event->values[i];
		size_t left_out = shorten(&value);

		if (left_out)
			frec__text_printf(text, ",\"left_out_%zu\":%zu", i, left_out);
		if (value.cut)
			frec__text_printf(text, ",\"cut_%zu\":true", i);
		if (is_readable(&value))
			frec__text_printf(text, ",\"text_%zu\":true", i);
	}
	if (is_edge(event))
		add_span(text, event);
	if (record->registers) {
		frec__text_puts(text, ",");
		frec__json_registers(
			text, frec__registers_find(event->host->snapshot->header->machine), record);
	}
	frec__text_puts(text, "}");
}

// Returns whether the event needs notes. Most events do not, which saves space.
static bool has_notes(const struct frec_event *event)
{
	if (event->record->registers || event->record->stack_size || is_edge(event))
		return true;
	for (size_t i = 0; i < event->source->n_field; i++) {
		const struct frec_value *value = &event->values[i];

		if (value->cut || value->size > VALUE_BYTES_MAX || is_readable(value))
			return true;
	}
	return false;
}

static int event(void *state, const struct frec_event *event, struct frec_error *reterr)
{
	struct html *html = state;
	const struct frec_record *record = event->record;
	const Flightrec__Crash *crash = html->file->events.snapshot->crash;
	struct frec_text *text = &html->text;
	struct queue *queue;
	struct frec_html_event kept = {
		.number = html->seen++,
		.time = event->time,
		.cpu = record->cpu,
		.pid = event->who ? event->who->process->pid : record->pid,
		.tid = record->tid,
		.who = event->who,
		.host = event->host,
		.source_index = event->source_index,
		.stack = frec__event_stack(event),
	};

	frec__text_clear(text);
	frec__text_puts(text, "[");
	for (size_t i = 0; i < event->source->n_field; i++) {
		struct frec_value value = event->values[i];

		shorten(&value);
		frec__text_puts(text, i ? "," : "");
		frec__text_javascript_value(text, &value);
	}
	frec__text_puts(text, "]");
	if (has_notes(event))
		add_notes(html, event);
	if (!text->failed)
		kept.text = malloc(text->size);
	if (!kept.text)
		return frec__error(reterr, -ENOMEM, "out of memory");
	memcpy(kept.text, text->data, text->size);
	kept.size = text->size;
	make_room(html, kept.size);
	queue = crash && kept.host == html->file->host && kept.pid == crash->pid ? &html->dead
										 : &html->others;
	if (append(queue, &kept)) {
		free(kept.text);
		return frec__error(reterr, -ENOMEM, "out of memory");
	}
	return 0;
}

// Merges both queues in the order in which their events came.
static void merge(const struct html *html, struct frec_html_page *page)
{
	size_t dead = 0, others = 0;

	while (dead < html->dead.count || others < html->others.count) {
		bool take_dead =
			others == html->others.count ||
			(dead < html->dead.count &&
			 slot(&html->dead, dead)->number < slot(&html->others, others)->number);

		page->events[page->count++] =
			take_dead ? slot(&html->dead, dead++) : slot(&html->others, others++);
	}
}

static int end(void *state, struct frec_error *reterr)
{
	struct html *html = state;
	struct frec_html_page page = {
		.context = html->context,
		.left_out_dead = html->dead.left_out,
		.left_out_others = html->others.left_out,
	};
	FREC_FREE struct frec_html_event **events =
		calloc(html->dead.count + html->others.count + 1, sizeof(*events));

	if (!events)
		return frec__error(reterr, -ENOMEM, "out of memory");
	page.events = events;
	merge(html, &page);
	return frec__html_write(&page, reterr);
}

const struct frec_writer frec__writer_html = {
	.name = "html",
	.what = "one page for a browser: the crash, the timeline, the last events",
	.suffix = ".html",
	.other_suffix = ".htm",
	.several_hosts = true,
	.begin = begin,
	.event = event,
	.end = end,
	.destroy = destroy,
};
