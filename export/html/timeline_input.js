// Handles wheel, pointers, touch and keys on the timeline.

const pointers = new Map();

function zoom(factor, center = (view.from + view.to) / 2) {
	return setView(
		center - (center - view.from) * factor,
		center + (view.to - center) * factor
	);
}

function pan(share) {
	const by = (view.to - view.from) * share;
	return setView(view.from + by, view.to + by);
}

function placeOf(pointer) {
	const box = $("canvas").getBoundingClientRect();
	return {x: pointer.clientX - box.left, y: pointer.clientY - box.top, place: layout()};
}

// The nearest event in the lane under the pointer.
function eventNear(pointer) {
	const {x, y, place} = placeOf(pointer);
	const lane = drawing.lanes[laneAt(y, place)];
	if (!lane || x < place.gutter)
		return null;
	const reach = pointer.pointerType === "touch" ? 16 : 8;
	const from = eventAt(xToTime(x - reach, place), lane.events);
	let best = null;
	let distance = reach + 1;
	for (let i = from; i < lane.events.length; i++) {
		const away = timeToX(lane.events[i].time, place) - x;
		if (away > reach)
			break;
		// A matching event wins over a nearer one that does not match.
		const score = Math.abs(away) + (drawing.wanted[lane.events[i].index] ? 0 : reach);
		if (
			score < distance ||
			(best && score - reach < distance && !drawing.wanted[best.index])
		) {
			best = lane.events[i];
			distance = score;
		}
	}
	return best;
}

// The span under the pointer; the shortest one if there are several.
function spanNear(pointer) {
	const {x, y, place} = placeOf(pointer);
	const index = laneAt(y, place);
	const row =
		index < 0
			? -1
			: Math.floor((y - laneTop(index, place) - place.lane + 2) / SPAN_ROW);
	if (row < 0 || x < place.gutter)
		return null;
	const reach = pointer.pointerType === "touch" ? 8 : 2;
	const there = drawing.lanes[index].spans.filter(span => {
		const box = spanBox(span, index, place);
		return (
			span.row === row &&
			span.to >= view.from &&
			span.from <= view.to &&
			x >= box.left - reach &&
			x <= box.left + box.width + reach
		);
	});
	return there.reduce(
		(best, span) => (best && best.to - best.from <= span.to - span.from ? best : span),
		null
	);
}

// For a span, `event` is its end if the page has it, because the fields of the end tell how the
// span went.
function showTip(event, span, pointer) {
	const tip = $("tip");
	tip.hidden = event === null;
	if (!event)
		return;
	show(
		tip,
		make("strong", null, span ? span.name : event.source.name),
		span
			? make(
					"span",
					"block",
					duration(span.to - span.from) +
						(span.missing ? ", " + span.missing : "")
				)
			: null,
		make("span", "quiet block", `${event.thread.label}, ${fromReference(event.time)}`),
		fieldList(event)
	);
	const box = tip.parentElement.getBoundingClientRect();
	const x = pointer.clientX - box.left;
	tip.style.left = Math.max(4, Math.min(x + 14, box.width - tip.offsetWidth - 4)) + "px";
	tip.style.top = pointer.clientY - box.top + 18 + "px";
}

function pinch() {
	const [a, b] = [...pointers.values()];
	return {
		center: (a.clientX + b.clientX) / 2,
		distance: Math.max(20, Math.abs(a.clientX - b.clientX)),
	};
}

function startPointers(lanes) {
	let moved = 0;
	let last = null;
	lanes.addEventListener("pointerdown", pointer => {
		if (pointer.button !== 0)
			return;
		pointers.set(pointer.pointerId, pointer);
		lanes.setPointerCapture(pointer.pointerId);
		moved = pointers.size > 1 ? 100 : 0;
		last = pointers.size > 1 ? pinch() : null;
	});
	lanes.addEventListener("pointermove", pointer => {
		const before = pointers.get(pointer.pointerId);
		if (!before) {
			const span = spanNear(pointer);
			showTip(span ? span.end || span.begin : eventNear(pointer), span, pointer);
			return;
		}
		const {place} = placeOf(pointer);
		pointers.set(pointer.pointerId, pointer);
		$("tip").hidden = true;
		if (pointers.size === 2 && last) {
			const now = pinch();
			const box = lanes.getBoundingClientRect();
			zoom(last.distance / now.distance, xToTime(now.center - box.left, place));
			pan((last.center - now.center) / (place.width - place.gutter));
			last = now;
		} else if (pointers.size === 1) {
			moved += Math.abs(pointer.clientX - before.clientX);
			if (moved > 4)
				pan(
					(before.clientX - pointer.clientX) /
						(place.width - place.gutter)
				);
		}
	});
	const end = pointer => {
		if (!pointers.delete(pointer.pointerId))
			return;
		last = null;
		if (pointer.type !== "pointerup" || moved > 4)
			return;
		const span = spanNear(pointer);
		const event = span ? span.end || span.begin : eventNear(pointer);
		if (event)
			select(event);
	};
	lanes.addEventListener("pointerup", end);
	lanes.addEventListener("pointercancel", end);
	lanes.addEventListener("pointerleave", () => {
		$("tip").hidden = true;
	});
}

