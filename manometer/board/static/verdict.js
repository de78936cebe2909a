import { byId, el, fill, say, svg } from "./dom.js";
import { digits, formatSpan, when } from "./format.js";
import { judge, strip, subject } from "./judging.js";
import { describeRange, endingAt } from "./ranges.js";

const HIGH = { info: 6, warn: 11, bad: 16 };
const WIDE = 1000;
const SIGNS = { live: "●", quiet: "◐", lost: "✕", paused: "❚❚", wait: "○" };

export class Verdict {
	#strip = "";
	#sign = "";

	constructor(view, live, alerts, board, openAlert) {
		Object.assign(this, { view, live, alerts, board, element: byId("verdict"), connection: byId("connection") });
		this.mark = el("span.mark", { "aria-hidden": "true" });
		this.text = el("h1", { "aria-live": "polite" });
		this.detail = el("span.dim");
		this.first = el("button.link", { onclick: () => openAlert(this.alert) });
		this.newest = el("button.link", { onclick: () => view.show(endingAt(view.newest, view.span)) }, "Show it");
		this.strip = el("div.strip");
		fill(this.element, this.mark, el("div.words", this.text, el("p", this.first, " ", this.detail, " ", this.newest)), this.strip);
	}

	show() {
		const { view, live, alerts, board } = this;
		const { firing, inRange } = alerts;
		const { newest, now, window: { from, to } } = view;
		const lost = view.live && live.state === "lost";
		const { level, mark, text, detail, alert, old } = judge({ firing, newest, now, to, live: view.live, trouble: live.trouble, lost, blank: board.blank, bad: board.bad });
		this.element.dataset.level = level;
		this.element.classList.toggle("large", view.board === view.boards[0]);
		this.alert = alert;
		this.first.hidden = !alert;
		this.newest.hidden = !old;
		if (alert) say(this.first, `${alert.name} on ${subject(alert)}: ${alert.summary} (since ${when(alert.began, now)})`);
		say(this.mark, mark);
		say(this.text, text);
		say(this.detail, detail);
		document.title = `${mark} ${text} · Manometer`;
		this.#drawStrip(strip(inRange, from, to), from, to);
		this.#drawSign();
	}

	#drawStrip({ spans, share }, from, to) {
		const x = (time) => ((time - from) / (to - from)) * WIDE;
		const drawn = Object.keys(HIGH).flatMap((level) => spans.filter((span) => span.level === level).map((span) => {
			const width = Math.max(2, x(span.to) - x(span.from));
			return [level, x(span.from).toFixed(1), width.toFixed(1), HIGH[level]];
		}));
		const words = `${describeRange(this.view.range, this.view.now)}: ${share === 1 ? "no warning" : `${digits(Math.floor(share * 1000) / 10)} % without a warning`}`;
		if (this.#strip === (this.#strip = words + drawn)) return;
		const rects = drawn.map(([level, left, width, height]) => svg(`rect.${level}`, { x: left, width, y: 16 - height, height }));
		fill(this.strip, svg("svg", { viewBox: `0 0 ${WIDE} 16`, preserveAspectRatio: "none", role: "img", "aria-label": words }, rects), el("p.dim", words));
	}

	#drawSign() {
		const [sign, text] = this.#signed();
		if (this.#sign === (this.#sign = sign + text)) return;
		this.connection.dataset.sign = sign;
		fill(this.connection, el("span", { "aria-hidden": "true" }, SIGNS[sign]), " ", text);
	}

	#signed() {
		const { view, live } = this;
		if (!view.live) return ["paused", "Paused"];
		if (live.state === "lost") return ["lost", "Disconnected, trying again"];
		if (live.trouble) return ["lost", "The store cannot be read"];
		if (live.state !== "open") return ["wait", "Connecting"];
		const quiet = live.freshness.quiet(view.now);
		return quiet === null ? ["live", "Live"] : ["quiet", `Stale: nothing new for ${formatSpan(quiet)}`];
	}
}
