// SPDX-License-Identifier: MIT
// check_firefox.js PROFILE.json LINES.jsonl REPORT.json: checks that PROFILE is a processed profile
// of the Firefox Profiler, and that it holds exactly the events and call stacks of the JSON lines,
// and the death with the stacks of the report.
"use strict";
const assert = require("assert");
const fs = require("fs");
const {stackNames} = require("./stack_names.js");

const profile = JSON.parse(
	new TextDecoder("utf-8", {fatal: true}).decode(fs.readFileSync(process.argv[2]))
);
const lines = fs.readFileSync(process.argv[3], "utf-8").trimEnd().split("\n");
const report = JSON.parse(fs.readFileSync(process.argv[4], "utf-8"));

// The tables of a thread, those that threads share, and their columns. The columns of a table have
// the same length. If a column names another table, its cells are indices into it.
const tables = {
	markers: {
		data: null,
		name: "stringArray",
		startTime: null,
		endTime: null,
		phase: null,
		category: "categories",
	},
	samples: {stack: "stackTable", time: null},
};
const sharedTables = {
	stackTable: {frame: "frameTable", prefix: "stackTable"},
	frameTable: {
		address: null,
		inlineDepth: null,
		category: "categories",
		subcategory: null,
		func: "funcTable",
		nativeSymbol: "nativeSymbols",
		innerWindowID: null,
		line: null,
		column: null,
	},
	funcTable: {
		name: "stringArray",
		isJS: null,
		relevantForJS: null,
		resource: "resourceTable",
		source: "sources",
		lineNumber: null,
		columnNumber: null,
	},
	resourceTable: {lib: "libs", name: "stringArray", host: "stringArray", type: null},
	nativeSymbols: {libIndex: "libs", address: null, name: "stringArray", functionSize: null},
	sources: {id: null, filename: "stringArray"},
};
const meta = profile.meta,
	shared = profile.shared;

function checkTables(of, columnsOf) {
	for (const [table, columns] of Object.entries(columnsOf)) {
		assert.deepStrictEqual(
			Object.keys(of[table])
				.filter(key => Array.isArray(of[table][key]))
				.sort(),
			Object.keys(columns).sort()
		);
		for (const [column, into] of Object.entries(columns)) {
			const target = shared[into] ?? meta[into] ?? profile[into];
			assert.strictEqual(
				of[table][column].length,
				of[table].length,
				`${table}.${column}`
			);
			for (const index of into ? of[table][column] : [])
				assert.ok(
					index === null ||
						(table === "funcTable" && index === -1) ||
						(index >= 0 && index < target.length),
					`${table}.${column}`
				);
		}
	}
}

// Returns the names of a stack's functions, innermost first. In the stack table, a caller must
// precede the functions that it calls.
function stackOf(stack) {
	const names = [];
	for (; stack !== null && stack !== undefined; stack = shared.stackTable.prefix[stack]) {
		assert.ok(
			shared.stackTable.prefix[stack] === null ||
				shared.stackTable.prefix[stack] < stack
		);
		names.push(
			shared.stringArray[
				shared.funcTable.name[
					shared.frameTable.func[shared.stackTable.frame[stack]]
				]
			]
		);
	}
	return names;
}

assert.strictEqual(meta.preprocessedProfileVersion, 60);
checkTables(shared, sharedTables);
assert.strictEqual(new Set(shared.stringArray).size, shared.stringArray.length);
for (const lib of profile.libs)
	assert.ok(
		["arch", "name", "path", "debugName", "debugPath", "breakpadId"].every(
			key => typeof lib[key] === "string"
		),
		lib
	);
assert.ok(
	meta.categories.some(category => category.color === "grey"),
	"no category is the default"
);
assert.ok(meta.interval > 0 && meta.startTime > 1.6e12 && typeof meta.product === "string");
assert.ok(Array.isArray(profile.libs) && meta.extensions.length === 0);
const colors = new Set([
	...["transparent", "purple", "green", "orange", "yellow", "lightblue", "blue", "brown"],
	...["magenta", "red", "lightred", "darkgrey", "grey"],
]);
for (const category of meta.categories)
	assert.ok(
		typeof category.name === "string" &&
			colors.has(category.color) &&
			category.subcategories[0] === "Other"
	);
