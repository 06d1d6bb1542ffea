// The upper part of the page: headline, facts, registers, and what is known about the recording.

// Libraries whose functions are innermost on many stacks but seldom contain the bug.
const plumbing =
	/\/(libc|ld|libpthread|libstdc\+\+|libgcc_s|libasan|libubsan|libtsan)[-.][^/]*$|^\[/;

function reportClock() {
	if (!recorded.realtime)
		return null;
	const date = new Date(recorded.realtime / 1e6);
	const pad = (value, width = 2) => String(value).padStart(width, "0");
	const utc = date.toISOString().replace("T", " ").replace("Z", " UTC");
	const day = [date.getFullYear(), pad(date.getMonth() + 1), pad(date.getDate())].join("-");
	const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map(part => pad(part));
	const local = `${day} ${time.join(":")}.${pad(date.getMilliseconds(), 3)}`;
	return {utc, local};
}

function headline() {
	if (report.headline)
		return report.headline;
	const trigger = report.trigger;
	return (
		"A snapshot" +
		(trigger ? ` on ${trigger.kind}${trigger.name ? ` “${trigger.name}”` : ""}` : "") +
		"; nothing had died"
	);
}

// Says where the process was and what it did last.
function lede() {
	const parts = [];
	const functions =
		crash && recorded.crash_stack ? functionsOf(recorded.crash_stack.stack) : [];
	const own =
		functions.find(frame => frame.function && !plumbing.test(frame.module || "")) ||
		functions.find(frame => frame.function);
	if (own)
		parts.push(
			"It was in ",
			make("code", "name", own.function + "()"),
			...(own.file
				? [
						" at ",
						make(
							"code",
							"name",
							own.file.replace(/^.*\//, "") +
								(own.line ? ":" + own.line : "")
						),
					]
				: []),
			". "
		);
	const last = events.findLast(
		event => event.time <= 0 && (!crash || (event.thread.dead && !event.source.kernel))
	);
	if (last)
		parts.push(
			crash ? "Its last event came " : "The last event came ",
			fromReference(last.time),
			": ",
			eventButton(last),
			"."
		);
	return parts;
}

function eventButton(event) {
	const button = make("button", {type: "button", class: "link"}, event.source.name);
	button.addEventListener("click", () => select(event, {reveal: true, focus: true}));
	return button;
}

// Shows pairs as a fact: those that came with the request for the snapshot, or tags.
function showPairs(facts, name, pairs) {
	const lines = Object.entries(pairs).map(([key, value]) =>
		make("span", "block", `${key}: `, make("code", null, value))
	);
	if (lines.length)
		fact(facts, name, ...lines);
}

function showFacts() {
	const facts = $("facts");
	const clock = reportClock();
	if (clock)
		fact(
			facts,
			"When",
			clock.utc,
			make("span", "quiet block", clock.local + " where this page is read")
		);
	if (crash) {
		fact(
			facts,
			"Process",
			`${crash.process}[${crash.pid}]`,
			crash.cmdline.length ? make("code", "block", crash.cmdline.join(" ")) : null
		);
		if (crash.tid)
			fact(facts, "Thread", `${crash.thread}[${crash.tid}]`);
		if (crash.signal)
			fact(
				facts,
				"Signal",
				`${crash.signal} (${crash.signal_number})`,
				crash.code ? ", " + crash.code : "",
				crash.reason ? ": " + crash.reason : ""
			);
		if (crash.exit_status !== undefined)
			fact(facts, "Exit status", crash.exit_status);
		if (crash.address)
			fact(
				facts,
				"Address",
				make("code", null, crash.address),
				crash.address_words ? ": " + crash.address_words : ""
			);
		if (crash.sender_pid)
			fact(facts, "Sent by", `${crash.sender}[${crash.sender_pid}]`);
	}
	showPairs(facts, "With", (report.trigger && report.trigger.fields) || {});
	showPairs(facts, "Tags", report.tags || {});
	for (const process of report.tagged_processes || [])
		showPairs(facts, `Tags of ${process.process}[${process.pid}]`, process.tags);
	if (report.host)
		fact(facts, "Host", report.host, report.kernel ? ", Linux " + report.kernel : "");
	if (recorded.hosts.length)
		fact(
			facts,
			"Other hosts",
			[...new Set(threads.map(thread => thread.host))].filter(Boolean).join(", "),
			make(
				"span",
				"quiet block",
				"placed by their clocks; what they lack is not shown here"
			)
		);
	fact(facts, "Recorded", completeness().short);
}

function showRegisters() {
	const registers = Object.entries((crash && crash.registers) || {});
	if (!registers.length)
		return;
	$("registers").hidden = false;
	for (const [name, value] of registers)
		fact(
			$("register-list"),
			name,
			make("code", null, "0x" + value.slice(2).padStart(16, "0"))
		);
}

// How much of the recording is missing, in words.
function completeness() {
	const from = Math.max(
		...report.coverage
			.filter(cpu => cpu.cpu !== null || cpu.damaged)
			.map(cpu => cpu.from)
	);
	const loss = report.loss;
	const words = [];
	let short = plural(loss.in_file, "event");
	if (Number.isFinite(from)) {
		short += `, complete for the last ${duration(from - recorded.reference)}`;
		words.push(
			`Nothing is missing from ${seconds(from - recorded.reference, 3)} s on, `,
			"on any CPU",
			loss.lost ? ", but for what was lost." : "."
		);
	} else {
		words.push("The file does not say from when on it is complete.");
	}
	if (loss.lost)
		short += `; ${number(loss.lost)} lost`;
	return {
		short,
		words: words.join(""),
		from: Number.isFinite(from) ? from - recorded.reference : null,
	};
}

// What the page leaves out, in words. The size of a page is bounded, unlike that of a snapshot.
function leftOutWords() {
	if (!leftOut)
		return "";
	const dead = leftOutDead ? number(leftOutDead) : "none";
	return (
		`This page has the last ${plural(events.length, "event")}; ` +
		`${number(leftOut)} older ones are in the .frec file only` +
		(crash ? `, ${dead} of them of the process that died.` : ".")
	);
}

function notice(kind, ...text) {
	$("notices").appendChild(make("p", "notice " + kind, ...text));
}

function showNotices() {
	if (!report.whole)
		notice(
			"bad",
			"This file is damaged. What came before the bad part is shown: " +
				report.damage
		);
	if (report.loss.lost)
		notice(
			"bad",
			plural(report.loss.lost, "event"),
			" happened and could not be recorded: see ",
			make("a", {href: "#loss"}, "Loss"),
			"."
		);
	if ((!crash && leftOut) || leftOutDead)
		notice("", leftOutWords());
	if (recorded.stacks_left_out)
		notice(
			"",
			`The stacks of ${plural(recorded.stacks_left_out, "event")} are `,
			"in the .frec file only."
		);
	if (crash && crash.signal && !report.kernel_watched)
		notice(
			"",
			"Recorded without the right to watch the kernel: thread, address, ",
			"registers, stack and sender are unknown."
		);
}

function showCoverage() {
	for (const cpu of report.coverage) {
		if (cpu.cpu === null && !cpu.damaged && cpu.from === cpu.until)
			continue;
		const notes = [
			cpu.transport,
			cpu.wrapped ? "older ones overwritten" : "since the start",
			cpu.offline ? "went offline" : null,
			cpu.damaged ? `${number(cpu.damaged)} bytes damaged` : null,
		].filter(Boolean);
		$("coverage").tBodies[0].appendChild(
			make(
				"tr",
				null,
				make(
					"th",
					{scope: "row"},
					cpu.cpu === null ? "any" : cpu.cpu
				),
				make("td", "number", seconds(cpu.from - recorded.reference, 6)),
				make("td", "number", seconds(cpu.until - recorded.reference, 6)),
				make("td", "number", duration(cpu.until - cpu.from)),
				make("td", null, notes.join(", "))
			)
		);
	}
	show($("coverage-words"), completeness().words);
}

function showLoss() {
	const loss = report.loss;
	const row = (name, part) =>
		make(
			"tr",
			null,
			make("th", {scope: "row"}, name),
			...["emitted", "in_file", "overwritten", "lost", "filtered"].map(key =>
				make(
					"td",
					"number" +
						(key === "lost" && part[key]
							? " bad"
							: part[key]
								? ""
								: " zero"),
					number(part[key])
				)
			)
		);
	for (const source of loss.sources)
		$("loss").tBodies[0].appendChild(row(source.system + ":" + source.name, source));
	$("loss").tBodies[0].appendChild(row("all", loss));
	const missing = loss.overwritten + loss.lost + loss.filtered;
	show(
		$("loss-words"),
		!loss.sources.length
			? "The file does not say what is missing."
			: missing
				? "Overwritten: older than what the rings hold. " +
					"Lost: there was no room when it happened. " +
					"Left out: of other users."
				: "None: every event that was emitted is in the file.",
		" " + leftOutWords()
	);
}

function showHost() {
	const host = $("host");
	if (report.host)
		fact(host, "Name", report.host);
	if (report.kernel)
		fact(host, "Kernel", "Linux " + report.kernel);
	fact(host, "Machine", report.machine);
	fact(host, "Written by", report.writer);
	if (report.boot_id)
		fact(host, "Boot", make("code", null, report.boot_id));
	if (recorded.selection.length)
		fact(
			host,
			"Recorded",
			...recorded.selection.map(name => make("code", "block", name))
		);
	if (recorded.ring_size)
		fact(
			host,
			"Rings",
			`${number(Math.round(recorded.ring_size / 1024))} KiB for each CPU`
		);
	if (report.transports.length)
		fact(host, "Carried by", report.transports.join(", "));
	const trigger = report.trigger;
	if (trigger)
		fact(
			host,
			"Trigger",
			trigger.kind,
			trigger.name && trigger.name !== trigger.kind ? ` “${trigger.name}”` : "",
			trigger.requested_by_pid
				? `, requested by process ${trigger.requested_by_pid} ` +
					`of user ${trigger.requested_by_uid}`
				: "",
			trigger.copied
				? "; rings copied " +
					`${duration(trigger.copied - trigger.time)} later, ` +
					`in ${duration(trigger.copy_duration)}`
				: ""
		);
}

function showReport() {
	const clock = reportClock();
	document.title = visible(headline()).slice(0, 120) + " – flightrec";
	show($("file-host"), report.host || "");
	show(
		$("kicker"),
		crash ? crash.signal || "exit" : "snapshot",
		clock ? " · " + clock.utc : ""
	);
	$("kicker").classList.toggle("calm", !crash);
	show($("headline"), headline());
	show($("lede"), ...lede());
	show($("reference-word"), referenceWord);
	showNotices();
	showFacts();
	showRegisters();
	showHost();
	showCoverage();
	showLoss();
}
