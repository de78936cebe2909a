import { alertDetail } from "./alert_detail.js";
import { Alerts } from "./alerts.js";
import { BoardView } from "./board_view.js";
import { filters, rangePicker } from "./choosing.js";
import { byId, el, fill } from "./dom.js";
import { ask, because } from "./fetching.js";
import { keyboard } from "./keyboard.js";
import { Live } from "./live.js";
import { Verdict } from "./verdict.js";
import { View } from "./view.js";

const SECOND = 1_000;
const RETRY = 2_000;
const REFRESH = 30_000;

function start([{ boards }, health]) {
	const view = new View(boards);
	view.hear(health);
	const live = new Live();
	live.freshness.hear(health.newest, health.now);
	const alerts = new Alerts(view);
	const openAlert = alertDetail(view, alerts);
	const board = new BoardView(view, { alerts, openAlert });
	const verdict = new Verdict(view, live, alerts, board, openAlert);
	keyboard(view, rangePicker(view), filters(view));
	const look = () => {
		navigation(view);
		board.open();
		alerts.load();
		live.watch(view.live ? view.stream() : null);
		verdict.show();
	};
	view.addEventListener("change", look);
	alerts.addEventListener("change", () => {
		verdict.show();
		board.each((panel) => panel.slide());
	});
	listen(live, { view, board, alerts, verdict });
	look();
	beat({ view, board, alerts, verdict });
}

function listen(live, { view, board, alerts, verdict }) {
	let known = false;
	live.addEventListener("state", () => verdict.show());
	live.addEventListener("hello", ({ detail }) => {
		view.hear(detail);
		// The first stream begins beside the first answers; every later one after a gap, which they fill.
		if (known) board.each((panel) => panel.invalidate());
		known = true;
		alerts.refresh();
	});
	live.addEventListener("tick", ({ detail }) => {
		view.hear(detail);
		if (board.tick(detail.panels)) alerts.refresh();
	});
}

function beat({ view, board, alerts, verdict }) {
	let slid = 0;
	setInterval(() => {
		verdict.show();
		if (!view.live || document.hidden || view.now - slid < view.span / 600) return;
		slid = view.now;
		board.each((panel) => panel.slide());
	}, SECOND);
	setInterval(() => view.live && !document.hidden && alerts.refresh(), REFRESH);
}

function navigation(view) {
	fill(byId("boards"), view.boards.map(({ uid, title, description }) => {
		const onclick = (event) => {
			if (event.ctrlKey || event.metaKey || event.shiftKey) return;
			event.preventDefault();
			view.open(uid);
			scrollTo(0, 0);
		};
		return el("li", el("a", { href: view.address({ board: uid }), title: description, "aria-current": uid === view.board.uid && "page", onclick }, title));
	}));
}

function known() {
	return Promise.all([ask("/api/boards"), ask("/api/health")]).catch((error) => {
		fill(byId("sections"), el("p.empty.told", { role: "alert" }, because(error), " Trying again."));
		return new Promise((resolve) => setTimeout(resolve, RETRY)).then(known);
	});
}

start(await known());
