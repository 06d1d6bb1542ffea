// The timeline, drawn on a canvas. Events closer together than a pixel are one tick, so the cost of
// drawing depends on the size of the screen, not of the snapshot.

function redraw() {
	if (drawing.pending)
		return;
	drawing.pending = true;
	requestAnimationFrame(() => {
		drawing.pending = false;
		draw();
	});
}

// The colours of the style sheet in the current theme.
function paints() {
	if (drawing.paint)
		return drawing.paint;
	const probe = document.body.appendChild(make("span"));
	const color = name => {
		probe.className = name;
		return getComputedStyle(probe).color;
	};
	const paint = {
		text: color("p-text"),
		quiet: color("p-quiet"),
		line: color("p-line"),
		stripe: color("p-stripe"),
		bad: color("p-bad"),
		accent: color("p-accent"),
		cover: color("p-cover"),
		k: color("ck"),
	};
	for (let i = 0; i < COLORS; i++)
		paint[i] = color("c" + i);
	probe.remove();
	drawing.paint = paint;
	return paint;
}

function sized(canvas, width, height) {
	const scale = Math.min(devicePixelRatio || 1, 16000 / height);
	if (
		canvas.width !== Math.round(width * scale) ||
		canvas.height !== Math.round(height * scale)
	) {
		canvas.width = Math.round(width * scale);
		canvas.height = Math.round(height * scale);
		canvas.style.width = width + "px";
		canvas.style.height = height + "px";
	}
	const context = canvas.getContext("2d");
	context.setTransform(scale, 0, 0, scale, 0, 0);
	context.clearRect(0, 0, width, height);
	return context;
}

function axisStep(length, room) {
	const rough = length / Math.max(room, 1);
	const power = 10 ** Math.floor(Math.log10(rough));
	return power * ([1, 2, 5, 10].find(factor => factor * power >= rough) || 10);
}

function drawAxis(context, place, paint) {
	const step = axisStep(view.to - view.from, (place.width - place.gutter) / 110);
	const digits = Math.max(0, Math.min(9, 9 - Math.floor(Math.log10(step) + 1e-9)));
	context.textAlign = "center";
	for (let time = Math.ceil(view.from / step) * step; time <= view.to; time += step) {
		const x = Math.round(timeToX(time, place)) + 0.5;
		context.fillStyle = paint.line;
		context.fillRect(x - 0.5, AXIS - 5, 1, place.height);
		context.fillStyle = paint.quiet;
		if (
			x > place.gutter + 30 &&
			x < place.width - 30 &&
			Math.abs(timeToX(0, place) - x) > 60
		)
			context.fillText(
				(time < 0 ? "−" : "+") +
					(Math.abs(time) / 1e9).toFixed(digits) +
					" s",
				x,
				11
			);
	}
}

function clipped(context, text, room) {
	let shown = visible(text.slice(0, 80));
	while (shown.length > 1 && context.measureText(shown).width > room)
		shown = shown.slice(0, Math.max(1, Math.floor(shown.length * 0.85) - 1)) + "…";
	return shown;
}

function drawLane(context, lane, index, place, paint) {
	const top = laneTop(index, place);
	const middle = top + place.lane / 2;
	if (index % 2 === 0) {
		context.fillStyle = paint.stripe;
		context.fillRect(0, top, place.width, laneHeight(index, place));
	}
	const ticks = place.narrow
		? {top: top + 15, height: place.lane - 18}
		: {top: top + 4, height: place.lane - 8};
	const first = Math.max(0, eventAt(view.from, lane.events) - 1);
	const last = Math.min(lane.events.length, eventAt(view.to, lane.events) + 1);
	let before = {x: -10, color: ""};
	for (let i = first; i < last; i++) {
		const event = lane.events[i];
		const x = Math.round(timeToX(event.time, place));
		const wanted = drawing.wanted[event.index];
		const color = wanted ? colorOf(event.source) : "-";
		if (x < place.gutter || (x === before.x && color === before.color))
			continue;
		before = {x, color};
		context.globalAlpha = wanted ? 1 : 0.25;
		context.fillStyle = wanted ? paint[color] : paint.quiet;
		const inset = color === "k" || !wanted ? ticks.height / 4 : 0;
		context.fillRect(x - 1, ticks.top + inset, 2, ticks.height - 2 * inset);
		// Show the name if there is room for it before the next event.
		const gap =
			(i + 1 < last ? timeToX(lane.events[i + 1].time, place) : place.width) -
			x -
			8;
		if (wanted && !event.source.kernel && gap > 70 && !place.narrow) {
			context.globalAlpha = 0.85;
			context.textAlign = "left";
			context.fillText(clipped(context, event.source.name, gap), x + 4, middle);
		}
	}
	context.globalAlpha = 1;
}

