// SPDX-License-Identifier: MIT
// Proves which ids spans get: the same records give the same ids, others different ones; parents
// follow from threads and traces from flows; and which span contains one that began beside another.
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "export/otlp/spans.h"
#include "export/timeline/shape_plans.h"

enum { LOOP_START, LOOP_DONE, REQUEST_START, REQUEST_DONE, STEP, SOURCES };

static Flightrec__Host boot = FLIGHTREC__HOST__INIT;
static Flightrec__Header header = FLIGHTREC__HEADER__INIT;
static Flightrec__Field fields[] = {FLIGHTREC__FIELD__INIT, FLIGHTREC__FIELD__INIT};
static Flightrec__Field *field_list[] = {&fields[0], &fields[1]};
static Flightrec__Source sources[SOURCES], *source_list[SOURCES];
static bool wanted[SOURCES];
static struct frec_snapshot snapshot = {
	.header = &header, .sources = source_list, .source_count = SOURCES};
static struct frec_host host = {.snapshot = &snapshot, .filter.sources = wanted};
static struct frec_hosts hosts = {.hosts = &host, .count = 1};
static struct frec_events file;

static int make_sources(void **state)
{
	static const char *const names[] = {"loop_start", "loop_done", "request_start",
					    "request_done", "step"};

	(void)state;
	header.host = &boot;
	fields[0].name = "id";
	fields[0].kind = FLIGHTREC__FIELD_KIND__FIELD_UNSIGNED;
	fields[1].name = "trace";
	fields[1].kind = FLIGHTREC__FIELD_KIND__FIELD_STRING;
	for (int i = 0; i < SOURCES; i++) {
		flightrec__source__init(&sources[i]);
		sources[i].kind = FLIGHTREC__SOURCE_KIND__SOURCE_EVENT;
		sources[i].system = "shop";
		sources[i].name = (char *)names[i];
		sources[i].field = field_list;
		sources[i].n_field = 2;
		source_list[i] = &sources[i];
		wanted[i] = true;
	}
	return 0;
}

// The state of an export that follows the events, and counts of the spans that are over.
struct following {
	struct frec_shape_rules rules;
	struct frec_shapes shapes;
	struct frec_otlp_spans spans;
	size_t ended, abandoned, left_open;
	struct frec_otlp_span last; /* the last one that has ended */
};

static int count_end(void *data, const struct frec_otlp_span *span, enum frec_otlp_end how,
		     const struct frec_event *event, struct frec_error *reterr)
{
	struct following *following = data;

	(void)reterr;
	assert_true(!event == (how == FREC_OTLP_LEFT_OPEN));
	following->last = *span;
	following->ended += how == FREC_OTLP_ENDED;
	following->abandoned += how == FREC_OTLP_ABANDONED;
	following->left_open += how == FREC_OTLP_LEFT_OPEN;
	return 0;
}

static void start(struct following *following, const char *flow)
{
	struct frec_error error = {0};

	*following = (struct following){.spans = {.end = count_end, .data = following}};
	if (flow)
		assert_false(
			frec__shape_rules_add(&following->rules, FREC_RULE_FLOW, flow, &error));
	assert_false(frec__shapes_init(&following->shapes, &hosts, &error));
	assert_false(frec__shapes_plan(&following->shapes, &following->rules, &error));
	following->spans.shapes = &following->shapes;
}

static void stop(struct following *following)
{
	struct frec_error error;

	assert_false(frec__otlp_end_all(&following->spans, &error));
	frec__otlp_spans_deinit(&following->spans);
	frec__shapes_deinit(&following->shapes);
	frec__shape_rules_free(&following->rules);
}

static struct frec_otlp_ids emit(struct following *following, int source, uint32_t tid,
				 uint64_t time, uint64_t id, const char *trace)
{
	const struct frec_value values[] = {
		{.kind = FREC_VALUE_UNSIGNED, .field = &fields[0], .u = id},
		{.kind = FREC_VALUE_TEXT,
		 .field = &fields[1],
		 .data = (const uint8_t *)trace,
		 .size = strlen(trace)}};
	const struct frec_record record = {.source = &sources[source],
					   .source_index = (size_t)source,
					   .time = time,
					   .pid = 1,
					   .tid = tid};
	struct frec_event event = {.record = &record,
				   .source = &sources[source],
				   .values = values,
				   .time = time,
				   .source_index = (size_t)source,
				   .host = &host,
				   .events = &file};
	struct frec_otlp_span *begun;
	struct frec_otlp_ids ids;
	struct frec_error error;

	event.shape = frec__shapes_of(&following->shapes, &event);
	assert_false(frec__otlp_follow(&following->spans, &event, &ids, &begun, &error));
	assert_true(!begun == (source != LOOP_START && source != REQUEST_START));
	if (begun) {
		assert_memory_equal(&begun->ids, &ids, sizeof(ids));
		begun->data = malloc(1);
	}
	return ids;
}

static bool same_span(struct frec_otlp_ids a, struct frec_otlp_ids b)
{
	return !memcmp(a.span, b.span, sizeof(a.span));
}

static bool same_trace(struct frec_otlp_ids a, struct frec_otlp_ids b)
{
	return !memcmp(a.trace, b.trace, sizeof(a.trace));
}

static bool is_none(const uint8_t *id, size_t size)
{
	return !*id && !memcmp(id, id + 1, size - 1);
}

