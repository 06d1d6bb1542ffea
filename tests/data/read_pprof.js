// SPDX-License-Identifier: MIT
// read_pprof.js PROFILE: prints as JSON what a pprof profile holds. The profile is decoded by the
// independent npm package pprof-format.
"use strict";
const fs = require("fs");
const zlib = require("zlib");
const {Profile} = require("pprof-format");

let bytes = fs.readFileSync(process.argv[2]);
if (bytes[0] === 0x1f && bytes[1] === 0x8b)
	bytes = zlib.gunzipSync(bytes);
const profile = Profile.decode(bytes);
const strings = profile.stringTable.strings;
const by = list => new Map(list.map(item => [Number(item.id), item]));
const locations = by(profile.location),
	functions = by(profile.function),
	mappings = by(profile.mapping);
const text = index => {
	if (strings[Number(index)] === undefined)
		throw new Error(`string ${index} is not in the table`);
	return strings[Number(index)];
};

if (
	strings[0] !== "" ||
	profile.sampleType.length !== 1 ||
	text(profile.sampleType[0].type) !== "events"
)
	throw new Error("not a profile of events");
const rows = profile.sample.map(sample => {
	const labels = Object.fromEntries(
		sample.label.map(label => [text(label.key), text(label.str)])
	);
	const found = [];

	for (const id of sample.locationId) {
		const location = locations.get(Number(id));

		if (
			Number(location.mappingId) &&
			!text(mappings.get(Number(location.mappingId)).filename)
		)
			throw new Error("a mapping without a file");
		for (const line of location.line)
			found.push(text(functions.get(Number(line.functionId)).name));
	}
	return {
		process: (labels.process ?? "unknown").replace(/\[\d+\]$/, ""),
		event: labels.event,
		functions: found,
		count: Number(sample.value[0]),
	};
});
console.log(JSON.stringify(rows));
