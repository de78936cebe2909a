import { el, fill, pairs, svg } from "../dom.js";
import { digits, formatValue, zoneOf } from "../format.js";
import { markOf } from "../judging.js";
import { newestOf } from "../merging.js";
import { stroke } from "../palette.js";
import { swatch } from "./lines.js";

const WORDS = { warn: "watch", bad: "bad" };
const GAUGES = 8;
const AROUND = 2 * Math.PI * 38;

export function present({ shape, values, times, lines }, spec) {
	const found = shape === "values" ? values : lines.map((line) => ({ name: line.name, value: newestOf(times, line.values)?.value }));
	const known = found.filter(({ value }) => Number.isFinite(value));
	return known.length === 0 && spec.zero ? [{ name: "", value: 0 }] : known;
}

function look({ name, value }, { unit, values, zones }) {
	const zone = zoneOf(value, zones);
	return { name, value, zone, text: formatValue(value, unit, values), mark: WORDS[zone] ? ` ${markOf(zone)}` : "" };
}

class Numbers {
	constructor(body, panel) {
		this.body = body;
		this.spec = panel.spec;
	}

	show(answer) {
		fill(this.body, this.draw(present(answer, this.spec).map((one) => look(one, this.spec))));
	}
}

export class Stat extends Numbers {
	draw(found) {
		if (found.length > 1) return pairs(found.map(({ name, text, zone }) => [name, text, zone]));
		const [{ text, zone }] = found;
		const [, number, unit] = /^(.*?)( [^\d\s]+)?$/.exec(text);
		return el(`div.present.${zone}`, el("span.big", number), unit && el("span.unit", unit), el("span.zone", markOf(zone), " ", WORDS[zone]));
	}
}

function measure(found, { unit, zones }) {
	const greatest = Math.max(...found.map(({ value }) => Math.abs(value)));
	const most = (unit === "ratio" && greatest <= 1 ? 1 : Math.max(greatest, zones?.warn <= greatest * 2 ? zones.warn : 0)) || 1;
	const share = (value) => Math.max(0, Math.min(100, (Math.abs(value) / most) * 100));
	const limits = Object.entries(zones ?? {}).filter(([level, limit]) => limit !== null && limit <= most && (level === "bad" || limit !== zones.bad));
	return { share, limits: limits.map(([level, limit]) => ({ level, at: share(limit) })) };
}

export class Bars extends Numbers {
	draw(found) {
		const { share, limits } = measure(found, this.spec);
		const piece = (name, property, value) => {
			const element = el(`i.${name}`);
			element.style[property] = `${value}%`;
			return element;
		};
		return el("div.bar-list", found.sort((a, b) => b.value - a.value).map(({ name, value, zone, text, mark }) => el("div.bar-line",
			el("span.of", { title: name }, name),
			el("span.track", piece(`length.${zone}`, "width", share(value)), limits.map(({ level, at }) => piece(`limit.${level}`, "left", at))),
			el(`span.number.${zone}`, text, mark))));
	}
}

export class Gauge extends Bars {
	draw(found) {
		if (found.length > GAUGES) return super.draw(found);
		const { share, limits } = measure(found, this.spec);
		return el("div.gauges", found.map(({ name, value, zone, text, mark }) => el("figure",
			svg("svg", { viewBox: "0 0 100 56", "aria-hidden": "true" }, arc(0, 100, "track"), arc(0, share(value), `length.${zone}`), limits.map(({ level, at }) => arc(at - 0.8, at + 0.8, `limit.${level}`))),
			el(`span.number.${zone}`, text, mark), el("figcaption", { title: name }, name))));
	}
}

function arc(from, to, style) {
	const at = (part) => {
		const angle = Math.PI * (1 - Math.max(0, Math.min(100, part)) / 100);
		return `${50 + 42 * Math.cos(angle)} ${50 - 42 * Math.sin(angle)}`;
	};
	return svg(`path.${style}`, { d: `M ${at(from)} A 42 42 0 0 1 ${at(to)}` });
}

export class Pie {
	constructor(body, panel) {
		Object.assign(this, { body, panel });
	}

	show(answer) {
		this.answer = answer;
		const { unit } = this.panel.spec;
		const found = present(answer, this.panel.spec).filter(({ value }) => value > 0)
			.map((one, index) => ({ ...one, look: stroke(index) })).sort((a, b) => b.value - a.value);
		const whole = found.reduce((sum, { value }) => sum + value, 0);
		const circle = (more) => svg("circle", { cx: 50, cy: 50, r: 38, fill: "none", "stroke-width": 16, ...more });
		let at = 0;
		const parts = found.map(({ value, look: { colour } }) => {
			const long = (value / whole) * AROUND;
			at += long;
			return circle({ stroke: colour, "stroke-dasharray": `${Math.max(0.5, long - 1)} ${AROUND}`, "stroke-dashoffset": long - at, transform: "rotate(-90 50 50)" });
		});
		const named = found.map(({ name, value, look }) => [[swatch(look, true), name], [formatValue(value, unit), el("span.dim", ` ${digits((value / whole) * 100)} %`)]]);
		fill(this.body, el("div.ring", svg("svg", { viewBox: "0 0 100 100", "aria-hidden": "true" }, circle({ class: "track" }), parts,
			svg("text", { x: 50, y: 51, "text-anchor": "middle", "dominant-baseline": "middle" }, formatValue(whole, unit))),
		named.length ? pairs(named) : el("p.dim", `No ${unit || "parts"}`)));
	}

	restyle() {
		this.show(this.answer);
	}
}
