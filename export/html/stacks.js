// Call stacks as lists, and the threads that did not crash.

function frameItem(frame) {
	const named = frame.function !== undefined;
	const item = make(
		"li",
		named && !plumbing.test(frame.module || "") ? "frame" : "frame far",
		make("code", "name", functionName(frame)),
		frame.inlined ? make("span", "tag", "inlined") : null
	);
	const notes = [];
	if (frame.found_by)
		notes.push("found by " + frame.found_by);
	if (frame.signal)
		notes.push("a signal handler returns here");
	if (frame.verified === false)
		notes.push("not verified: no build-id was recorded");
	const where = make("span", "where");
	if (frame.file)
		add(
			where,
			make("span", "file", frame.file + (frame.line ? ":" + frame.line : "")),
			" "
		);
	if (frame.module && !frame.inlined && named)
		add(where, make("span", "quiet", "in " + baseName(frame.module)), " ");
	if (frame.pc && !frame.inlined)
		add(where, make("span", "quiet pc", frame.pc));
	if (notes.length)
		add(where, make("span", "quiet", " (" + notes.join("; ") + ")"));
	item.title = visible(
		[frame.file, frame.module, frame.build_id && "build-id " + frame.build_id]
			.filter(Boolean)
			.join("\n")
	);
	add(item, where);
	return item;
}

function stackList({stack, end, pcs}) {
	const list = make("ol", {class: "stack", start: "0"});
	for (const frame of functionsOf(stack, pcs))
		list.appendChild(frameItem(frame));
	const box = make("div", null, list);
	if (end || stackEnd(stack) !== "complete")
		box.appendChild(make("p", "quiet", "Ends here: " + (end || stackEnd(stack))));
	return box;
}

// Says why functions of the programs of these frames have no names.
function whyNameless(frames) {
	const nameless = new Set(
		frames.filter(frame => !frame.function && frame.module).map(frame => frame.module)
	);
	return recorded.missing
		.filter(why => [...nameless].some(module => why.includes(module)))
		.map(why => make("p", "quiet small", why));
}

function showCrashStack() {
	if (!crash || !recorded.crash_stack)
		return;
	const stack = recorded.crash_stack.stack;
	$("crash-stack").hidden = false;
	show($("crash-stack-title"), "Stack", crash.tid ? ` of ${crash.thread}[${crash.tid}]` : "");
	if (stack >= 0)
		show(
			$("crash-stack-frames"),
			stackList(recorded.crash_stack),
			...whyNameless(functionsOf(stack))
		);
	else if (crash.stack)
		show(
			$("crash-stack-frames"),
			make(
				"p",
				"quiet",
				`${number(crash.stack.size)} bytes from ${crash.stack.address}, `,
				"and no mappings to unwind them by."
			)
		);
	else
		show($("crash-stack-frames"), make("p", "quiet", "None was recorded."));
}

// Threads with the same stack share one entry, so a pool of fifty waiting threads is one line.
function showThreads() {
	const groups = new Map();
	for (const thread of recorded.thread_stacks) {
		if (crash && thread.pid === crash.pid && thread.tid === crash.tid)
			continue;
		groups.set(thread.stack, [...(groups.get(thread.stack) || []), thread]);
	}
	if (!groups.size)
		return;
	$("threads").hidden = false;
	document.querySelector('nav a[href="#threads"]').hidden = false;
	for (const [stack, members] of groups) {
		const top = functionsOf(stack)[0];
		const names = members.map(thread => `${thread.name}[${thread.tid}]`).join(", ");
		const about = members.length > 1 ? plural(members.length, "thread") + ": " : "";
		const details = make(
			"details",
			"card",
			make(
				"summary",
				null,
				make("strong", null, about + names),
				top
					? make(
							"span",
							"quiet",
							" in ",
							make("code", null, functionName(top))
						)
					: null
			)
		);
		details.appendChild(
			stack >= 0 ? stackList(members[0]) : make("p", "quiet", "No stack.")
		);
		details.open = groups.size <= 3;
		$("thread-list").appendChild(details);
	}
	if (crash && crash.stacks_missing)
		$("thread-list").appendChild(
			make(
				"p",
				"quiet",
				`${number(crash.stacks_missing)} more are not here: `,
				"flightrec core had no time or room for them."
			)
		);
}
