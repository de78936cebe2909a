import { el, fill, svg } from "../dom.js";
import { axisSteps, formatValue } from "../format.js";
import { bridge, newestOf, stack } from "../merging.js";
import { faded, stroke } from "../palette.js";
import { limits } from "../scaling.js";
import { TimePlot, timeAxis, valueAxis } from "./plot.js";

const BANDS = 12;
const NAMED = 24;
const TOLD = 8;
const HIDDEN = { stroke: "transparent", width: 0, points: { show: false } };

export class Lines {
	#plot = null;
	#drawn = "";

	constructor(body, panel) {
		const { kind, stacked, unit, values } = panel.spec;
		Object.assign(this, { panel, stacked, columns: kind === "columns", text: (value) => formatValue(value, unit, values) });
		this.host = el("div.plot");
		this.names = el("ul.names", { "aria-hidden": "true" });
		fill(body, this.host, this.names);
	}

	show(answer) {
		this.answer = answer;
		this.lines = answer.lines;
		this.banded = this.stacked || this.columns || this.lines.length > BANDS ? [] : this.lines.filter(({ low, high }) => low && high);
		const key = JSON.stringify([this.lines.map(({ name }) => name), this.banded.length]);
		if (this.#drawn !== (this.#drawn = key)) this.restyle();
		else this.#plot.setData(this.#data());
		this.#follow(null);
	}

	slide() {
		this.#plot.slide();
	}

	destroy() {
		this.#plot?.destroy();
	}

	restyle() {
		const { unit, zones } = this.panel.spec;
		this.destroy();
		this.#name();
		this.#plot = new TimePlot(this.host, this.panel, {
			series: [{}, ...this.#order.map((index) => this.#series(index)), ...this.banded.flatMap(() => [HIDDEN, HIDDEN])],
			bands: this.#bands(),
			axes: [timeAxis, { ...valueAxis, incrs: axisSteps(unit), values: (u, splits) => splits.map(this.text) }],
			scales: { y: { range: (u, low, high) => limits(low, high, unit, zones) } },
			// To bring one line forward all are drawn anew.
			cursor: this.columns || this.lines.length > NAMED ? { points: { show: false } } : { focus: { prox: 16 } },
		}, { data: this.#data(), tell: (index, time, top, u) => this.#tell(index, u.posToVal(top, "y")), follow: (index) => this.#follow(index) });
	}

	/** Stacked lines are drawn from the top down, so that each covers what is above the next. */
	get #order() {
		const order = [...this.lines.keys()];
		return this.stacked ? order.reverse() : order;
	}

	#data() {
		const { times, interval } = this.answer;
		const whole = (values) => bridge(times, values, interval);
		const values = this.stacked ? stack(this.lines) : this.lines.map((line) => (this.columns ? line.values : whole(line.values)));
		return [times, ...this.#order.map((index) => values[index]), ...this.banded.flatMap(({ low, high }) => [whole(high), whole(low)])];
	}

	#series(index) {
		const { colour, dash } = stroke(index);
		if (this.columns) return { fill: colour, width: 0, paths: uPlot.paths.bars({ size: [0.85, 16], align: 1 }), points: { show: false } };
		const alpha = this.stacked ? 0.3 : this.lines.length === 1 ? 0.08 : 0;
		return { stroke: colour, fill: alpha ? faded(colour, alpha) : undefined, width: 1.5, dash, points: { size: 5 } };
	}

	#bands() {
		if (this.stacked && !this.columns) return this.lines.slice(1).map((line, at) => ({ series: [at + 1, at + 2] }));
		const first = this.lines.length + 1;
		return this.banded.map((line, at) => ({ series: [first + 2 * at, first + 2 * at + 1], fill: faded(stroke(this.lines.indexOf(line)).colour, this.lines.length > 2 ? 0.1 : 0.18) }));
	}

	#name() {
		const place = (index) => this.#order.indexOf(index) + 1;
		this.numbers = [];
		fill(this.names, this.lines.slice(0, NAMED).map(({ name }, index) => {
			const number = el("span.number");
			this.numbers.push(number);
			const focus = (at) => () => this.#plot.u.setSeries(at, { focus: true });
			return el("li", { title: name, onmouseenter: focus(place(index)), onmouseleave: focus(null) },
				swatch(stroke(index), this.columns || this.stacked), el("span.of", name), number);
		}), this.lines.length > NAMED && el("li", `and ${this.lines.length - NAMED} more`));
	}

	#follow(index) {
		if (!this.panel.visible) return;
		this.numbers.forEach((number, at) => {
			const { values } = this.lines[at];
			const value = index === null ? newestOf(this.answer.times, values)?.value : values[index];
			const text = Number.isFinite(value) ? this.text(value) : "";
			if (number.textContent !== text) number.textContent = text;
		});
	}

	#tell(index, near) {
		const found = this.lines.map(({ name, values, low, high }, at) => ({ name, at, value: values[index], low: low?.[index], high: high?.[index] }))
			.filter(({ value }) => Number.isFinite(value)).sort((a, b) => b.value - a.value);
		const far = ({ value }) => Math.abs(value - near);
		const nearest = found.reduce((best, one) => (best && far(best) <= far(one) ? best : one), null);
		const told = found.filter((one, place) => place < TOLD || one === nearest);
		return [told.map((one) => el(one === nearest && found.length > 1 ? "div.tip-line.nearest" : "div.tip-line",
			swatch(stroke(one.at)), el("span.of", one.name),
			el("span.number", this.text(one.value), one === nearest && one.low < one.high && el("span.dim", ` ${this.text(one.low)} to ${this.text(one.high)}`)))),
		found.length > told.length && el("div.dim", `and ${found.length - told.length} lower`)];
	}
}

export function swatch({ colour, dash }, solid = false) {
	const drawn = solid
		? svg("rect", { x: 2, y: 1, width: 8, height: 8, fill: colour })
		: svg("line", { x2: 12, y1: 5, y2: 5, stroke: colour, "stroke-width": 2, "stroke-dasharray": dash.map((part) => part / 2).join(" ") });
	return svg("svg.swatch", { viewBox: "0 0 12 10", width: 12, height: 10 }, drawn);
}
