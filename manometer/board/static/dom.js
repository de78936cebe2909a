/** Elements without markup: every text is a text node, so nothing from data becomes HTML. */

const isThere = (child) => child !== null && child !== undefined && child !== false;

/** `el("p.dim", { title }, "text", child)`; what is null or false is left out. */
export const el = (name, ...given) => dress((tag) => document.createElement(tag), name, given);
export const svg = (name, ...given) => dress((tag) => document.createElementNS("http://www.w3.org/2000/svg", tag), name, given);

function dress(make, name, given) {
	const [tag, ...classes] = name.split(".").filter(Boolean);
	const element = make(tag);
	const plain = given[0] && Object.getPrototypeOf(given[0]) === Object.prototype;
	if (classes.length) element.classList.add(...classes);
	if (element.type === "submit") element.type = "button";
	for (const [key, value] of Object.entries(plain ? given[0] : {})) {
		if (!isThere(value)) continue;
		if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
		else element.setAttribute(key, value === true ? "" : value);
	}
	return append(element, given.slice(plain ? 1 : 0));
}

function append(element, children) {
	element.append(...children.flat(9).filter(isThere));
	return element;
}

export function fill(element, ...children) {
	element.replaceChildren();
	return append(element, children);
}

export const byId = (id) => document.getElementById(id);

/** A live region is read out whenever its text is set. */
export function say(element, text) {
	if (element.textContent !== text) element.textContent = text;
}

export const scroller = (name, ...children) => el("div.scroller", { tabindex: 0, role: "group", "aria-label": name }, children);

export const table = (head, lines, name = "") => el(`table.${name}`, el("thead", el("tr", head.map((name) => el("th", { scope: "col" }, name)))), el("tbody", lines));

export const pairs = (entries) => el("dl.pairs", entries.filter(isThere).map(([name, value, zone]) => el("div", el("dt", name), el(`dd.${zone ?? ""}`, value))));
