"""What is drawn of queries: panels, sections and boards, as data; no words of Grafana and no text of a query."""

from __future__ import annotations

from typing import Literal, Protocol

import msgspec

from engine.catalogue import Spec
from grafana.alert_queries import ChangeCount, Changes, Firing, FiringCount
from grafana.queries import Choices, Counted, Query, Ratio

Kind = Literal["stat", "gauge", "bars", "pie", "lines", "columns", "states", "alerts"]
Asked = Query | Ratio | Counted | Firing | FiringCount | Changes | ChangeCount


class Zones(msgspec.Struct, frozen=True):
    """From where on a number is worth a look, and from where on it is bad; warn > bad where higher is better."""

    warn: float
    bad: float | None = None


class Panel(msgspec.Struct, frozen=True, kw_only=True):
    """One picture."""

    title: str
    description: str
    """A sentence; of a metric its help text."""
    kind: Kind
    asks: tuple[Asked, ...]
    unit: str = ""
    """As the catalogue names it."""
    zones: Zones | None = None
    values: tuple[tuple[float, str], ...] = ()
    """Texts of the numbers where they are codes."""
    stacked: bool = False
    width: int = 8
    """Of 24."""
    height: int = 8


class Section(msgspec.Struct, frozen=True):
    """Panels under a heading, laid out from left to right and top to bottom."""

    title: str
    panels: tuple[Panel, ...]
    folded: bool = False


class Variable(msgspec.Struct, frozen=True):
    """What can be chosen on a board: values of a tag, by default all."""

    title: str
    choices: Choices


class Board(msgspec.Struct, frozen=True, kw_only=True):
    """One page of panels."""

    uid: str
    title: str
    description: str
    variables: tuple[Variable, ...]
    sections: tuple[Section, ...]
    hours: int = 12
    """What it shows when it is opened: the last so many hours."""

    @property
    def panels(self) -> tuple[Panel, ...]:
        """All its panels, in the order in which they are laid out."""
        return tuple(panel for section in self.sections for panel in section.panels)


class Declared(Protocol):
    """An entry of the catalogue: what may be emitted, by whom, and the tags that tell its series apart."""

    @property
    def spec(self) -> Spec:
        """The declaration."""

    @property
    def monitors(self) -> tuple[str, ...]:
        """Who emits it."""

    @property
    def tags(self) -> tuple[str, ...]:
        """Tags of its series, beside workflow, monitor and model."""


def metrics_of(asked: Asked) -> tuple[str, ...]:
    """Name the metrics that a panel asks for; alerts are none."""
    if isinstance(asked, Query):
        return (asked.metric,)
    if isinstance(asked, Ratio):
        return asked.above.metric, asked.below.metric
    return (asked.of.metric,) if isinstance(asked, Counted) else ()
