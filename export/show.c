// SPDX-License-Identifier: MIT
// Writes the report and its events: the last few, which are copied to a ring while the file is
// read, or all of them as they come.
#include "export/show.h"
#include "export/report/report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "export/timeline/events.h"
#include "export/json.h"
#include "export/report/last_records.h"
#include "export/line.h"

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

static int show_kept(struct show *show, const struct frec_kept_record *kept,
		     struct frec_error *reterr)
{
	return show_event(show, frec__events_of(&show->events, kept->data, kept->size), reterr);
}

static int ring_show(struct show *show, const struct frec_last_records *ring,
		     struct frec_error *reterr)
{
	int r = 0;

	for (uint64_t i = frec__last_records_first(ring); i < ring->seen && !r; i++)
		r = show_kept(show, &ring->kept[i % ring->room], reterr);
	return r;
}

static int puts_out(struct show *show, const char *string, struct frec_error *reterr)
{
	return frec__output_write(show->output, string, strlen(string), reterr);
}

// Returns whether a record shows what the dead process did. Events of its user code do, and so do
// signals, such as the one that ended the process; other kernel tracepoints, such as the
// scheduler's, do not.
static bool is_its_own(const Flightrec__Crash *crash, const struct frec_record *record)
{
	return record->pid == crash->pid &&
	       ((record->source->kind != FLIGHTREC__SOURCE_KIND__SOURCE_TRACEPOINT &&
		 record->source->kind != FLIGHTREC__SOURCE_KIND__SOURCE_RAW_TRACEPOINT) ||
		!strcmp(record->source->system, "signal"));
}

static int begin_list(struct show *show, const char *json, const char *text,
		      struct frec_error *reterr)
{
	show->shown = 0;
	return puts_out(show, show->options->json ? json : text, reterr);
}

// Shows the last event of each thread of the dead process, unless it was shown already.
static int show_threads(struct show *show, struct frec_last_of_threads *threads, uint64_t first,
			struct frec_error *reterr)
{
	int r = 0;

	frec__last_of_threads_sort(threads);
	if (!threads->count || threads->threads[0].number >= first)
		return 0;
	r = begin_list(show, "\n],\n\"last_of_threads\":[",
		       "\nlast event of each other thread of the process\n", reterr);
	for (size_t i = 0; i < threads->count && threads->threads[i].number < first && !r; i++)
		r = show_kept(show, &threads->threads[i].kept, reterr);
	return r;
}

// Shows the last few of all other events up to the death, below the events of the dead process.
static int show_others(struct show *show, const struct frec_last_records *others,
		       struct frec_error *reterr)
{
	int r = begin_list(show, "\n],\n\"others\":[",
			   "\nlast of all other events up to the death\n", reterr);

	return r ? r : ring_show(show, others, reterr);
}

static int show_last(struct show *show, struct frec_error *reterr)
{
	const Flightrec__Crash *crash = show->snapshot->crash;
	struct frec_last_records first = {.room = show->options->last};
	struct frec_last_records others = {.room = show->options->last / 2};
	struct frec_last_of_threads threads = {0};
	const struct frec_event *event;
	int r = 0;

	show->events.undecoded = true;
	while (first.room && !r && (event = frec__events_next(&show->events))) {
		const struct frec_record *record = event->record;

		if (!crash || is_its_own(crash, record)) {
			if (crash)
				r = frec__last_of_threads_add(&threads, record, first.seen);
			if (!r)
				r = frec__last_records_add(&first, record);
		} else if (record->time <= show->style.reference) {
			r = frec__last_records_add(&others, record);
		}
	}
	if (r)
		frec__error(reterr, r, "out of memory");
	else
		r = ring_show(show, &first, reterr);
	if (!r && !show->shown && !show->options->json)
		r = puts_out(show, "  none\n", reterr);
	if (!r && crash)
		r = show_threads(show, &threads, frec__last_records_first(&first), reterr);
	if (!r && crash && others.seen)
		r = show_others(show, &others, reterr);
	frec__last_records_deinit(&first);
	frec__last_records_deinit(&others);
	frec__last_of_threads_deinit(&threads);
	return r;
}

static int show_all(struct show *show, struct frec_error *reterr)
{
	const uint64_t limit = FREC_LIMIT_OUTPUT(show->snapshot->reader.size);
	const struct frec_event *event;
	int r = 0;

	while (!r && (event = frec__events_next(&show->events))) {
		if (frec__output_offset(show->output) > limit)
			show->snapshot->left_out->events++;
		else
			r = show_event(show, event, reterr);
	}
	return r;
}

// Ends the list of events, and adds what was left out because of a limit.
static int show_end(struct show *show, struct frec_error *reterr)
{
	FREC_TEXT_FREE struct frec_text words = {0};
	bool json = show->options->json;

	frec__text_clear(&show->line);
	if (json)
		frec__text_puts(&show->line, show->shown ? "\n]" : "]");
	else if (!show->shown && show->options->all)
		frec__text_puts(&show->line, "  none\n");
	if (frec__left_out_words(&words, show->snapshot->left_out) && words.data) {
		frec__text_puts(&show->line, json ? ",\n\"left_out\":" : "\n");
		if (json)
			frec__text_json(&show->line, words.data, words.size);
		else
			frec__text_add(&show->line, words.data, words.size);
		frec__text_puts(&show->line, json ? "" : "\n");
	}
	frec__text_puts(&show->line, json ? "}\n" : "");
	return frec__output_text(show->output, &show->line, reterr);
}

static int show_report(struct show *show, struct frec_error *reterr)
{
	const struct frec_show_options *options = show->options;
	int r;

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
	r = frec__output_write(show->output, show->line.data, show->line.size, reterr);
	if (!r)
		r = options->all ? show_all(show, reterr) : show_last(show, reterr);
	return r ? r : show_end(show, reterr);
}

int frec__show(struct frec_snapshot *snapshot, const struct frec_show_options *options,
	       struct frec_output *output, struct frec_error *ret_warning,
	       struct frec_error *reterr)
{
	struct show show = {.snapshot = snapshot, .options = options, .output = output};
	int r;

	ret_warning->code = 0;
	r = frec__events_init(&show.events, snapshot, NULL, options->symbols, reterr);
	if (r)
		return r;
	frec__json_init(&show.json, snapshot);
	frec__line_style_init(&show.style, snapshot, &show.events.processes);
	show.style.colored = options->colored;
	r = show_report(&show, reterr);
	if (!r)
		r = frec__left_out_failed(snapshot->left_out, snapshot->name, reterr);
	*ret_warning = *frec__events_problem(&show.events);
	frec__left_out_error(snapshot->left_out, snapshot->name, ret_warning);
	frec__events_deinit(&show.events);
	frec__json_deinit(&show.json);
	frec__line_style_deinit(&show.style);
	frec__text_free(&show.line);
	return r;
}
