// SPDX-License-Identifier: MIT
// Proves that events get the right shapes: spans of threads and of keys, spans whose begin or end
// is missing, counters, flows, logs; and that rules which match nothing are rejected.
#include <setjmp.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <stdio.h>

#include <cmocka.h>

#include "export/timeline/shape_plans.h"
#include "export/timeline/shapes.h"

#define SOURCES 8

enum { A_START, A_DONE, B_BEGIN, B_END, JOB, JOB_OVER, DEPTH, LOG };

static Flightrec__Field fields[] = {FLIGHTREC__FIELD__INIT, FLIGHTREC__FIELD__INIT,
				    FLIGHTREC__FIELD__INIT};
static Flightrec__Field *key_fields[] = {&fields[0]};
static Flightrec__Field *log_fields[] = {&fields[1], &fields[2]};
static Flightrec__Source sources[SOURCES];
static Flightrec__Source *source_list[SOURCES];
static bool wanted[SOURCES];
static struct frec_snapshot snapshot;
static struct frec_host host;
static struct frec_hosts hosts = {.hosts = &host, .count = 1};
static struct frec_events file;
static Flightrec__Process process = FLIGHTREC__PROCESS__INIT;
static struct frec_process_entry lives[2] = {{.process = &process}, {.process = &process}};

static void make_source(int index, const char *system, const char *name, Flightrec__Field **list,
			size_t count)
{
	flightrec__source__init(&sources[index]);
	sources[index].kind = FLIGHTREC__SOURCE_KIND__SOURCE_EVENT;
	sources[index].system = (char *)system;
	sources[index].name = (char *)name;
	sources[index].field = list;
	sources[index].n_field = count;
	source_list[index] = &sources[index];
}

static int make_sources(void **state)
{
	(void)state;
	fields[0].name = "key";
	fields[0].kind = FLIGHTREC__FIELD_KIND__FIELD_UNSIGNED;
	fields[1].name = "message";
	fields[2].name = "level";
	fields[1].kind = fields[2].kind = FLIGHTREC__FIELD_KIND__FIELD_STRING;
	make_source(A_START, "shop", "a_start", key_fields, 1);
	make_source(A_DONE, "shop", "a_done", key_fields, 1);
	make_source(B_BEGIN, "shop", "b__begin", key_fields, 1);
	make_source(B_END, "shop", "b__end", key_fields, 1);
	make_source(JOB, "shop", "job", key_fields, 1);
	make_source(JOB_OVER, "shop", "job_over", key_fields, 1);
	make_source(DEPTH, "shop", "depth", key_fields, 1);
	make_source(LOG, "shop", "log", log_fields, 2);
	snapshot.sources = source_list;
	snapshot.source_count = SOURCES;
	host.snapshot = &snapshot;
	host.filter.sources = wanted;
	memset(wanted, true, sizeof(wanted));
	return 0;
}

static void start(struct frec_shapes *shapes, struct frec_shape_rules *rules)
{
	struct frec_error error = {0};

	assert_int_equal(frec__shapes_init(shapes, &hosts, &error), 0);
	assert_int_equal(frec__shapes_plan(shapes, rules, &error), 0);
}

static void rule(struct frec_shape_rules *rules, enum frec_shape_rule_kind kind, const char *text)
{
	struct frec_error error = {0};

	assert_int_equal(frec__shape_rules_add(rules, kind, text, &error), 0);
}

static struct frec_value values[2];

// Returns the shape of an event of thread `tid` at `time`.
static const struct frec_shape *emit_as(struct frec_shapes *shapes, int source, uint32_t tid,
					uint64_t time, uint64_t key,
					const struct frec_process_entry *who)
{
	static struct frec_record record;
	static struct frec_event event;

	record = (struct frec_record){.source = &sources[source],
				      .source_index = (size_t)source,
				      .time = time,
				      .pid = 1,
				      .tid = tid};
	if (source != LOG)
		values[0] = (struct frec_value){
			.kind = FREC_VALUE_UNSIGNED, .field = &fields[0], .u = key};
	event = (struct frec_event){
		.record = &record,
		.source = &sources[source],
		.values = values,
		.who = who,
		.time = time,
		.source_index = (size_t)source,
		.host = &host,
		.events = &file,
	};
	return frec__shapes_of(shapes, &event);
}

