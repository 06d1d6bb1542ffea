// SPDX-License-Identifier: MIT
// Follows open spans. Each thread has a stack of them. Each span with a key has a lane, and so has
// a span that overlaps another with a different identity.
#include "export/timeline/shapes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "proto/grow.h"

// OPEN_MAX is the most lanes, and the most open spans of all threads together. DEPTH_MAX is the
// most open spans of one thread, because no viewer shows a deeper recursion.
#define OPEN_MAX (1u << 20)
#define DEPTH_MAX 512

struct frec_shapes_thread {
	/* the events of the file that had the thread's last event, and the thread in that file's
	 * process table */
	const struct frec_events *events;
	const struct frec_process_entry *who;
	struct open_span {
		uint32_t span;
		uint64_t begin;
		uint64_t identity; /* 0: none */
	} * open;		   /* the oldest first */
	/* `capacity` is needed because `depth` can also fall. frec__grow(), which knows only the
	 * depth, would then allocate again */
	uint32_t depth, capacity;
};

int frec__shapes_init(struct frec_shapes *shapes, const struct frec_hosts *hosts,
		      struct frec_error *reterr)
{
	*shapes = (struct frec_shapes){
		.hosts = hosts,
		.host_count = hosts->count,
		.plans = calloc(hosts->count, sizeof(*shapes->plans)),
		.lane_count = 1,
	};
	for (size_t i = 0; shapes->plans && i < hosts->count; i++) {
		shapes->plans[i] =
			calloc(hosts->hosts[i].snapshot->source_count + 1, sizeof(**shapes->plans));
		if (!shapes->plans[i])
			shapes->failed = true;
	}
	if (shapes->plans && !shapes->failed)
		return 0;
	frec__shapes_deinit(shapes);
	return frec__error(reterr, -ENOMEM, "out of memory");
}

void frec__shapes_deinit(struct frec_shapes *shapes)
{
	for (size_t i = 0; shapes->plans && i < shapes->host_count; i++) {
		size_t sources = shapes->hosts->hosts[i].snapshot->source_count;

		for (size_t k = 0; shapes->plans[i] && k < sources; k++)
			free(shapes->plans[i][k]);
		free(shapes->plans[i]);
	}
	free(shapes->plans);
	for (size_t i = 0; i < shapes->span_count; i++) {
		free(shapes->spans[i].system);
		free(shapes->spans[i].name);
	}
	for (size_t i = 0; i < shapes->counter_count; i++)
		free(shapes->counters[i].name);
	for (size_t i = 0; i < shapes->thread_count; i++)
		free(shapes->thread_list[i].open);
	free(shapes->spans);
	free(shapes->counters);
	free(shapes->thread_list);
	free(shapes->lanes);
	frec__table_free(&shapes->free_lanes);
	frec__table_free(&shapes->open);
	frec__table_free(&shapes->span_numbers);
	frec__table_free(&shapes->threads);
	*shapes = (struct frec_shapes){0};
}

// Hashes numbers of every size and sign by their value, and text by its bytes. The hash is never 0.
// Returns false for values of other kinds.
static bool hash_value(const struct frec_value *value, uint64_t seed, uint64_t *ret)
{
	uint64_t hash = frec__stable_mix(seed, 1);

	switch (value->kind) {
	case FREC_VALUE_UNSIGNED:
	case FREC_VALUE_SIGNED:
	case FREC_VALUE_BOOL:
	case FREC_VALUE_POINTER:
	case FREC_VALUE_ENUM:
		hash = frec__stable_mix(hash, value->u);
		break;
	case FREC_VALUE_TEXT:
	case FREC_VALUE_BYTES:
		hash = frec__stable_mix(hash, 2);
		for (size_t i = 0; i < value->size; i++)
			hash = frec__stable_mix(hash, value->data[i]);
		break;
	default:
		return false;
	}
	*ret = hash ? hash : 1;
	return true;
}

static uint32_t pid_of(const struct frec_event *event)
{
	return event->who ? event->who->process->pid : event->record->pid;
}