// A wheel without Ctrl scrolls the page, unless the timeline has the keyboard focus and can zoom
// further.
function startWheel(lanes) {
	lanes.addEventListener(
		"wheel",
		wheel => {
			const {x, place} = placeOf(wheel);
			const sideways =
				Math.abs(wheel.deltaX) > Math.abs(wheel.deltaY) || wheel.shiftKey;
			let changed = false;
			if (sideways)
				changed = pan((wheel.deltaX || wheel.deltaY) / place.width);
			else if (wheel.ctrlKey || wheel.metaKey || document.activeElement === lanes)
				changed = zoom(
					Math.exp(
						Math.max(
							-1,
							Math.min(
								1,
								wheel.deltaY *
									(wheel.ctrlKey
										? 0.01
										: 0.003)
							)
						)
					),
					xToTime(Math.max(x, place.gutter), place)
				);
			if (changed || wheel.ctrlKey)
				wheel.preventDefault();
		},
		{passive: false}
	);
}

// Moves from the selected event to the next one in its lane, or to the same time in another lane.
function moveSelection(step, lanes) {
	const wanted = lane => lane.events.filter(event => drawing.wanted[event.index]);
	const at = selected ? drawing.lanes.findIndex(lane => lane.events.includes(selected)) : -1;
	let next = null;
	if (at < 0) {
		next = matches[eventAt(1, matches) - 1] || matches[0] || null;
	} else if (!lanes) {
		next = neighbour(selected, step, wanted(drawing.lanes[at]));
	} else {
		for (let to = at + lanes; drawing.lanes[to] && !next; to += lanes) {
			const others = wanted(drawing.lanes[to]);
			next =
				others[
					Math.min(eventAt(selected.time, others), others.length - 1)
				] || null;
		}
	}
	if (next)
		choose(next);
}

function choose(event) {
	select(event, {reveal: true});
	announce(eventLine(event));
}

function startKeys(lanes) {
	const keys = {
		ArrowLeft: () => moveSelection(-1, 0),
		ArrowRight: () => moveSelection(1, 0),
		ArrowUp: () => moveSelection(0, -1),
		ArrowDown: () => moveSelection(0, 1),
		Home: () => matches.length && choose(matches[0]),
		End: () => matches.length && choose(matches[matches.length - 1]),
		"+": () => zoomKey(0.5),
		"=": () => zoomKey(0.5),
		w: () => zoomKey(0.5),
		"-": () => zoomKey(2),
		s: () => zoomKey(2),
		a: () => pan(-0.25),
		d: () => pan(0.25),
		0: () => setView(whole.from, whole.to),
		Enter: () => selected && $("detail-title").focus(),
	};
	const zoomKey = factor => {
		const inside = selected && selected.time >= view.from && selected.time <= view.to;
		zoom(factor, inside ? selected.time : undefined);
		announce(duration(view.to - view.from) + " shown");
	};
	lanes.addEventListener("keydown", key => {
		const act = keys[key.key.length === 1 ? key.key.toLowerCase() : key.key];
		if (!act || key.ctrlKey || key.metaKey || key.altKey)
			return;
		key.preventDefault();
		act();
	});
}

function startOverview() {
	const overview = $("overview");
	const go = pointer => {
		const box = overview.getBoundingClientRect();
		const place = layout();
		const time =
			whole.from +
			((pointer.clientX - box.left - place.gutter) /
				(place.width - place.gutter)) *
				(whole.to - whole.from);
		const half = (view.to - view.from) / 2;
		setView(time - half, time + half);
	};
	overview.addEventListener("pointerdown", pointer => {
		overview.setPointerCapture(pointer.pointerId);
		go(pointer);
	});
	overview.addEventListener("pointermove", pointer => pointer.buttons && go(pointer));
}

function startTimelineInput() {
	const lanes = $("lanes");
	startPointers(lanes);
	startWheel(lanes);
	startKeys(lanes);
	startOverview();
	$("zoom-in").addEventListener("click", () => zoom(0.5));
	$("zoom-out").addEventListener("click", () => zoom(2));
	$("zoom-all").addEventListener("click", () => setView(whole.from, whole.to));
	// The last tenth of a second is the place to look first.
	$("zoom-end").addEventListener("click", () => {
		const length = Math.min(100e6, (whole.to - whole.from) / 2);
		const end = crash ? Math.min(whole.to, length / 20) : whole.to;
		setView(end - length, end);
	});
}