static const struct frec_shape *emit(struct frec_shapes *shapes, int source, uint32_t tid,
				     uint64_t time, uint64_t key)
{
	return emit_as(shapes, source, tid, time, key, NULL);
}

static void expect(const struct frec_shape *shape, enum frec_shape_kind kind, uint64_t begin,
		   size_t abandoned, bool cut)
{
	assert_non_null(shape);
	assert_int_equal(shape->kind, kind);
	assert_int_equal(shape->abandoned, abandoned);
	assert_int_equal(shape->cut, cut);
	if (kind == FREC_SHAPE_END)
		assert_int_equal(shape->begin, begin);
}

static void spans_lie_within_each_other(void **state)
{
	struct frec_shapes shapes;
	const struct frec_shape *shape;

	(void)state;
	start(&shapes, NULL);
	assert_int_equal(shapes.span_count, 2);
	assert_string_equal(shapes.spans[0].name, "a");
	assert_string_equal(shapes.spans[1].name, "b");
	expect(emit(&shapes, A_START, 10, 100, 0), FREC_SHAPE_BEGIN, 0, 0, false);
	expect(emit(&shapes, A_START, 11, 101, 0), FREC_SHAPE_BEGIN, 0, 0, false);
	expect(emit(&shapes, B_BEGIN, 10, 102, 0), FREC_SHAPE_BEGIN, 0, 0, false);
	expect(emit(&shapes, A_START, 10, 103, 0), FREC_SHAPE_BEGIN, 0, 0, false);
	expect(emit(&shapes, A_DONE, 10, 104, 0), FREC_SHAPE_END, 103, 0, false);
	expect(emit(&shapes, A_DONE, 11, 105, 0), FREC_SHAPE_END, 101, 0, false);
	shape = emit(&shapes, B_END, 10, 106, 0);
	expect(shape, FREC_SHAPE_END, 102, 0, false);
	assert_string_equal(shapes.spans[shape->span].name, "b");
	expect(emit(&shapes, A_DONE, 10, 107, 0), FREC_SHAPE_END, 100, 0, false);
	assert_int_equal(shapes.open_count, 0);
	assert_null(emit(&shapes, JOB, 10, 108, 0));
	// Each CPU has an idle task with tid 0, and an unknown tid can be any thread's, so their
	// events form no spans.
	expect(emit(&shapes, A_START, 0, 109, 0), FREC_SHAPE_INSTANT, 0, 0, false);
	expect(emit(&shapes, A_DONE, UINT32_MAX, 110, 0), FREC_SHAPE_INSTANT, 0, 0, false);
	frec__shapes_deinit(&shapes);
}

static void ends_that_are_missing(void **state)
{
	struct frec_shapes shapes;

	(void)state;
	start(&shapes, NULL);
	// The spans of b have no ends, so the end of the span of a ends them.
	expect(emit(&shapes, A_START, 10, 100, 0), FREC_SHAPE_BEGIN, 0, 0, false);
	expect(emit(&shapes, B_BEGIN, 10, 101, 0), FREC_SHAPE_BEGIN, 0, 0, false);
	expect(emit(&shapes, B_BEGIN, 10, 102, 0), FREC_SHAPE_BEGIN, 0, 0, false);
	expect(emit(&shapes, A_DONE, 10, 103, 0), FREC_SHAPE_END, 100, 2, false);
	// If begins are missing, a span that ends later is taken to begin earlier.
	expect(emit(&shapes, B_END, 10, 104, 0), FREC_SHAPE_END, 99, 0, true);
	expect(emit(&shapes, B_BEGIN, 10, 105, 0), FREC_SHAPE_BEGIN, 0, 0, false);
	expect(emit(&shapes, A_DONE, 10, 106, 0), FREC_SHAPE_END, 98, 1, true);
	assert_int_equal(shapes.open_count, 0);
	// Another thread has the tid now.
	expect(emit_as(&shapes, A_START, 10, 107, 0, &lives[0]), FREC_SHAPE_BEGIN, 0, 0, false);
	expect(emit_as(&shapes, A_START, 10, 108, 0, &lives[1]), FREC_SHAPE_BEGIN, 0, 1, false);
	expect(emit_as(&shapes, A_DONE, 10, 109, 0, &lives[1]), FREC_SHAPE_END, 108, 0, false);
	frec__shapes_deinit(&shapes);
}

