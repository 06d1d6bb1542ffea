// SPDX-License-Identifier: MIT
// Shared by the checks of OTLP: decodes requests with the code that OpenTelemetry publishes for its
// schema, and compares values.
"use strict";
const assert = require("assert");
const fs = require("fs");

// Reads integers beyond 2^53 as strings of digits.
const exact = line => JSON.parse(line.replace(/([:[,])(-?\d{16,})(?=[,\]}])/g, '$1"$2"'));
const lines = path => fs.readFileSync(path, "utf-8").split("\n").filter(Boolean).map(exact);

// Converts an AnyValue; integers are strings, as protobuf.js returns them here.
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
			return {double: any.doubleValue};
		case "intValue":
		case "stringValue":
		case "boolValue":
			return any[kind];
		default:
			return assert.fail(kind);
	}
}

function attributes(list) {
	const map = new Map((list ?? []).map(pair => [pair.key, value(pair.value)]));
	assert.strictEqual(map.size, (list ?? []).length, "a key is there twice");
	return map;
}

function same(found, expected) {
	if (found !== null && typeof found === "object" && "double" in found) {
		// JSON lines have text for a value that is not finite, and nine digits for a float
		// of 4 bytes.
		const ours =
			expected === "nan"
				? NaN
				: expected === "inf"
					? Infinity
					: expected === "-inf"
						? -Infinity
						: Number(expected);
		return (
			Object.is(Number(found.double), ours) ||
			Math.fround(Number(found.double)) === Math.fround(ours)
		);
	}
	if (Array.isArray(found))
		return (
			Array.isArray(expected) &&
			found.length === expected.length &&
			found.every((element, i) => same(element, expected[i]))
		);
	if (typeof expected === "number")
		return found === String(expected);
	return found === expected;
}

// Returns the log records or spans of requests, each with the attributes of its resource.
function decode(modules, kind, paths) {
	const root = require(
		`${modules}/@opentelemetry/otlp-transformer/build/src/generated/root.js`
	);
	const collector = root.opentelemetry.proto.collector;
	const [type, resources, scopes, items] =
		kind === "logs"
			? [
					collector.logs.v1.ExportLogsServiceRequest,
					"resourceLogs",
					"scopeLogs",
					"logRecords",
				]
			: [
					collector.trace.v1.ExportTraceServiceRequest,
					"resourceSpans",
					"scopeSpans",
					"spans",
				];
	return paths.flatMap(path => {
		const decoded = type.toObject(type.decode(fs.readFileSync(path)), {
			longs: String,
			bytes: String,
		});
		return decoded[resources].flatMap(resource =>
			resource[scopes].flatMap(scope => {
				assert.strictEqual(scope.scope.name, "flightrec");
				return scope[items].map(item => ({
					...item,
					resource: attributes(resource.resource.attributes),
				}));
			})
		);
	});
}

module.exports = {attributes, decode, lines, same};
