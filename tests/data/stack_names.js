// SPDX-License-Identifier: MIT
// What the formats call the functions of a stack of the JSON lines: names, else the program and the address in it; and a word where it ends early.
"use strict";
const path = require("path");

exports.stackNames = (frames, end) => {
	const names = (frames ?? []).map((frame) => frame.function ??
		(frame.module ? `${path.basename(frame.module)}+${frame.address}` : frame.address));
	return end && end !== "complete" && names.length ? names.concat(`(${end})`) : names;
};