// "key" is a field of the events that begin and end the spans of a and of b, and because of its
// name it identifies these spans.
static void spans_that_overlap(void **state)
{
	struct frec_shapes shapes;
	const struct frec_shape *shape;
	uint32_t second, third;

	(void)state;
	start(&shapes, NULL);
	expect(emit(&shapes, A_START, 10, 100, 1), FREC_SHAPE_BEGIN, 0, 0, false);
	assert_int_equal(shapes.shape.lane, 0);
	expect(emit(&shapes, A_START, 10, 101, 2), FREC_SHAPE_BEGIN, 0, 0, false);
	second = shapes.shape.lane;
	expect(emit(&shapes, A_START, 10, 102, 3), FREC_SHAPE_BEGIN, 0, 0, false);
	third = shapes.shape.lane;
	assert_true(second && third && second != third);
	// The same value on another thread is another span.
	expect(emit(&shapes, A_START, 11, 103, 2), FREC_SHAPE_BEGIN, 0, 0, false);
	assert_int_equal(shapes.shape.lane, 0);
	expect(emit(&shapes, A_DONE, 10, 104, 1), FREC_SHAPE_END, 100, 0, false);
	assert_int_equal(shapes.shape.lane, 0);
	shape = emit(&shapes, A_DONE, 10, 105, 2);
	expect(shape, FREC_SHAPE_END, 101, 0, false);
	assert_int_equal(shape->lane, second);
	// No span is open on the thread itself any more, so the next span is on it, though an older
	// span is still open on a lane of its own.
	expect(emit(&shapes, A_START, 10, 106, 4), FREC_SHAPE_BEGIN, 0, 0, false);
	assert_int_equal(shapes.shape.lane, 0);
	// The begin of this span was overwritten. Its end does not end another span.
	shape = emit(&shapes, A_DONE, 10, 107, 77);
	expect(shape, FREC_SHAPE_END, 99, 0, true);
	assert_true(shape->lane && shape->lane != third);
	shape = emit(&shapes, A_DONE, 10, 108, 3);
	expect(shape, FREC_SHAPE_END, 102, 0, false);
	assert_int_equal(shape->lane, third);
	expect(emit(&shapes, A_DONE, 10, 109, 4), FREC_SHAPE_END, 106, 0, false);
	expect(emit(&shapes, A_DONE, 11, 110, 2), FREC_SHAPE_END, 103, 0, false);
	// A span can be within another one with the same key.
	expect(emit(&shapes, A_START, 10, 111, 5), FREC_SHAPE_BEGIN, 0, 0, false);
	expect(emit(&shapes, A_START, 10, 112, 5), FREC_SHAPE_BEGIN, 0, 0, false);
	expect(emit(&shapes, A_DONE, 10, 113, 5), FREC_SHAPE_END, 112, 0, false);
	expect(emit(&shapes, A_DONE, 10, 114, 5), FREC_SHAPE_END, 111, 0, false);
	assert_int_equal(shapes.open_count, 0);
	frec__shapes_deinit(&shapes);

	// With any other name the field does not identify spans, and the youngest span ends.
	fields[0].name = "depth";
	start(&shapes, NULL);
	expect(emit(&shapes, A_START, 10, 100, 1), FREC_SHAPE_BEGIN, 0, 0, false);
	expect(emit(&shapes, A_START, 10, 101, 2), FREC_SHAPE_BEGIN, 0, 0, false);
	expect(emit(&shapes, A_DONE, 10, 102, 1), FREC_SHAPE_END, 101, 0, false);
	frec__shapes_deinit(&shapes);
	for (size_t i = 0; i < 2; i++) {
		fields[0].name = i ? "order_id" : "a";
		start(&shapes, NULL);
		emit(&shapes, A_START, 10, 100, 1);
		emit(&shapes, A_START, 10, 101, 2);
		expect(emit(&shapes, A_DONE, 10, 102, 1), FREC_SHAPE_END, 100, 0, false);
		frec__shapes_deinit(&shapes);
	}
	fields[0].name = "key";
}

