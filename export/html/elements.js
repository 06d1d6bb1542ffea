// Everything gets onto the page through this file: as the text of an element, with characters that
// could hide or reorder text made visible.

const $ = id => document.getElementById(id);
const encoder = new TextEncoder();

// Control characters, characters without width, and those that change the direction of text.
const hidden = new RegExp(
	"[\\u0000-\\u001f\\u007f-\\u009f\\u00ad\\u061c\\u200b-\\u200f\\u2028-\\u202e" +
		"\\u2060-\\u206f\\ufeff\\ufff9-\\ufffb]",
	"g"
);

// Replaces each hidden character by its bytes, \xNN, as `flightrec show` does.
function visible(text) {
	return String(text).replace(hidden, character =>
		Array.from(
			encoder.encode(character),
			byte => "\\x" + byte.toString(16).padStart(2, "0")
		).join("")
	);
}

// Makes an element. `attributes` is an object, or the element's class:
//
//	make("td", "number", "7")
//	make("button", {class: "row", type: "button"}, child, "text")
function make(tag, attributes, ...children) {
	const element = document.createElement(tag);
	if (typeof attributes === "string")
		attributes = {class: attributes};
	for (const [name, value] of Object.entries(attributes || {}))
		element.setAttribute(name, value);
	add(element, ...children);
	return element;
}

function add(parent, ...children) {
	for (const child of children) {
		if (child instanceof Node)
			parent.appendChild(child);
		else if (child !== null && child !== undefined)
			parent.appendChild(document.createTextNode(visible(child)));
	}
}

function show(element, ...children) {
	element.replaceChildren();
	add(element, ...children);
}

function fact(list, name, ...value) {
	list.appendChild(make("div", null, make("dt", null, name), make("dd", null, ...value)));
}

// Seconds with nine decimals, as `flightrec show` prints them.
function seconds(time, digits = 9) {
	return (time < 0 ? "−" : "+") + (Math.abs(time) / 1e9).toFixed(digits);
}

// A duration, in a suitable unit.
function duration(time) {
	const length = Math.abs(time);
	for (const [unit, size] of [
		["s", 1e9],
		["ms", 1e6],
		["µs", 1e3],
	]) {
		if (length >= size)
			return Number((length / size).toPrecision(3)).toString() + " " + unit;
	}
	return Math.round(length) + " ns";
}

function fromReference(time) {
	return time === 0
		? "at the " + referenceWord
		: duration(time) + (time < 0 ? " before the " : " after the ") + referenceWord;
}

function number(value) {
	return value.toLocaleString("en");
}

function plural(count, word) {
	return number(count) + " " + word + (count === 1 ? "" : "s");
}

function announce(text) {
	$("announce").textContent = visible(text);
}