// Returns a free lane, or a new one; or 0 if there are too many or memory runs out. If `fresh`, the
// lane must be new, because the span reaches into the past.
static uint32_t acquire_lane(struct frec_shapes *shapes, const struct frec_event *event,
			     uint32_t span, bool fresh)
{
	uint64_t kind = frec__table_mix(frec__table_mix(span, event->host->index), pid_of(event));
	uint32_t *first = frec__table_get(&shapes->free_lanes, kind);
	uint32_t lane;

	if (first && *first && !fresh) {
		lane = *first;
		*first = shapes->lanes[lane].next;
		return lane;
	}
	if (shapes->lane_count >= OPEN_MAX)
		return 0;
	if (!frec__grow(&shapes->lanes, shapes->lane_count, sizeof(*shapes->lanes))) {
		shapes->failed = true;
		return 0;
	}
	lane = (uint32_t)shapes->lane_count++;
	shapes->lanes[lane] = (struct frec_lane){.span = span, .pid = pid_of(event), .kind = kind};
	return lane;
}

static void release_lane(struct frec_shapes *shapes, uint32_t lane)
{
	bool is_new;
	uint32_t *first = frec__table_put(&shapes->free_lanes, shapes->lanes[lane].kind, &is_new);

	if (!first) {
		shapes->failed = true;
		return;
	}
	shapes->lanes[lane].next = *first;
	*first = lane;
}

// Sets the begin of a span whose begin is missing. That time is before everything else, also before
// the begin of spans that were cut earlier, because those spans lie within this one.
static void cut(struct frec_shapes *shapes, struct frec_shape *shape)
{
	shape->cut = true;
	shapes->cuts++;
	shape->begin = shapes->first > shapes->cuts ? shapes->first - shapes->cuts : 0;
}

// Begins or ends a span on a lane. `key` is a hash of the kind of span and its key, or of the
// thread, the kind of span and its identity.
static void shape_by_key(struct frec_shapes *shapes, const struct frec_shapes_plan *plan,
			 const struct frec_event *event, uint64_t key, struct frec_shape *shape)
{
	uint32_t *lane = frec__table_get(&shapes->open, key);
	uint32_t span = plan->span;
	bool is_new;

	if (plan->kind == FREC_SHAPE_BEGIN) {
		// A second begin of a span that is already open cannot be drawn.
		shape->lane = lane ? 0 : acquire_lane(shapes, event, plan->span, false);
		if (!shape->lane)
			return;
		lane = frec__table_put(&shapes->open, key, &is_new);
		if (!lane) {
			shapes->failed = true;
			return;
		}
		*lane = shape->lane;
		shapes->lanes[*lane].begin = event->time;
	} else if (lane) {
		shape->lane = *lane;
		span = shapes->lanes[*lane].span;
		shape->begin = shapes->lanes[*lane].begin;
		frec__table_remove(&shapes->open, key);
		release_lane(shapes, shape->lane);
	} else {
		shape->lane = acquire_lane(shapes, event, plan->span, true);
		if (!shape->lane)
			return;
		release_lane(shapes, shape->lane);
		cut(shapes, shape);
	}
	shape->kind = plan->kind;
	shape->span = span;
}

// Returns a seed, so that equal keys of different kinds of spans have different hashes. Ids of
// activities mean the same in all kinds of spans, so they have the same seed.
static uint64_t key_seed(const struct frec_shapes_plan *plan, const struct frec_event *event,
			 bool activity)
{
	return frec__stable_mix(event->host->index, activity ? UINT64_MAX : plan->span);
}

// Returns the lane of the open activity whose id `field` holds, or 0.
static uint32_t find_activity(struct frec_shapes *shapes, const struct frec_shapes_plan *plan,
			      const struct frec_event *event, size_t field)
{
	uint64_t key;
	const uint32_t *lane;

	if (field == SIZE_MAX ||
	    !hash_value(&event->values[field], key_seed(plan, event, true), &key))
		return 0;
	lane = frec__table_get(&shapes->open, key);
	return lane ? *lane : 0;
}