static void ends_that_are_filtered_out(void **state)
{
	struct frec_shape_rules rules = {0};
	struct frec_shapes shapes;

	(void)state;
	rule(&rules, FREC_RULE_SPAN, "shop:job,shop:job_over,key=key");
	rule(&rules, FREC_RULE_COUNTER, "shop:job.key");
	wanted[A_DONE] = wanted[B_BEGIN] = wanted[JOB_OVER] = false;
	start(&shapes, &rules);
	assert_null(emit(&shapes, A_START, 10, 100, 0));
	assert_null(emit(&shapes, B_END, 10, 101, 0));
	expect(emit(&shapes, JOB, 10, 102, 0), FREC_SHAPE_INSTANT, 0, 0, false);
	assert_int_equal(shapes.shape.counter_count, 1);
	frec__shapes_deinit(&shapes);
	frec__shape_rules_free(&rules);
	memset(wanted, true, sizeof(wanted));
}

static void no_deeper_than_any_viewer_shows(void **state)
{
	struct frec_shapes shapes;
	int begun = 0;

	(void)state;
	start(&shapes, NULL);
	for (int i = 0; i < 2000; i++)
		begun += emit(&shapes, A_START, 10, 100, 0)->kind == FREC_SHAPE_BEGIN;
	assert_in_range(begun, 100, 1999);
	for (int i = 0; i < begun; i++)
		expect(emit(&shapes, A_DONE, 10, 101, 0), FREC_SHAPE_END, 100, 0, false);
	expect(emit(&shapes, A_DONE, 10, 101, 0), FREC_SHAPE_END, 99, 0, true);
	frec__shapes_deinit(&shapes);
}

static void spans_of_a_key_have_lanes(void **state)
{
	struct frec_shape_rules rules = {0};
	struct frec_shapes shapes;
	const struct frec_shape *shape;
	uint32_t first, second;

	(void)state;
	rule(&rules, FREC_RULE_SPAN, "shop:job,shop:job_over,key=key,name=work");
	start(&shapes, &rules);
	shape = emit(&shapes, JOB, 10, 100, 7);
	expect(shape, FREC_SHAPE_BEGIN, 0, 0, false);
	assert_string_equal(shapes.spans[shape->span].name, "work");
	first = shape->lane;
	second = emit(&shapes, JOB, 10, 101, 8)->lane;
	assert_true(first && second && first != second);
	// A second begin of an open span is an instant.
	expect(emit(&shapes, JOB, 12, 102, 7), FREC_SHAPE_INSTANT, 0, 0, false);
	shape = emit(&shapes, JOB_OVER, 11, 103, 7);
	expect(shape, FREC_SHAPE_END, 100, 0, false);
	assert_int_equal(shape->lane, first);
	// A free lane is used again, but not by a span that reaches into the past.
	assert_int_equal(emit(&shapes, JOB, 10, 104, 9)->lane, first);
	shape = emit(&shapes, JOB_OVER, 10, 105, 9);
	shape = emit(&shapes, JOB_OVER, 10, 106, 77);
	expect(shape, FREC_SHAPE_END, 99, 0, true);
	assert_true(shape->lane != first && shape->lane != second);
	shape = emit(&shapes, JOB_OVER, 10, 107, 8);
	expect(shape, FREC_SHAPE_END, 101, 0, false);
	assert_int_equal(shape->lane, second);
	// Events that the rules do not name still form spans because of their names.
	expect(emit(&shapes, A_START, 10, 108, 7), FREC_SHAPE_BEGIN, 0, 0, false);
	assert_int_equal(shapes.shape.lane, 0);
	frec__shapes_deinit(&shapes);
	frec__shape_rules_free(&rules);
}

