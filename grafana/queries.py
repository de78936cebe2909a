"""What a panel asks a store: metrics by tags and time, as data; written for InfluxDB (`influxql`) and SQLite (`sql`).

Nothing here knows how a panel looks. Texts of InfluxQL hold the blanks of Grafana: `$timeFilter`, `$__interval`,
`${__to}` and the variables of the board; SQL has named parameters. `grafana.filling` fills both.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from grafana import sql

Aggregate = Literal["mean", "min", "max", "sum", "last", "count", "rate"]
Across = Literal["mean", "min", "max", "sum"]

DAY: Final = 86_400
"""How far panels of a present state look back, in seconds."""
_FINEST: Final = 10
_COMBINED: Final = 60
_EACH: Final = '"each"'
_VALUE: Final = '"value"'
_LOW: Final = '"low"'
_HIGH: Final = '"high"'


class Where(msgspec.Struct, frozen=True):
    """A condition on a tag: one of the values that the board's variable of that name holds, or a fixed value."""

    tag: str
    value: str | None = None
    differs: bool = False
    """With a value: the tag has any other, or is not there."""

    def influxql(self) -> str:
        """Write the condition.

        >>> Where("engine").influxql()
        '"engine" =~ /^${engine:regex}$/'
        >>> print(Where("outcome", "applied", differs=True).influxql())
        "outcome" != 'applied'
        """
        if self.value is None:
            return f"{name(self.tag)} =~ /^${{{self.tag}:regex}}$/"
        return f"{name(self.tag)} {'!=' if self.differs else '='} {text(self.value)}"

    def sql(self) -> str:
        """Write the condition on the table of series.

        >>> print(Where("outcome", "applied", differs=True).sql())
        coalesce(json_extract(tags, '$."outcome"'), '') <> 'applied'
        """
        return sql.condition(self)


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """Numbers of one metric: which series, how the samples of an interval become one number, and when.

    >>> Query(metric="memory_bytes", group_by=("engine",), aggregate="last", interval=None).influxql()
    'SELECT last("value") AS "value" FROM "memory_bytes" WHERE $timeFilter GROUP BY "engine"'
    """

    metric: str
    where: tuple[Where, ...] = ()
    group_by: tuple[str, ...] = ()
    """Tags: one line, bar or number for each of their values."""
    aggregate: Aggregate = "mean"
    """Makes one number of the samples of an interval; `rate` is the growth a second of a counter, restarts left out."""
    across: Across | None = None
    """Takes each series by itself first, and then all of a group together; None pools their samples."""
    interval: int | Literal["auto"] | None = "auto"
    """Seconds; `auto` is as fine as the picture can show; None makes one number of the whole time."""
    look_back: int | None = None
    """Seconds before the end of the chosen time; None: the chosen time."""
    top: int | None = None
    """At most so many groups, those with the largest numbers; needs `interval` None."""
    scale: float = 1

    def __post_init__(self) -> None:
        """Refuse what has no meaning."""
        if self.aggregate == "rate" and self.interval is None:
            raise ValueError(f"{self.metric}: a rate needs an interval")
        if self.top is not None and (self.interval is not None or not self.group_by):
            raise ValueError(f"{self.metric}: top needs groups, and no interval")

    @property
    def finest(self) -> int:
        """Seconds that an interval has at least: where series are combined, each must have a sample in it."""
        return _COMBINED if self.needs_whole else _FINEST

    @property
    def needs_whole(self) -> bool:
        """Whether its number is too low while an interval is open: growth goes on, and some series have yet to tell."""
        return self.across is not None or self.aggregate == "rate"

    @property
    def has_envelope(self) -> bool:
        """Whether the least and the greatest sample of an interval can be drawn around its number."""
        return self.aggregate == "mean" and self.across is None and self.top is None

    def influxql(self, *, envelope: bool = False) -> str:
        """Write it as one InfluxQL statement, each identifier in quotes.

        Args:
            envelope: give the least and the greatest sample too, as `low` and `high`, where it has an envelope.
        """
        if self.top is None:
            return self._grouped(envelope=envelope and self.has_envelope)
        tags = ", ".join(map(name, self.group_by))
        return f"SELECT top({_VALUE}, {tags}, {self.top}) AS {_VALUE} FROM ({self._grouped()})"

    def sql(self, *, summaries: bool = False, envelope: bool = False) -> str:
        """Write it as one SQL statement for the SQLite store: the tags of `group_by`, then time and value.

        Args:
            summaries: read whole five minutes from the table of summaries; intervals must be multiples of them.
            envelope: as in `influxql`.
        """
        return sql.numbers(self, summaries=summaries, envelope=envelope and self.has_envelope)

    def _grouped(self, *, envelope: bool = False) -> str:
        when = during(self.look_back)
        conditions = " AND ".join([when, *(item.influxql() for item in self.where)])
        source = f"{name(self.metric)} WHERE {conditions}"
        if self.across is None and self.aggregate != "rate":
            numbers = [self._scaled(f"{self.aggregate}({_VALUE})")]
            if envelope:
                numbers += [self._scaled(f"min({_VALUE})", _LOW), self._scaled(f"max({_VALUE})", _HIGH)]
            return f"SELECT {', '.join(numbers)} FROM {source}{self._by(*self.group_by)}"
        each = f"SELECT {self._each()} AS {_EACH} FROM {source}{self._by('*')}"
        combined = self._scaled(f"{self.across or 'sum'}({_EACH})")
        return f"SELECT {combined} FROM ({each}) WHERE {when}{self._by(*self.group_by)}"

    def _each(self) -> str:
        if self.aggregate == "rate":
            return f"non_negative_derivative(max({_VALUE}), 1s)"
        return f"{self.aggregate}({_VALUE})"

    def _scaled(self, number: str, called: str = _VALUE) -> str:
        return f"{number}{'' if self.scale == 1 else f' * {self.scale:g}'} AS {called}"

    def _by(self, *tags: str) -> str:
        quoted = [tag if tag == "*" else name(tag) for tag in tags]
        if self.interval is None:
            return f" GROUP BY {', '.join(quoted)}" if quoted else ""
        width = "$__interval" if self.interval == "auto" else f"{self.interval}s"
        return f" GROUP BY {', '.join([f'time({width})', *quoted])} fill(none)"


