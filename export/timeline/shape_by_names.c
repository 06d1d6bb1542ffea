// SPDX-License-Identifier: MIT
// Plans by the names of events: which of them begin and end spans or activities, and which are
// lines of a log.
#include "export/timeline/shape_by_names.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "export/timeline/shape_plan.h"

// Text fields that eventheader_layout.c makes from the header.
#define ACTIVITY "activity"
#define RELATED "related_activity"

// The most underscores that can come before the word of an ending, such as "done".
#define UNDERSCORES_MAX 7

static const char *const begins[] = {"_start", "_begin", "_enter"};
static const char *const ends[] = {"_done", "_end", "_stop", "_exit"};

// Returns whether the source's events come from a service. The names of kernel events follow no
// convention, except those of system calls.
static bool is_service_event(const Flightrec__Source *source)
{
	return source->kind == FLIGHTREC__SOURCE_KIND__SOURCE_EVENT ||
	       source->kind == FLIGHTREC__SOURCE_KIND__SOURCE_USER_EVENT ||
	       source->kind == FLIGHTREC__SOURCE_KIND__SOURCE_USDT;
}

static bool ends_in(const char *name, const char *suffix, size_t *ret_stem)
{
	size_t length = strlen(name), end = strlen(suffix);

	if (length <= end || strcmp(name + length - end, suffix))
		return false;
	for (*ret_stem = length - end; *ret_stem && name[*ret_stem - 1] == '_';)
		(*ret_stem)--;
	return *ret_stem;
}

// The sources of a host, sorted by system and name, so that the other end of a span is found fast.
struct names {
	const struct frec_snapshot *snapshot;
	uint32_t *sorted;
	bool raw_syscalls; // whether events of raw_syscalls are exported
};

static int compare_names(const Flightrec__Source *a, const char *system, const char *name)
{
	int order = strcmp(a->system, system);

	return order ? order : strcmp(a->name, name);
}

static int by_name(const void *a, const void *b, void *data)
{
	const struct frec_snapshot *snapshot = data;
	const uint32_t *x = a, *y = b;
	const Flightrec__Source *other = snapshot->sources[*y];
	int order = compare_names(snapshot->sources[*x], other->system, other->name);

	return order ? order : (*x > *y) - (*x < *y);
}

static bool sort_names(struct names *names, const struct frec_host *host)
{
	const struct frec_snapshot *snapshot = host->snapshot;

	*names = (struct names){snapshot, calloc(snapshot->source_count + 1, sizeof(uint32_t)),
				false};
	for (size_t i = 0; names->sorted && i < snapshot->source_count; i++) {
		names->sorted[i] = (uint32_t)i;
		names->raw_syscalls |= host->filter.sources[i] &&
				       !strcmp(snapshot->sources[i]->system, "raw_syscalls");
	}
	if (names->sorted)
		qsort_r(names->sorted, snapshot->source_count, sizeof(uint32_t), by_name,
			(void *)(uintptr_t)snapshot);
	return names->sorted;
}

