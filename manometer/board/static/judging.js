import { formatSpan, when } from "./format.js";

const SEVERITIES = ["critical", "warning", "info"];
const OLD = 300_000;
const MARKS = { good: "✓", info: "●", warn: "◆", bad: "▲", unknown: "?", none: "" };
const LEVELS = { critical: "bad", warning: "warn" };

export const levelOf = (severity) => LEVELS[severity] ?? "info";
export const markOf = (level) => MARKS[level];

export function ranked(alerts) {
	const rank = ({ severity }) => (SEVERITIES.indexOf(severity) + 3) % 3;
	return [...alerts].sort((a, b) => rank(a) - rank(b) || b.began - a.began);
}

export function subject({ tags: { engine, slot, field, stream, partition, model, monitor, workflow } }) {
	const telling = [engine, slot && `slot ${slot}`, field, stream, partition && `partition ${partition}`].filter(Boolean);
	return telling.join(" · ") || model || monitor || workflow || "";
}

const verdict = (level, text, detail, more = {}) => ({ level, text, detail, mark: MARKS[level], ...more });
const plural = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;

export function judge({ firing, newest, now, to, live, trouble, lost, blank, bad }) {
	if (trouble) return verdict("unknown", "Not known: the store cannot be read", trouble);
	if (lost) return verdict("unknown", "Not known: the server cannot be reached", "What is shown is what it told last.");
	if (firing === null) return verdict("unknown", "Looking", "");
	if (newest === null) return verdict("unknown", "Nothing is known yet", "No data has come. Is a workflow running?");
	if (to - newest <= OLD && (!blank || firing.length)) return told(firing, live, to, now, bad);
	const last = told(firing, false, newest, now);
	const detail = `The newest data is from ${when(newest, now)}.${last.level === "good" || newest > to ? "" : ` Then: ${last.text}.`}`;
	const text = live && !blank ? `nothing came for ${formatSpan(now - newest, 1)}` : `no data${live ? "" : ` at ${when(to, now)}`}`;
	return verdict("unknown", `Not known: ${text}`, detail, { old: true });
}

function told(firing, live, to, now, bad = []) {
	const at = live ? "" : ` at ${when(to, now)}`;
	const [alert] = ranked(firing);
	const [critical, warnings, notes] = SEVERITIES.map((severity) => firing.filter((one) => one.severity === severity).length);
	const fires = (number) => (live ? (number === 1 ? "fires" : "fire") : "fired");
	if (!critical && !warnings && bad.length) return verdict("warn", `No alert ${fires(1)}${at}, but look at: ${bad.join(", ")}`, "", { alert });
	if (!critical && !warnings) {
		return verdict("good", live ? "All is right" : `All was right${at}`, notes ? `${notes} info` : `No alert ${fires(1)}`, { alert });
	}
	const number = critical || warnings;
	const more = [critical && warnings && plural(warnings, "warning"), notes && `${notes} info`].filter(Boolean);
	const text = `${plural(number, critical ? "critical alert" : "warning")} ${fires(number)}${at}`;
	return verdict(critical ? "bad" : "warn", text, more.length ? `and ${more.join(", ")}` : "", { alert });
}

export function strip(alerts, from, to) {
	const spans = alerts
		.map(({ severity, began, ended }) => ({ level: levelOf(severity), from: Math.max(from, began), to: Math.min(to, ended ?? to) }))
		.filter((span) => span.to > span.from)
		.sort((a, b) => a.from - b.from);
	let [covered, reached] = [0, from];
	for (const span of spans.filter(({ level }) => level !== "info")) {
		covered += Math.max(0, span.to - Math.max(span.from, reached));
		reached = Math.max(reached, span.to);
	}
	return { spans, share: 1 - covered / (to - from) };
}
