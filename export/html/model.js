"use strict";
// The contents of the snapshot, as the rest of the page uses them. They come from untrusted
// machines and programs, so they are shown as text, by make() and visible() in elements.js, and
// never become markup.

const report = JSON.parse(document.getElementById("report-data").textContent);
const recorded = JSON.parse(document.getElementById("events-data").textContent);
const crash = report.crash || null;
const referenceWord = crash ? "death" : "trigger";

// `host` is "" for the host of the report, else the name of the other host.
const threads = recorded.threads.map(([pid, tid, process, name, at], index) => {
	const host = at < 0 ? "" : recorded.hosts[at];
	const dead = crash !== null && host === "" && pid === crash.pid;
	return {
		index,
		pid,
		tid,
		process,
		name,
		host,
		label: threadLabel(process, name, tid) + onHost(host),
		dead,
		died: dead && tid === crash.tid,
	};
});

// In the file, the record of an interrupt may come before the older one that it interrupted;
// `events` is sorted by time. `time` is in nanoseconds from the death or the trigger, negative
// before it.
const eventsInFile = recorded.events.map(([time, cpu, thread, source, stack, values, notes]) => ({
	index: 0,
	time,
	cpu,
	thread: threads[thread],
	source: recorded.sources[source],
	stack,
	values,
	notes: notes || {},
	words: null,
	span: null,
}));
const events = [...eventsInFile].sort((a, b) => a.time - b.time);
events.forEach((event, index) => {
	event.index = index;
});

// The time from which on the page has every event that the file has: those of the process that died
// if `dead` is true, else those of all others.
const [leftOutDead, leftOutOthers] = recorded.left_out;
const leftOut = leftOutDead + leftOutOthers;

function keptFrom(dead) {
	const first = (dead ? leftOutDead : leftOutOthers)
		? events.find(event => event.thread.dead === dead)
		: null;
	return first ? first.time : -Infinity;
}

function onHost(host) {
	return host && " on " + host;
}

function threadLabel(process, name, tid) {
	const who = process + (name && name !== process ? "/" + name : "");
	if (tid === 0)
		return "swapper";
	return who + (tid < 0 ? "?" : "[" + tid + "]");
}

// A field's value as text for people.
function valueText(event, index) {
	const value = event.values[index];
	const kind = event.source.fields[index][1];
	const left = event.notes["left_out_" + index];
	const cut = event.notes["cut_" + index] ? "…" : "";
	let text;
	if (value === null)
		text = "<invalid>";
	else if (kind === "text" || event.notes["text_" + index])
		text = '"' + value + '"' + cut;
	else
		text = Array.isArray(value) ? "[" + value.join(", ") + "]" : String(value);
	return left ? text + " … and " + left.toLocaleString("en") + " bytes more" : text;
}

// The text in which the search looks for words, made on first use.
function wordsOf(event) {
	if (event.words === null) {
		const fields = event.source.fields.map(
			([name], index) =>
				name + "=" + valueText(event, index).replace(/^"|"$/g, "")
		);
		event.words = [event.thread.label, event.source.name, ...fields]
			.join(" ")
			.toLowerCase();
	}
	return event.words;
}

// The functions of a stack, innermost first, including inlined ones. `pcs`, if given, are the
// addresses of its locations in the process.
function functionsOf(stack, pcs) {
	return stack < 0
		? []
		: recorded.stacks[stack]
				.slice(1)
				.flatMap((location, index) =>
					recorded.locations[location].map(frame =>
						pcs ? {...frame, pc: pcs[index]} : frame
					)
				);
}

const baseName = path => path.replace(/^.*\/(?=.)/, "");

// The name of a function; without one, the program and the address in it, which addr2line(1)
// accepts.
function functionName(frame) {
	return frame.function || (frame.module ? baseName(frame.module) + "+" : "") + frame.address;
}

function stackEnd(stack) {
	return recorded.stacks[stack][0];
}

// The index of the first event that is not before `time`.
function eventAt(time, list = events) {
	let low = 0;
	let high = list.length;
	while (low < high) {
		const middle = (low + high) >> 1;
		if (list[middle].time < time)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}
