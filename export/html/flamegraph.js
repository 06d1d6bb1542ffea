// The flame graph of the matching events: outermost functions on top, the width of each in
// proportion to its number of events. Functions too narrow to be seen have no element, but the
// table below lists functions by number of events.

const FLAME_DEPTH = 60;
const FLAME_LEAST = 0.002; // as a share of the width; narrower functions are not drawn
const FLAME_ROW = 20;
const FLAME_TABLE = 40;
let flameRoot = null;
let flameTop = null;

function buildFlame() {
	const root = {name: "all", parent: null, count: 0, own: 0, below: new Map()};
	for (const event of matches) {
		if (event.stack < 0)
			continue;
		let node = root;
		root.count++;
		for (const frame of functionsOf(event.stack).reverse().slice(0, 200)) {
			const name = functionName(frame);
			if (!node.below.has(name))
				node.below.set(name, {
					name,
					parent: node,
					count: 0,
					own: 0,
					below: new Map(),
					far: plumbing.test(frame.module || ""),
				});
			node = node.below.get(name);
			node.count++;
		}
		node.own++;
	}
	return root;
}

function flameBar(node, left, width, depth, path) {
	const bar = make(
		"button",
		{
			type: "button",
			class: "bar-f" + (node.far ? " far" : "") + (path ? " path" : ""),
			"aria-label": `${node.name}, ${plural(node.count, "event")}`,
		},
		node.name
	);
	const percent = ((100 * node.count) / flameRoot.count).toFixed(1);
	bar.title = visible(`${node.name}\n${plural(node.count, "event")}, ${percent} %`);
	bar.style.left = left * 100 + "%";
	bar.style.width = width * 100 + "%";
	bar.style.top = depth * FLAME_ROW + "px";
	bar.addEventListener("click", () => {
		flameTop = node;
		drawFlame();
		$("flame").querySelector(".chosen")?.focus();
	});
	bar.classList.toggle("chosen", node === flameTop);
	$("flame").appendChild(bar);
}

function drawFlame() {
	const above = [];
	let deepest = 0; // the lowest row that is used
	for (let node = flameTop; node; node = node.parent)
		above.unshift(node);
	$("flame").replaceChildren();
	above.forEach((node, depth) => flameBar(node, 0, 1, depth, node !== flameTop));
	const place = (node, left, width, depth) => {
		if (depth > FLAME_DEPTH)
			return;
		let at = left;
		for (const child of [...node.below.values()].sort((a, b) =>
			a.name < b.name ? -1 : 1
		)) {
			const share = (width * child.count) / node.count;
			if (share >= FLAME_LEAST) {
				deepest = Math.max(deepest, depth);
				flameBar(child, at, share, depth, false);
				place(child, at, share, depth + 1);
			}
			at += share;
		}
	};
	deepest = above.length - 1;
	place(flameTop, 0, 1, above.length);
	$("flame").style.height = (Math.min(deepest, FLAME_DEPTH) + 1) * FLAME_ROW + "px";
	$("flame-reset").disabled = flameTop === flameRoot;
	const share = `${number(flameTop.count)} of ${plural(flameRoot.count, "event")}`;
	show($("flame-path"), flameTop === flameRoot ? "" : `${flameTop.name}: ${share}`);
}

function flameTable() {
	const totals = new Map();
	const walk = (node, seen) => {
		const entry = totals.get(node.name) || {total: 0, own: 0};
		totals.set(node.name, entry);
		// A recursive function counts once.
		entry.total += seen.has(node.name) ? 0 : node.count;
		entry.own += node.own;
		const inside = new Set(seen).add(node.name);
		for (const child of node.below.values())
			walk(child, inside);
	};
	for (const node of flameRoot.below.values())
		walk(node, new Set());
	const rows = [...totals].sort((a, b) => b[1].total - a[1].total).slice(0, FLAME_TABLE);
	$("flame-table").tBodies[0].replaceChildren(
		...rows.map(([name, entry]) =>
			make(
				"tr",
				null,
				make("th", {scope: "row"}, make("code", null, name)),
				make("td", "number", number(entry.total)),
				make("td", "number", number(entry.own))
			)
		)
	);
}

function showFlame() {
	flameRoot = buildFlame();
	flameTop = flameRoot;
	show(
		$("flame-about"),
		flameRoot.count
			? `${plural(flameRoot.count, "event")} with a stack` +
					(matches === events ? "" : ", of those searched for")
			: "None of the events searched for has a stack."
	);
	drawFlame();
	flameTable();
}

function startFlame() {
	if (!events.some(event => event.stack >= 0))
		return;
	$("flamegraph").hidden = false;
	document.querySelector('nav a[href="#flamegraph"]').hidden = false;
	onSearch(showFlame);
	add($("flamegraph"), ...whyNameless(recorded.locations.flat()));
	$("flame-reset").addEventListener("click", () => {
		flameTop = flameRoot;
		drawFlame();
	});
}
