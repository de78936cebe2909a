import { byId } from "./dom.js";
import { toggleTheme } from "./palette.js";
import { closePopover } from "./popover.js";
import { pan } from "./ranges.js";

const TYPING = "input, .popover";

export function keyboard(view, openRange, openFilter) {
	const help = () => byId("keys").showModal();
	const move = (share) => view.show(pan(view.range, share, view.now));
	const commands = {
		"?": help,
		t: openRange,
		"/": openFilter,
		" ": () => view.toggleLive(),
		d: toggleTheme,
		ArrowLeft: () => move(-0.25),
		ArrowRight: () => view.live || move(0.25),
		Escape: () => view.zoomBack(),
	};
	document.addEventListener("keydown", (event) => {
		const { key, target } = event;
		if (key === "Escape" && closePopover()) return;
		if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
		if (target.closest(key === " " ? `button, a, ${TYPING}` : key.startsWith("Arrow") ? `.scroller, ${TYPING}` : TYPING)) return;
		const board = view.boards[key - 1];
		const command = board ? () => view.open(board.uid) : commands[key];
		if (!command) return;
		event.preventDefault();
		command();
	});
	byId("help").addEventListener("click", help);
	byId("theme").addEventListener("click", toggleTheme);
}
