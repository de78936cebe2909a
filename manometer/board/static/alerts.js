import { ask } from "./fetching.js";
import { ranked } from "./judging.js";

const MOST = 500;
const WAIT = 2_000;
const FILTERS = ["workflow", "model"];

export class Alerts extends EventTarget {
	firing = null;
	inRange = [];
	#asking = null;
	#due = null;
	#asked = 0;

	constructor(view) {
		super();
		this.view = view;
	}

	refresh() {
		this.#due ??= setTimeout(() => this.load(), Math.max(0, this.#asked + WAIT - Date.now()));
	}

	async load() {
		clearTimeout(this.#due);
		this.#due = null;
		this.#asked = Date.now();
		this.#asking?.abort();
		this.#asking = new AbortController();
		const { live, between, parameters } = this.view;
		// Whoever looks at the same time asks the same, and the server answers once.
		const step = live ? 10_000 : 1;
		const span = between.map(([name, time]) => [name, Math.ceil(time / step) * step]);
		const fields = [...span, ...parameters.filter(([name]) => FILTERS.includes(name)), ["limit", MOST]];
		const get = async (state) => (await ask("/api/alerts", new URLSearchParams([...fields, ["state", state]]), this.#asking.signal)).alerts;
		try {
			const [firing, all] = await Promise.all([get("firing"), get("all")]);
			this.firing = ranked(begun(firing));
			this.inRange = begun([...all, ...firing]);
			this.dispatchEvent(new Event("change"));
		} catch {
			// Whether the server is there is told by the stream.
		}
	}

	known(alert) {
		return nearest(this.inRange, alert);
	}
}

/** Beginning and end of an alert come as two; they become one. */
function begun(alerts) {
	const found = new Map();
	for (const one of alerts) {
		const alert = { ...one, began: one.began ?? one.time };
		const key = `${alert.began} ${alert.name} ${JSON.stringify(alert.tags)}`;
		const other = found.get(key);
		if (!other || alert.state === "firing") found.set(key, { ...alert, ended: alert.ended ?? other?.ended ?? null });
	}
	return [...found.values()].sort((a, b) => a.began - b.began);
}

function nearest(alerts, { name, tags, time }) {
	const same = alerts.filter((one) => one.name === name && Object.entries(tags).every(([tag, value]) => one.tags[tag] === value));
	const far = ({ began, ended }) => Math.max(began - time, time - (ended ?? Infinity), 0);
	return same.sort((a, b) => far(a) - far(b))[0];
}