// Returns the open spans of the event's thread, or NULL if memory runs out. If another thread had
// the tid before, the open spans of that thread are abandoned.
static struct frec_shapes_thread *find_thread(struct frec_shapes *shapes,
					      const struct frec_event *event,
					      struct frec_shape *shape)
{
	uint64_t key = (uint64_t)event->host->index << 32 | event->record->tid;
	struct frec_shapes_thread *thread;
	bool is_new;
	uint32_t *index = frec__table_put(&shapes->threads, key, &is_new);

	if (!index)
		return NULL;
	if (is_new) {
		if (!frec__grow(&shapes->thread_list, shapes->thread_count, sizeof(*thread)))
			return NULL;
		*index = (uint32_t)shapes->thread_count++;
		shapes->thread_list[*index] = (struct frec_shapes_thread){0};
	}
	thread = &shapes->thread_list[*index];
	if (thread->depth && thread->events == event->events && thread->who != event->who) {
		shape->abandoned = thread->depth;
		shapes->open_count -= thread->depth;
		thread->depth = 0;
	}
	thread->events = event->events;
	thread->who = event->who;
	return thread;
}

static bool push(struct frec_shapes *shapes, struct frec_shapes_thread *thread, uint32_t span,
		 uint64_t begin, uint64_t identity)
{
	if (thread->depth == DEPTH_MAX || shapes->open_count >= OPEN_MAX)
		return false;
	if (thread->depth == thread->capacity) {
		uint32_t capacity = thread->capacity ? 2 * thread->capacity : 8;
		struct open_span *open = reallocarray(thread->open, capacity, sizeof(*open));

		if (!open) {
			shapes->failed = true;
			return false;
		}
		thread->open = open;
		thread->capacity = capacity;
	}
	thread->open[thread->depth++] = (struct open_span){span, begin, identity};
	shapes->open_count++;
	return true;
}

// Returns the depth, from 1, of the thread's youngest open span of this kind and identity, or 0 if
// there is none. In that case *ret_others says whether one with another identity is open.
static uint32_t find_open(const struct frec_shapes_thread *thread, uint32_t span, uint64_t identity,
			  bool *ret_others)
{
	*ret_others = false;
	for (uint32_t depth = thread->depth; depth; depth--) {
		const struct open_span *open = &thread->open[depth - 1];

		if (open->span != span)
			continue;
		if (!identity || !open->identity || open->identity == identity)
			return depth;
		*ret_others = true;
	}
	return 0;
}

static uint64_t identity_of(const struct frec_shapes_plan *plan, const struct frec_event *event)
{
	uint64_t seed = frec__stable_mix(frec__stable_mix(event->host->index, event->record->tid),
					 ~(uint64_t)plan->span);
	uint64_t identity;

	return plan->identity != SIZE_MAX &&
			       hash_value(&event->values[plan->identity], seed, &identity)
		       ? identity
		       : 0;
}

static void shape_by_thread(struct frec_shapes *shapes, const struct frec_shapes_plan *plan,
			    const struct frec_event *event, struct frec_shape *shape)
{
	struct frec_shapes_thread *thread;
	uint64_t identity;
	uint32_t depth;
	bool others;

	// Each CPU has an idle task, all with tid 0. UINT32_MAX means that the kernel did not know
	// the tid, so it can be any thread.
	if (!event->record->tid || event->record->tid == UINT32_MAX)
		return;
	thread = find_thread(shapes, event, shape);
	if (!thread) {
		shapes->failed = true;
		return;
	}
	identity = identity_of(plan, event);
	depth = find_open(thread, plan->span, identity, &others);
	// The event begins a span that overlaps one with another identity, or ends such a span.
	if (!depth && (others || (plan->kind == FREC_SHAPE_END && identity &&
				  frec__table_get(&shapes->open, identity)))) {
		shape_by_key(shapes, plan, event, identity, shape);
		return;
	}
	shape->span = plan->span;
	if (plan->kind == FREC_SHAPE_BEGIN) {
		if (push(shapes, thread, plan->span, event->time, identity))
			shape->kind = FREC_SHAPE_BEGIN;
		return;
	}
	shape->kind = FREC_SHAPE_END;
	// A span whose begin is missing began before all open spans, so these end here, too.
	shape->abandoned += thread->depth - depth;
	shapes->open_count -= thread->depth;
	thread->depth = depth ? depth - 1 : 0;
	shapes->open_count += thread->depth;
	if (depth)
		shape->begin = thread->open[depth - 1].begin;
	else
		cut(shapes, shape);
}

