// SPDX-License-Identifier: MIT
// What the checks of OTLP share: decoding by the code that OpenTelemetry publishes for its schema, and values to compare.
"use strict";
const assert = require("assert");
const fs = require("fs");

// Integers of the lines beyond 2^53 as text of their digits.
const exact = (line) => JSON.parse(line.replace(/([:[,])(-?\d{16,})(?=[,\]}])/g, '$1"$2"'));
const lines = (path) => fs.readFileSync(path, "utf-8").split("\n").filter(Boolean).map(exact);

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
	const map = new Map((list ?? []).map((pair) => [pair.key, value(pair.value)]));
	assert.strictEqual(map.size, (list ?? []).length, "a key stands twice");
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

// The log records or spans of requests, each with the attributes of its resource.
function decode(modules, kind, paths) {
	const root = require(`${modules}/@opentelemetry/otlp-transformer/build/src/generated/root.js`);
	const collector = root.opentelemetry.proto.collector;
	const [type, resources, scopes, items] =
		kind === "logs" ? [collector.logs.v1.ExportLogsServiceRequest, "resourceLogs", "scopeLogs", "logRecords"]
			: [collector.trace.v1.ExportTraceServiceRequest, "resourceSpans", "scopeSpans", "spans"];
	return paths.flatMap((path) => {
		const decoded = type.toObject(type.decode(fs.readFileSync(path)), { longs: String, bytes: String });
		return decoded[resources].flatMap((resource) => resource[scopes].flatMap((scope) => {
			assert.strictEqual(scope.scope.name, "flightrec");
			return scope[items].map((item) => ({ ...item, resource: attributes(resource.resource.attributes) }));
		}));
	});
}

module.exports = { attributes, decode, lines, same };
