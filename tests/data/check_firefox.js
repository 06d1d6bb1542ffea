// SPDX-License-Identifier: MIT
// check_firefox.js PROFILE.json LINES.jsonl: is it a processed profile of the Firefox Profiler, with exactly the events of the JSON lines?
"use strict";
const assert = require("assert");
const fs = require("fs");

const profile = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(fs.readFileSync(process.argv[2])));
const lines = fs.readFileSync(process.argv[3], "utf-8").trimEnd().split("\n");

// The tables of a thread, and their columns; a table is columns of one length.
const tables = {
	markers: ["data", "name", "startTime", "endTime", "phase", "category"],
	samples: ["stack", "time"],
	stackTable: ["frame", "prefix", "category", "subcategory"],
	frameTable: ["address", "inlineDepth", "category", "subcategory", "func", "nativeSymbol", "innerWindowID", "implementation", "line", "column"],
	funcTable: ["name", "isJS", "relevantForJS", "resource", "fileName", "lineNumber", "columnNumber"],
	resourceTable: ["lib", "name", "host", "type"],
	nativeSymbols: ["libIndex", "address", "name", "functionSize"],
};
const meta = profile.meta;

assert.strictEqual(meta.preprocessedProfileVersion, 48);
assert.ok(meta.interval > 0 && meta.startTime > 1.6e12 && typeof meta.product === "string");
assert.ok(Array.isArray(profile.libs) && meta.extensions.length === 0);
const colors = new Set("transparent purple green orange yellow lightblue blue brown magenta red lightred darkgrey grey".split(" "));
for (const category of meta.categories)
	assert.ok(typeof category.name === "string" && colors.has(category.color) && category.subcategories[0] === "Other");
const schemas = new Map(meta.markerSchema.map((schema) => [schema.name, schema]));
assert.strictEqual(schemas.size, meta.markerSchema.length);
for (const schema of schemas.values())
	assert.ok(schema.display.includes("marker-table") && schema.data.every((field) => field.key && field.label && field.format === "string"));

const events = [], crashes = [], seen = new Set();
for (const thread of profile.threads) {
	assert.ok(typeof thread.pid === "string" && typeof thread.tid === "string" && typeof thread.isMainThread === "boolean");
	assert.ok(!seen.has(`${thread.pid}/${thread.tid}`), "a thread stands twice");
	seen.add(`${thread.pid}/${thread.tid}`);
	for (const [table, columns] of Object.entries(tables)) {
		for (const column of columns)
			assert.strictEqual(thread[table][column].length, thread[table].length, `${table}.${column}`);
	}
	for (let i = 0; i < thread.markers.length; i++) {
		const data = thread.markers.data[i], name = thread.stringArray[thread.markers.name[i]];

		assert.ok(thread.markers.phase[i] === 0 && thread.markers.endTime[i] === null);
		assert.ok(thread.markers.category[i] < meta.categories.length);
		const known = new Set(schemas.get(data.type).data.map((field) => field.key));
		for (const key of Object.keys(data))
			assert.ok(key === "type" || key.endsWith(".truncated") || known.has(key), `${key} is not in the schema`);
		const event = { data, thread, time: thread.markers.startTime[i] };
		if (name === "crash") {
			crashes.push(event);
		} else {
			assert.strictEqual(name, data.type);
			events.push(event);
		}
	}
}

const exact = (line) => JSON.parse(line.replace(/([:[,])(-?\d{16,})(?=[,\]}])/g, (whole, before, digits) =>
	BigInt(digits) > 9007199254740991n || BigInt(digits) < -9007199254740991n ? `${before}"${digits}"` : whole));
const expected = lines.map(exact), first = Math.min(...expected.map((line) => line.time));

assert.strictEqual(Math.round(meta.startTime), 1700000000000 + first / 1e6);
assert.strictEqual(events.length, expected.length);
for (const line of expected) {
	const data = { type: line.event, cpu: line.cpu };
	for (const [name, value] of Object.entries(line.fields)) {
		if (value !== null)
			data[`fields.${name}`] = value;
	}
	for (const name of line.truncated ?? [])
		data[`fields.${name}.truncated`] = true;
	const found = events.find((event) => Math.round(event.time * 1e6) + first === line.time && event.data.cpu === line.cpu);
	assert.ok(found, JSON.stringify(line));
	assert.deepStrictEqual(found.data, data);
	assert.strictEqual(found.thread.tid, `${line.tid}`);
	if (line.process) {
		assert.strictEqual(found.thread.processName, line.process);
		assert.strictEqual(found.thread.name, line.thread);
	}
	events.splice(events.indexOf(found), 1);
}
for (const crash of crashes) {
	assert.match(crash.data.what, /^shopd\[123\] died of SIGSEGV/);
	assert.deepStrictEqual([crash.thread.pid, crash.thread.tid, crash.time * 1e6 + first], ["123", "125", 2500000000]);
}
console.log(`${expected.length} events agree${crashes.length ? ", and a crash" : ""}`);
