/** Colours that colour-blind people tell apart (after Okabe and Ito), and those of the style sheet. */

const LIGHT = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b58300", "#3d9bd6", "#6b5bb5", "#5f6b75"];
const DARK = ["#56b4e9", "#e69f00", "#2fbf94", "#d991bb", "#f0e442", "#ff7d45", "#a79bea", "#b8c1c9"];
const DASHES = [[], [6, 3], [2, 3], [8, 3, 2, 3]];
const CODES = { init: "info", running: "good", error: "bad", silent: "silent" };

const dark = matchMedia("(prefers-color-scheme: dark)");
const resolved = new Map();
const tell = () => document.dispatchEvent(new Event("themechange"));
const { dataset } = document.documentElement;

const isDark = () => (dataset.theme ? dataset.theme === "dark" : dark.matches);
const colours = () => (isDark() ? DARK : LIGHT);

export function toggleTheme() {
	dataset.theme = isDark() ? "light" : "dark";
	try {
		localStorage.setItem("theme", dataset.theme);
	} catch {} // storage may be forbidden
	tell();
}

dark.addEventListener("change", tell);
document.addEventListener("themechange", () => resolved.clear());

export function colour(name) {
	if (!resolved.has(name)) {
		const sample = document.createElement("i");
		sample.style.color = `var(--${name})`;
		document.body.append(sample);
		resolved.set(name, getComputedStyle(sample).color);
		sample.remove();
	}
	return resolved.get(name);
}

export function faded(value, alpha) {
	if (!value.startsWith("#")) return value.replace("rgb(", "rgba(").replace(")", `, ${alpha})`);
	return value + Math.round(alpha * 255).toString(16).padStart(2, "0");
}

export function stroke(index) {
	return { colour: colours()[index % 8], dash: DASHES[Math.floor(index / 8) % DASHES.length] };
}

export function codeStyle(text, number) {
	const pattern = { silent: "hatch", error: "cross" }[text] ?? "";
	return { colour: CODES[text] ? colour(CODES[text]) : colours()[Math.abs(number) % 8], pattern };
}