const schemas = new Map(meta.markerSchema.map(schema => [schema.name, schema]));
assert.strictEqual(schemas.size, meta.markerSchema.length);
for (const schema of schemas.values())
	assert.ok(
		schema.display.includes("marker-table") &&
			schema.fields.every(
				field => field.key && field.label && field.format === "string"
			)
	);

const events = [],
	crashes = [],
	seen = new Set(),
	atDeath = new Map();
for (const thread of profile.threads) {
	assert.ok(
		typeof thread.pid === "string" &&
			typeof thread.tid === "string" &&
			typeof thread.isMainThread === "boolean"
	);
	assert.ok(!seen.has(`${thread.pid}/${thread.tid}`), "a thread is there twice");
	seen.add(`${thread.pid}/${thread.tid}`);
	checkTables(thread, tables);
	const samples = thread.samples.time.map((time, i) => `${time} ${thread.samples.stack[i]}`);
	for (let i = 0; i < thread.markers.length; i++) {
		const data = thread.markers.data[i],
			name = shared.stringArray[thread.markers.name[i]];

		assert.ok(thread.markers.phase[i] === 0 && thread.markers.endTime[i] === null);
		assert.ok(thread.markers.category[i] < meta.categories.length);
		const known = new Set(schemas.get(data.type).fields.map(field => field.key));
		for (const key of Object.keys(data))
			assert.ok(
				["type", "cause"].includes(key) ||
					key.endsWith(".truncated") ||
					known.has(key),
				`${key} is not in the schema`
			);
		const event = {
			data,
			thread,
			time: thread.markers.startTime[i],
			stack: stackOf(data.cause?.stack),
		};
		if (data.cause && name !== "crash")
			assert.ok(
				samples.includes(`${event.time} ${data.cause.stack}`),
				"a stack has no sample"
			);
		delete data.cause;
		if (name === "crash") {
			crashes.push(event);
		} else if (data.type === "flightrec:stack") {
			atDeath.set(Number(thread.tid), event.stack);
		} else {
			assert.strictEqual(name, data.type);
			events.push(event);
		}
	}
}

const exact = line =>
	JSON.parse(
		line.replace(/([:[,])(-?\d{16,})(?=[,\]}])/g, (whole, before, digits) =>
			BigInt(digits) > 9007199254740991n || BigInt(digits) < -9007199254740991n
				? `${before}"${digits}"`
				: whole
		)
	);
const expected = lines.map(exact),
	first = Math.min(...expected.map(line => line.time));

assert.strictEqual(Math.round(meta.startTime), 1700000000000 + first / 1e6);
assert.strictEqual(events.length, expected.length);
for (const line of expected) {
	const data = {type: line.event, cpu: line.cpu};
	for (const [name, value] of Object.entries(line.fields)) {
		if (value !== null)
			data[`fields.${name}`] = value;
	}
	for (const name of line.truncated ?? [])
		data[`fields.${name}.truncated`] = true;
	const found = events.find(
		event =>
			Math.round(event.time * 1e6) + first === line.time &&
			event.data.cpu === line.cpu
	);
	assert.ok(found, JSON.stringify(line));
	assert.deepStrictEqual(found.data, data);
	assert.deepStrictEqual(found.stack, stackNames(line.stack, line.stack_end));
	assert.strictEqual(found.thread.tid, `${line.tid ?? -1}`);
	if (line.process) {
		assert.strictEqual(found.thread.processName, line.process);
		assert.strictEqual(found.thread.name, line.thread);
	}
	events.splice(events.indexOf(found), 1);
}
for (const crash of crashes) {
	assert.match(crash.data.what, /^shopd\[123\] died of SIGSEGV/);
	assert.deepStrictEqual(
		crash.stack,
		stackNames(report.crash.frames, report.crash.frames_end)
	);
	assert.deepStrictEqual(
		[crash.thread.pid, crash.thread.tid, crash.time * 1e6 + first],
		["123", "125", 2500000000]
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
console.log(`${expected.length} events agree${crashes.length ? ", and a crash" : ""}`);
