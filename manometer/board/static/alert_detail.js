import { byId, el, fill, pairs, scroller, table } from "./dom.js";
import { digits, formatSpan, moment } from "./format.js";
import { levelOf, markOf } from "./judging.js";
import { cellText } from "./panels/tables.js";
import { around } from "./ranges.js";

export function alertDetail(view, alerts) {
	const dialog = byId("detail");
	dialog.addEventListener("click", ({ target }) => target === dialog && dialog.close());
	return (listed) => {
		draw(dialog, view, alerts.known(listed) ?? listed);
		if (!dialog.open) dialog.showModal();
	};
}

function draw(dialog, view, { name, time, began = time, ended = null, severity, summary, runbook, value, tags, evidence, replay }) {
	const level = levelOf(severity);
	const state = ended ? `resolved after ${formatSpan(ended - began)}` : `firing for ${formatSpan(view.now - began)}`;
	const show = () => {
		dialog.close();
		view.zoom(around(began, ended, view.now));
	};
	const facts = [["Began", moment(began, true)], ended && ["Ended", moment(ended, true)], isNumber(value) && ["Value", digits(value)]];
	fill(dialog,
		el("header", el("div", el(`p.severity.${level}`, `${markOf(level)} ${severity}, ${state}`), el("h2", { id: "detail-title" }, name)),
			el("button.button.square", { "aria-label": "Close", autofocus: true, onclick: () => dialog.close() }, "✕")),
		el("p.summary", summary),
		el("div.actions", el("button.button.strong", { onclick: show }, "Show this span"),
			runbook && el("a.button", { href: `/runbooks/${encodeURIComponent(runbook)}`, target: "_blank", rel: "noopener" }, "What to do")),
		pairs([...facts.filter(Boolean), ...Object.entries(tags)]),
		Object.keys(evidence ?? {}).length > 0 && [el("h3", "Evidence"), shownEvidence(evidence)],
		replay && [el("h3", "Replay"), command(replay)]);
}

const isNumber = Number.isFinite;
const spoken = (name) => name.replaceAll("_", " ");
const isObject = (value) => value !== null && typeof value === "object";

/** Lists of one length belong together: they are columns of one table. */
function shownEvidence(found) {
	const entries = Object.entries(found);
	const plain = entries.filter(([, value]) => !isObject(value));
	const lists = entries.filter(([, value]) => Array.isArray(value) && value.length);
	const lengths = [...new Set(lists.map(([, value]) => value.length))];
	return [
		plain.length > 0 && pairs(plain.map(([name, value]) => [spoken(name), shown(value, name)])),
		lengths.map((length) => columns(listed(lists.filter(([, value]) => value.length === length)))),
		entries.filter(([, value]) => isObject(value) && !Array.isArray(value)).map(([name, value]) => [
			el("h4", spoken(name)), Object.values(value).every(isObject) ? columns(beside(value)) : shownEvidence(value),
		]),
	];
}

function listed(lists) {
	const [[, first]] = lists;
	return isObject(first[0]) ? Object.keys(first[0]).map((name) => [name, first.map((item) => item[name])]) : [["№", first.map((item, index) => index + 1)], ...lists];
}

function beside(found) {
	const names = Object.keys(Object.values(found)[0] ?? {});
	return [["", names], ...Object.entries(found).map(([name, one]) => [name, names.map((each) => one[each])])];
}

function columns(found) {
	const lines = found[0][1].map((item, index) => el("tr", found.map(([, list]) => el("td", shown(list[index])))));
	return scroller("Evidence", table(found.map(([name]) => spoken(name)), lines));
}

function shown(value, name = "") {
	if (!isNumber(value)) return cellText(value);
	return /^(since|until|newest|time)/.test(name) && value > 1e9 ? moment(value * 1000, true) : digits(value);
}

function command(text) {
	const code = el("code", text);
	const onclick = async ({ target }) => {
		try {
			await navigator.clipboard.writeText(text);
			target.textContent = "Copied";
		} catch {
			getSelection().selectAllChildren(code);
			target.textContent = "Selected: Ctrl+C";
		}
	};
	return el("div.command", el("pre", { tabindex: 0 }, code), el("button.button", { onclick }, "Copy"));
}
