// SPDX-License-Identifier: MIT
// check_otlp.js NODE_MODULES LINES.jsonl BODY...: checks that requests to a collector hold exactly
// the events of the JSON lines. The requests are decoded with the code that OpenTelemetry publishes
// for its schema.
"use strict";
const assert = require("assert");
const {attributes, decode, lines, same} = require("./otlp.js");

const [modules, path, ...bodies] = process.argv.slice(2);
const records = decode(modules, "logs", bodies);
for (const record of records)
	assert.strictEqual(record.resource.get("host.name"), "web-7");
const crashes = records.filter(record => record.eventName === "flightrec.crash");
for (const crash of crashes)
	assert.ok(crash.severityNumber === 21 && /SIGSEGV/.test(crash.body.stringValue));
const events = records.filter(record => record.eventName !== "flightrec.crash");
const expected = lines(path);
assert.strictEqual(events.length, expected.length);
expected.forEach((line, i) => {
	const found = attributes(events[i].attributes);
	const take = key => {
		const taken = found.get(key);
		found.delete(key);
		return taken;
	};
	const [system, name] = line.event.split(":");
	assert.strictEqual(events[i].eventName, `${system}.${name}`);
	assert.strictEqual(
		events[i].timeUnixNano,
		String(BigInt(line.time) + 1700000000000000000n)
	);
	assert.strictEqual(take("flightrec.time"), String(line.time));
	assert.strictEqual(take("cpu.logical_number"), String(line.cpu));
	assert.strictEqual(take("process.pid") ?? "null", String(line.pid));
	assert.strictEqual(take("thread.id") ?? "null", String(line.tid));
	assert.strictEqual(take("process.executable.name"), line.process);
	assert.strictEqual(take("thread.name"), line.thread);
	assert.deepStrictEqual(take("flightrec.truncated") ?? [], line.truncated ?? []);
	for (const [key, ours] of Object.entries(line.fields)) {
		const theirs = take(`${system}.${key}`);
		assert.ok(
			same(theirs, ours),
			`${key}: ${JSON.stringify(theirs)}, want ${JSON.stringify(ours)}`
		);
	}
	assert.deepStrictEqual([...found.keys()], []);
});
console.log(`${events.length} events agree, ${crashes.length} crashes`);
