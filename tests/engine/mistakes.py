"""Mistakes in a workflow file, one a line: what is edited in a file that is right, and the finding that tells it."""

from __future__ import annotations

BASE = """\
workflow: lstm
streams:
  notify: {topic: notify, decode: sensors}
  input: {topic: lstm-input, decode: json, time: at, key: id}
monitors:
  - {use: throughput, from: notify}
  - {use: resources, from: notify}
  - {use: threshold, from: input, with: {field: temperature, above: 40}}
alerts:
  - {alert: CpuSaturated, when: cpu_utilization > 0.9, for: 10m, severity: warning}
archive: {topic: archive}
plugins: [./plugins]
"""

STREAM = "  notify: {topic: notify, decode: sensors"
INPUT = "  input: {topic: lstm-input, decode: json, time: at, key: id"
FIRST = "  - {use: throughput, from: notify"
SECOND = "  - {use: resources, from: notify"
THIRD = "  - {use: threshold, from: input, with: {field: temperature, above: 40}"
TWIN = "  - {use: threshold, from: metrics, with: {metric: memory_bytes, above: 1, alert: Full}"
ALERT = "  - {alert: CpuSaturated, when: cpu_utilization > 0.9, for: 10m, severity: warning"

MISTAKES = [
    # --- the top
    ("workflow: lstm", "workflow: 12", 1, "workflow", 'expected text, got 12; quote it: "12"'),
    (
        "workflow: lstm",
        "workflow: a b",
        1,
        "workflow",
        'expected at most 200 letters, digits, "-", "_" or ".", got "a b"',
    ),
    ("workflow: lstm\n", "", 1, "workflow", "this key is required; for example lstm"),
    ("workflow: lstm", "workflow:", 1, "workflow", "expected text, got nothing"),
    ("workflow: lstm", "workflow: no", 1, "workflow", 'write true or false, or as a quoted text: "no"'),
    ("workflow: lstm", "workflow: 012", 1, "workflow", "a number with a leading zero"),
    ("workflow: lstm", "workflow: &x lstm", 1, "workflow", 'the anchor "x"'),
    ("workflow: lstm", "workflow:\tlstm", 1, "file", "a tab (column 10)"),
    ("archive: {topic: archive}\n", "", 1, "archive", "this key is required"),
    ("archive: {", "archives: {topic: a}\narchive: {", 11, "archives", "unknown key. It takes: alerts, archive"),
    ("archive: {", "archives: {topic: a}\narchive: {", 11, "archives", 'Did you mean "archive"?'),
    (
        "{topic: archive}",
        "{topc: archive, topic: archive}",
        11,
        "archive.topc",
        'It takes: topic. Did you mean "topic"?',
    ),
    ("{topic: archive}", "archive", 11, "archive", 'expected a map, got "archive"'),
    ("{topic: archive}", "{topic: a/b}", 11, "archive.topic", "expected a topic name: at most 249 letters"),
    ("{topic: archive}", "{topic: ..}", 11, "archive.topic", "expected a topic name"),
    ("{topic: archive}", f"{{topic: {'a' * 250}}}", 11, "archive.topic", "expected a topic name"),
    ("{topic: archive}", "{topic: notify}", 11, "archive.topic", "is read by the stream notify; choose another"),
    ("plugins:", "rejects: {topic: archive}\nplugins:", 12, "rejects.topic", "is that of the archive"),
    ("plugins:", "repeat: 5x\nplugins:", 12, "repeat", "expected a duration such as 500ms, 60s, 10m, 1h, 7d"),
    ("plugins:", "repeat: 0\nplugins:", 12, "repeat", 'expected a duration above 0, or "off"'),
    ("plugins:", "repeat: 1:30\nplugins:", 12, "repeat", "a number to base 60"),
    ("plugins:", "engines: {a-b: 7}\nplugins:", 12, "engines.a-b", 'expected text, got 7; quote it: "7"'),
    ("plugins:", "engines: {7: lstm}\nplugins:", 12, "engines.7", "expected a text as the key of a map, got 7"),
    ("plugins:", "engines: [lstm]\nplugins:", 12, "engines", "expected a map, got a list"),
    ("plugins:", "workflow: other\nplugins:", 12, "workflow", "a duplicate key; it stands at line 1 already"),
    ("[./plugins]", "[./plugins, ./none]", 12, "plugins[1]", "there is no folder"),
    ("[./plugins]", "./plugins", 12, "plugins", 'expected a list, got "./plugins"'),
    # --- streams
    ("topic: notify", "topik: notify, topic: notify", 3, "streams.notify.topik", 'Did you mean "topic"?'),
    ("topic: notify, ", "", 3, "streams.notify.topic", "this key is required"),
    ("topic: notify", "topic: lstm-input", 4, "streams.input.topic", "is read by the stream notify already"),
    ("  input:", "  metrics:", 4, "streams.metrics", "metrics names what other monitors emit"),
    ("  input:", "  in put:", 4, 'streams["in put"]', "expected a name of at most 200 letters"),
    (STREAM, "  spare: 7\n" + STREAM, 3, "streams.spare", "expected a map of ahead, decode"),
    ("decode: sensors", "decode: sensor", 3, "streams.notify.decode", 'unknown decoder "sensor". There are: '),
    ("decode: sensors", "decode: sensor", 3, "streams.notify.decode", 'Did you mean "sensors"?'),
    ("decode: sensors", "decode: awry", 3, "streams.notify.decode", "awry refuses this stream: ZeroDivisionError"),
    (INPUT, INPUT + ", unit: sec", 4, "streams.input.unit", 'expected "s", "ms", "us" or "ns", got "sec"'),
    (INPUT, INPUT + ", zone: Europe/Berln", 4, "streams.input.zone", 'Did you mean "Europe/Berlin"?'),
    (INPUT, INPUT + ", zone: ../zone", 4, "streams.input.zone", 'unknown zone "../zone"; expected an IANA name'),
    (INPUT, INPUT + ", repartition: two", 4, "streams.input.repartition", 'expected "one" or "key", got "two"'),
    (", key: id", ", repartition: key", 4, "streams.input.repartition", "expected key: too"),
    (", key: id", ", key: [id, 7]", 4, "streams.input.key", "expected the name of a field or a list of names"),
    (INPUT, INPUT + ", lateness: off", 4, "streams.input.lateness", "expected a duration"),
    (INPUT, INPUT + ", schema: none.json", 4, "streams.input.schema", "cannot read"),
    (INPUT, INPUT + ", schema: plugins", 4, "streams.input.schema", "cannot read"),
    (INPUT, INPUT + ", schema: broken.json", 4, "streams.input.schema", "broken.json:2: expected JSON"),
    (INPUT, INPUT + ", schema: large.json", 4, "streams.input.schema", "is larger than 1048576 bytes"),
    (INPUT, INPUT + ", schema: list.json", 4, "streams.input.schema", "expected a JSON Schema"),
    (INPUT, INPUT + ", schema: latin.json", 4, "streams.input.schema", "expected JSON in UTF-8"),
    (INPUT, INPUT + ", schema: deep.json", 4, "streams.input.schema", "nested too deep"),
    (INPUT, INPUT + ", schema: wrong.json", 4, "streams.input.schema", "nothing"),
    (STREAM, STREAM + ", schema: true.json", 3, "streams.notify.decode", "leave `schema:` out"),
    # --- monitors
    (FIRST, FIRST + ", form: x", 6, "monitors[0].form", "unknown key. It takes: forget_after, from"),
    ("{use: throughput, from", "{from", 6, "monitors[0].use", "this key is required; for example throughput"),
    ("throughput, from: notify", "throughput", 6, "monitors[0].from", "this key is required"),
    (FIRST + "}", "  - throughput", 6, "monitors[0]", 'got "throughput"'),
    ("use: throughput", "use: thruput", 6, "monitors[0].use", 'unknown monitor "thruput". There are: '),
    ("use: throughput", "use: thruput", 6, "monitors[0].use", 'Did you mean "throughput"?'),
    (
        "use: throughput",
        "use: broken",
        6,
        "monitors[0].use",
        "fails to import: NameError: name 'nothing' is not defined (",
    ),
    ("use: throughput", "use: resources", 7, "monitors[1].use", "is taken by monitors[0] at line 6"),
    (SECOND, SECOND + ", name: throughput", 7, "monitors[1].name", 'the name "throughput" is taken by monitors[0]'),
    (SECOND, SECOND + ", name: CpuSaturated", 10, "alerts[0].alert", 'the name "CpuSaturated" is taken by monitors[1]'),
    (SECOND, SECOND + ", name: a b", 7, "monitors[1].name", 'expected letters, digits, "-", "_", "." or ":"'),
    ("throughput, from: notify", "throughput, from: notfy", 6, "monitors[0].from", 'Did you mean "notify"?'),
    ("throughput, from: notify", "throughput, from: [notify]", 6, "monitors[0].from", "expected the name of a stream"),
    ("throughput, from: notify", "throughput, from: {a: notify}", 6, "monitors[0].from", "throughput reads one stream"),
    (
        "throughput, from: notify",
        "throughput, from: input",
        6,
        "monitors[0].from",
        "expected a stream with decode: sensors",
    ),
    ("throughput, from: notify", "throughput, from: metrics", 6, "monitors[0].from", "so it could read what it emits"),
    (
        "throughput, from: notify",
        "rows, from: metrics",
        6,
        "monitors[0].from",
        "rows reads dict, which metrics are not",
    ),
    (THIRD, THIRD.replace("input", "metrics"), 8, "monitors[2].with.field", "metrics have no fields"),
    (
        FIRST,
        FIRST + ", with: {count: total}",
        6,
        "monitors[0].with.count",
        "unknown option of throughput. It takes: counts.",
    ),
    (FIRST, FIRST + ", with: {count: total}", 6, "monitors[0].with.count", 'Did you mean "counts"?'),
    (
        FIRST,
        FIRST + ", with: {counts: totl}",
        6,
        "monitors[0].with.counts",
        'expected "interval" or "total", got "totl"',
    ),
    (FIRST, FIRST + ", with: {counts: no}", 6, "monitors[0].with.counts", "a truth value to some YAML readers"),
    (FIRST, FIRST + ", with: [a]", 6, "monitors[0].with", "expected a map, got a list"),
    ("above: 40", "above: high", 8, "monitors[2].with.above", 'expected a number, got "high"'),
    ("above: 40", "above: 40, for: 10", 0, "", ""),
    ("above: 40", "above: 40, for: soon", 8, "monitors[2].with.for", "expected a duration such as"),
    ("above: 40", "above: 40, below: 1", 8, "monitors[2].with", "expected exactly one of above, below and outside"),
    ("above: 40", "above: 40, inclusive: off", 8, "monitors[2].with.inclusive", 'expected true or false, got "off"'),
    ("above: 40", "outside: [1]", 8, "monitors[2].with.outside[1]", "one more entry is required"),
    ("above: 40", "outside: [1, x]", 8, "monitors[2].with.outside[1]", 'expected a number, got "x"'),
    ("use: throughput", "use: odd, with: {limit: 11}", 6, "monitors[0].with.limit", "expected at most 10, got 11"),
    (
        "use: throughput",
        "use: odd, with: {limit: 1.5}",
        6,
        "monitors[0].with.limit",
        "expected a whole number, got 1.5",
    ),
    (
        "use: throughput",
        "use: odd, with: {limit: 7}",
        6,
        "monitors[0].with",
        "odd refuses its options: seven is too odd",
    ),
    (
        "use: throughput",
        "use: odd, with: {limit: 8}",
        6,
        "monitors[0].with",
        "odd refuses its options: ZeroDivisionError",
    ),
    ("use: throughput", "use: odd", 6, "monitors[0].with.limit", "this option of odd is required"),
    (
        "use: throughput",
        "use: odd, with: {limit: 1, inner: {dept: 1}}",
        6,
        "monitors[0].with.inner.dept",
        "It takes: depth.",
    ),
    (
        "use: throughput",
        "use: odd, with: {limit: 1, either: []}",
        6,
        "monitors[0].with.either",
        "expected text or a whole number",
    ),
    (
        "use: throughput",
        "use: odd, with: {limit: 1, inners: [{}, {dept: 1}]}",
        6,
        "monitors[0].with.inners[1].dept",
        "It takes: depth.",
    ),
    ("use: throughput", "use: slips", 6, "monitors[0].use", "emits: expected a tuple of MetricSpec and AlertSpec"),
    (
        "use: throughput",
        "use: late_slips",
        6,
        "monitors[0].with",
        "late_slips cannot be used: series: expected a tuple",
    ),
    ("use: throughput", "use: scopeless", 6, "monitors[0].use", "scopeless cannot be used: scope_on raises KeyError"),
    (FIRST, FIRST + ", tags: {time: a}", 6, "monitors[0].tags.time", "the tag time is the engine's own"),
    (FIRST, FIRST + ", tags: {slot: a}", 6, "monitors[0].tags.slot", "a part of the monitor's key"),
    (FIRST, FIRST + ", tags: {build: 1.10}", 6, "monitors[0].tags.build", 'expected text, got 1.10; quote it: "1.10"'),
    (FIRST, FIRST + ', tags: {build: ""}', 6, "monitors[0].tags.build", 'expected text that is not empty, got ""'),
    (FIRST, FIRST + ', tags: {"a b": c}', 6, 'monitors[0].tags["a b"]', "expected a letter, then at most 199"),
    (FIRST, FIRST + ", forget_after: 0", 6, "monitors[0].forget_after", "expected a duration above 0"),
    (FIRST, FIRST + ", max_series: 0", 6, "monitors[0].max_series", "expected at least 1, got 0"),
    # --- alerts
    ("alert: CpuSaturated", "alert: cpu_saturated", 10, "alerts[0].alert", "expected CamelCase such as CpuSaturated"),
    (
        "cpu_utilization > 0.9",
        "cpu_utilization = 0.9",
        10,
        "alerts[0].when",
        "expected METRIC, one of > >= < <=, and NUMBER",
    ),
    ("cpu_utilization > 0.9", "cpu_utilization > high", 10, "alerts[0].when", "expected METRIC"),
    ("cpu_utilization > 0.9", "cpu_utilization > 1e999", 10, "alerts[0].when", "expected METRIC"),
    (
        "cpu_utilization > 0.9",
        "cpu_utilisation > 0.9",
        10,
        "alerts[0].when",
        "no monitor of this workflow emits the metric",
    ),
    ("cpu_utilization > 0.9", "cpu_utilisation > 0.9", 10, "alerts[0].when", 'Did you mean "cpu_utilization"?'),
    ("for: 10m", "for: 10 minutes", 10, "alerts[0].for", "expected a duration"),
    ("for: 10m", "since: 10m", 10, "alerts[0].since", "unknown key. It takes: alert, for"),
    ("severity: warning", "severity: warn", 10, "alerts[0].severity", 'Did you mean "warning"?'),
    (
        "severity: warning",
        "runbook: Read Me",
        10,
        "alerts[0].runbook",
        "expected the name of a page such as cpu-saturated",
    ),
    ("severity: warning", "tags: {engine: a}", 10, "alerts[0].tags.engine", "a part of the monitor's key"),
    (
        ALERT + "}\n",
        (ALERT + "}\n") * 2,
        11,
        "alerts[1].alert",
        'the name "CpuSaturated" is taken by alerts[0] at line 10',
    ),
    (ALERT + "}", "  - 7", 10, "alerts[0]", "expected a map of alert, for"),
    (
        "alert: CpuSaturated",
        "alert: ValueOutOfBounds",
        10,
        "alerts[0].alert",
        "monitors[2] (threshold) has an alert of this name",
    ),
    # --- YAML
    ("streams:", "streams: &all", 2, "streams", "the anchor"),
    (FIRST, "  - {<<: {a: b}, use: throughput, from: notify", 6, "monitors[0]", "the merge key <<"),
    (FIRST, "\t- {use: throughput, from: notify", 6, "file", "a tab (column 1)"),
    ("plugins:", "---\nplugins:", 12, "file", "a second document"),
]

WARNINGS = [
    (STREAM, STREAM + ", time: at", 3, "streams.notify.time", "takes the time from the record itself; leave time out"),
    (STREAM, STREAM + ", unit: ms", 3, "streams.notify.unit", "leave unit out"),
    (STREAM, STREAM + ", key: id", 3, "streams.notify.key", "keys its records by src; leave key out"),
    ("time: at", "unit: ms", 4, "streams.input.unit", "unit has no effect without time"),
    (STREAM, "  spare: {topic: spare, decode: json}\n" + STREAM, 3, "streams.spare", "no monitor reads this stream"),
    (
        "alerts:",
        f"{TWIN}, name: a}}\n{TWIN}, name: b}}\nalerts:",
        10,
        "monitors[4]",
        "its alert Full cannot be told apart from that",
    ),
]
