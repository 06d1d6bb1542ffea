"use strict";
// What the snapshot holds, as the rest of the page uses it. Everything in it comes from machines and programs that nobody
// vouches for: it is shown as text, by make() and visible() in elements.js, and never becomes markup.

const report = JSON.parse(document.getElementById("report-data").textContent);
const recorded = JSON.parse(document.getElementById("events-data").textContent);
const crash = report.crash || null;
const referenceWord = crash ? "death" : "trigger";

// `host` is the name of another machine than that of the report, else "".
const threads = recorded.threads.map(([pid, tid, process, name, at], index) => {
	const host = at < 0 ? "" : recorded.hosts[at];
	const dead = crash !== null && host === "" && pid === crash.pid;
	return {index, pid, tid, process, name, host, label: threadLabel(process, name, tid) + onHost(host), dead, died: dead && tid === crash.tid};
});

// In order of time, also where an interrupt's record came before that of what it interrupted. `time` is nanoseconds from the death or the trigger, negative before it.
const toldEvents = recorded.events.map(([time, cpu, thread, source, stack, values, notes]) => ({
	index: 0, time, cpu, thread: threads[thread], source: recorded.sources[source], stack, values, notes: notes || {},
	words: null, span: null,
}));
const events = [...toldEvents].sort((a, b) => a.time - b.time);
events.forEach((event, index) => {
	event.index = index;
});

// From when on the page has every event that the file has: of the process that died, and of others.
const [leftOutDead, leftOutOthers] = recorded.left_out;
const leftOut = leftOutDead + leftOutOthers;

function keptFrom(dead) {
	const first = (dead ? leftOutDead : leftOutOthers) ? events.find(event => event.thread.dead === dead) : null;
	return first ? first.time : -Infinity;
}

function onHost(host) {
	return host && " on " + host;
}

function threadLabel(process, name, tid) {
	const who = process + (name && name !== process ? "/" + name : "");
	if (tid === 0)
		return "idle";
	return who + (tid < 0 ? "?" : "[" + tid + "]");
}

// A field's value as people read it.
function valueText(event, index) {
	const value = event.values[index];
	const kind = event.source.fields[index][1];
	const left = event.notes["left_out_" + index];
	const cut = event.notes["cut_" + index] ? "…" : "";
	let text;
	if (value === null)
		text = "<invalid>";
	else if (kind === "text")
		text = '"' + value + '"' + cut;
	else
		text = Array.isArray(value) ? "[" + value.join(", ") + "]" : String(value);
	return left ? text + " … and " + left.toLocaleString("en") + " bytes more" : text;
}

// What a search looks at, made when it is first wanted.
function wordsOf(event) {
	if (event.words === null) {
		const fields = event.source.fields.map(([name], index) => name + "=" + valueText(event, index).replace(/^"|"$/g, ""));
		event.words = [event.thread.label, event.source.name, ...fields].join(" ").toLowerCase();
	}
	return event.words;
}

// The functions of a stack, innermost first, with those that were inlined; `pcs` are where they are in the process.
function functionsOf(stack, pcs) {
	return stack < 0 ? [] : recorded.stacks[stack].slice(1).flatMap((location, index) =>
		recorded.locations[location].map(frame => (pcs ? {...frame, pc: pcs[index]} : frame)));
}

const baseName = path => path.replace(/^.*\/(?=.)/, "");

// Without a name, the program and the address in it, which addr2line(1) takes.
function functionName(frame) {
	return frame.function || (frame.module ? baseName(frame.module) + "+" : "") + frame.address;
}

function stackEnd(stack) {
	return recorded.stacks[stack][0];
}

// The first event that is not before `time`.
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