static void ids_are_of_what_is_recorded(void **state)
{
	struct frec_otlp_ids first, again, other;
	struct following following;

	(void)state;
	boot.boot_id = "one";
	start(&following, NULL);
	first = emit(&following, LOOP_START, 10, 100, 0, "");
	assert_false(is_none(first.span, sizeof(first.span)) ||
		     is_none(first.trace, sizeof(first.trace)));
	other = emit(&following, LOOP_START, 11, 100, 0, "");
	assert_false(same_span(first, other) || same_trace(first, other));
	stop(&following);
	assert_int_equal(following.left_open, 2);
	// Ids do not depend on earlier events.
	start(&following, NULL);
	emit(&following, LOOP_START, 11, 50, 0, "");
	again = emit(&following, LOOP_START, 10, 100, 7, "x");
	assert_memory_equal(&first, &again, sizeof(first));
	stop(&following);
	boot.boot_id = "two";
	start(&following, NULL);
	again = emit(&following, LOOP_START, 10, 100, 0, "");
	assert_false(same_span(first, again) || same_trace(first, again));
	// Two spans that begin at the same time have different ids.
	other = emit(&following, LOOP_START, 10, 100, 0, "");
	assert_false(same_span(again, other));
	stop(&following);
}

static void parents(void **state)
{
	struct frec_otlp_ids loop, first, second, step;
	struct following following;

	(void)state;
	start(&following, NULL);
	step = emit(&following, STEP, 10, 99, 0, "");
	assert_true(is_none(step.span, sizeof(step.span)) &&
		    is_none(step.trace, sizeof(step.trace)));
	loop = emit(&following, LOOP_START, 10, 100, 0, "");
	first = emit(&following, REQUEST_START, 10, 101, 1, "");
	assert_true(same_trace(first, loop) && !same_span(first, loop));
	step = emit(&following, STEP, 10, 102, 0, "");
	assert_memory_equal(&step, &first, sizeof(step));
	step = emit(&following, STEP, 11, 102, 0, "");
	assert_true(is_none(step.span, sizeof(step.span)));
	// This span begins beside the first one, not in it.
	second = emit(&following, REQUEST_START, 10, 103, 2, "");
	assert_true(same_trace(second, loop) && !same_span(second, first));
	assert_true(same_span(emit(&following, REQUEST_DONE, 10, 104, 1, ""), first));
	assert_true(same_span(following.last.around, loop) && following.last.begin == 101);
	assert_true(same_span(emit(&following, REQUEST_DONE, 10, 105, 2, ""), second));
	assert_true(same_span(following.last.around, loop) && following.last.begin == 103);
	emit(&following, REQUEST_START, 10, 106, 3, "");
	assert_true(same_span(emit(&following, LOOP_DONE, 10, 107, 0, ""), loop));
	assert_true(is_none(following.last.around.span, sizeof(loop.span)));
	assert_int_equal(following.ended, 3);
	assert_int_equal(following.abandoned, 1);
	// The begin of this span is missing.
	step = emit(&following, LOOP_DONE, 10, 108, 0, "");
	assert_false(is_none(step.span, sizeof(step.span)) || same_span(step, loop));
	assert_true(following.last.cut && following.last.begin == 108);
	stop(&following);
	assert_int_equal(following.left_open, 0);
}

static void traces_by_flows(void **state)
{
	static const uint8_t published[] = {0x4b, 0xf9, 0x2f, 0x35, 0x77, 0xb3, 0x4d, 0xa6,
					    0xa3, 0xce, 0x92, 0x9d, 0x0e, 0x0e, 0x47, 0x36};
	struct frec_otlp_ids loop, first, other, step;
	struct following following;

	(void)state;
	start(&following, "shop:request_*.id,shop:step.id");
	loop = emit(&following, LOOP_START, 10, 100, 0, "");
	first = emit(&following, REQUEST_START, 10, 101, 1, "");
	assert_false(same_trace(first, loop));
	other = emit(&following, REQUEST_START, 11, 102, 1, "");
	assert_true(same_trace(other, first) && !same_span(other, first));
	// A log that names another request is not in the thread's open span; one that names the
	// same request is.
	step = emit(&following, STEP, 10, 103, 2, "");
	assert_false(same_trace(step, first) || !is_none(step.span, sizeof(step.span)));
	assert_true(same_trace(emit(&following, REQUEST_START, 12, 104, 2, ""), step));
	step = emit(&following, STEP, 10, 105, 1, "");
	assert_memory_equal(&step, &first, sizeof(step));
	emit(&following, REQUEST_DONE, 10, 106, 1, "");
	assert_true(same_span(following.last.around, loop) &&
		    same_trace(following.last.around, loop));
	stop(&following);
	assert_int_equal(following.left_open, 3);

	start(&following, "trace");
	first = emit(&following, REQUEST_START, 10, 100, 1, "4bf92f3577b34da6a3ce929d0e0e4736");
	assert_memory_equal(first.trace, published, sizeof(published));
	first = emit(&following, REQUEST_START, 11, 100, 1, "4BF92F3577B34DA6A3CE929D0E0E4736");
	assert_memory_equal(first.trace, published, sizeof(published));
	// These are not valid trace ids, so they are treated like any other values.
	first = emit(&following, REQUEST_START, 12, 100, 1, "4bf92f3577b34da6a3ce929d0e0e473g");
	other = emit(&following, REQUEST_START, 13, 100, 1, "00000000000000000000000000000000");
	assert_false(is_none(first.trace, sizeof(first.trace)) ||
		     is_none(other.trace, sizeof(other.trace)));
	assert_false(same_trace(first, other) || !memcmp(first.trace, published, 4));
	stop(&following);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_are_of_what_is_recorded),
		cmocka_unit_test(parents),
		cmocka_unit_test(traces_by_flows),
	};

	return cmocka_run_group_tests(tests, make_sources, NULL);
}
