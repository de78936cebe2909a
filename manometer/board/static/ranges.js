import { between } from "./format.js";

const MINUTE = 60_000;
const SIZES = { s: [1000, "second"], m: [MINUTE, "minute"], h: [60 * MINUTE, "hour"], d: [1440 * MINUTE, "day"] };
const RELATIVE = /^now-(\d{1,4})([smhd])$/;
const LEAST = 10_000;
const MOST = 366 * 1440 * MINUTE;

export const PRESETS = ["15m", "1h", "3h", "6h", "12h", "24h", "2d", "7d", "30d"];

export function parseRange(from, to) {
	if (RELATIVE.test(from ?? "") && (to ?? "now") === "now") return { from, to: "now" };
	return /^\d{9,14}$/.test(from ?? "") && /^\d{9,14}$/.test(to ?? "") ? absolute(Number(from), Number(to)) : null;
}

export function absolute(a, b) {
	const to = Math.round(Math.max(a, b));
	return { from: Math.round(to - Math.min(MOST, Math.max(LEAST, Math.abs(b - a)))), to };
}

export const isLive = (range) => range.to === "now";

export function spanOf(range) {
	if (!isLive(range)) return range.to - range.from;
	const [, count, size] = RELATIVE.exec(range.from);
	return count * SIZES[size][0];
}

export const resolve = (range, now) => (isLive(range) ? { from: now - spanOf(range), to: now } : range);

export function describeRange(range, now) {
	if (!isLive(range)) return between(range.from, range.to, now);
	const [, count, size] = RELATIVE.exec(range.from);
	return `Last ${count} ${SIZES[size][1]}${count === "1" ? "" : "s"}`;
}

export function pan(range, share, now) {
	const { from, to } = resolve(range, now);
	const move = Math.min((to - from) * share, Math.max(0, now - to));
	return absolute(from + move, to + move);
}

export function around(began, ended, now) {
	const last = Math.max(ended ?? now, began + MINUTE);
	const margin = Math.max(5 * MINUTE, (last - began) / 4);
	return absolute(began - margin, Math.min(last + margin, Math.max(now, last)));
}

export const endingAt = (newest, span) => absolute(newest - span * 0.98, newest + span / 50);

export const toField = (time) => new Date(time - new Date(time).getTimezoneOffset() * MINUTE).toISOString().slice(0, 19);

export const fromField = (text) => new Date(text).getTime();
