// SPDX-License-Identifier: MIT
// check_otlp_traces.js NODE_MODULES LINES.jsonl DEAD LOGS... -- TRACES...: checks requests to a
// collector, which are decoded with the code that OpenTelemetry publishes for its schema. Their
// spans must be those that the events of tests/host/pair.c in the JSON lines form, and each log
// must refer to the span that it is in. DEAD is the pid of the process that died, or 0.
"use strict";
const assert = require("assert");
const {attributes, decode, lines, same} = require("./otlp.js");

const [modules, path, dead, ...bodies] = process.argv.slice(2);
const middle = bodies.indexOf("--");
const logs = decode(modules, "logs", bodies.slice(0, middle)).filter(
	record => record.eventName !== "flightrec.crash"
);
const spans = decode(modules, "traces", bodies.slice(middle + 1));
const events = lines(path);

// Which spans the pair's events begin and end. A span with a key may end on any thread.
const kinds = {
	"client:call_start": ["call", "begin"],
	"client:call_done": ["call", "end"],
	"client:check_start": ["check", "begin"],
	"client:check_done": ["check", "end"],
	"server:work_begin": ["work", "begin"],
	"server:work_end": ["work", "end"],
	"server:job_start": ["job", "begin", "request"],
	"server:job_done": ["job", "end", "request"],
};
const expected = [],
	open = new Map(),
	threads = new Map();
const stack = event => threads.get(event.tid) ?? threads.set(event.tid, []).get(event.tid);
events.forEach((event, i) => {
	const [name, edge, key] = kinds[event.event] ?? [];
	const around = stack(event).at(-1);
	const id = `${name} ${event.fields.request}`;

	event.log = logs[i];
	if (edge === "begin") {
		event.span = {name, begin: event, pid: event.pid, parent: around};
		expected.push(event.span);
		if (key)
			open.set(id, event.span);
		else
			stack(event).push(event.span);
	} else if (edge === "end") {
		event.span = key ? open.get(id) : stack(event).findLast(span => span.name === name);
		if (!event.span) {
			event.span = {name, pid: event.pid, cut: true};
			expected.push(event.span);
		} else if (!key) {
			assert.strictEqual(stack(event).pop(), event.span);
		}
		event.span.end = event;
	} else {
		event.span = around;
	}
});

const unix = event => event.log.timeUnixNano;
assert.strictEqual(logs.length, events.length);
assert.strictEqual(spans.length, expected.length);
// A span is identified by its name and its events.
for (const span of expected) {
	const start = span.cut ? unix(events[0]) : unix(span.begin);
	const matches = spans.filter(
		found =>
			found.name === span.name &&
			found.startTimeUnixNano === start &&
			(!span.end || found.endTimeUnixNano === unix(span.end))
	);
	assert.strictEqual(matches.length, 1, `${span.name} at ${start}`);
	[span.found] = matches;
}
const ids = new Set(),
	traces = new Map();
let left = 0;
for (const span of expected) {
	const {found} = span;
	const resource = found.resource,
		own = attributes(found.attributes);
	const fields = {};

	assert.strictEqual(resource.get("process.pid"), String(span.pid));
	assert.strictEqual(resource.get("service.name"), "pair");
	assert.strictEqual(Buffer.from(found.traceId, "base64").length, 16);
	assert.strictEqual(Buffer.from(found.spanId, "base64").length, 8);
	assert.ok(
		Buffer.from(found.traceId, "base64").some(Boolean) &&
			Buffer.from(found.spanId, "base64").some(Boolean)
	);
	assert.ok(!ids.has(found.spanId), "a span id is used twice");
	ids.add(found.spanId);
	assert.strictEqual(found.parentSpanId || undefined, span.parent?.found.spanId);
	assert.ok(BigInt(found.endTimeUnixNano) >= BigInt(found.startTimeUnixNano));

	for (const event of [span.begin, span.end].filter(Boolean)) {
		const system = event.event.split(":")[0];
		for (const [name, ours] of Object.entries(event.fields))
			fields[`${system}.${name}`] = ours;
	}
	for (const [key, ours] of Object.entries(fields)) {
		assert.ok(
			same(own.get(key), ours),
			`${key}: ${JSON.stringify(own.get(key))}, want ${JSON.stringify(ours)}`
		);
		own.delete(key);
	}
	assert.strictEqual(own.get("thread.id"), String((span.begin ?? span.end).tid));
	assert.strictEqual(
		own.get("flightrec.missing"),
		span.cut ? "begin" : span.end ? undefined : "end"
	);
	if (span.begin)
		assert.strictEqual(own.get("flightrec.time"), String(span.begin.time));
	for (const key of ["thread.id", "thread.name", "flightrec.time", "flightrec.missing"])
		own.delete(key);
	assert.deepStrictEqual([...own.keys()], []);

	// A trace consists of all spans that have the number of the same request, and of no others.
	const request = String((span.begin ?? span.end).fields.request);
	assert.strictEqual(traces.get(request) ?? found.traceId, found.traceId);
	traces.set(request, found.traceId);

	if (!span.end && String(span.pid) === dead) {
		assert.strictEqual(found.status.code, 2);
		assert.match(
			found.status.message,
			/^the process died in it: pair\[\d+\] exited with status 3/
		);
	} else {
		assert.ok(!found.status?.code);
	}
	if (!span.end)
		left++;
	if (!span.end && String(span.pid) !== dead)
		assert.strictEqual(found.endTimeUnixNano, unix(events.at(-1)));
}
assert.strictEqual(new Set(traces.values()).size, traces.size);
for (const event of events) {
	const {span, log} = event;
	const trace = span?.found.traceId ?? traces.get(String(event.fields.request));
	assert.strictEqual(log.eventName, event.event.replace(":", "."));
	assert.strictEqual(log.traceId || undefined, trace, event.event);
	assert.strictEqual(log.spanId || undefined, span?.found.spanId, event.event);
}
console.log(`${spans.length} spans of ${traces.size} traces agree, ${left} without an end`);
