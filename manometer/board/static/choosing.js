import { byId, el, fill, say } from "./dom.js";
import { ask, because } from "./fetching.js";
import { closePopover, popover, walk } from "./popover.js";
import { absolute, describeRange, fromField, parseRange, PRESETS, toField } from "./ranges.js";

const SHOWN = 200;

export function filters(view) {
	const bar = byId("filters");
	const show = () => {
		const { variables } = view.board;
		const buttons = variables.map((variable) => filterButton(view, variable));
		const none = Object.fromEntries(variables.map(({ name }) => [name, []]));
		const held = bar.contains(document.activeElement) && document.activeElement.dataset.variable;
		fill(bar, buttons, view.parameters.length > 0 && el("button.button.quiet", { onclick: () => view.choose(none) }, "Clear filters"));
		buttons.find(({ dataset }) => dataset.variable === held)?.focus();
	};
	view.addEventListener("change", show);
	show();
	return () => bar.querySelector("button")?.click();
}

function filterButton(view, { name, title }) {
	const values = view.chosen[name] ?? [];
	const said = values.length === 0 ? "all" : values.length <= 2 ? values.join(", ") : `${values.length} chosen`;
	const button = el("button.button.filter", {
		"aria-haspopup": "dialog", "data-variable": name, onclick: () => openFilter(view, name, title, button),
	}, el("span.dim", title), " ", el(values.length ? "span.chosen" : "span", said));
	return button;
}

async function openFilter(view, name, title, button) {
	const before = view.chosen[name] ?? [];
	const chosen = new Set(before);
	const closed = () => {
		if (chosen.size !== before.length || !before.every((value) => chosen.has(value))) view.choose({ [name]: [...chosen].sort() });
	};
	const search = el("input", { type: "search", placeholder: `Search ${title.toLowerCase()}`, "aria-label": `Search ${title}`, autofocus: true });
	const list = el("div.values", { role: "group", "aria-label": title, onkeydown: (event) => walk(event, [...list.querySelectorAll("input")]) }, el("p.dim", "Looking…"));
	const all = el("button.button.quiet", { onclick: () => [chosen.clear(), closePopover()] }, "All");
	const apply = el("button.button.strong", { onclick: () => closePopover() }, "Apply");
	popover(button, title, el("div.choosing", search, list, el("div.ends", all, apply)), { closed });
	if (!search.isConnected) return;
	search.addEventListener("keydown", (event) => {
		if (event.key !== "Enter") return;
		// Else the button, focused again, would take the same key.
		event.preventDefault();
		const first = list.querySelector("input");
		if (first && chosen.size === 0) chosen.add(first.value);
		closePopover();
	});
	try {
		const others = view.parameters.filter(([one]) => one !== name);
		const { values } = await ask("/api/series", new URLSearchParams([["board", view.board.uid], ["variable", name], ...others]));
		const known = [...new Set([...before, ...values])];
		const show = () => fill(list, choices(known, search.value.trim().toLowerCase(), chosen));
		search.addEventListener("input", show);
		show();
	} catch (error) {
		fill(list, el("p.told", because(error)));
	}
}

function choices(known, searched, chosen) {
	const found = known.filter((value) => value.toLowerCase().includes(searched));
	if (found.length === 0) return el("p.dim", known.length ? "No value matches." : "No value has come yet.");
	const shown = found.slice(0, SHOWN).map((value) => {
		const onchange = ({ target }) => (target.checked ? chosen.add(value) : chosen.delete(value));
		return el("label.value", el("input", { type: "checkbox", value, checked: chosen.has(value), onchange }), el("span", value));
	});
	return [shown, found.length > SHOWN && el("p.dim", `and ${found.length - SHOWN} more: search`)];
}

export function rangePicker(view) {
	const [button, live] = [byId("range"), byId("live")];
	const open = () => popover(button, "Time range", picker(view));
	const show = () => {
		say(button, describeRange(view.range, view.now));
		say(live, view.live ? "Pause" : "Go live");
		live.classList.toggle("strong", !view.live);
	};
	button.addEventListener("click", open);
	live.addEventListener("click", () => view.toggleLive());
	view.addEventListener("change", show);
	show();
	return open;
}

function picker(view) {
	const go = (range) => {
		closePopover();
		view.show(range);
	};
	const presets = PRESETS.map((size) => {
		const range = parseRange(`now-${size}`, "now");
		const current = view.range.from === range.from;
		return el("button.item", { "aria-pressed": String(current), autofocus: current, onclick: () => go(range) }, describeRange(range));
	});
	const { from, to } = view.window;
	const fields = [from, to].map((time) => el("input", { type: "datetime-local", step: 1, value: toField(time) }));
	const told = el("p.told", { role: "alert" });
	const onsubmit = (event) => {
		event.preventDefault();
		const [start, end] = fields.map(({ value }) => fromField(value));
		if (start < end) go(absolute(start, end));
		else told.textContent = "Choose two times, the earlier one first.";
	};
	return el("div.ranges", el("div.menu", { onkeydown: (event) => walk(event, presets) }, presets),
		el("form.absolute", { onsubmit }, el("label", "From", fields[0]), el("label", "To", fields[1]), told, el("button.button.strong", { type: "submit" }, "Show")));
}
