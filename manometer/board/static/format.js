const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const BINARY = [" B", " KiB", " MiB", " GiB", " TiB", " PiB"];
const DECIMAL = ["", " k", " M", " G", " T"];
const MINUS = "\u2212";
const NARROW = "\u202f";
const DAY = 86_400;
const NAMED = /^(|ratio|code|score|unit of the field|(bytes|seconds)( per second| since 1970)?)$/;

export const unitText = (unit, title = "") => (NAMED.test(unit) || title.toLowerCase().replace(",", "").includes(unit) ? "" : unit);

export function formatValue(value, unit = "", codes = []) {
	if (!Number.isFinite(value)) return "–";
	const code = codes.find(([number]) => number === value);
	if (code) return code[1];
	if (unit === "ratio" || unit === "seconds per second") return `${digits(value * 100)} %`;
	if (unit === "bytes") return formatBytes(value);
	if (unit === "bytes per second") return `${formatBytes(value)}/s`;
	if (unit === "seconds") return formatSeconds(value);
	if (unit === "seconds since 1970") return moment(value > 1e11 ? value : value * 1000, true);
	return formatCount(value);
}

/** Three significant digits, and no exponent where a person can do without. */
export function digits(value) {
	const size = Math.abs(value);
	if (size === 0) return "0";
	if (size < 1e-4) return value.toExponential(1).replaceAll("-", MINUS);
	const places = size >= 99.95 ? 0 : size >= 9.995 ? 1 : size >= 0.9995 ? 2 : 2 - Math.floor(Math.log10(size));
	const text = size.toFixed(places);
	return grouped(places ? text.replace(/\.?0+$/, "") : text, value < 0);
}

function grouped(text, negative) {
	const [whole, part] = text.split(".");
	const spaced = whole.length > 4 ? whole.replace(/\B(?=(\d{3})+$)/g, NARROW) : whole;
	return (negative ? MINUS : "") + spaced + (part ? `.${part}` : "");
}

function scaled(value, factor, names) {
	const power = Math.max(0, Math.min(names.length - 1, Math.floor(Math.log(Math.abs(value) || 1) / Math.log(factor) + 1e-9)));
	return digits(value / factor ** power) + names[power];
}

function formatCount(value) {
	if (Math.abs(value) >= 99_950) return scaled(value, 1000, DECIMAL);
	return Number.isInteger(value) ? grouped(String(Math.abs(value)), value < 0) : digits(value);
}

const formatBytes = (value) => scaled(value, 1024, BINARY);

function formatSeconds(value) {
	const size = Math.abs(value);
	if (size > 0 && size < 1e-3) return `${digits(value * 1e6)} µs`;
	if (size > 0 && size < 1) return `${digits(value * 1e3)} ms`;
	if (size < 120) return `${digits(value)} s`;
	if (size < 7200) return `${digits(value / 60)} min`;
	return size < 2 * DAY ? `${digits(value / 3600)} h` : `${digits(value / DAY)} d`;
}

export function formatSpan(milliseconds, count = 2) {
	const seconds = Math.max(0, Math.round(milliseconds / 1000));
	const parts = [[Math.floor(seconds / DAY), "d"], [Math.floor(seconds / 3600) % 24, "h"], [Math.floor(seconds / 60) % 60, "min"], [seconds % 60, "s"]];
	const first = parts.findIndex(([number]) => number);
	return first < 0 ? "0 s" : parts.slice(first, first + count).filter(([number]) => number).map((part) => part.join(" ")).join(" ");
}

const two = (number) => String(number).padStart(2, "0");

export function clock(time, seconds = false) {
	const date = new Date(time);
	return `${two(date.getHours())}:${two(date.getMinutes())}${seconds ? `:${two(date.getSeconds())}` : ""}`;
}

export function day(time, now = time) {
	const date = new Date(time);
	const year = date.getFullYear();
	return `${date.getDate()} ${MONTHS[date.getMonth()]}${year === new Date(now).getFullYear() ? "" : ` ${year}`}`;
}

export const moment = (time, seconds = false, now = Date.now()) => `${day(time, now)} ${clock(time, seconds)}`;

const sameDay = (a, b) => new Date(a).toDateString() === new Date(b).toDateString();

export const when = (time, now) => (sameDay(time, now) ? clock(time, now - time < 3_600_000) : moment(time, false, now));

export function between(from, to, now = Date.now()) {
	const seconds = to - from < 600_000;
	return `${moment(from, seconds, now)} – ${sameDay(from, to) ? clock(to, seconds) : moment(to, seconds, now)}`;
}

export function axisTimes(splits, step) {
	return splits.map((time) => (clock(time, true) === "00:00:00" || step >= DAY * 1000 ? day(time) : clock(time, step < 60_000)));
}

/** Steps that make whole ticks. */
export function axisSteps(unit) {
	if (unit === "seconds since 1970") return [1, 5, 15, 60, 300, 900, 3600, 10_800, DAY, 7 * DAY].map((seconds) => seconds * 1000);
	return unit.startsWith("bytes") ? Array.from({ length: 50 }, (_, power) => 2 ** power) : undefined;
}

/** Higher is better if warn > bad. */
export function zoneOf(value, zones) {
	if (!zones) return "none";
	const { warn, bad } = zones;
	if (bad !== null && warn > bad) return value < bad ? "bad" : value < warn ? "warn" : "good";
	if (bad !== null && value >= bad) return "bad";
	return value >= warn ? "warn" : "good";
}
