"""Which file of a workflow is the newest: each that has run has a number, in the order in which they came.

The list of them lies in every partition of the state topic. It is changed by one who has fenced all others, in one
transaction, so a number is given once. Watermarks hold the number of the file whose worker wrote them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from engine.kafka.clients import Kafka, ProducerFenced
from engine.kafka.starts import begin_at_end, watermarks_in
from engine.kafka.topics import group_id, groups_on, state_topic
from engine.plan import Plan

NAME: Final = b'["","revisions"]'
"""The name of the list among the states; no group is called so."""
KEPT: Final = 1_000
"""Files that are known; one that is older than so many counts as new."""


class Outdated(Exception):  # noqa: N818 - a state
    """The workflow file has been followed by another; says what to do."""


class Revisions(msgspec.Struct, frozen=True, array_like=True):
    """The files that have run a workflow."""

    hashes: tuple[str, ...] = ()
    """Of the files, the newest last."""
    groups: tuple[str, ...] = ()
    """What the newest one has."""
    forgotten: int = 0
    """Files before those that are kept."""

    @property
    def newest(self) -> int:
        """The number of the newest file; 0 where none has run."""
        return self.forgotten + len(self.hashes)

    def number(self, file: str) -> int | None:
        """Give the number of a file; None for one that has not run."""
        return self.forgotten + self.hashes.index(file) + 1 if file in self.hashes else None

    def followed(self, file: str, groups: Iterable[str]) -> Revisions:
        """Give the list with one more file."""
        whole = (*self.hashes, file)
        kept = whole[-KEPT:]
        return Revisions(kept, tuple(sorted(groups)), self.forgotten + len(whole) - len(kept))


def revisions_in(records: Mapping[bytes, bytes]) -> Revisions:
    """Find the list among the records of one partition of the state topic."""
    data = records.get(NAME)
    return Revisions() if data is None else msgspec.msgpack.decode(data, type=Revisions)


def see_newest(plan: Plan, records: Mapping[bytes, bytes]) -> None:
    """See that no newer file of a workflow has run on a partition.

    Raises:
        Outdated: one has.
    """
    newest = max(revisions_in(records).newest, *(mark.revision for mark in watermarks_in(records).values()), 0)
    if newest > plan.revision:
        raise _outdated(plan, plan.revision, newest)


async def see_not_older(plan: Plan, kafka: Kafka) -> int | None:
    """See that a file is the newest that has run; gives its number, None where it has not run yet.

    Raises:
        Outdated: it has run, and another one since.
        KafkaError: the states cannot be read.
    """
    known = revisions_in(await kafka.read_all(state_topic(plan), 0))
    number = known.number(plan.hash)
    if number is not None and number < known.newest:
        raise _outdated(plan, number, known.newest)
    return number


async def numbered(plan: Plan, kafka: Kafka, partitions: Mapping[str, int]) -> Plan:
    """Give a plan its revision: the number that its file has, or the next one where it has not run yet.

    Args:
        plan: the workflow.
        kafka: where it runs.
        partitions: of each of its topics.

    Raises:
        Outdated: its file has run, and another one since.
        KafkaError: the states cannot be read or written.
    """
    while True:
        number = await see_not_older(plan, kafka)
        if number is not None:
            return msgspec.structs.replace(plan, revision=number)
        try:
            await _follow(plan, kafka, partitions)
        except ProducerFenced:  # another worker does the same at this moment
            continue


async def _follow(plan: Plan, kafka: Kafka, partitions: Mapping[str, int]) -> None:
    """Put the file of a plan on the list, as the newest, once its new groups have a watermark."""
    topic = state_topic(plan)
    states = kafka.states(topic, 0, f"{group_id(plan)}.revisions")
    try:
        await states.start()
        known = revisions_in(await kafka.read_all(topic, 0))
        if known.number(plan.hash) is not None:
            return
        groups = {group.name for group in groups_on(plan, partitions)}
        if known.hashes:
            await begin_at_end(plan, kafka, groups - {*known.groups})
        record = (NAME, msgspec.msgpack.encode(known.followed(plan.hash, groups)))
        await states.write([record], range(partitions[topic]))
    finally:
        await states.stop()


def _outdated(plan: Plan, number: int, newest: int) -> Outdated:
    return Outdated(
        f"the workflow file of {plan.workflow} is outdated: it is revision {number}, and revision {newest} has run; "
        "put the newer file in its place and send SIGHUP, or start again. A file that is to follow once more has to "
        "differ from all before, a comment will do"
    )
