// Theme and copying, and the start of all other parts, in order.

// Light, dark, or the system's choice.
function startTheme() {
	const themes = ["system", "light", "dark"];
	let theme = 0;
	const repaint = () => {
		drawing.paint = null;
		redraw();
	};
	$("theme").addEventListener("click", () => {
		theme = (theme + 1) % themes.length;
		document.documentElement.dataset.theme = themes[theme];
		show($("theme"), "◐ " + themes[theme]);
		$("theme").setAttribute("aria-label", "Theme: " + themes[theme]);
		repaint();
	});
	matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
}

// The report as text to paste into a message: what the page says above the timeline, and the last
// events.
function reportText() {
	const lines = [headline(), ""];
	for (const row of $("facts").children)
		lines.push(row.firstChild.textContent + ": " + row.lastChild.textContent);
	if (crash && recorded.crash_stack && recorded.crash_stack.stack >= 0) {
		lines.push("", "Stack, innermost first:");
		functionsOf(recorded.crash_stack.stack).forEach((frame, index) => {
			const where = frame.file ? ` at ${frame.file}:${frame.line || "?"}` : "";
			const note = frame.inlined ? " (inlined)" : "";
			lines.push(`  #${index} ${functionName(frame)}${where}${note}`);
		});
	}
	const last = events
		.filter(event => event.time <= 0 && (!crash || event.thread.dead))
		.slice(-20);
	lines.push(
		"",
		"Last events:",
		...last.map(event => {
			const start = [seconds(event.time), event.thread.label, event.source.name];
			const fields = event.source.fields.map(
				([name], index) => name + "=" + valueText(event, index)
			);
			return "  " + [...start, ...fields].join(" ");
		})
	);
	return lines.map(visible).join("\n") + "\n";
}

function startCopy() {
	$("copy").addEventListener("click", async () => {
		let words = "Copied";
		try {
			await navigator.clipboard.writeText(reportText());
		} catch {
			words = "The browser did not allow it";
		}
		show($("copy"), words);
		announce(words);
		setTimeout(() => show($("copy"), "Copy report"), 2000);
	});
}

startTheme();
startCopy();
startSearch();
startDetail();
showReport();
showCrashStack();
showThreads();
startTimeline();
startTimelineInput();
startTable();
startFlame();
runSearch(); // shows the events everywhere
