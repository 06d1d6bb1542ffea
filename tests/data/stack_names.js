// SPDX-License-Identifier: MIT
// How the formats name a stack's functions: by the function's name, else by the program and the
// address in it. A word is added if the stack ends early.
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