function spanBox(span, index, place) {
	const left = Math.max(place.gutter, timeToX(span.from, place));
	const right = Math.min(place.width, timeToX(span.to, place));
	return {
		left,
		width: Math.max(1.5, right - left),
		top: laneTop(index, place) + place.lane + span.row * SPAN_ROW - 2,
		height: SPAN_ROW - 2,
	};
}

// Draws a span as a bar, with a line at each end that is known.
function drawSpan(context, span, box, paint) {
	const wanted = [span.begin, span.end].some(event => event && drawing.wanted[event.index]);
	const paintOf = wanted ? paint[colorOf(homeOf(span).source)] : paint.quiet;
	context.fillStyle = paintOf;
	context.globalAlpha = wanted ? 0.28 : 0.12;
	context.fillRect(box.left, box.top, box.width, box.height);
	context.globalAlpha = wanted ? 1 : 0.25;
	if (span.begin && span.from >= view.from)
		context.fillRect(box.left, box.top, 1.5, box.height);
	if (span.end && span.to <= view.to)
		context.fillRect(box.left + box.width - 1.5, box.top, 1.5, box.height);
	if (box.width > 50 && wanted) {
		context.textAlign = "left";
		context.fillStyle = paint.text;
		context.fillText(
			clipped(context, spanText(span), box.width - 10),
			box.left + 5,
			box.top + box.height / 2 + 0.5
		);
	}
	context.globalAlpha = 1;
}

function drawSpans(context, lane, index, place, paint) {
	const drawn = [];
	for (const span of lane.spans) {
		if (span.to < view.from || span.from > view.to)
			continue;
		const box = spanBox(span, index, place);
		// Spans on the same pixel look like one, so draw only the first.
		if (box.left + box.width <= (drawn[span.row] || -1) + 1)
			continue;
		drawn[span.row] = box.left + box.width;
		drawSpan(context, span, box, paint);
	}
}

function drawLabels(context, place, paint) {
	context.textAlign = "left";
	for (const [index, lane] of drawing.lanes.entries()) {
		const top = laneTop(index, place);
		context.fillStyle = lane.died ? paint.bad : lane.dead ? paint.text : paint.quiet;
		const text = clipped(
			context,
			lane.label,
			place.narrow ? place.width / 2 : place.gutter - 20
		);
		context.fillText(
			text,
			place.narrow ? 6 : 10,
			place.narrow ? top + 8 : top + place.lane / 2
		);
	}
}

// Draws the death or trigger and the selected event as lines from top to bottom, and marks where
// events may be missing.
function drawMarks(context, place, paint) {
	const complete = completeness().from ?? -Infinity;
	const edges = {
		true: Math.max(complete, keptFrom(true)),
		false: Math.max(complete, keptFrom(false)),
	};
	for (const [index, lane] of drawing.lanes.entries()) {
		const edge = Math.min(timeToX(edges[lane.dead], place), place.width);
		context.fillStyle = paint.cover;
		if (edge > place.gutter)
			context.fillRect(
				place.gutter,
				laneTop(index, place),
				edge - place.gutter,
				laneHeight(index, place)
			);
	}
	const x = Math.round(timeToX(0, place));
	if (x >= place.gutter && x <= place.width) {
		context.fillStyle = crash ? paint.bad : paint.accent;
		context.fillRect(x - 1, AXIS - 6, 2, place.height);
		context.textAlign = x > place.width - 40 ? "right" : "center";
		context.fillText(referenceWord, Math.min(x, place.width - 4), 11);
	}
	if (!selected)
		return;
	const at = Math.round(timeToX(selected.time, place));
	const lane = drawing.lanes.findIndex(candidate => candidate.events.includes(selected));
	if (at < place.gutter || at > place.width || lane < 0)
		return;
	context.strokeStyle = paint.accent;
	context.lineWidth = 2;
	context.strokeRect(at - 4, laneTop(lane, place) + 1, 8, place.lane - 2);
	drawChosenSpan(context, place);
	context.fillStyle = paint.accent;
	context.fillRect(at - 0.5, AXIS - 6, 1, place.height);
}

