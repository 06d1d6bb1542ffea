// The table of events, the latest first. It grows by a page on request, because a table with all
// rows would be slow in every browser.

const TABLE_PAGE = 200;
const table = {rows: TABLE_PAGE, onlyWindow: false};

function tableEvents() {
	if (!table.onlyWindow)
		return matches;
	return matches.slice(eventAt(view.from, matches), eventAt(view.to + 1, matches));
}

function tableRow(event) {
	const time = make("button", {type: "button", class: "time"}, seconds(event.time));
	const fields = make("td", "fields-cell");
	for (const [index, [name]] of event.source.fields.entries())
		add(
			fields,
			make(
				"span",
				"field",
				make("span", "quiet", name + "="),
				make("span", "value", valueText(event, index))
			),
			" "
		);
	if (event.span && event.span.end === event)
		add(
			fields,
			make(
				"span",
				"field quiet",
				"took " + duration(event.span.to - event.span.from)
			)
		);
	else if (event.span && !event.span.end)
		add(fields, make("span", "field quiet", event.span.missing));
	const row = make(
		"tr",
		null,
		make("td", "number", time),
		make("td", "number cpu", event.cpu ?? "?"),
		make("td", event.thread.died ? "thread died" : "thread", event.thread.label),
		make(
			"th",
			{scope: "row", class: "event"},
			make("span", {
				class: "dot c" + colorOf(event.source),
				"aria-hidden": "true",
			}),
			event.source.name
		),
		fields
	);
	row.dataset.index = event.index;
	row.classList.toggle("chosen", event === selected);
	return row;
}

function shownRows() {
	return $("event-table").querySelectorAll("tr[data-index]");
}

function showTable() {
	const wanted = tableEvents();
	const shown = wanted.slice(Math.max(0, wanted.length - table.rows)).reverse();
	const rows = shown.map(tableRow);
	// A line marks the death or trigger. Events after it are above the line.
	const end = shown.findIndex(event => event.time <= 0);
	if (end > 0)
		rows.splice(end, 0, make("tr", "end", make("td", {colspan: "5"}, referenceWord)));
	$("event-table").tBodies[0].replaceChildren(...rows);
	const rest = wanted.length - shown.length;
	$("older").hidden = rest === 0;
	show($("older"), `${number(Math.min(rest, TABLE_PAGE))} older of ${number(rest)}`);
	show(
		$("count"),
		wanted.length === events.length
			? plural(events.length, "event")
			: `${number(wanted.length)} of ${plural(events.length, "event")}`,
		leftOut ? `, ${number(leftOut)} older ones not in this page` : ""
	);
	if (!shown.length)
		$("event-table").tBodies[0].appendChild(
			make(
				"tr",
				null,
				make(
					"td",
					{colspan: "5", class: "quiet"},
					events.length
						? "No event has all of this."
						: "The snapshot holds no events."
				)
			)
		);
}

function markRow() {
	for (const row of shownRows())
		row.classList.toggle(
			"chosen",
			selected !== null && Number(row.dataset.index) === selected.index
		);
}

function startTable() {
	const restart = () => {
		table.rows = TABLE_PAGE;
		showTable();
	};
	onSearch(restart);
	onSelect(markRow);
	let timer = 0;
	onView(() => {
		if (!table.onlyWindow)
			return;
		clearTimeout(timer);
		timer = setTimeout(restart, 150);
	});
	$("only-window").addEventListener("change", () => {
		table.onlyWindow = $("only-window").checked;
		restart();
	});
	$("older").addEventListener("click", () => {
		const before = shownRows().length;
		table.rows += TABLE_PAGE;
		showTable();
		// Let keyboard users continue at the first new row.
		shownRows()[before].querySelector("button").focus();
	});
	$("event-table").tBodies[0].addEventListener("click", click => {
		const row = click.target.closest("tr[data-index]");
		if (row && !String(getSelection()))
			select(events[Number(row.dataset.index)], {
				reveal: true,
				focus: click.detail === 0,
			});
	});
}
