import { el, fill, scroller, table } from "../dom.js";
import { formatSpan, formatValue, moment, when } from "../format.js";
import { levelOf, markOf, ranked, subject } from "../judging.js";

const SHOWN = 200;
const FIELDS = new Set(["time", "state", "severity", "alert", "value", "summary", "runbook", "evidence"]);

export class Table {
	constructor(body, panel) {
		Object.assign(this, { body, panel });
	}

	show(answer) {
		const { unit, values, title } = this.panel.spec;
		const [head, lines] = TABLES[answer.shape](answer, (value) => formatValue(value, unit, values));
		fill(this.body, scroller(`${title}, table`, table(head, lines.slice(0, SHOWN).map((line) => el("tr", line.map((cell) => el("td", cell))))),
			lines.length > SHOWN && el("p.dim", `${lines.length - SHOWN} more: see the CSV file`)));
	}
}

const TABLES = {
	lines: ({ times, lines }, text) => [
		["Time", ...lines.map(({ name }) => name)],
		times.map((time, index) => [moment(time, true), ...lines.map(({ values }) => (values[index] === null ? "" : text(values[index])))]).reverse(),
	],
	values: ({ values }, text) => [["Name", "Value"], values.map(({ name, value }) => [name, text(value)])],
	table: ({ columns, rows }) => [columns, rows.map((row) => row.map((cell, index) => (columns[index] === "time" ? moment(cell, true) : cellText(cell))))],
};

export const cellText = (cell) => (cell !== null && typeof cell === "object" ? JSON.stringify(cell) : String(cell ?? ""));

export class AlertList {
	#drawn = "";

	constructor(body, panel) {
		Object.assign(this, { body, panel });
	}

	show(answer) {
		this.answer = answer;
		const log = answer.columns.includes("state");
		const found = answer.rows.map((row) => alertOf(answer.columns, row));
		const listed = log ? found : ranked(found.map((alert) => ({ ...alert, began: this.panel.alerts.known(alert)?.began })));
		const lines = listed.map((alert) => this.#texts(alert, log));
		if (this.#drawn === (this.#drawn = JSON.stringify(lines))) return;
		const held = this.body.querySelector("button:focus")?.dataset.of;
		const head = ["Severity", "Alert", "Where", "What", log ? "When" : "Since"];
		fill(this.body, scroller(this.panel.spec.title, table(head, lines.map((texts, index) => this.#line(listed[index], texts)), "list")));
		if (held) [...this.body.querySelectorAll("button")].find(({ dataset }) => dataset.of === held)?.focus();
	}

	slide() {
		this.show(this.answer);
	}

	#texts(alert, log) {
		const { now, window: { to } } = this.panel.view;
		const resolved = alert.state === "resolved";
		const level = resolved ? "good" : levelOf(alert.severity);
		const time = log ? when(alert.time, now) : alert.began ? `${when(alert.began, now)}, ${formatSpan(to - alert.began, 1)}` : "";
		const where = [alert.tags.workflow, subject(alert)].filter(Boolean).join(" · ");
		return [level, `${markOf(level)} ${resolved ? "resolved" : alert.severity}`, alert.name, where, alert.summary, time];
	}

	#line(alert, [level, severity, name, where, what, time]) {
		return el(`tr.${alert.state ?? "firing"}`, { onclick: () => this.panel.openAlert(alert) },
			el("td", el(`span.severity.${level}`, severity)), el("td", el("button.link", { "data-of": name + where }, name)), el("td.where", where), el("td.what", { title: what }, what), el("td.time", time));
	}
}

function alertOf(columns, row) {
	const found = Object.fromEntries(columns.map((column, index) => [column, row[index]]));
	const tags = Object.fromEntries(Object.entries(found).filter(([name, value]) => !FIELDS.has(name) && value));
	const { alert: name, summary, time, state, severity, value, runbook } = found;
	return { name, summary: summary ?? "", time, state, severity, value, runbook, tags };
}