function drawChosenSpan(context, place) {
	const span = selected.span;
	const index = span ? drawing.lanes.findIndex(lane => lane.spans.includes(span)) : -1;
	if (index < 0 || span.to < view.from || span.from > view.to)
		return;
	const box = spanBox(span, index, place);
	context.strokeRect(box.left - 1, box.top - 1, box.width + 2, box.height + 2);
}

function drawOverview(paint) {
	const canvas = $("overview");
	const place = layout();
	const height = 36;
	const room = Math.max(1, place.width - place.gutter);
	const context = sized(canvas, place.width, height);
	const bars = Math.max(1, Math.floor(room / 3));
	const counts = new Uint32Array(bars);
	const wanted = new Uint32Array(bars);
	for (const event of events) {
		const bar = Math.min(
			bars - 1,
			Math.floor(((event.time - whole.from) / (whole.to - whole.from)) * bars)
		);
		counts[bar]++;
		wanted[bar] += drawing.wanted[event.index];
	}
	const most = Math.log2(2 + counts.reduce((a, b) => Math.max(a, b), 0));
	for (let i = 0; i < bars; i++) {
		const x = place.gutter + (i * room) / bars;
		const bar = count =>
			count ? Math.max(2, (Math.log2(1 + count) / most) * (height - 6)) : 0;
		context.fillStyle = paint.line;
		context.fillRect(x, height - bar(counts[i]), 2, bar(counts[i]));
		context.fillStyle = paint.accent;
		context.fillRect(x, height - bar(wanted[i]), 2, bar(wanted[i]));
	}
	const scale = time =>
		place.gutter +
		Math.min(1, Math.max(0, (time - whole.from) / (whole.to - whole.from))) * room;
	context.fillStyle = paint.cover;
	context.fillRect(place.gutter, 0, scale(view.from) - place.gutter, height);
	context.fillRect(scale(view.to), 0, place.width - scale(view.to), height);
	context.strokeStyle = paint.accent;
	context.lineWidth = 1;
	context.strokeRect(
		scale(view.from) + 0.5,
		0.5,
		Math.max(2, scale(view.to) - scale(view.from) - 1),
		height - 1
	);
	if (!place.narrow) {
		context.fillStyle = paint.quiet;
		context.fillText(
			`${plural(matches.length, "event")} in ${duration(whole.to - whole.from)}`,
			10,
			height / 2
		);
	}
}

function draw() {
	const place = layout();
	const paint = paints();
	if (place.width <= 0)
		return;
	const context = sized($("canvas"), place.width, place.height);
	for (const each of [context, $("overview").getContext("2d")]) {
		each.font = "12px system-ui, sans-serif";
		each.textBaseline = "middle";
	}
	drawLanesOn(context, place, paint);
	drawOverview(paint);
	show(
		$("window"),
		`${duration(view.to - view.from)} shown, `,
		`from ${seconds(view.from, 6)} s to ${seconds(view.to, 6)} s`
	);
}

function drawLanesOn(context, place, paint) {
	for (const [index, lane] of drawing.lanes.entries()) {
		drawLane(context, lane, index, place, paint);
		drawSpans(context, lane, index, place, paint);
	}
	drawAxis(context, place, paint);
	drawMarks(context, place, paint);
	drawLabels(context, place, paint);
}

function markWanted() {
	drawing.wanted.fill(0);
	for (const event of matches)
		drawing.wanted[event.index] = 1;
	redraw();
}

// Sets the range of all events, and shows the last seconds of that range.
function startView() {
	whole.from = Math.min(0, events.length ? events[0].time : 0);
	whole.to = Math.max(0, events.length ? events[events.length - 1].time : 0);
	if (whole.to - whole.from < 1000)
		whole.from = whole.to - 1000;
	const recent = Math.max(whole.from, -10e9);
	setView(eventAt(recent) < events.length ? recent : whole.from, whole.to);
}

function startTimeline() {
	buildLanes();
	onSearch(markWanted);
	onSelect(reveal => {
		const length = view.to - view.from;
		if (reveal && selected && (selected.time < view.from || selected.time > view.to))
			setView(selected.time - length / 2, selected.time + length / 2);
		redraw();
	});
	$("more-lanes").addEventListener("click", () => {
		drawing.all = !drawing.all;
		buildLanes();
		redraw();
	});
	new ResizeObserver(redraw).observe($("lanes"));
	startView();
}
