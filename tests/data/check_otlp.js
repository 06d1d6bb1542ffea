// SPDX-License-Identifier: MIT
// check_otlp.js NODE_MODULES LINES.jsonl BODY...: do requests to a collector, read by the code that OpenTelemetry publishes for its
// schema, hold exactly the events of the JSON lines?
"use strict";
const assert = require("assert");
const fs = require("fs");

const [modules, lines, ...bodies] = process.argv.slice(2);
const root = require(`${modules}/@opentelemetry/otlp-transformer/build/src/generated/root.js`);
const Request = root.opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest;

// Integers of the lines beyond 2^53 as text of their digits.
const exact = (line) => JSON.parse(line.replace(/([:[,])(-?\d{16,})(?=[,\]}])/g, '$1"$2"'));

// An AnyValue; integers as text, as protobuf.js has them here.
function value(any) {
	const [kind, ...others] = Object.keys(any);
	assert.strictEqual(others.length, 0);
	switch (kind) {
	case undefined:
		return null;
	case "arrayValue":
		return (any.arrayValue.values ?? []).map(value);
	case "bytesValue":
		return Buffer.from(any.bytesValue, "base64").toString("hex");
	case "doubleValue":
		return { double: any.doubleValue };
	case "intValue":
	case "stringValue":
	case "boolValue":
		return any[kind];
	default:
		return assert.fail(kind);
	}
}

function attributes(list) {
	const map = new Map(list.map((pair) => [pair.key, value(pair.value)]));
	assert.strictEqual(map.size, list.length, "a key stands twice");
	return map;
}

function same(found, expected) {
	if (found !== null && typeof found === "object" && "double" in found) {
		// What is not finite is text in the lines; a float of 4 bytes has nine digits there.
		const ours = expected === "nan" ? NaN : expected === "inf" ? Infinity : expected === "-inf" ? -Infinity : Number(expected);
		return Object.is(Number(found.double), ours) || Math.fround(Number(found.double)) === Math.fround(ours);
	}
	if (Array.isArray(found))
		return Array.isArray(expected) && found.length === expected.length && found.every((element, i) => same(element, expected[i]));
	if (typeof expected === "number")
		return found === String(expected);
	return found === expected;
}

const records = bodies.flatMap((path) => {
	const decoded = Request.toObject(Request.decode(fs.readFileSync(path)), { longs: String, bytes: String });
	return decoded.resourceLogs.flatMap((resource) => {
		assert.strictEqual(attributes(resource.resource.attributes).get("host.name"), "web-7");
		return resource.scopeLogs.flatMap((scope) => {
			assert.strictEqual(scope.scope.name, "flightrec");
			return scope.logRecords;
		});
	});
});
const crashes = records.filter((record) => record.eventName === "flightrec.crash");
for (const crash of crashes)
	assert.ok(crash.severityNumber === 21 && /SIGSEGV/.test(crash.body.stringValue));
const events = records.filter((record) => record.eventName !== "flightrec.crash");
const expected = fs.readFileSync(lines, "utf-8").trimEnd().split("\n").map(exact);
assert.strictEqual(events.length, expected.length);
expected.forEach((line, i) => {
	const found = attributes(events[i].attributes);
	const take = (key) => {
		const taken = found.get(key);
		found.delete(key);
		return taken;
	};
	const [system, name] = line.event.split(":");
	assert.strictEqual(events[i].eventName, `${system}.${name}`);
	assert.strictEqual(events[i].timeUnixNano, String(BigInt(line.time) + 1700000000000000000n));
	assert.strictEqual(take("flightrec.time"), String(line.time));
	assert.strictEqual(take("cpu.logical_number"), String(line.cpu));
	assert.strictEqual(take("process.pid") ?? "-1", String(line.pid));
	assert.strictEqual(take("thread.id") ?? "-1", String(line.tid));
	assert.strictEqual(take("process.executable.name"), line.process);
	assert.strictEqual(take("thread.name"), line.thread);
	assert.deepStrictEqual(take("flightrec.truncated") ?? [], line.truncated ?? []);
	for (const [key, ours] of Object.entries(line.fields)) {
		const theirs = take(`${system}.${key}`);
		assert.ok(same(theirs, ours), `${key}: ${JSON.stringify(theirs)}, want ${JSON.stringify(ours)}`);
	}
	assert.deepStrictEqual([...found.keys()], []);
});
console.log(`${events.length} events agree, ${crashes.length} crashes`);
