import { parseRange } from "./ranges.js";

const OWN = new Set(["board", "from", "to"]);
const NAME = /^[a-z][a-z0-9_]*$/;
const MOST_VALUES = 100;

export function readAddress(search) {
	const fields = new URLSearchParams(search);
	const chosen = {};
	for (const [name, value] of fields) {
		if (OWN.has(name) || !NAME.test(name) || !value) continue;
		if (!Object.hasOwn(chosen, name)) chosen[name] = [];
		const values = chosen[name];
		if (!values.includes(value) && values.length < MOST_VALUES) values.push(value);
	}
	return { board: fields.get("board"), range: parseRange(fields.get("from"), fields.get("to")), chosen };
}

export function writeAddress({ board, range, chosen }) {
	const fields = new URLSearchParams();
	if (board) fields.set("board", board);
	if (range) {
		fields.set("from", range.from);
		fields.set("to", range.to);
	}
	for (const name of Object.keys(chosen).sort()) for (const value of chosen[name]) fields.append(name, value);
	return `?${fields}`;
}

export function chosenOf(variables, chosen) {
	return variables.flatMap(({ name }) => (chosen[name] ?? []).map((value) => [name, value]));
}
