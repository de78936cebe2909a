"""Writes numbers of one metric as SQL for the SQLite store: series are found first, then their points by key.

Each statement is whole; its values are the named parameters of `grafana.filling.Blanks.parameters`. Columns of the
answer are those of `group_by`, then `time` (milliseconds) and `value`, and with an envelope `low` and `high`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, Protocol

SUMMED: Final = 300
"""Seconds of each line of the table `summaries`."""
MICROS: Final = 1_000_000
_OWN_COLUMNS: Final = frozenset({"workflow", "monitor", "model", "engine"})
_PARTS: Final = {
    "mean": ("total", "n"),
    "sum": ("total",),
    "count": ("n",),
    "min": ("least",),
    "max": ("greatest",),
    "rate": ("greatest",),
    "last": ("stamp", "value"),
}
"""Aggregate -> what has to be known of the points of an interval."""
_ENVELOPE: Final = ("least", "greatest")
_OF_A_POINT: Final = {"n": "1", "stamp": "time"}
_OF_A_SUMMARY: Final = {
    "total": "sum",
    "n": "count",
    "least": "min",
    "greatest": "max",
    "stamp": "last_time",
    "value": "last",
}
_FOLDED: Final = {
    "mean": "sum(total) / sum(n)",
    "sum": "sum(total)",
    "count": "sum(n)",
    "min": "min(least)",
    "max": "max(greatest)",
}


_OF_ALERTS: Final = {
    "alert": "CASE WHEN EXISTS (SELECT 1 FROM alerts WHERE series_id = id) THEN name ELSE '' END",
    "severity": "coalesce((SELECT severity FROM alerts WHERE series_id = id ORDER BY time DESC LIMIT 1), '')",
}
"""What is asked for like tags, though a series of the SQLite store has no tags of these names."""


class Condition(Protocol):
    """A condition on a tag, as `grafana.queries.Where` has it."""

    @property
    def tag(self) -> str:
        """The tag."""

    @property
    def value(self) -> str | None:
        """The fixed value; None: what is chosen on the board."""

    @property
    def differs(self) -> bool:
        """Whether it is any other."""


class Numbers(Protocol):
    """What `grafana.queries.Query` says."""

    @property
    def metric(self) -> str:
        """The name of the metric."""

    @property
    def where(self) -> Sequence[Condition]:
        """Which series."""

    @property
    def group_by(self) -> Sequence[str]:
        """Tags that tell lines apart."""

    @property
    def aggregate(self) -> str:
        """Makes one number of the samples of an interval."""

    @property
    def across(self) -> str | None:
        """Makes one number of those of the series."""

    @property
    def interval(self) -> int | str | None:
        """Seconds, `auto`, or None for the whole time."""

    @property
    def look_back(self) -> int | None:
        """Seconds before the end, or None for the chosen time."""

    @property
    def top(self) -> int | None:
        """So many of the largest."""

    @property
    def scale(self) -> float:
        """What each number is multiplied with."""


def numbers(asked: Numbers, *, summaries: bool, envelope: bool) -> str:
    """Write a query.

    Args:
        asked: the query.
        summaries: read whole five minutes from the table `summaries`; intervals have to be multiples of them.
        envelope: give the least and greatest value too; only without `across`.
    """
    tags = [f"t{number}" for number in range(len(asked.group_by))]
    parts = (*_PARTS[asked.aggregate], *(_ENVELOPE if envelope else ()))
    if asked.aggregate == "last" and asked.interval is None:
        steps = [_chosen(asked, summaries=False), f"newest AS ({_newest(asked)})"]
    else:
        steps = [_chosen(asked, summaries=summaries), f"part AS ({_part(asked, parts, summaries=summaries)})"]
    if asked.across or asked.aggregate in {"rate", "last"}:
        steps += _each(asked, tags)
    names = [f"{tag} AS {name(tag_name)}" for tag, tag_name in zip(tags, asked.group_by, strict=True)]
    order = commas(tags, "time")
    if asked.top:
        by_name = [tag for _, tag in sorted(zip(asked.group_by, tags, strict=True))]
        order = f"value DESC, {commas('time', by_name)} LIMIT {asked.top}"
    found = _folded(asked, tags, envelope=envelope)
    shown = commas(names, "time", "value", ("low", "high") if envelope else ())
    return f"WITH {commas(steps)} SELECT {shown} FROM ({found}) ORDER BY {order}"


def counted(of: str, values: Sequence[float]) -> str:
    """Count the lines of a statement that have one of some values; no line where there are none."""
    wanted = commas(repr(float(value)) for value in values)
    found = f"SELECT 1 FROM ({of}) WHERE value IN ({wanted})"
    return f"SELECT :end / 1000 AS time, count(*) AS value FROM ({found}) HAVING count(*) > 0"


def choices(named: str, where: Sequence[Condition]) -> str:
    """List the values of a tag, also of those that only alerts have; asks the series and no points."""
    found = _OF_ALERTS.get(named) or tag(named)
    conditions = [f"{found} <> ''", *(condition(item, _OF_ALERTS.get(item.tag)) for item in where)]
    return f"SELECT DISTINCT {found} AS value FROM series WHERE {' AND '.join(conditions)} ORDER BY value"


def _chosen(asked: Numbers, *, summaries: bool) -> str:
    """Find the series, with the tags that tell lines apart, and up to when their points are summed up."""
    shown = ["id", *(f"{tag(group)} AS t{number}" for number, group in enumerate(asked.group_by))]
    if summaries:
        newest = f"SELECT max(time) + {SUMMED * MICROS} FROM summaries WHERE series_id = id"
        shown.append(f"coalesce(({newest}), 0) AS summed")
    conditions = [f"name = {text(asked.metric)}", *map(condition, asked.where)]
    return f"chosen AS MATERIALIZED (SELECT {commas(shown)} FROM series WHERE {' AND '.join(conditions)})"


def _span(asked: Numbers) -> tuple[str, str]:
    """Give the first and the last microsecond."""
    back = asked.look_back
    return ":start" if back is None else f":end - {back * MICROS - 1}", ":end"


def _newest(asked: Numbers) -> str:
    first, last = _span(asked)
    newest = f"SELECT max(time) FROM points WHERE series_id = id AND time BETWEEN {first} AND {last}"
    return f"SELECT *, 0 AS slot, time AS stamp FROM chosen CROSS JOIN points ON series_id = id AND time = ({newest})"


def _part(asked: Numbers, parts: Sequence[str], *, summaries: bool) -> str:
    """Read what is known of points, or of whole five minutes that are summed up, and of the points around them."""
    first, last = _span(asked)
    own = ", ".join(f"{_OF_A_POINT.get(part, 'value')} AS {part}" for part in parts)
    if not summaries:
        return _read(asked, "points", own, f"BETWEEN {first} AND {last}")
    width = SUMMED * MICROS
    begin = f"({first} + {width - 1}) / {width} * {width}"
    stop = f"max({begin}, min(({last} + 1) / {width} * {width}, summed))"
    summed = ", ".join(f'"{_OF_A_SUMMARY[part]}" AS {part}' for part in parts)
    return " UNION ALL ".join(
        [
            _read(asked, "summaries", summed, f">= {begin} AND time < {stop}"),
            _read(asked, "points", own, f"BETWEEN {first} AND min({last}, {begin} - 1)"),
            _read(asked, "points", own, f"BETWEEN {stop} AND {last}"),
        ]
    )


def _read(asked: Numbers, table: str, parts: str, when: str) -> str:
    width = _width(asked)
    slot = f"time / {width}" if width else "0"
    return f"SELECT chosen.*, {slot} AS slot, {parts} FROM chosen CROSS JOIN {table} ON series_id = id AND time {when}"


def _width(asked: Numbers) -> str | None:
    """Give the microseconds of an interval."""
    if asked.interval is None:
        return None
    return ":interval" if asked.interval == "auto" else str(int(asked.interval) * MICROS)


def _each(asked: Numbers, tags: Sequence[str]) -> list[str]:
    """Make one number of each interval of each series."""
    shown = commas(tags, "slot")
    if asked.aggregate == "last":
        if asked.interval is None:
            return [f"each AS (SELECT {shown}, stamp, value AS each FROM newest)"]
        return [f"each AS (SELECT {shown}, max(stamp) AS stamp, value AS each FROM part GROUP BY id, slot)"]
    if asked.aggregate != "rate":
        return [f"each AS (SELECT {shown}, {_FOLDED[asked.aggregate]} AS each FROM part GROUP BY id, slot)"]
    most = f"most AS (SELECT id, {shown}, max(greatest) AS greatest FROM part GROUP BY id, slot)"
    grown = "greatest - lag(greatest) OVER run"
    passed = f"(slot - lag(slot) OVER run) * ({_width(asked)} / {MICROS}.0)"
    rates = f"SELECT {shown}, ({grown}) / ({passed}) AS each FROM most WINDOW run AS (PARTITION BY id ORDER BY slot)"
    return [most, f"each AS (SELECT * FROM ({rates}) WHERE each >= 0)"]


def _folded(asked: Numbers, tags: Sequence[str], *, envelope: bool) -> str:
    """Make one number of each interval of each group."""
    width = _width(asked)
    time = f"slot * {width} / 1000" if width else ":end / 1000"
    scale = "" if asked.scale == 1 else f" * {asked.scale!r}"
    groups = f" GROUP BY {commas(tags, 'slot')}"
    if asked.across is None and asked.aggregate == "last":
        stamp = time if width else "stamp / 1000"
        place = f"row_number() OVER (PARTITION BY {commas(tags, 'slot')} ORDER BY stamp DESC, each DESC)"
        ranked = f"SELECT *, {place} AS place FROM each"
        return f"SELECT {commas(tags, f'{stamp} AS time')}, each{scale} AS value FROM ({ranked}) WHERE place = 1"
    if asked.across or asked.aggregate == "rate":
        made = {"mean": "avg"}.get(asked.across or "sum", asked.across or "sum")
        return f"SELECT {commas(tags, f'{time} AS time')}, {made}(each){scale} AS value FROM each{groups}"
    bounds = f", min(least){scale} AS low, max(greatest){scale} AS high" if envelope else ""
    number = f"{_FOLDED[asked.aggregate]}{scale} AS value{bounds}"
    return f"SELECT {commas(tags, f'{time} AS time')}, {number} FROM part{groups}"


def condition(where: Condition, found: str | None = None) -> str:
    """Write a condition on a series, or on the text that stands for its tag."""
    found = found or tag(where.tag)
    if where.value is None:
        return f"(:{where.tag} IS NULL OR {found} IN (SELECT value FROM json_each(:{where.tag})))"
    return f"{found} {'<>' if where.differs else '='} {text(where.value)}"


def tag(named: str) -> str:
    """Write the value of a tag of a series, empty where it has none."""
    if named in _OWN_COLUMNS:
        return f"coalesce({named}, '')"
    if '"' in named or "\\" in named:
        return f"coalesce((SELECT atom FROM json_each(tags) WHERE key = {text(named)}), '')"
    path = text(f'$."{named}"')
    return f"coalesce(json_extract(tags, {path}), '')"


def name(identifier: str) -> str:
    """Quote an identifier."""
    escaped = identifier.replace('"', '""')
    return f'"{escaped}"'


def text(value: str) -> str:
    """Quote a text."""
    escaped = value.replace("'", "''")
    return f"'{escaped}'"


def commas(*texts: str | Iterable[str]) -> str:
    """List texts, and the texts of lists."""
    return ", ".join(part for given in texts for part in ([given] if isinstance(given, str) else given))
