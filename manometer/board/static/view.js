import { chosenOf, readAddress, writeAddress } from "./address.js";
import { absolute, isLive, resolve, spanOf } from "./ranges.js";

/** All panels ask for the same number of points, so that all viewers of a board share one computation. */
const WIDTH = 480;

export class View extends EventTarget {
	#skew = 0;
	newest = null;
	#zoomed = [];

	constructor(boards) {
		super();
		this.boards = boards;
		this.#read();
		window.addEventListener("popstate", () => {
			this.#zoomed = [];
			this.#read();
		});
	}

	#read() {
		const { board, range, chosen } = readAddress(location.search);
		this.board = this.boards.find(({ uid }) => uid === board) ?? this.boards[0];
		Object.assign(this, { explicit: range, chosen });
		this.dispatchEvent(new Event("change"));
	}

	get range() {
		const { hours } = this.board;
		return this.explicit ?? { from: hours > 48 && hours % 24 === 0 ? `now-${hours / 24}d` : `now-${hours}h`, to: "now" };
	}

	get live() {
		return isLive(this.range);
	}

	get now() {
		return Date.now() + this.#skew;
	}

	get window() {
		return resolve(this.range, this.now);
	}

	get span() {
		return spanOf(this.range);
	}

	get parameters() {
		return chosenOf(this.board.variables, this.chosen);
	}

	get between() {
		const { from, to } = this.window;
		return [["from", Math.floor(from)], ["to", Math.ceil(to)]];
	}

	hear({ now, newest }) {
		this.#skew = now - Date.now();
		this.newest = newest ?? this.newest;
	}

	#asking(...fields) {
		return new URLSearchParams([["board", this.board.uid], ...fields, ["width", WIDTH], ...this.parameters]);
	}

	query(panel, ...more) {
		return this.#asking(["panel", panel], ...this.between, ...more);
	}

	stream() {
		return this.#asking(["seconds", Math.round(this.span / 1000)]);
	}

	address(change) {
		return writeAddress({ board: this.board.uid, range: this.explicit, chosen: this.chosen, ...change });
	}

	#go(change) {
		history.pushState(null, "", this.address(change));
		this.#read();
	}

	show(range) {
		this.#zoomed = [];
		this.#go({ range });
	}

	zoom({ from, to }) {
		this.#zoomed.push(this.explicit);
		this.#go({ range: absolute(from, to) });
	}

	zoomBack() {
		if (this.#zoomed.length) this.#go({ range: this.#zoomed.pop() });
	}

	choose(values) {
		this.#go({ chosen: { ...this.chosen, ...values } });
	}

	open(board) {
		if (board !== this.board.uid) this.#go({ board });
	}

	toggleLive() {
		const { live, explicit, window: { from, to } } = this;
		this.show(live ? absolute(from, to) : this.resume ?? null);
		this.resume = live ? explicit : null;
	}
}
