const isKnown = (value) => value !== null && value !== undefined;

function placeOf(times, time) {
	const place = times.findIndex((one) => one >= time);
	return place < 0 ? times.length : place;
}

/** What holds until the next is kept from before the start too. */
export function mergeTail(answer, tail, start, holds = false) {
	if (answer.shape !== "lines" || tail.shape !== "lines" || answer.interval !== tail.interval) return tail;
	const shown = holds ? Math.min(start, tail.from) : start;
	const begin = Math.max(0, placeOf(answer.times, shown) - holds);
	const end = Math.max(begin, placeOf(answer.times, tail.from));
	const skip = placeOf(tail.times, Math.max(shown, tail.from));
	const [old, fresh] = [answer, tail].map(({ lines }) => new Map(lines.map((line) => [line.name, line])));
	const lines = [...new Set([...old.keys(), ...fresh.keys()])].sort().map((name) => {
		const [before, after] = [old.get(name), fresh.get(name)];
		const line = { name, tags: (after ?? before).tags };
		for (const part of ["values", "low", "high"]) {
			if (!before?.[part] && !after?.[part]) continue;
			const first = before?.[part]?.slice(begin, end) ?? Array(end - begin).fill(null);
			if (holds && before?.[part] && first.length) first[0] ??= before[part].slice(0, begin).findLast(isKnown) ?? null;
			line[part] = [...first, ...(after?.[part]?.slice(skip) ?? Array(tail.times.length - skip).fill(null))];
		}
		return line;
	});
	const times = [...answer.times.slice(begin, end), ...tail.times.slice(skip)];
	return { ...tail, from: answer.from, times, lines: lines.filter(({ values }) => values.some(isKnown)) };
}

/**
 * uPlot passes over undefined, and null breaks the line. A series that reports less often than the axis has points
 * is whole as long as its reports come about as far apart as usual.
 */
export function bridge(times, values, interval) {
	const known = [...values.keys()].filter((index) => values[index] !== null);
	const apart = known.slice(1).map((index, n) => times[index] - times[known[n]]).sort((a, b) => a - b);
	const allowed = Math.max((apart[Math.floor((apart.length - 1) / 2)] ?? 0) * 3, (interval ?? 0) * 3000);
	const bridged = values.slice();
	for (let n = 1; n < known.length; n += 1) {
		if (times[known[n]] - times[known[n - 1]] <= allowed) bridged.fill(undefined, known[n - 1] + 1, known[n]);
	}
	return bridged;
}

/** What is not there adds nothing, and no line at all is a gap. */
export function stack(lines) {
	let sums = [];
	return lines.map(({ values }) => (sums = values.map((value, index) => (isKnown(value) ? (sums[index] ?? 0) + value : sums[index] ?? null))));
}

export function runs(times, values, until) {
	const found = [];
	values.forEach((value, index) => {
		if (!isKnown(value)) return;
		const last = found.at(-1);
		if (last) last.to = times[index];
		if (last?.value !== value) found.push({ from: times[index], to: times[index], value });
	});
	if (found.length) found.at(-1).to = Math.max(found.at(-1).to, until);
	return found;
}

export function newestOf(times, values) {
	const index = values.findLastIndex(isKnown);
	return index < 0 ? null : { time: times[index], value: values[index] };
}

export function isEmpty({ shape, lines, values, rows }) {
	if (shape === "lines") return !lines.some((line) => line.values.some(isKnown));
	return shape === "values" ? !values.some(({ value }) => isKnown(value)) : !rows.length;
}
