import { el } from "./dom.js";

let open = null;

export function closePopover(returnFocus = true) {
	if (!open) return false;
	const { box, anchor, closed } = open;
	open = null;
	box.remove();
	anchor.setAttribute("aria-expanded", "false");
	if (returnFocus) anchor.focus();
	closed?.();
	return true;
}

export function popover(anchor, name, content, { role = "dialog", closed } = {}) {
	const same = open?.anchor === anchor;
	closePopover(same);
	if (same) return;
	const box = el("div.popover", { role, "aria-label": name }, content);
	document.body.append(box);
	anchor.setAttribute("aria-expanded", "true");
	open = { box, anchor, closed };
	place(box, anchor.getBoundingClientRect());
	box.addEventListener("focusout", ({ relatedTarget }) => {
		if (relatedTarget && !box.contains(relatedTarget) && relatedTarget !== anchor) closePopover(false);
	});
	(box.querySelector("[autofocus]") ?? box.querySelector("input, button"))?.focus();
}

function place(box, under) {
	const left = Math.max(8, Math.min(under.left, document.documentElement.clientWidth - box.offsetWidth - 8));
	const above = under.bottom + box.offsetHeight + 8 > innerHeight && under.top > box.offsetHeight;
	box.style.left = `${left + scrollX}px`;
	box.style.top = `${scrollY + (above ? under.top - box.offsetHeight - 4 : under.bottom + 4)}px`;
}

document.addEventListener("pointerdown", ({ target }) => {
	if (open && !open.box.contains(target) && !open.anchor.contains(target)) closePopover(false);
});

export function menu(anchor, name, items) {
	const entries = items.map(({ text, act, link }) => el(link ? "a.item" : "button.item", {
		role: "menuitem", href: link, download: link && "", onclick: () => [closePopover(), act?.()],
	}, text));
	popover(anchor, name, el("div.menu", { onkeydown: (event) => walk(event, entries) }, entries), { role: "menu" });
}

export function walk(event, entries) {
	const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
	if (!step) return;
	event.preventDefault();
	entries[(entries.indexOf(document.activeElement) + step + entries.length) % entries.length]?.focus();
}
