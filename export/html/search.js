// Decides which events match the search. Parts of the page that show events register with
// onSearch() and read `matches`.

const search = {query: "", onlyDead: false};
let matches = events;
const searchListeners = [];

function onSearch(listener) {
	searchListeners.push(listener);
}

// All words must occur, in any order, but none of those after a minus sign:
//
//	checkout status=500 -ping
function searchTest(query) {
	const words = query
		.toLowerCase()
		.split(/\s+/)
		.filter(word => word !== "" && word !== "-");
	const without = words.filter(word => word[0] === "-").map(word => word.slice(1));
	const having = words.filter(word => word[0] !== "-");
	return event => {
		const text = wordsOf(event);
		return (
			having.every(word => text.includes(word)) &&
			!without.some(word => text.includes(word))
		);
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
	// After a crash, the process that died is the interesting one. There is nothing to choose
	// unless both that process and others have events.
	const choice = threads.some(thread => thread.dead) && threads.some(thread => !thread.dead);
	$("dead-label").hidden = !choice;
	$("only-dead").checked = choice;
	search.onlyDead = choice;
	$("only-dead").addEventListener("change", () => {
		search.onlyDead = $("only-dead").checked;
		runSearch();
	});
	// "/" searches, as in pagers.
	document.addEventListener("keydown", key => {
		if (
			key.key === "/" &&
			!key.ctrlKey &&
			!key.metaKey &&
			!/^(INPUT|TEXTAREA)$/.test(key.target.tagName)
		) {
			key.preventDefault();
			$("query").focus();
		}
	});
}