static void counters_flows_and_logs(void **state)
{
	struct frec_shape_rules rules = {0};
	struct frec_shapes shapes;
	const struct frec_shape *shape;
	static const struct {
		const char *word;
		int level;
	} levels[] = {{"ERROR", 3}, {"warning", 4}, {"Fatal", 2},
		      {"dbg?", 6},  {"debug", 7},   {"", 6}};
	uint64_t flow;

	(void)state;
	rule(&rules, FREC_RULE_COUNTER, "shop:depth.key");
	rule(&rules, FREC_RULE_COUNTER, "shop:depth.key,name=deep");
	rule(&rules, FREC_RULE_FLOW, "shop:job.key,shop:depth.key");
	rule(&rules, FREC_RULE_FLOW, "shop:a_*.key");
	start(&shapes, &rules);
	shape = emit(&shapes, DEPTH, 10, 100, 42);
	expect(shape, FREC_SHAPE_INSTANT, 0, 0, false);
	assert_int_equal(shape->counter_count, 2);
	assert_string_equal(shapes.counters[shape->counters[0].number].name, "shop:depth.key");
	assert_string_equal(shapes.counters[shape->counters[1].number].name, "deep");
	assert_int_equal(shape->counters[0].value->u, 42);
	assert_int_equal(shape->flow_count, 1);
	flow = shape->flows[0];
	assert_true(flow && emit(&shapes, JOB, 11, 101, 42)->flows[0] == flow);
	assert_true(emit(&shapes, JOB, 11, 101, 43)->flows[0] != flow);
	// Equal values in the fields of different rules are different flows.
	assert_true(emit(&shapes, A_START, 11, 102, 42)->flows[0] != flow);
	assert_null(emit(&shapes, JOB_OVER, 11, 103, 42));
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		values[0] = (struct frec_value){
			.kind = FREC_VALUE_TEXT, .data = (const uint8_t *)"words", .size = 5};
		values[1] = (struct frec_value){.kind = FREC_VALUE_TEXT,
						.data = (const uint8_t *)levels[i].word,
						.size = strlen(levels[i].word)};
		shape = emit(&shapes, LOG, 10, 104, 0);
		assert_ptr_equal(shape->message, &values[0]);
		assert_int_equal(shape->level, levels[i].level);
	}
	values[1] = (struct frec_value){.kind = FREC_VALUE_UNSIGNED, .u = 3};
	assert_int_equal(emit(&shapes, LOG, 10, 105, 0)->level, 3);
	frec__shapes_deinit(&shapes);
	frec__shape_rules_free(&rules);
	rules.no_conventions = true;
	start(&shapes, &rules);
	for (int i = 0; i < SOURCES; i++)
		assert_null(emit(&shapes, i, 10, 100, 1));
	frec__shapes_deinit(&shapes);
}

