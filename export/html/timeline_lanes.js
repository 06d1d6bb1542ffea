// The lanes of the timeline: one for each thread of the process that died, then one for each other
// process.

const LANES_FEW = 14;
const LANES_MAX = 300; // the height of a canvas is limited
const AXIS = 24;
const COLORS = 8;
const SPAN_ROW = 18;
const SPAN_ROWS_MAX = 4; // deeper spans share the last row

const view = {from: 0, to: 1};
const whole = {from: 0, to: 1};
const viewListeners = [];
const drawing = {
	lanes: [],
	all: false,
	pending: false,
	wanted: new Uint8Array(events.length),
	paint: null,
};

function onView(listener) {
	viewListeners.push(listener);
}

// Events of services have different colours; those of the kernel are grey.
function colorOf(source) {
	if (source.color === undefined) {
		const own = recorded.sources.filter(other => !other.kernel);
		source.color = source.kernel ? "k" : String(own.indexOf(source) % COLORS);
	}
	return source.color;
}

function groupBy(list, key) {
	const groups = new Map();
	for (const item of list) {
		const name = key(item);
		if (!groups.has(name))
			groups.set(name, []);
		groups.get(name).push(item);
	}
	return groups;
}

// Each thread of the process that died, or of the only process, has a lane of its own. If all lanes
// are shown, every thread has its own.
function buildLanes() {
	const lanes = [];
	const processes = [
		...groupBy(events, event => event.thread.pid + onHost(event.thread.host)).values(),
	].map(list => [list[0].thread.pid, list]);
	const rank = ([pid, list]) => (list[0].thread.dead ? 2 : pid <= 0 ? 0 : 1);
	processes.sort((a, b) => rank(b) - rank(a) || b[1].length - a[1].length);
	for (const [pid, list] of processes) {
		const byThread = [...groupBy(list, event => event.thread).entries()];
		byThread.sort((a, b) => b[0].died - a[0].died || b[1].length - a[1].length);
		if (pid > 0 && (drawing.all || list[0].thread.dead || processes.length === 1)) {
			for (const [thread, own] of byThread)
				lanes.push({
					label: thread.label,
					events: own,
					dead: thread.dead,
					died: thread.died,
				});
		} else {
			const first = byThread[0][0];
			const name =
				pid === 0
					? "swapper"
					: pid < 0
						? "unknown"
						: `${first.process || "?"}[${pid}]`;
			const label =
				(byThread.length > 1 && pid > 0
					? `${name} ${byThread.length} threads`
					: name) + onHost(first.host);
			lanes.push({label, events: list, dead: false, died: false});
		}
	}
	const limit = drawing.all ? LANES_MAX : LANES_FEW;
	const rest = lanes.length > limit ? lanes.splice(limit - 1) : [];
	if (rest.length)
		lanes.push({
			label: `${rest.length} more`,
			events: rest.flatMap(lane => lane.events).sort((a, b) => a.index - b.index),
			dead: false,
			died: false,
		});
	lanes.forEach(placeSpans);
	drawing.lanes = lanes;
	const hasMore = rest.length > 0 || threads.length > lanes.length;
	$("more-lanes").hidden = !hasMore && !drawing.all;
	show(
		$("more-lanes"),
		drawing.all ? "Fewer lanes" : `All ${number(threads.length)} threads`
	);
}

// A lane's spans are below its events, each in the first free row, so that a nested span is below
// the one around it.
function placeSpans(lane, index, lanes) {
	const ends = [];
	const before = lanes[index - 1];
	lane.spans = lane.events
		.filter(event => event.span && homeOf(event.span) === event)
		.map(event => event.span);
	lane.spans.sort((a, b) => a.from - b.from || b.to - a.to);
	for (const span of lane.spans) {
		const free = ends.findIndex(end => end <= span.from);
		span.row = free >= 0 ? free : Math.min(ends.length, SPAN_ROWS_MAX - 1);
		ends[span.row] = Math.max(span.to, ends[span.row] || -Infinity);
	}
	lane.rows = ends.length;
	lane.rowsAbove = before ? before.rowsAbove + before.rows : 0;
}

function laneTop(index, place) {
	return AXIS + index * place.lane + drawing.lanes[index].rowsAbove * SPAN_ROW;
}

function laneHeight(index, place) {
	return place.lane + drawing.lanes[index].rows * SPAN_ROW;
}

function laneAt(y, place) {
	return drawing.lanes.findIndex(
		(lane, index) =>
			y >= laneTop(index, place) &&
			y < laneTop(index, place) + laneHeight(index, place)
	);
}

function layout() {
	const width = $("lanes").clientWidth;
	const narrow = width < 620;
	const lane = narrow ? 36 : 24;
	const rows = drawing.lanes.reduce((sum, each) => sum + each.rows, 0);
	return {
		width,
		narrow,
		gutter: narrow ? 0 : 200,
		lane,
		height: AXIS + drawing.lanes.length * lane + rows * SPAN_ROW,
	};
}

function timeToX(time, place) {
	return (
		place.gutter +
		((time - view.from) / (view.to - view.from)) * (place.width - place.gutter)
	);
}

function xToTime(x, place) {
	return (
		view.from +
		((x - place.gutter) / (place.width - place.gutter)) * (view.to - view.from)
	);
}

function setView(from, to) {
	const least = 100;
	const margin = (whole.to - whole.from) * 0.02;
	let length = Math.min(Math.max(to - from, least), whole.to - whole.from + 2 * margin);
	let start = (from + to - length) / 2;
	start = Math.min(Math.max(start, whole.from - margin), whole.to + margin - length);
	if (start === view.from && start + length === view.to)
		return false;
	view.from = start;
	view.to = start + length;
	redraw();
	for (const listener of viewListeners)
		listener();
	return true;
}
