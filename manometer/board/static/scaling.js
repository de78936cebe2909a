const ANYWHERE = new Set(["", "seconds since 1970", "unit of the field"]);
const REACH = 2.5;

export function limits(least, greatest, unit = "", zones = null) {
	if (!Number.isFinite(least ?? NaN) || !Number.isFinite(greatest ?? NaN)) return [0, 1];
	const zero = ANYWHERE.has(unit) ? [] : [0];
	let [low, high] = [Math.min(least, ...zero), Math.max(greatest, ...zero)];
	for (const limit of [zones?.warn, zones?.bad]) {
		if (limit > high && limit <= high * REACH) high = limit;
		if (limit !== null && limit < low && high - limit <= (high - low || high) * REACH) low = limit;
	}
	if (low === high) return low === 0 ? [0, 1] : [low - Math.abs(low) * 0.1, high + Math.abs(high) * 0.1];
	const room = (high - low) * 0.08;
	return [low === 0 ? 0 : low - room, high === 0 ? 0 : high + room];
}

export function zoneBounds({ warn, bad }) {
	const far = bad !== null && warn > bad ? -Infinity : Infinity;
	if (bad === null) return [{ level: "warn", from: warn, to: far }];
	const worst = { level: "bad", from: bad, to: far };
	return warn === bad ? [worst] : [{ level: "warn", from: warn, to: bad }, worst];
}