static void rules_that_fit_nothing(void **state)
{
	static const struct {
		enum frec_shape_rule_kind kind;
		const char *text;
	} wrong[] = {
		{FREC_RULE_SPAN, "shop:job,shop:nothing"},
		{FREC_RULE_SPAN, "shop:job,shop:job_over,key=other"},
		{FREC_RULE_COUNTER, "shop:log.message"},
		{FREC_RULE_COUNTER, "shop:depth.other"},
		{FREC_RULE_FLOW, "other"},
		{FREC_RULE_LOG, "shop:depth.key"},
	};
	static const struct {
		enum frec_shape_rule_kind kind;
		const char *text;
	} no_rules[] = {
		{FREC_RULE_SPAN, ""},
		{FREC_RULE_SPAN, "a:b"},
		{FREC_RULE_SPAN, "a:b,c"},
		{FREC_RULE_SPAN, "a:b,c:d,key="},
		{FREC_RULE_SPAN, "a:b,c:d,"},
		{FREC_RULE_COUNTER, "a:b"},
		{FREC_RULE_COUNTER, "a.b"},
		{FREC_RULE_COUNTER, "a:b."},
		{FREC_RULE_COUNTER, "a:b.c,key=d"},
		{FREC_RULE_FLOW, ""},
		{FREC_RULE_FLOW, "a:b.c,"},
		{FREC_RULE_FLOW, "x.y"},
		{FREC_RULE_LOG, "message"},
		{FREC_RULE_LOG, "a:b.c,name=d"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct frec_shape_rules rules = {0};
		struct frec_error error = {0};
		struct frec_shapes shapes;

		rule(&rules, wrong[i].kind, wrong[i].text);
		assert_int_equal(frec__shapes_init(&shapes, &hosts, &error), 0);
		assert_int_equal(frec__shapes_plan(&shapes, &rules, &error), -EINVAL);
		frec__shapes_deinit(&shapes);
		assert_non_null(strstr(error.message, wrong[i].text));
		frec__shape_rules_free(&rules);
	}
	for (size_t i = 0; i < sizeof(no_rules) / sizeof(no_rules[0]); i++) {
		struct frec_shape_rules rules = {0};
		struct frec_error error = {0};

		if (frec__shape_rules_add(&rules, no_rules[i].kind, no_rules[i].text, &error) !=
		    -EINVAL)
			fail_msg("'%s' was taken for a rule", no_rules[i].text);
		assert_true(*error.message);
		frec__shape_rules_free(&rules);
	}
}

// Compares the table with a plain array over many puts and removes of few keys, so that slots are
// displaced and moved back.
static void maps(void **state)
{
	struct frec_table map = {0};
	uint32_t expected[300] = {0};
	uint64_t random = 1;
	size_t count = 0;

	(void)state;
	assert_null(frec__table_get(&map, 1));
	frec__table_remove(&map, 1);
	for (uint32_t i = 1; i < 100000; i++) {
		uint64_t key;
		bool is_new;

		random = random * 6364136223846793005u + 1442695040888963407u;
		key = (random >> 33) % 300;
		if (random >> 62) {
			*frec__table_put(&map, key, &is_new) = i;
			assert_int_equal(is_new, !expected[key]);
			count += is_new;
			expected[key] = i;
		} else {
			frec__table_remove(&map, key);
			count -= expected[key] != 0;
			expected[key] = 0;
		}
		assert_int_equal(map.count, count);
		key = (random >> 20) % 300;
		assert_int_equal(frec__table_get(&map, key) ? *frec__table_get(&map, key) : 0,
				 expected[key]);
	}
	frec__table_free(&map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spans_lie_within_each_other),
		cmocka_unit_test(ends_that_are_missing),
		cmocka_unit_test(spans_that_overlap),
		cmocka_unit_test(ends_that_are_filtered_out),
		cmocka_unit_test(no_deeper_than_any_viewer_shows),
		cmocka_unit_test(spans_of_a_key_have_lanes),
		cmocka_unit_test(counters_flows_and_logs),
		cmocka_unit_test(rules_that_fit_nothing),
		cmocka_unit_test(maps),
	};

	return cmocka_run_group_tests(tests, make_sources, NULL);
}
