import { el, fill } from "../dom.js";
import { axisTimes, clock, day } from "../format.js";
import { levelOf, markOf, subject } from "../judging.js";
import { colour, faded } from "../palette.js";
import { zoneBounds } from "../scaling.js";

const NEAR = 5;
const MARKED = 4;
const isShared = (type) => type === "mousemove" || type === "mouseleave";
const sync = { key: "time", setSeries: false, scales: ["x", null], filters: { pub: isShared, sub: isShared } };

export const FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif";
export const scaleOf = () => devicePixelRatio;

export class TimePlot {
	#marks = [];
	#hovered = false;

	constructor(host, panel, options, { data, tell, draw = () => {}, follow = () => {} }) {
		Object.assign(this, { host, panel, tell, draw, follow, tip: el("div.tip", { hidden: true }) });
		this.u = new uPlot(this.#complete(options), data, host);
		const { over } = this.u;
		over.append(this.tip);
		over.addEventListener("mouseenter", () => (this.#hovered = true));
		over.addEventListener("mouseleave", () => this.#leave());
		over.addEventListener("click", () => {
			const mark = this.#near(this.u.cursor.left);
			if (mark) panel.openAlert(mark.alerts[0]);
		});
		this.slide();
		this.resizing = new ResizeObserver(() => {
			const { width, height } = this.#size();
			if (host.clientWidth && (width !== this.u.width || height !== this.u.height)) this.u.setSize({ width, height });
		});
		this.resizing.observe(host);
	}

	#complete(options) {
		return {
			...options,
			...this.#size(),
			ms: 1,
			padding: [8, 8, 0, 4],
			legend: { show: false },
			focus: { alpha: 0.25 },
			cursor: { drag: { x: true, y: false, setScale: false, dist: 6 }, sync, points: { size: 6, width: 1.5 }, y: false, ...options.cursor },
			scales: { x: { time: true, auto: false, ...this.panel.reach }, ...options.scales },
			hooks: {
				drawClear: [(u) => clipped(u.ctx, u.bbox, () => this.#drawZones(u))],
				draw: [(u) => clipped(u.ctx, u.bbox, () => this.draw(u)), (u) => this.#drawMarks(u)],
				setSelect: [(u) => this.#select(u)],
				setCursor: [(u) => this.#point(u)],
			},
		};
	}

	#size() {
		return { width: Math.max(120, this.host.clientWidth), height: Math.max(60, this.host.clientHeight) };
	}

	setData(data) {
		this.u.setData(data, false);
		this.slide();
	}

	slide() {
		this.u.setScale("x", this.panel.reach);
	}

	destroy() {
		this.resizing.disconnect();
		this.u.destroy();
	}

	#select(u) {
		const { left, width } = u.select;
		if (!width) return;
		u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
		this.panel.view.zoom({ from: u.posToVal(left, "x"), to: u.posToVal(left + width, "x") });
	}

	#near(left) {
		return this.#marks.find((mark) => Math.abs(mark.left - left) <= NEAR);
	}

	#leave() {
		this.#hovered = false;
		this.tip.hidden = true;
	}

	#point(u) {
		const { left, top, idx } = u.cursor;
		this.follow(left >= 0 ? idx : null);
		if (!this.#hovered || left < 0) return;
		const mark = this.#near(left);
		u.over.classList.toggle("on-mark", Boolean(mark));
		const time = mark ? mark.alerts[0].began : u.posToVal(left, "x");
		const lines = mark ? mark.alerts.slice(0, MARKED).map(alertLines) : this.tell(idx, time, top, u);
		this.tip.hidden = !lines?.length;
		fill(this.tip, el("div.dim", `${day(time)} ${clock(time, true)}`), lines ?? []);
		const wide = this.tip.offsetWidth;
		const beside = left + wide + 16 > u.over.clientWidth ? left - wide - 12 : left + 12;
		this.tip.style.transform = `translate(${Math.round(Math.max(-40, beside))}px, 4px)`;
	}

	#drawZones({ ctx, bbox, scales, valToPos }) {
		const { zones, kind } = this.panel.spec;
		if (!zones || kind === "states" || !Number.isFinite(scales.y.min)) return;
		const right = bbox.left + bbox.width;
		for (const { level, from, to } of zoneBounds(zones)) {
			const at = valToPos(from, "y", true);
			const end = Number.isFinite(to) ? valToPos(to, "y", true) : to > 0 ? bbox.top : bbox.top + bbox.height;
			ctx.fillStyle = faded(colour(level), 0.07);
			ctx.fillRect(bbox.left, Math.min(at, end), bbox.width, Math.abs(end - at));
			line(ctx, [bbox.left, at, right, at], colour(level), [5, 4]);
		}
	}

	#drawMarks({ ctx, bbox, scales: { x: { min, max } }, valToPos }) {
		this.#marks = [];
		for (const alert of this.panel.alerts.inRange) {
			if (alert.began < min || alert.began > max) continue;
			const left = valToPos(alert.began, "x");
			const close = this.#marks.find((mark) => Math.abs(mark.left - left) < MARKED);
			if (close) close.alerts.push(alert);
			else this.#marks.push({ left, alerts: [alert] });
		}
		const { top, height } = bbox;
		const size = 3.5 * scaleOf();
		for (const { left, alerts } of this.#marks) {
			const x = bbox.left + left * scaleOf();
			const tone = colour(levelOf(alerts[0].severity));
			line(ctx, [x, top, x, top + height], faded(tone, 0.4), [2, 4]);
			ctx.fillStyle = tone;
			ctx.fill(new Path2D(`M ${x - size} ${top - size} H ${x + size} L ${x} ${top + size} Z`));
		}
	}
}

function clipped(ctx, { left, top, width, height }, draw) {
	ctx.save();
	ctx.beginPath();
	ctx.rect(left, top, width, height);
	ctx.clip();
	draw();
	ctx.restore();
}

function line(ctx, [x1, y1, x2, y2], stroke, dash) {
	ctx.strokeStyle = stroke;
	ctx.lineWidth = scaleOf();
	ctx.setLineDash(dash.map((part) => part * scaleOf()));
	ctx.stroke(new Path2D(`M ${Math.round(x1)} ${Math.round(y1)} L ${Math.round(x2)} ${Math.round(y2)}`));
	ctx.setLineDash([]);
}

/** States are told apart without their colour. */
export function stripes(ctx, box, stroke, step) {
	const { left, top, width, height } = box;
	clipped(ctx, box, () => {
		for (let x = left - height; x < left + width; x += step * scaleOf()) line(ctx, [x, top + height, x + height, top], faded(stroke, 0.35), []);
	});
}

function alertLines(alert) {
	const level = levelOf(alert.severity);
	return [el(`div.nearest.${level}`, `${markOf(level)} ${alert.name} `, el("span.dim", `${alert.severity} · ${subject(alert)}`)), el("div", alert.summary)];
}

const axis = {
	stroke: () => colour("dim"),
	font: `11px ${FONT}`,
	grid: { stroke: () => colour("grid"), width: 1 },
	ticks: { show: false },
};

export const timeAxis = {
	...axis,
	size: 28,
	gap: 8,
	space: 72,
	// The edge would cut the last one.
	values: ({ scales: { x }, width }, splits, index, space, step) => axisTimes(splits, step).map((text, at) => (((x.max - splits[at]) / (x.max - x.min)) * width < 16 ? "" : text)),
};

export const valueAxis = { ...axis, gap: 4, space: 32, size: (u, values) => Math.max(32, ...(values ?? []).map((text) => 12 + text.length * 6)) };
