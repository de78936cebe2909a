// Unit tests of the page's pure modules; run by test_page_modules.py, which says where they are.

import assert from "node:assert/strict";
import { test } from "node:test";
import { pathToFileURL } from "node:url";

const load = (name) => import(new URL(name, pathToFileURL(`${process.env.PAGE_MODULES}/`)));
const [format, ranges, address, merging, scaling, judging, freshness] = await Promise.all(
  ["format", "ranges", "address", "merging", "scaling", "judging", "live"].map((name) => load(`${name}.js`)),
);

const { formatValue } = format;
const lines = (times, found, rest = {}) => ({
  shape: "lines", interval: 10, times, lines: Object.entries(found).map(([name, values]) => ({ name, tags: {}, values })), ...rest,
});

test("each unit of the catalogue has its own way of writing", () => {
  assert.equal(formatValue(0.9312, "ratio"), "93.1 %");
  assert.equal(formatValue(1536, "bytes"), "1.5 KiB");
  assert.equal(formatValue(3 * 2 ** 30, "bytes"), "3 GiB");
  assert.equal(formatValue(2 ** 20, "bytes per second"), "1 MiB/s");
  assert.equal(formatValue(0.25, "seconds per second"), "25 %");
  assert.equal(formatValue(0.0304, "seconds"), "30.4 ms");
  assert.equal(formatValue(95, "seconds"), "95 s");
  assert.equal(formatValue(600, "seconds"), "10 min");
  assert.equal(formatValue(86_400 * 3, "seconds"), "3 d");
  assert.equal(formatValue(2, "code", [[2, "error"]]), "error");
  assert.equal(formatValue(1_700_000_000, "seconds since 1970"), formatValue(1_700_000_000_000, "seconds since 1970"));
  assert.match(formatValue(1_700_000_000_000, "seconds since 1970"), /^14 Nov 2023 22:13:20$/);
});

test("counts keep their digits as long as they are short", () => {
  assert.equal(formatValue(0, "records"), "0");
  assert.equal(formatValue(9_999, "records"), "9999");
  assert.equal(formatValue(12_345, "records"), "12\u202f345");
  assert.equal(formatValue(123_456, "records"), "123 k");
  assert.equal(formatValue(2_500_000, "records"), "2.5 M");
  assert.equal(formatValue(0.04321, "score"), "0.0432");
  assert.equal(formatValue(-3.14159, "score"), "\u22123.14");
  assert.equal(formatValue(null, "records"), "–");
});

test("a unit stands beside the title only where the numbers do not say it", () => {
  assert.equal(format.unitText("records per second"), "records per second");
  assert.equal(format.unitText("alerts", "Critical alerts"), "");
  for (const unit of ["bytes", "ratio", "seconds", "seconds per second", ""]) assert.equal(format.unitText(unit), "");
});

test("spans are told with their two largest parts", () => {
  assert.equal(format.formatSpan(25_000), "25 s");
  assert.equal(format.formatSpan(4_800_000), "1 h 20 min");
  assert.equal(format.formatSpan(86_400_000), "1 d");
  assert.equal(format.formatSpan(0), "0 s");
});

test("zones hold at their limits, in both directions", () => {
  const [above, below, only] = [{ warn: 0.8, bad: 0.95 }, { warn: 0.9, bad: 0.5 }, { warn: 1, bad: null }];
  assert.deepEqual([0.79, 0.8, 0.95].map((value) => format.zoneOf(value, above)), ["good", "warn", "bad"]);
  assert.deepEqual([0.9, 0.89, 0.5, 0.49].map((value) => format.zoneOf(value, below)), ["good", "warn", "warn", "bad"]);
  assert.deepEqual([0, 1].map((value) => format.zoneOf(value, only)), ["good", "warn"]);
  assert.equal(format.zoneOf(1, { warn: 1, bad: 1 }), "bad");
});

test("a time axis names the day where it begins", () => {
  const midnight = Date.UTC(2026, 10, 27);
  assert.deepEqual(format.axisTimes([midnight - 3_600_000, midnight, midnight + 3_600_000], 3_600_000), ["23:00", "27 Nov", "01:00"]);
});

test("an address is read as it is written", () => {
  const state = { board: "manometer-model", range: { from: "now-3h", to: "now" }, chosen: { engine: ["a b", "c&d"], model: ["<img onerror>"] } };
  assert.deepEqual(address.readAddress(address.writeAddress(state)), state);
  const fixed = { board: "x", range: { from: 1_700_000_000_000, to: 1_700_000_600_000 }, chosen: {} };
  assert.deepEqual(address.readAddress(address.writeAddress(fixed)), fixed);
});

