// SPDX-License-Identifier: MIT
// The report and its events: the last few, kept in a ring of copies while the file is read, or all
// as they come.
#include "export/show.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "export/events.h"
#include "export/json.h"
#include "export/line.h"

// A copy of a record, since the chunk it lies in goes when the next one comes.
struct kept {
	uint8_t *data;
	size_t size;
};

struct show {
	struct frec_snapshot *snapshot;
	const struct frec_show_options *options;
	struct frec_output *output;
	struct frec_events events;
	struct frec_json json;
	struct frec_line_style style;
	struct frec_text line;
	uint64_t shown;
};

static int show_event(struct show *show, const struct frec_event *event, struct frec_error *reterr)
{
	frec__text_clear(&show->line);
	if (show->options->json) {
		frec__text_puts(&show->line, show->shown ? ",\n" : "\n");
		frec__json_event(&show->line, &show->json, event);
	} else {
		frec__line_event(&show->line, &show->style, event);
		frec__text_puts(&show->line, "\n");
	}
	show->shown++;
	if (show->line.failed)
		return frec__error(reterr, -ENOMEM, "out of memory");
	return frec__output_write(show->output, show->line.data, show->line.size, reterr);
}

static int keep(struct kept *kept, const struct frec_record *record)
{
	uint8_t *data = realloc(kept->data, record->size);

	if (!data)
		return -ENOMEM;
	memcpy(data, record->data, record->size);
	kept->data = data;
	kept->size = record->size;
	return 0;
}

// The last `room` records of some kind.
struct ring {
	size_t room, capacity;
	uint64_t seen;
	struct kept *kept;
};

static int ring_add(struct ring *ring, const struct frec_record *record)
{
	size_t slot;

	if (!ring->room)
		return 0;
	slot = (size_t)(ring->seen % ring->room);
	// It grows up to its size: who asks for a million events of a file with ten gets no million
	// slots.
	if (slot == ring->capacity) {
		size_t more = ring->capacity ? 2 * ring->capacity : 16;
		struct kept *grown;

		more = more > ring->room ? ring->room : more;
		grown = reallocarray(ring->kept, more, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		memset(grown + ring->capacity, 0, (more - ring->capacity) * sizeof(*grown));
		ring->kept = grown;
		ring->capacity = more;
	}
	ring->seen++;
	return keep(&ring->kept[slot], record);
}

static int ring_show(struct show *show, const struct ring *ring, struct frec_error *reterr)
{
	int result = 0;

	for (uint64_t i = ring->seen > ring->room ? ring->seen - ring->room : 0;
	     i < ring->seen && !result; i++) {
		const struct kept *kept = &ring->kept[i % ring->room];
		struct frec_record copy;

		// It was decoded before: it cannot fail now.
		(void)frec__record_next(show->snapshot, kept->data, kept->size, &copy);
		result = show_event(show, frec__events_of(&show->events, &copy), reterr);
	}
	return result;
}

static void ring_free(struct ring *ring)
{
	for (size_t i = 0; i < ring->capacity; i++)
		free(ring->kept[i].data);
	free(ring->kept);
}

static int puts_out(struct show *show, const char *string, struct frec_error *reterr)
{
	return frec__output_write(show->output, string, strlen(string), reterr);
}

// What the dead process said itself, and the signal that ended it: not how it was scheduled.
static bool is_its_own(const Flightrec__Crash *crash, const struct frec_record *record)
{
	return record->pid == crash->pid &&
	       ((record->source->kind != FLIGHTREC__SOURCE_KIND__SOURCE_TRACEPOINT &&
		 record->source->kind != FLIGHTREC__SOURCE_KIND__SOURCE_RAW_TRACEPOINT) ||
		!strcmp(record->source->system, "signal"));
}

// What else happened up to the death, behind what the dead process did.
static int show_others(struct show *show, const struct ring *others, struct frec_error *reterr)
{
	int result = puts_out(show,
			      show->options->json ? "\n],\n\"others\":["
						  : "\nlast of all other events up to the death\n",
			      reterr);

	show->shown = 0;
	if (!result)
		result = ring_show(show, others, reterr);
	return result;
}

static int show_last(struct show *show, struct frec_error *reterr)
{
	const Flightrec__Crash *crash = show->snapshot->crash;
	struct ring first = {.room = show->options->last};
	struct ring others = {.room = show->options->last / 2};
	const struct frec_event *event;
	int result = 0;

	while (first.room && !result && (event = frec__events_next(&show->events))) {
		const struct frec_record *record = event->record;

		if (!crash || is_its_own(crash, record))
			result = ring_add(&first, record);
		else if (record->time <= show->style.reference)
			result = ring_add(&others, record);
	}
	if (result)
		frec__error(reterr, result, "out of memory");
	else
		result = ring_show(show, &first, reterr);
	if (!result && !show->shown && !show->options->json)
		result = puts_out(show, "  none\n", reterr);
	if (!result && crash && others.seen)
		result = show_others(show, &others, reterr);
	ring_free(&first);
	ring_free(&others);
	return result;
}

static int show_all(struct show *show, struct frec_error *reterr)
{
	const struct frec_event *event;
	int result = 0;

	while (!result && (event = frec__events_next(&show->events)))
		result = show_event(show, event, reterr);
	return result;
}

static int show_report(struct show *show, struct frec_error *reterr)
{
	const struct frec_show_options *options = show->options;
	int result;

	if (options->json) {
		frec__report_json(&show->line, show->snapshot, show->events.stacks);
		frec__text_puts(&show->line, ",\n\"events\":[");
	} else {
		frec__report_text(&show->line, show->snapshot, show->events.stacks,
				  show->style.reference, options->colored);
		frec__text_printf(&show->line,
				  "\n%s events%s: seconds from the %s, cpu, thread, event\n",
				  options->all ? "all" : "last",
				  show->snapshot->crash && !options->all ? " of the process" : "",
				  show->snapshot->crash ? "death" : "trigger");
	}
	if (show->line.failed)
		return frec__error(reterr, -ENOMEM, "out of memory");
	result = frec__output_write(show->output, show->line.data, show->line.size, reterr);
	if (!result)
		result = options->all ? show_all(show, reterr) : show_last(show, reterr);
	if (result)
		return result;
	if (options->json)
		return puts_out(show, show->shown ? "\n]}\n" : "]}\n", reterr);
	return show->shown || !options->all ? 0 : puts_out(show, "  none\n", reterr);
}

int frec__show(struct frec_snapshot *snapshot, const struct frec_show_options *options,
	       struct frec_output *output, struct frec_error *ret_trouble,
	       struct frec_error *reterr)
{
	struct show show = {.snapshot = snapshot, .options = options, .output = output};
	int result;

	ret_trouble->code = 0;
	result = frec__events_init(&show.events, snapshot, NULL, options->symbols, reterr);
	if (result)
		return result;
	if (frec__json_init(&show.json, snapshot)) {
		frec__events_deinit(&show.events);
		return frec__error(reterr, -ENOMEM, "out of memory");
	}
	frec__line_style_init(&show.style, snapshot, &show.events.processes);
	show.style.colored = options->colored;
	result = show_report(&show, reterr);
	*ret_trouble = *frec__events_trouble(&show.events);
	frec__events_deinit(&show.events);
	frec__json_deinit(&show.json);
	frec__text_free(&show.line);
	return result;
}
