import { el, fill } from "../dom.js";
import { formatSpan, formatValue } from "../format.js";
import { runs } from "../merging.js";
import { codeStyle, colour } from "../palette.js";
import { FONT, scaleOf, stripes, TimePlot, timeAxis, valueAxis } from "./plot.js";

const LEAST = 16;
const AXES = 40;

export class States {
	#plot = null;
	#drawn = "";

	constructor(body, panel) {
		this.panel = panel;
		this.host = el("div.plot");
		this.names = el("ul.names", { "aria-hidden": "true" });
		fill(body, el("div.plot-scroller", { tabindex: 0, role: "group", "aria-label": `${panel.spec.title}, by name` }, this.host), this.names);
	}

	show(answer) {
		this.answer = answer;
		const until = Math.min(this.panel.reach.max, this.panel.view.now);
		this.lines = answer.lines.map(({ name, values }) => ({ name, runs: runs(answer.times, values, until) }));
		const names = JSON.stringify(this.lines.map(({ name }) => name));
		if (this.#drawn !== (this.#drawn = names)) this.restyle();
		else this.#plot.setData(this.#data());
	}

	slide() {
		this.show(this.answer);
	}

	destroy() {
		this.#plot?.destroy();
	}

	#data() {
		return [this.answer.times, this.answer.times.map(() => null)];
	}

	restyle() {
		const count = this.lines.length;
		this.destroy();
		this.host.style.minHeight = `${count * LEAST + AXES}px`;
		this.#name();
		this.#plot = new TimePlot(this.host, this.panel, {
			series: [{}, { stroke: "transparent", points: { show: false } }],
			axes: [timeAxis, this.#axis(count)],
			scales: { y: { auto: false, range: () => [0, count] } },
			cursor: { points: { show: false } },
		}, { data: this.#data(), draw: (u) => this.#draw(u), tell: (index, time, top, u) => this.#tell(time, this.lines[Math.floor((top / u.over.clientHeight) * count)]) });
	}

	#axis(count) {
		const longest = Math.max(...this.lines.map(({ name }) => name.length));
		const size = Math.min(this.host.clientWidth < 420 ? 96 : 176, 14 + longest * 6.2);
		const letters = Math.floor((size - 12) / 6);
		return {
			...valueAxis,
			splits: () => this.lines.map((line, index) => count - index - 0.5),
			values: () => this.lines.map(({ name }) => (name.length > letters ? `${name.slice(0, letters - 1)}…` : name)),
			grid: { show: false },
			size,
		};
	}

	#name() {
		fill(this.names, this.panel.spec.values.map(([number, text]) => {
			const { colour: tone, pattern } = codeStyle(text, number);
			const sample = el(`i.sample.${pattern}`);
			sample.style.backgroundColor = tone;
			return el("li", sample, text);
		}));
	}

	#draw(u) {
		const { ctx, bbox } = u;
		const dpr = scaleOf();
		const high = bbox.height / this.lines.length;
		const thick = Math.min(high - 2 * dpr, 20 * dpr);
		ctx.font = `${11 * dpr}px ${FONT}`;
		ctx.textBaseline = "middle";
		ctx.textAlign = "left";
		this.lines.forEach((line, index) => {
			for (const run of line.runs) this.#drawRun(u, run, bbox.top + index * high + (high - thick) / 2, thick);
		});
	}

	#drawRun({ ctx, bbox, valToPos }, run, top, thick) {
		const dpr = scaleOf();
		const end = bbox.left + bbox.width;
		const left = Math.max(bbox.left, valToPos(run.from, "x", true));
		const width = Math.max(2 * dpr, Math.min(end, valToPos(run.to, "x", true)) - left);
		if (left > end || valToPos(run.to, "x", true) < bbox.left) return;
		const text = this.#text(run);
		const { colour: tone, pattern } = codeStyle(text, run.value);
		ctx.globalAlpha = pattern ? 0.95 : 0.55;
		ctx.fillStyle = tone;
		ctx.fillRect(left, top, width, thick);
		ctx.globalAlpha = 1;
		if (pattern) stripes(ctx, { left, top, width, height: thick }, colour("panel"), pattern === "hatch" ? 8 : 5);
		if (width < ctx.measureText(text).width + 12 * dpr || thick < 12 * dpr) return;
		ctx.fillStyle = colour(pattern ? "panel" : "text");
		ctx.fillText(text, left + 6 * dpr, top + thick / 2 + dpr / 2);
	}

	#text({ value }) {
		return formatValue(value, this.panel.spec.unit, this.panel.spec.values);
	}

	#tell(time, line) {
		const run = line?.runs.find(({ from, to }) => time >= from && time <= to);
		return line && [
			el("div.tip-line.nearest", el("span.of", line.name), el("span.number", run ? this.#text(run) : "not known")),
			run && el("div.dim", `for ${formatSpan(run.to - run.from)}`),
		];
	}
}
