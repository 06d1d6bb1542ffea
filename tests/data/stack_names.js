// SPDX-License-Identifier: MIT
// The names of a stack's functions in the formats: the name, else the program and the address in
// it, and a word if the stack ends early.
"use strict";
const path = require("path");

exports.stackNames = (frames, end) => {
	const names = (frames ?? []).map(
		frame =>
			frame.function ??
			(frame.module
				? `${path.basename(frame.module)}+${frame.address}`
				: frame.address)
	);
	return end && end !== "complete" && names.length ? names.concat(`(${end})`) : names;
};
