// Which events are wanted. Who shows events says so with onSearch() and reads `matches`.

const search = {query: "", onlyDead: false};
let matches = events;
const searchListeners = [];

function onSearch(listener) {
	searchListeners.push(listener);
}

// Words that must occur, each in its own place or not: "checkout status=500 -ping".
function searchTest(query) {
	const words = query.toLowerCase().split(/\s+/).filter(word => word !== "" && word !== "-");
	const without = words.filter(word => word[0] === "-").map(word => word.slice(1));
	const having = words.filter(word => word[0] !== "-");
	return event => {
		const text = wordsOf(event);
		return having.every(word => text.includes(word)) && !without.some(word => text.includes(word));
	};
}

function runSearch() {
	const test = search.query.trim() ? searchTest(search.query) : null;
	matches = events;
	if (search.onlyDead)
		matches = matches.filter(event => event.thread.dead);
	if (test)
		matches = matches.filter(test);
	for (const listener of searchListeners)
		listener();
}

function startSearch() {
	let timer = 0;
	$("query").addEventListener("input", () => {
		clearTimeout(timer);
		timer = setTimeout(() => {
			search.query = $("query").value;
			runSearch();
		}, 120);
	});
	// Who looks at a crash asks for the process that died; without any event of it there is nothing to choose.
	const choice = threads.some(thread => thread.dead) && threads.some(thread => !thread.dead);
	$("dead-label").hidden = !choice;
	$("only-dead").checked = choice;
	search.onlyDead = choice;
	$("only-dead").addEventListener("change", () => {
		search.onlyDead = $("only-dead").checked;
		runSearch();
	});
	// As in pagers.
	document.addEventListener("keydown", key => {
		if (key.key === "/" && !key.ctrlKey && !key.metaKey && !/^(INPUT|TEXTAREA)$/.test(key.target.tagName)) {
			key.preventDefault();
			$("query").focus();
		}
	});
}
