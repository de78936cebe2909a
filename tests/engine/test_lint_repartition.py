"""What `check` says of `repartition`: where it cannot be, and where it is probably not meant."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from engine.workflow import check

FILE: Final = """\
workflow: shop
streams:
  notify: {topic: notify, decode: sensors%s}
  orders: {topic: %s, decode: json, key: id, repartition: %s}
  bills: {topic: bills, decode: json, key: id%s}
monitors:
  - {use: throughput, from: notify}
  - {use: %s, from: orders%s}
  - {use: prediction_divergence, from: {prediction: %s, truth: bills}, with: {threshold: 1}}
archive: {topic: archive}
"""


def said(folder: Path, **changes: str) -> list[str]:
    """Write a workflow file and give what is found, each as level, path and sentence."""
    words = {
        "notify": "",
        "topic": "orders",
        "kind": "one",
        "bills": "",
        "use": "arrival",
        "with": "",
        "prediction": "orders",
    } | changes
    path = folder / "shop.yaml"
    path.write_text(FILE % tuple(words.values()), encoding="utf-8")
    return [f"{finding.level} {finding.path}: {finding.message}" for finding in check(path)]


def test_what_needs_it_has_it(tmp_path: Path) -> None:
    """A whole stream, and joined streams that both say it, are as they should be."""
    assert said(tmp_path, bills=", repartition: one") == []


def test_a_joined_stream_may_be_copied_alone_by_its_key(tmp_path: Path) -> None:
    """The other one is keyed as it is."""
    by = ", with: {field: price, above: 1, by: id}"

    assert said(tmp_path, kind="key", use="threshold", **{"with": by}) == []


def test_nobody_needs_it(tmp_path: Path) -> None:
    """Monitors that follow the message key read the stream's own topic, so nothing would be copied."""
    (told,) = said(tmp_path, notify=", repartition: one", bills=", repartition: one")

    assert told.startswith("warning streams.notify.repartition: no monitor needs it")


def test_a_whole_stream_is_not_parted_by_its_key(tmp_path: Path) -> None:
    """A monitor that must see everything is named, with what to say instead."""
    (told,) = said(tmp_path, kind="key", bills=", repartition: key")

    assert told.startswith("warning streams.orders.repartition: arrival must see the whole stream")
    assert told.endswith("say repartition: one")


def test_one_of_two_joined_streams_is_not_enough(tmp_path: Path) -> None:
    """One partition and several cannot meet."""
    (told,) = said(tmp_path)

    assert told.startswith("error monitors[2].from: only orders says repartition: one")


def test_a_copy_has_a_topic_of_its_own(tmp_path: Path) -> None:
    """A stream that read its own copies would never end, and an archive is for emissions."""
    (read,) = said(tmp_path, topic="shop.orders.one", bills=", repartition: one")
    path = tmp_path / "shop.yaml"
    text = FILE % ("", "orders", "one", ", repartition: one", "arrival", "", "orders")
    path.write_text(text.replace("{topic: archive}", "{topic: shop.bills.one}"), encoding="utf-8")
    (written,) = check(path)

    said_of_it = 'its topic would be called "shop.orders.one", which is read by the stream orders; choose another'
    assert read == f"error streams.orders.repartition: {said_of_it}"
    assert written.path == "streams.bills.repartition"
    assert 'called "shop.bills.one", which is the topic of the archive' in written.message


def test_names_of_topics_have_an_end(tmp_path: Path) -> None:
    """Kafka takes 249 characters: the name of the workflow and that of the stream are in it."""
    path = tmp_path / "long.yaml"
    text = FILE % ("", "orders", "one", ", repartition: one", "arrival", "", "orders")
    path.write_text(text.replace("workflow: shop", f"workflow: {'w' * 200}").replace("orders", "o" * 60), "utf-8")

    assert ["has more than 249 characters" in one.message for one in check(path)] == [True]