test("an address that makes no sense leaves the range to the board", () => {
  for (const text of ["?from=yesterday&to=now", "?from=now-3h&to=5", "?from=now-3w&to=now", "?"]) {
    assert.equal(address.readAddress(text).range, null, text);
  }
  assert.deepEqual(address.readAddress("?__proto__=a&Engine=b&engine=").chosen, {});
});

test("only the variables of the board are asked with", () => {
  assert.deepEqual(address.chosenOf([{ name: "model" }], { model: ["m"], slot: ["1"] }), [["model", "m"]]);
});

test("ranges resolve, pan up to now, and swap where they are the wrong way round", () => {
  assert.deepEqual(ranges.resolve({ from: "now-1h", to: "now" }, 10_000_000), { from: 6_400_000, to: 10_000_000 });
  assert.deepEqual(ranges.absolute(2_000_000, 1_000_000), { from: 1_000_000, to: 2_000_000 });
  const panned = ranges.pan({ from: 1_000_000, to: 2_000_000 }, 0.5, 2_100_000);
  assert.deepEqual(panned, { from: 1_100_000, to: 2_100_000 });
  assert.equal(ranges.describeRange({ from: "now-1h", to: "now" }, 0), "Last 1 hour");
  assert.equal(ranges.fromField(ranges.toField(1_700_000_000_000)), 1_700_000_000_000);
  assert.ok(Number.isNaN(ranges.fromField("")));
});

test("the span of an alert has a margin on both sides and ends at now", () => {
  const { from, to } = ranges.around(10_000_000, 14_000_000, 90_000_000);
  assert.deepEqual([from, to], [9_000_000, 15_000_000]);
  assert.equal(ranges.around(10_000_000, null, 14_000_000).to, 14_000_000);
});

test("a tail replaces the end, and what left the window goes", () => {
  const whole = lines([10, 20, 30, 40], { a: [1, 2, 3, 4], b: [5, 6, 7, 8] }, { from: 0 });
  const merged = merging.mergeTail(whole, lines([30, 40, 50], { a: [33, 44, 55] }, { from: 30 }), 20);
  assert.deepEqual(merged.times, [20, 30, 40, 50]);
  assert.deepEqual(merged.lines.map(({ values }) => values), [[2, 33, 44, 55], [6, null, null, null]]);
});

test("a line that begins in a tail is empty before it, with its least and greatest values", () => {
  const tail = lines([20, 30], { z: [1, 2] }, { from: 20 });
  tail.lines[0].low = [0, 1];
  tail.lines[0].high = [3, 4];
  const merged = merging.mergeTail(lines([10, 20], { a: [7, 8] }), tail, 0);
  assert.deepEqual(merged.lines.map(({ name }) => name), ["a", "z"]);
  assert.deepEqual(merged.lines[1].values, [null, 1, 2]);
  assert.deepEqual(merged.lines[1].high, [null, 3, 4]);
});

test("a state from before the window holds until the next", () => {
  const whole = lines([10, 20, 30, 40], { a: [1, null, null, null], b: [null, null, 5, null] }, { from: 10 });
  const merged = merging.mergeTail(whole, lines([40, 50], { c: [7, null] }, { from: 40 }), 32, true);
  assert.deepEqual(merged.times, [30, 40, 50]);
  assert.deepEqual(merged.lines.map(({ values }) => values), [[1, null, null], [5, null, null], [null, 7, null]]);
  const later = merging.mergeTail(merged, lines([50, 60], {}, { from: 50 }), 55, true);
  assert.deepEqual(later.times, [40, 50, 60]);
  assert.deepEqual(later.lines.map(({ values }) => values[0]), [1, 5, 7]);
});

test("merging the same tail again changes nothing", () => {
  const tail = lines([20, 30], { a: [5, 6] }, { from: 20 });
  const once = merging.mergeTail(lines([0, 10, 20], { a: [1, 2, 3] }), tail, 0);
  assert.deepEqual(merging.mergeTail(once, tail, 0), once);
});

test("an empty tail forgets what it covers, and one of another shape or interval is whole", () => {
  const whole = lines([10, 20, 30], { a: [1, 2, 3] });
  assert.deepEqual(merging.mergeTail(whole, lines([], {}, { from: 20 }), 0).times, [10]);
  const values = { shape: "values", values: [] };
  assert.equal(merging.mergeTail(whole, values, 0), values);
  const coarse = lines([0], { a: [1] }, { interval: 60, from: 0 });
  assert.equal(merging.mergeTail(whole, coarse, 0), coarse);
});

