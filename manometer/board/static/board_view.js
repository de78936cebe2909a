import { byId, el, fill } from "./dom.js";
import { Panel } from "./panel.js";

const NEAR = { rootMargin: "300px" };

export class BoardView {
	#panels = new Map();
	#near = null;
	#uid = null;

	constructor(view, context) {
		this.view = view;
		this.context = { ...context, settled: () => this.#settle() };
		document.addEventListener("themechange", () => this.each((panel) => panel.restyle()));
	}

	each(act) {
		this.#panels.forEach(act);
	}

	open() {
		const { uid, sections } = this.view.board;
		if (this.#uid === uid) return this.each((panel) => panel.invalidate());
		this.#uid = uid;
		this.#near?.disconnect();
		this.each((panel) => panel.destroy());
		this.#panels.clear();
		this.#near = new IntersectionObserver((entries) => this.#come(entries), NEAR);
		return fill(byId("sections"), sections.map((section, index) => this.#section(section, `section-${index}`)));
	}

	#come(entries) {
		for (const { target, isIntersecting } of entries) this.#panels.get(target.dataset.panel)?.come(isIntersecting);
		this.#settle();
	}

	#settle() {
		const near = [...this.#panels.values()].filter(({ visible }) => visible);
		byId("board").setAttribute("aria-busy", near.length === 0 || near.some(({ busy }) => busy));
	}

	get bad() {
		return [...document.querySelectorAll(".panel:has(> .body > .bad) h3")].map(({ textContent }) => textContent);
	}

	/** Nothing has data; alerts do not tell. */
	get blank() {
		const found = [...this.#panels.values()].filter(({ spec, element }) => !spec.zero && !["alerts", "columns"].includes(spec.kind) && element.dataset.state !== "loading");
		return found.length > 0 && found.every(({ element }) => element.dataset.state === "empty");
	}

	#section({ title, folded, panels }, id) {
		const grid = el("div.grid", { id, hidden: folded }, panels.map((spec) => this.#panel(spec)));
		const onclick = ({ target }) => {
			grid.hidden = !grid.hidden;
			target.setAttribute("aria-expanded", !grid.hidden);
		};
		return el("section.section", { "aria-label": title }, el("h2", el("button.fold", { "aria-expanded": String(!folded), "aria-controls": id, onclick }, title)), grid);
	}

	#panel(spec) {
		const panel = new Panel(this.view, spec, this.context);
		panel.element.style.setProperty("--columns", spec.width);
		panel.element.style.setProperty("--lines", spec.height);
		this.#panels.set(String(spec.id), panel);
		this.#near.observe(panel.element);
		return panel.element;
	}

	tick(panels) {
		const told = Object.entries(panels).map(([id, tail]) => [this.#panels.get(id), tail]).filter(([panel]) => panel);
		for (const [panel, tail] of told) panel.tick(tail);
		return told.some(([{ spec }]) => spec.kind === "alerts");
	}
}
