// The panel that shows everything about the selected event.

let selected = null;
const selectListeners = [];

function onSelect(listener) {
	selectListeners.push(listener);
}

// `reveal`: the timeline scrolls to the event. `focus`: the panel gets the keyboard.
function select(event, {reveal = false, focus = false} = {}) {
	selected = event;
	$("detail").hidden = event === null;
	document.body.classList.toggle("has-detail", event !== null);
	if (event)
		showDetail(event);
	for (const listener of selectListeners)
		listener(reveal);
	if (event && focus)
		$("detail-title").focus();
}

// The event in one line, for screen readers.
function eventLine(event) {
	return (
		`${event.source.name}, ${event.thread.label}, ${fromReference(event.time)}` +
		event.source.fields
			.map(([name], index) => `, ${name}=${valueText(event, index)}`)
			.join("") +
		(event.span ? ", " + edgeText(event) : "")
	);
}

// Makes a line about the span that an event begins or ends, with a link to the other end of the
// span.
function spanLine(event) {
	const other = event === event.span.begin ? event.span.end : event.span.begin;
	const line = make("p", "span-line", edgeText(event));
	if (other) {
		const button = make(
			"button",
			{type: "button", class: "link"},
			event === event.span.begin ? "its end" : "its begin"
		);
		button.addEventListener("click", () => {
			select(other, {reveal: true, focus: true});
			announce(eventLine(other));
		});
		add(line, "; ", button);
	}
	return line;
}

function fieldList(event) {
	const list = make("dl", "fields");
	for (const [index, [name]] of event.source.fields.entries())
		fact(list, name, make("code", "value", valueText(event, index)));
	return list;
}

function showDetail(event) {
	const body = $("detail-body");
	show($("detail-title"), event.source.name);
	show(
		body,
		make(
			"p",
			null,
			make("strong", null, event.thread.label),
			event.cpu === null ? "" : ` on CPU ${event.cpu}`
		),
		make("p", "quiet", `${seconds(event.time)} s, ${fromReference(event.time)}`),
		event.span ? spanLine(event) : null,
		fieldList(event)
	);
	if (event.notes.registers) {
		const registers = make("dl", "registers");
		for (const [name, value] of Object.entries(event.notes.registers))
			fact(registers, name, make("code", null, value));
		body.appendChild(
			make("details", null, make("summary", null, "Registers"), registers)
		);
	}
	if (event.stack >= 0)
		add(body, make("h3", null, "Stack"), stackList(event));
	else if (event.notes.stack_size)
		add(
			body,
			make(
				"p",
				"quiet",
				`${number(event.notes.stack_size)} bytes of stack were recorded.`
			)
		);
	body.scrollTop = 0;
	const at = matches.indexOf(event);
	$("detail-older").disabled = at === 0 || !matches.length;
	$("detail-newer").disabled = at === matches.length - 1 || !matches.length;
}

// The event in `list` that comes after `event`, or before it if `step` is -1. `event` itself need
// not be in `list`.
function neighbour(event, step, list = matches) {
	let at = list.indexOf(event);
	if (at < 0) {
		at = list.findIndex(other => other.index > event.index);
		at = at < 0 ? list.length : at;
		return list[step > 0 ? at : at - 1] || null;
	}
	return list[at + step] || null;
}

function startDetail() {
	const step = by => {
		const next = selected && neighbour(selected, by);
		if (next) {
			select(next, {reveal: true});
			announce(eventLine(next));
		}
	};
	let before = null;
	$("detail-older").addEventListener("click", () => step(-1));
	$("detail-newer").addEventListener("click", () => step(1));
	$("detail-close").addEventListener("click", () => {
		select(null);
		if (before && before.isConnected)
			before.focus();
	});
	$("detail").addEventListener("focusin", key => {
		if (key.relatedTarget && !$("detail").contains(key.relatedTarget))
			before = key.relatedTarget;
	});
	document.addEventListener("keydown", key => {
		if (key.key === "Escape" && selected) {
			const inside = $("detail").contains(document.activeElement);
			select(null);
			if (inside && before && before.isConnected)
				before.focus();
		}
	});
}
