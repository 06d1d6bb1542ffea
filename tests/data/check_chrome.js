// SPDX-License-Identifier: MIT
// check_chrome.js TRACE.json LINES.jsonl REPORT.json: checks that the trace follows the rules of
// Trace Event JSON, and that it holds exactly the events and call stacks of the JSON lines, and the
// death with the stacks of the report.
"use strict";
const assert = require("assert");
const fs = require("fs");
const {stackNames} = require("./stack_names.js");

const bytes = fs.readFileSync(process.argv[2]);
const text = new TextDecoder("utf-8", {fatal: true}).decode(bytes);
const trace = JSON.parse(text);
const lines = fs.readFileSync(process.argv[3], "utf-8").trimEnd().split("\n");
const report = JSON.parse(fs.readFileSync(process.argv[4], "utf-8"));

const used = trace.traceEvents.some(event => "sf" in event);
assert.deepStrictEqual(
	Object.keys(trace),
	["displayTimeUnit", "otherData", "traceEvents"].concat(used ? ["stackFrames"] : [])
);
assert.strictEqual(trace.displayTimeUnit, "ns");

const processes = new Map(),
	threads = new Map(),
	open = new Map(),
	events = [];
const atDeath = new Map();
let crash = null;

// Returns the names of the functions of an event's stack, innermost first.
function stackOf(event) {
	const names = [];
	for (let id = event.sf; id !== undefined; id = trace.stackFrames[id].parent)
		names.push(trace.stackFrames[id].name);
	return names;
}

for (const event of trace.traceEvents) {
	for (const key of ["ph", "pid", "tid", "name"])
		assert.ok(key in event, `${key} is missing: ${JSON.stringify(event)}`);
	assert.ok(Number.isInteger(event.pid) && Number.isInteger(event.tid));
	const thread = `${event.pid}/${event.tid}`;
	if (event.ph === "M") {
		assert.ok(!events.length, "names come before events");
		if (event.name === "process_name")
			processes.set(event.pid, event.args.name);
		else if (event.name === "thread_name")
			threads.set(event.tid, event.args.name);
		else
			assert.fail(event.name);
		continue;
	}
	assert.ok(Number.isFinite(event.ts) && event.ts >= 0 && typeof event.cat === "string");
	if (event.ph === "B")
		open.set(thread, (open.get(thread) ?? []).concat(event.name));
	else if (event.ph === "E")
		assert.strictEqual(
			(open.get(thread) ?? []).pop(),
			event.name,
			"an end without its begin"
		);
	else if (event.ph === "X")
		assert.ok(event.dur >= 0);
	else
		assert.ok(event.ph === "i" && ["g", "p", "t"].includes(event.s), event.ph);
	if (event.name === "stack at the death of the process")
		atDeath.set(event.tid, stackOf(event));
	else if (event.cat === "flightrec")
		crash = event;
	else
		events.push(event);
}
for (const [thread, names] of open)
	assert.deepStrictEqual(names, [], `begun and not ended on ${thread}`);

// Integers beyond 2^53 are strings of digits in the trace, so read them as digits from the lines
// too.
const exact = line =>
	JSON.parse(
		line.replace(/([:[,])(-?\d{16,})(?=[,\]}])/g, (whole, before, digits) =>
			BigInt(digits) > 9007199254740991n || BigInt(digits) < -9007199254740991n
				? `${before}"${digits}"`
				: whole
		)
	);

assert.strictEqual(events.length, lines.length);
lines.forEach((line, i) => {
	const expected = exact(line),
		event = events[i],
		fields = {...expected.fields};
	for (const name of expected.truncated ?? [])
		fields[`${name}.truncated`] = true;
	if (expected.registers)
		fields.registers = expected.registers;
	assert.deepStrictEqual(event.args, fields);
	assert.deepStrictEqual(stackOf(event), stackNames(expected.stack, expected.stack_end));
	assert.strictEqual(Math.round(event.ts * 1000), expected.time);
	assert.strictEqual(`${event.cat}:${event.name}`, expected.event);
	assert.strictEqual(event.cpu, expected.cpu);
	assert.strictEqual(event.tid, expected.tid ?? -1);
	if (expected.process) {
		assert.strictEqual(processes.get(event.pid), expected.process);
		assert.strictEqual(threads.get(event.tid), expected.thread);
	} else {
		assert.strictEqual(event.pid, expected.pid ?? -1);
	}
});
if (crash) {
	assert.deepStrictEqual(
		[crash.name, crash.s, crash.ts, crash.pid, crash.tid],
		["crash", "p", 2500000, 123, 125]
	);
	assert.match(crash.args.what, /^shopd\[123\] died of SIGSEGV/);
	assert.deepStrictEqual(
		stackOf(crash),
		stackNames(report.crash.frames, report.crash.frames_end)
	);
}
for (const thread of (report.threads ?? []).filter(thread => thread.tid !== report.crash?.tid)) {
	assert.deepStrictEqual(
		atDeath.get(thread.tid),
		stackNames(thread.frames, thread.frames_end)
	);
	atDeath.delete(thread.tid);
}
assert.strictEqual(atDeath.size, 0);
console.log(`${events.length} events agree${crash ? ", and a crash" : ""}`);
