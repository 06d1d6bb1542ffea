// A span is the time from an event that begins it to an event that ends it. The exporter has
// determined which events belong together. Here each pair becomes one object that both events refer
// to: `from` and `to` are times; `begin` and `end` are events, or null if the page does not have
// them. If a span had not ended, `to` is the death of its process, else the time of the last event.

const spans = [];

function openSpans(open, event) {
	const key =
		event.notes.lane === undefined ? "thread " + event.thread.index : event.notes.lane;
	if (!open.has(key))
		open.set(key, []);
	return open.get(key);
}

function addSpan(span) {
	spans.push(span);
	homeOf(span).span = span;
	return span;
}

function endSpan(event, stack) {
	const {span, took, cut, abandoned} = event.notes;
	for (let i = 0; i < (abandoned || 0) && stack.length; i++)
		Object.assign(stack.pop(), {to: event.time, missing: "its end is not there"});
	const from = event.time - took;
	const begun = cut ? null : stack.pop();
	// The page may lack the event that began the span, if another process emitted it.
	if (begun && begun.from === from)
		event.span = Object.assign(begun, {to: event.time, end: event, missing: ""});
	else
		addSpan({
			name: recorded.spans[span],
			from,
			to: event.time,
			begin: null,
			end: event,
			missing: cut ? "its begin is not there" : "",
		});
}

// Makes the spans. `inFile` holds the events in the order of the snapshot.
function findSpans(inFile) {
	const open = new Map();
	for (const event of inFile.filter(each => each.notes.span !== undefined)) {
		const stack = openSpans(open, event);
		if (event.notes.took !== undefined) {
			endSpan(event, stack);
			continue;
		}
		if (event.notes.lane !== undefined)
			stack.length = 0;
		const last = event.thread.dead ? 0 : events[events.length - 1].time;
		stack.push(
			addSpan({
				name: recorded.spans[event.notes.span],
				from: event.time,
				to: Math.max(last, event.time),
				begin: event,
				end: null,
				missing: "it had not ended",
			})
		);
	}
	spans.sort((a, b) => a.from - b.from || b.to - a.to);
}

// Returns the event on whose thread a span is shown: the one that began the span, or the one that
// ended it if the page lacks the begin.
function homeOf(span) {
	return span.begin || span.end;
}

function spanText(span) {
	const missing = span.missing ? ", " + span.missing : "";
	return `${span.name}, ${duration(span.to - span.from)}${missing}`;
}

// Says whether the event begins or ends its span.
function edgeText(event) {
	return event.span
		? (event === event.span.begin ? "begins " : "ends ") + spanText(event.span)
		: "";
}

findSpans(eventsInFile);
