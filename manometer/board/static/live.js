const HIDDEN = 60_000;

const LEAST_QUIET = 20_000;
const KEPT = 9;

export class Freshness {
	#gaps = [];
	#last = null;
	#newest = null;

	/** Data that is old already when it is first heard of counts from its own time. */
	hear(newest, now) {
		if (newest === null || newest === this.#newest) return;
		if (this.#last !== null) this.#gaps = [...this.#gaps, now - this.#last].slice(-KEPT);
		this.#last = this.#newest === null ? Math.min(now, newest) : now;
		this.#newest = newest;
	}

	quiet(now) {
		if (this.#last === null) return null;
		const sorted = [...this.#gaps].sort((a, b) => a - b);
		const usual = sorted[Math.floor(sorted.length / 2)] ?? 0;
		const since = now - this.#last;
		return since > Math.max(LEAST_QUIET, usual * 2.5) ? since : null;
	}
}

export function backOff(tries, share) {
	return Math.min(10_000, 500 * 2 ** Math.min(tries, 6)) * (0.75 + share / 2);
}

export class Live extends EventTarget {
	freshness = new Freshness();
	state = "closed";
	trouble = null;
	#source = null;
	#timer = null;
	#hidden = null;
	#tries = 0;
	#address = null;

	constructor() {
		super();
		document.addEventListener("visibilitychange", () => {
			clearTimeout(this.#hidden);
			if (document.hidden) this.#hidden = setTimeout(() => this.#close("closed"), HIDDEN);
			else if (this.state === "closed") this.#connect();
		});
	}

	watch(parameters) {
		const address = parameters && `/api/live?${parameters}`;
		if (address === this.#address) return;
		this.#address = address;
		this.#tries = 0;
		this.#connect();
	}

	#close(state) {
		clearTimeout(this.#timer);
		this.#source?.close();
		this.#turn(state);
	}

	#turn(state) {
		this.state = state;
		this.dispatchEvent(new Event("state"));
	}

	#connect() {
		this.#close(!this.#address ? "closed" : this.#tries ? "lost" : "connecting");
		if (!this.#address) return;
		this.#source = new EventSource(this.#address);
		const hear = (type, act) => this.#source.addEventListener(type, ({ data }) => act(JSON.parse(data)));
		hear("hello", (told) => {
			this.#tries = 0;
			this.#tell("hello", told);
			this.#turn("open");
		});
		// What was asked for in times of trouble is missing.
		hear("tick", (told) => this.#tell(this.trouble ? "hello" : "tick", told));
		hear("trouble", ({ detail }) => {
			this.trouble = detail;
			this.#turn(this.state);
		});
		// Browsers give up after some failures only.
		this.#source.onerror = () => {
			this.#close("lost");
			this.#timer = setTimeout(() => this.#connect(), backOff(this.#tries, Math.random()));
			this.#tries += 1;
		};
	}

	#tell(type, detail) {
		this.trouble = null;
		this.freshness.hear(detail.newest, detail.now);
		this.dispatchEvent(new CustomEvent(type, { detail }));
	}
}
