// SPDX-License-Identifier: MIT
// Chooses events. Names are matched once for each source, not for each event.
#include "export/read/clocks.h"
#include "export/timeline/filter.h"

#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SECOND 1000000000ull

// Parses seconds with up to nine decimals into nanoseconds. Returns the text after the number, or
// NULL if the number is malformed or too large.
static const char *parse_decimal(const char *text, uint64_t *ret)
{
	uint64_t whole = 0, fraction = 0, unit = SECOND;
	const char *p = text;

	while (isdigit((unsigned char)*p)) {
		if (__builtin_mul_overflow(whole, 10, &whole) ||
		    __builtin_add_overflow(whole, (uint64_t)(*p - '0'), &whole))
			return NULL;
		p++;
	}
	if (p == text && *p != '.')
		return NULL;
	if (*p == '.') {
		if (!isdigit((unsigned char)p[1]))
			return NULL;
		for (p++; isdigit((unsigned char)*p) && unit > 1; p++) {
			unit /= 10;
			fraction += (uint64_t)(*p - '0') * unit;
		}
	}
	if (__builtin_mul_overflow(whole, SECOND, &whole) ||
	    __builtin_add_overflow(whole, fraction, ret))
		return NULL;
	return p;
}

static bool parse_relative(const char *text, uint64_t reference, uint64_t *ret)
{
	bool negative = *text == '-';
	uint64_t distance;
	const char *end;

	end = parse_decimal(text + (*text == '-' || *text == '+'), &distance);
	if (!end || *end)
		return false;
	if (negative)
		*ret = distance > reference ? 0 : reference - distance;
	else if (__builtin_add_overflow(reference, distance, ret))
		*ret = UINT64_MAX;
	return true;
}

// Parses "Z", "+HH:MM", "-HH:MM" or nothing (the local time zone at `date`) into seconds east of
// Greenwich.
static bool parse_zone(const char *text, struct tm *date, long *ret)
{
	unsigned int hours, minutes;
	int length = 0;

	if (!*text) {
		struct tm copy = *date;

		copy.tm_isdst = -1;
		if (mktime(&copy) == (time_t)-1)
			return false;
		*ret = copy.tm_gmtoff;
		return true;
	}
	if (!strcmp(text, "Z")) {
		*ret = 0;
		return true;
	}
	if ((*text != '+' && *text != '-') ||
	    sscanf(text + 1, "%2u:%2u%n", &hours, &minutes, &length) != 2 || text[1 + length] ||
	    hours > 23 || minutes > 59)
		return false;
	*ret = (long)(hours * 3600 + minutes * 60) * (*text == '-' ? -1 : 1);
	return true;
}

static bool parse_date(const char *text, uint64_t *ret_realtime)
{
	struct tm date = {0};
	uint64_t nanoseconds = 0;
	const char *p = strptime(text, "%Y-%m-%d", &date);
	long east;
	time_t seconds;

	if (!p || (*p != 'T' && *p != ' '))
		return false;
	p = strptime(p + 1, "%H:%M:%S", &date);
	if (p && *p == '.')
		p = parse_decimal(p, &nanoseconds);
	if (!p || !parse_zone(p, &date, &east))
		return false;
	seconds = timegm(&date) - east;
	if (seconds < 0)
		return false;
	return !__builtin_mul_overflow((uint64_t)seconds, SECOND, ret_realtime) &&
	       !__builtin_add_overflow(*ret_realtime, nanoseconds, ret_realtime);
}

bool frec__filter_time(const struct frec_snapshot *snapshot, const char *text, uint64_t *ret)
{
	uint64_t realtime;

	if (parse_relative(text, frec__snapshot_reference(snapshot), ret))
		return true;
	if (!parse_date(text, &realtime))
		return false;
	*ret = frec__snapshot_monotonic(snapshot, realtime);
	return true;
}

static int set_time(const struct frec_snapshot *snapshot, const char *text, uint64_t *ret,
		    struct frec_error *reterr)
{
	if (!text || frec__filter_time(snapshot, text, ret))
		return 0;
	return frec__error(
		reterr, -EINVAL,
		"%.64s: not a time: give seconds from the trigger, as -2.5, or a date, as "
		"2026-05-01T12:30:00Z",
		text);
}

// Marks the sources that the glob matches, unless `marks` is NULL. Returns whether there are any.
static bool mark_sources(bool *marks, const struct frec_snapshot *snapshot, const char *glob)
{
	bool any = false;

	for (size_t i = 0; i < snapshot->source_count; i++) {
		const Flightrec__Source *source = snapshot->sources[i];
		char name[512];

		snprintf(name, sizeof(name), "%s:%s", source->system, source->name);
		// For a source that payloads describe (eventheader.h), its tracepoint's name can
		// match, too.
		if (fnmatch(glob, name, 0) &&
		    (i < snapshot->source_order_count || fnmatch(glob, source->kernel_name, 0)))
			continue;
		any = true;
		if (marks)
			marks[i] = true;
	}
	return any;
}

int frec__filter_check(struct frec_snapshot *const *snapshots, size_t count,
		       const struct frec_filter_options *options, struct frec_error *reterr)
{
	for (size_t i = 0; options && i < options->event_count; i++) {
		bool any = false;

		for (size_t k = 0; k < count; k++)
			any |= mark_sources(NULL, snapshots[k], options->events[i]);
		if (!any)
			return frec__error(reterr, -EINVAL,
					   "%s%s: no events %.128s: 'flightrec show' lists what a "
					   "file holds",
					   snapshots[0]->name, count > 1 ? " and the others" : "",
					   options->events[i]);
	}
	return 0;
}

int frec__filter_init(struct frec_filter *filter, const struct frec_snapshot *snapshot,
		      const struct frec_filter_options *options, struct frec_error *reterr)
{
	static const struct frec_filter_options everything;
	int r;

	if (!options)
		options = &everything;
	*filter = (struct frec_filter){.options = options, .to = UINT64_MAX};
	filter->sources = calloc(snapshot->source_count + 1, sizeof(*filter->sources));
	if (!filter->sources)
		return frec__error(reterr, -ENOMEM, "out of memory");
	if (!options->event_count)
		memset(filter->sources, true, snapshot->source_count);
	r = set_time(snapshot, options->from, &filter->from, reterr);
	if (!r)
		r = set_time(snapshot, options->to, &filter->to, reterr);
	for (size_t i = 0; i < options->event_count && !r; i++)
		mark_sources(filter->sources, snapshot, options->events[i]);
	if (r)
		frec__filter_deinit(filter);
	return r;
}

void frec__filter_deinit(struct frec_filter *filter)
{
	free(filter->sources);
	filter->sources = NULL;
}

bool frec__filter_wants(const struct frec_filter *filter, const struct frec_record *record,
			const struct frec_process_entry *who)
{
	const struct frec_filter_options *options = filter->options;
	uint32_t pid = who && record->pid == UINT32_MAX ? who->process->pid : record->pid;

	if (!filter->sources[record->source_index] || record->time < filter->from ||
	    record->time > filter->to)
		return false;
	for (size_t i = 0; i < options->pid_count; i++) {
		if (options->pids[i] == pid)
			return true;
	}
	return !options->pid_count;
}