test("reports that come seldom are one line, and a real gap stays one", () => {
  const times = Array.from({ length: 30 }, (_, index) => index * 10_000);
  const values = times.map((time, index) => (index % 6 === 0 && index !== 12 && index !== 18 && index !== 24 ? 1 : null));
  const sparse = merging.bridge(times.slice(0, 7), [1, null, null, 2, null, null, 3], 10);
  assert.deepEqual(sparse, [1, undefined, undefined, 2, undefined, undefined, 3]);
  assert.equal(merging.bridge([0, 10_000, 20_000, 200_000], [1, 2, 3, null], 10)[3], null);
  assert.equal(merging.bridge([0, 10_000, 100_000, 200_000], [1, 2, null, 3], 10)[2], null);
  assert.equal(merging.bridge(times, values, 10)[1], undefined);
});

test("stacked lines are sums, and a time without any value is a gap", () => {
  assert.deepEqual(merging.stack([{ values: [1, null, 3] }, { values: [10, null, null] }]), [[1, null, 3], [11, null, 3]]);
});

test("a state holds until the next one, and the last one until now", () => {
  const found = merging.runs([0, 10, 20, 30], [1, 1, null, 2], 50);
  assert.deepEqual(found, [{ from: 0, to: 30, value: 1 }, { from: 30, to: 50, value: 2 }]);
});

test("axes hold zero, and limits that are within reach", () => {
  assert.equal(scaling.limits(5, 10, "records")[0], 0);
  assert.ok(scaling.limits(5, 10, "unit of the field")[0] > 4);
  assert.ok(scaling.limits(0.2, 0.5, "ratio", { warn: 0.8, bad: 0.95 })[1] >= 0.95);
  assert.ok(scaling.limits(0.001, 0.002, "ratio", { warn: 0.8, bad: 0.95 })[1] < 0.01);
  assert.deepEqual(scaling.limits(null, null, "records"), [0, 1]);
});

const known = { firing: [], newest: 99_000, now: 100_000, to: 100_000, live: true, trouble: null, lost: false, blank: false, bad: [] };
const alert = (severity, began = 0) => ({ name: "EngineError", severity, began, summary: "in error", tags: { engine: "e" } });

test("all is right only if nothing warns, and only if that is known", () => {
  assert.equal(judging.judge(known).text, "All is right");
  assert.equal(judging.judge({ ...known, firing: [alert("info")] }).level, "good");
  for (const change of [{ lost: true }, { trouble: "locked" }, { newest: null }, { now: 900_000, to: 900_000 }, { firing: null }, { blank: true }]) {
    assert.equal(judging.judge({ ...known, ...change }).level, "unknown", JSON.stringify(change));
  }
});

test("a bad number is told also where no alert is about it", () => {
  const found = judging.judge({ ...known, bad: ["Rejected records"] });
  assert.deepEqual([found.level, found.text], ["warn", "No alert fires, but look at: Rejected records"]);
  assert.equal(judging.judge({ ...known, firing: [alert("critical")], bad: ["Rejected records"] }).text, "1 critical alert fires");
});

test("a time without data was not right, and one before the newest data is judged by its alerts", () => {
  const past = { ...known, live: false };
  assert.equal(judging.judge({ ...past, to: 50_000 }).level, "good");
  assert.equal(judging.judge({ ...past, to: 900_000, now: 900_000 }).level, "unknown");
  assert.equal(judging.judge({ ...past, to: 50_000, blank: true }).level, "unknown");
});

test("the verdict names the worst first", () => {
  const found = judging.judge({ ...known, firing: [alert("warning", 9), alert("critical", 1), alert("critical", 5)] });
  assert.deepEqual([found.level, found.text, found.detail, found.alert.began], ["bad", "2 critical alerts fire", "and 1 warning", 5]);
  assert.equal(judging.judge({ ...known, firing: [alert("warning")] }).text, "1 warning fires");
});

test("time under several warnings counts once", () => {
  const spans = [{ ...alert("critical"), began: 0, ended: 50 }, { ...alert("warning"), began: 25, ended: 75 }, { ...alert("info"), began: 0, ended: null }];
  assert.equal(judging.strip(spans, 0, 100).share, 0.25);
});

test("silence is told once it is longer than usual", () => {
  const often = new freshness.Freshness();
  for (let time = 0; time <= 50_000; time += 5_000) often.hear(time, time);
  assert.equal(often.quiet(60_000), null);
  assert.equal(often.quiet(75_000), 25_000);
  const seldom = new freshness.Freshness();
  for (let time = 0; time <= 300_000; time += 60_000) seldom.hear(time, time);
  assert.equal(seldom.quiet(340_000), null);
});

test("tries come further and further apart, and never more than some seconds", () => {
  assert.deepEqual([0, 1, 2, 9].map((tries) => freshness.backOff(tries, 0.5)), [500, 1000, 2000, 10_000]);
});