class Ratio(msgspec.Struct, frozen=True):
    """Two queries with the same groups, divided where they are drawn."""

    above: Query
    below: Query


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """How many groups of a query have one of some values; no answer means none."""

    of: Query
    values: tuple[float, ...]

    def influxql(self) -> str:
        """Write it as one InfluxQL statement."""
        wanted = " OR ".join(f"{_VALUE} = {value:g}" for value in self.values)
        return f"SELECT count({_VALUE}) AS {_VALUE} FROM ({self.of.influxql()}) WHERE {wanted}"

    def sql(self, *, summaries: bool = False) -> str:
        """Write it as one SQL statement; `summaries` as in a query."""
        return sql.counted(self.of.sql(summaries=summaries), self.values)


class Choices(msgspec.Struct, frozen=True):
    """The values of a tag, for a variable of a board."""

    tag: str
    where: tuple[Where, ...] = ()

    def influxql(self) -> str:
        """Write it as one InfluxQL statement, which asks the index and no points."""
        conditions = " AND ".join(item.influxql() for item in self.where)
        return f"SHOW TAG VALUES WITH KEY = {name(self.tag)}{f' WHERE {conditions}' if conditions else ''}"

    def sql(self) -> str:
        """Write it as one SQL statement, which asks the table of series."""
        return sql.choices(self.tag, self.where)


def during(look_back: int | None) -> str:
    """Write the condition on time: the chosen time, or the seconds before its end."""
    return "$timeFilter" if look_back is None else f"time > ${{__to}}ms - {look_back}s AND time <= ${{__to}}ms"


def name(identifier: str) -> str:
    r"""Quote an identifier.

    >>> print(name('a "b"'))
    "a \"b\""
    """
    escaped = identifier.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def text(value: str) -> str:
    r"""Quote a text.

    >>> print(text("it's"))
    'it\'s'
    """
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
