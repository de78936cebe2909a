import { el, fill } from "./dom.js";
import { formatValue, unitText, when } from "./format.js";
import { ask, because } from "./fetching.js";
import { isEmpty, mergeTail, newestOf } from "./merging.js";
import { Lines } from "./panels/lines.js";
import { Bars, Gauge, Pie, present, Stat } from "./panels/numbers.js";
import { States } from "./panels/states.js";
import { AlertList, Table } from "./panels/tables.js";
import { menu } from "./popover.js";
import { endingAt } from "./ranges.js";

const KINDS = { stat: Stat, gauge: Gauge, bars: Bars, pie: Pie, lines: Lines, columns: Lines, states: States, alerts: AlertList };
/** The other kinds are one image to who cannot see it. */
const GROUPS = new Set(["stat", "states", "alerts"]);
const TOLD = 5;

export class Panel {
	visible = false;
	#answer = null;
	#picture = null;
	#asking = null;
	#ticks = [];
	#wanted = true;
	#undrawn = false;
	#table = false;

	constructor(view, spec, context) {
		Object.assign(this, context, { view, spec });
		const name = `Menu of ${spec.title}`;
		const more = el("button.more", { "aria-haspopup": "menu", "aria-label": name, onclick: () => menu(more, name, this.#commands()) }, "⋯");
		this.body = el("div.body", { ondblclick: () => view.zoomBack() }, el("div.skeleton"));
		this.notice = el("p.notice");
		this.element = el(`article.panel.${spec.kind}`, { "data-panel": spec.id, "data-kind": spec.kind, "data-state": "loading", "aria-busy": "true" },
			el("header", { title: spec.description }, el("h3", spec.title), el("span.dim", unitText(spec.unit, spec.title)), this.notice, more), this.body);
	}

	get reach() {
		const { from, to } = this.view.window;
		return { min: from, max: to };
	}

	get busy() {
		return this.element.getAttribute("aria-busy") === "true";
	}

	#busy(busy) {
		this.element.setAttribute("aria-busy", busy);
		this.settled();
	}

	come(visible) {
		this.visible = visible;
		if (!visible) return;
		if (this.#wanted) this.#load();
		else if (this.#undrawn) this.#draw();
	}

	invalidate() {
		this.#wanted = true;
		if (this.visible) this.#load();
	}

	async #load() {
		this.#wanted = false;
		this.#asking?.abort();
		const asking = new AbortController();
		this.#asking = asking;
		this.#ticks = [];
		this.#busy(true);
		try {
			this.#answer = await ask("/api/query", this.view.query(this.spec.id), asking.signal);
		} catch (error) {
			if (asking.signal.aborted) return;
			this.#asking = null;
			this.#say("error", because(error), " ", el("button.link", { onclick: () => this.#load() }, "Try again"));
			return;
		}
		this.#asking = null;
		this.#merge(...this.#ticks);
	}

	#merge(...tails) {
		for (const tail of tails) this.#answer = mergeTail(this.#answer, tail, this.view.window.from, this.spec.kind === "states");
		this.#undrawn = true;
		if (this.visible) this.#draw();
	}

	/** What comes while a question is open is put behind its answer. */
	tick(tail) {
		if (this.#asking) this.#ticks.push(tail);
		else if (this.#wanted || !this.#answer) return;
		else if (tail.interval !== this.#answer.interval) this.invalidate();
		else this.#merge(tail);
	}

	slide() {
		if (this.visible) this.#picture?.slide?.();
	}

	restyle() {
		this.#picture?.restyle?.();
	}

	destroy() {
		this.#asking?.abort();
		this.#forget();
	}

	#draw() {
		const { cut } = this.#answer;
		this.#undrawn = false;
		this.notice.textContent = cut ? `${cut.lines} of ${cut.of} lines` : "";
		if (isEmpty(this.#answer) && !this.spec.zero) return this.#nothing();
		if (!this.#picture) this.#begin();
		this.#picture.show(this.#answer);
		this.body.setAttribute("aria-label", this.#said());
		return this.#turn("ready");
	}

	#begin() {
		this.body.replaceChildren();
		this.body.setAttribute("role", this.#table || GROUPS.has(this.spec.kind) ? "group" : "img");
		this.#picture = new (this.#table ? Table : KINDS[this.spec.kind])(this.body, this);
	}

	#forget() {
		this.#picture?.destroy?.();
		this.#picture = null;
		for (const name of ["role", "aria-label"]) this.body.removeAttribute(name);
	}

	#turn(state) {
		this.element.dataset.state = state;
		this.#busy(false);
	}

	#say(state, ...words) {
		this.#forget();
		fill(this.body, el("p.empty", words));
		this.#turn(state);
	}

	#nothing() {
		const { newest, window: { from, to }, span, now } = this.view;
		if (this.spec.kind === "alerts") return this.#say("empty", this.#answer.columns.includes("state") ? "No alert began or ended in this range" : "✓ No alert fires");
		if (newest === null || (newest >= from && newest <= to)) return this.#say("empty", "No data in this range");
		const show = el("button.link", { onclick: () => this.view.show(endingAt(newest, span)) }, "show it");
		return this.#say("empty", `No data in this range; newest data is from ${when(newest, now)}, `, show);
	}

	#said() {
		const { title, unit, values } = this.spec;
		const { shape, rows, times, lines } = this.#answer;
		if (shape === "table") return `${title}: ${rows.length}`;
		const found = present(this.#answer, this.spec);
		const texts = found.slice(0, TOLD).map(({ name, value }) => `${name} ${formatValue(value, unit, values)}`.trim());
		const newest = shape === "lines" && Math.max(...lines.map((line) => newestOf(times, line.values)?.time ?? 0));
		return `${title}. Newest${newest ? `, at ${when(newest, this.view.now)}` : ""}: ${texts.join(", ")}${found.length > TOLD ? `, and ${found.length - TOLD} more` : ""}.`;
	}

	#commands() {
		const { classList } = this.element;
		return [
			{ text: this.#table ? "Show as picture" : "Show as table", act: () => this.#toggleTable() },
			{ text: classList.contains("wide") ? "Usual width" : "Full width", act: () => classList.toggle("wide") },
			{ text: "CSV file", link: `/api/query?${this.view.query(this.spec.id, ["format", "csv"])}` },
		];
	}

	#toggleTable() {
		this.#table = !this.#table;
		this.#forget();
		if (this.#answer) this.#draw();
	}
}