static int level_of_word(const char *word, size_t size)
{
	static const struct {
		const char *word;
		int level;
	} levels[] = {{"emerg", 0}, {"alert", 1}, {"crit", 2},	 {"fatal", 2},
		      {"err", 3},   {"warn", 4},  {"notice", 5}, {"info", 6},
		      {"debug", 7}, {"trace", 7}, {"verbose", 7}};

	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		size_t length = strlen(levels[i].word);

		if (size >= length && !strncasecmp(word, levels[i].word, length))
			return levels[i].level;
	}
	return -1;
}

// A level is a number of syslog(3), or a word for one. Anything else counts as information.
static int level_of(const struct frec_value *value)
{
	int level = -1;

	if (value->kind == FREC_VALUE_TEXT)
		level = level_of_word((const char *)value->data, value->size);
	else if (value->kind == FREC_VALUE_ENUM && value->name)
		level = level_of_word(value->name, strlen(value->name));
	else if ((value->kind == FREC_VALUE_UNSIGNED || value->kind == FREC_VALUE_SIGNED ||
		  value->kind == FREC_VALUE_ENUM) &&
		 value->u <= 7)
		level = (int)value->u;
	return level < 0 ? 6 : level;
}

static void add_fields(const struct frec_shapes_plan *plan, const struct frec_event *event,
		       struct frec_shape *shape)
{
	for (size_t i = 0; i < plan->counter_count; i++) {
		const struct frec_value *value = &event->values[plan->counter_fields[i]];

		if (value->kind == FREC_VALUE_INVALID || value->kind == FREC_VALUE_BYTES)
			continue;
		shape->counters[shape->counter_count].number = plan->counters[i];
		shape->counters[shape->counter_count++].value = value;
	}
	for (size_t i = 0; i < plan->flow_count; i++)
		shape->flow_count += hash_value(&event->values[plan->flow_fields[i]],
						~(uint64_t)plan->flow_groups[i],
						&shape->flows[shape->flow_count]);
	if (plan->message == SIZE_MAX || event->values[plan->message].kind != FREC_VALUE_TEXT)
		return;
	shape->message = &event->values[plan->message];
	shape->level = plan->level == SIZE_MAX ? 6 : level_of(&event->values[plan->level]);
}

const struct frec_shape *frec__shapes_of(struct frec_shapes *shapes, const struct frec_event *event)
{
	const struct frec_shapes_plan *plan =
		shapes->plans[event->host->index][event->source_index];
	struct frec_shape *shape = &shapes->shape;
	uint64_t key;

	if (!shapes->started) {
		shapes->started = true;
		shapes->first = event->time;
	}
	if (!plan)
		return NULL;
	*shape = (struct frec_shape){.kind = FREC_SHAPE_INSTANT,
				     .within = find_activity(shapes, plan, event, plan->within)};
	if (plan->kind != FREC_SHAPE_INSTANT && plan->key != SIZE_MAX) {
		if (hash_value(&event->values[plan->key], key_seed(plan, event, plan->activity),
			       &key))
			shape_by_key(shapes, plan, event, key, shape);
	} else if (plan->kind != FREC_SHAPE_INSTANT) {
		shape_by_thread(shapes, plan, event, shape);
	}
	add_fields(plan, event, shape);
	return shape;
}