// Returns the index of the first source with this system and this name, or SIZE_MAX.
static size_t find_name(const struct names *names, const char *system, const char *name)
{
	const struct frec_snapshot *snapshot = names->snapshot;
	size_t low = 0, high = snapshot->source_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_names(snapshot->sources[names->sorted[middle]], system, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < snapshot->source_count &&
			       !compare_names(snapshot->sources[names->sorted[low]], system, name)
		       ? names->sorted[low]
		       : SIZE_MAX;
}

// Returns the index of the source of the same system whose name is the stem of `begin` with the
// suffix of an end, or SIZE_MAX. The suffix may begin with up to UNDERSCORES_MAX underscores,
// however many there are in the name of `begin`.
static size_t find_end(const struct names *names, const Flightrec__Source *begin, size_t stem)
{
	size_t best = SIZE_MAX;

	for (size_t k = 0; k < sizeof(ends) / sizeof(ends[0]) && best == SIZE_MAX; k++) {
		for (size_t more = 0; more < UNDERSCORES_MAX; more++) {
			char name[FREC_LIMIT_NAME + UNDERSCORES_MAX + 8];
			size_t found;

			snprintf(name, sizeof(name), "%.*s%.*s%s", (int)stem, begin->name,
				 (int)more, "_______", ends[k]);
			found = find_name(names, begin->system, name);
			best = found < best ? found : best;
		}
	}
	return best;
}

// Returns the index of the exit event of the system call `name`, or SIZE_MAX. Finds none if events
// of raw_syscalls are exported, because the programs that read exports make spans of these
// themselves, and each call would be shown twice.
static size_t find_syscall_exit(const struct names *names, const char *name)
{
	char exit[FREC_LIMIT_NAME + 16];

	if (names->raw_syscalls)
		return SIZE_MAX;
	snprintf(exit, sizeof(exit), "sys_exit_%s", name);
	return find_name(names, "syscalls", exit);
}

static int plan_span_by_name(struct frec_shapes *shapes, const struct names *names, size_t host,
			     size_t index)
{
	const struct frec_snapshot *snapshot = shapes->hosts->hosts[host].snapshot;
	const Flightrec__Source *source = snapshot->sources[index];
	const char *name = source->name;
	struct frec_plan_end side = {.kind = FREC_SHAPE_BEGIN, .key = SIZE_MAX};
	size_t end = SIZE_MAX, stem = 0;

	if (!strcmp(source->system, "syscalls") && !strncmp(name, "sys_enter_", 10)) {
		name += 10;
		stem = strlen(name);
		end = find_syscall_exit(names, name);
	}
	for (size_t k = 0;
	     is_service_event(source) && k < sizeof(begins) / sizeof(begins[0]) && end == SIZE_MAX;
	     k++) {
		if (ends_in(name, begins[k], &stem))
			end = find_end(names, source, stem);
	}
	if (end == SIZE_MAX)
		return 0;
	side.span = frec__plan_span(shapes, NULL, source->system, name, stem);
	side.identity = frec__plan_identity(source, snapshot->sources[end], name, stem);
	if (frec__plan_end(shapes, host, index, &side))
		return -ENOMEM;
	side.kind = FREC_SHAPE_END;
	return frec__plan_end(shapes, host, end, &side);
}

// A line of a log has a text field "message" or "msg", and no other text except a level and the ids
// of activities.
static int plan_log_by_name(struct frec_shapes *shapes, size_t host, size_t index)
{
	const Flightrec__Source *source = shapes->hosts->hosts[host].snapshot->sources[index];
	size_t message = SIZE_MAX, level = SIZE_MAX;
	struct frec_shapes_plan *plan;

	if (!is_service_event(source))
		return 0;
	for (size_t i = 0; i < source->n_field; i++) {
		const char *name = source->field[i]->name;

		if (!strcmp(name, "level") || !strcmp(name, "severity") ||
		    !strcmp(name, "priority"))
			level = i;
		else if (!strcmp(name, ACTIVITY) || !strcmp(name, RELATED))
			continue;
		else if (!frec__plan_is_text(source->field[i]))
			continue;
		else if (message == SIZE_MAX && (!strcmp(name, "message") || !strcmp(name, "msg")))
			message = i;
		else
			return 0;
	}
	if (message == SIZE_MAX)
		return 0;
	plan = frec__plan_of(shapes, host, index);
	if (!plan)
		return -ENOMEM;
	if (plan->message == SIZE_MAX) {
		plan->message = message;
		plan->level = level;
	}
	return 0;
}

// Returns whether all events of the source have the opcode `name`. In that case
// eventheader_layout.c has given the field `opcode` one enumerator, for that opcode.
static bool has_opcode(const Flightrec__Source *source, const char *name)
{
	size_t index = frec__plan_field(source, "opcode");
	const Flightrec__Field *field = index == SIZE_MAX ? NULL : source->field[index];

	return field && source->kind == FLIGHTREC__SOURCE_KIND__SOURCE_USER_EVENT &&
	       field->kind == FLIGHTREC__FIELD_KIND__FIELD_ENUM && field->n_enumerator == 1 &&
	       !strcmp(field->enumerator[0]->name, name);
}

// Returns the length of the event's name without a suffix that repeats its opcode.
static size_t activity_stem(const char *name, bool is_begin)
{
	static const char *const other_begins[] = {"Start", "Begin", "Enter"};
	static const char *const other_ends[] = {"Stop", "End", "Exit", "Done"};
	size_t stem;

	for (size_t i = 0; i < sizeof(other_ends) / sizeof(other_ends[0]); i++) {
		bool more = i < sizeof(other_begins) / sizeof(other_begins[0]);

		if (is_begin ? more && (ends_in(name, begins[i], &stem) ||
					ends_in(name, other_begins[i], &stem))
			     : ends_in(name, ends[i], &stem) || ends_in(name, other_ends[i], &stem))
			return stem;
	}
	return strlen(name);
}

// Plans EventHeader's activities. Events with the opcodes start and stop are the ends of a span,
// whose key is the activity's id if there is one. Other events with an activity's id are within the
// span of that activity. Returns 0 or -ENOMEM.
static int plan_activity(struct frec_shapes *shapes, size_t host, size_t index)
{
	const Flightrec__Source *source = shapes->hosts->hosts[host].snapshot->sources[index];
	bool is_begin = has_opcode(source, "start"), is_end = has_opcode(source, "stop");
	size_t activity = frec__plan_field(source, ACTIVITY);
	struct frec_shapes_plan *plan;
	struct frec_plan_end end;

	if (source->kind != FLIGHTREC__SOURCE_KIND__SOURCE_USER_EVENT ||
	    (!is_begin && !is_end &&
	     (activity == SIZE_MAX || !frec__plan_is_text(source->field[activity]))))
		return 0;
	plan = frec__plan_of(shapes, host, index);
	if (!plan)
		return -ENOMEM;
	if (plan->kind != FREC_SHAPE_INSTANT)
		return 0;
	if (!is_begin && !is_end) {
		plan->within = activity;
		return 0;
	}
	plan->within = is_begin ? frec__plan_field(source, RELATED) : SIZE_MAX;
	plan->activity = activity != SIZE_MAX;
	end = (struct frec_plan_end){
		.kind = is_begin ? FREC_SHAPE_BEGIN : FREC_SHAPE_END,
		.span = frec__plan_span(shapes, NULL, source->system, source->name,
					activity_stem(source->name, is_begin)),
		.key = activity,
	};
	return frec__plan_end(shapes, host, index, &end);
}

int frec__plan_by_names(struct frec_shapes *shapes, size_t host)
{
	struct names names;
	int r = sort_names(&names, &shapes->hosts->hosts[host]) ? 0 : -ENOMEM;

	for (size_t i = 0; i < shapes->hosts->hosts[host].snapshot->source_count && !r; i++) {
		r = plan_activity(shapes, host, i);
		if (!r)
			r = plan_span_by_name(shapes, &names, host, i);
		if (!r)
			r = plan_log_by_name(shapes, host, i);
	}
	free(names.sorted);
	return r;
}
