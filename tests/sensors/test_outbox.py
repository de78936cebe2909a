from __future__ import annotations

import threading

from sensors.outbox import BATCH_BYTES, BATCH_MESSAGES, Outbox


def texts(*numbers: int) -> list[bytes]:
    """Make messages that can be told apart."""
    return [str(number).encode() for number in numbers]


def test_messages_leave_in_order() -> None:
    """What came first is taken first."""
    outbox = Outbox()
    outbox.put(texts(1, 2))
    outbox.put(texts(3))

    assert outbox.take() == (b"1", b"2", b"3")
    assert len(outbox) == 0


def test_the_oldest_reports_leave_first_and_states_stay() -> None:
    """When too many wait, reports make room, the oldest first; they are counted."""
    outbox = Outbox(4)
    outbox.put(texts(1))
    outbox.put([b"init"], kept=True)
    outbox.put(texts(2, 3))
    outbox.put([b"error"], kept=True)
    outbox.put(texts(4))

    assert outbox.dropped == 2
    assert outbox.take() == (b"init", b"3", b"error", b"4")


def test_where_only_states_wait_the_oldest_state_leaves() -> None:
    """The bound holds for states too."""
    outbox = Outbox(2)
    for state in (b"init", b"running", b"error"):
        outbox.put([state], kept=True)

    assert (outbox.take(), outbox.dropped) == ((b"running", b"error"), 1)


def test_the_bytes_that_wait_are_bounded() -> None:
    """Large messages make room as well, however few they are."""
    outbox = Outbox(1000, 10_000)
    for _ in range(50):
        outbox.put([bytes(1000)])

    assert (len(outbox), outbox.dropped) == (10, 40)


def test_a_batch_is_bounded() -> None:
    """One batch has at most so many messages and so many bytes, but always one message."""
    many, large = Outbox(), Outbox()
    many.put([b"x"] * (BATCH_MESSAGES + 1))
    large.put([bytes(BATCH_BYTES * 2), bytes(BATCH_BYTES), b"x"])

    assert [len(many.take()), len(many.take())] == [BATCH_MESSAGES, 1]
    assert [len(large.take()), len(large.take()), len(large.take())] == [1, 1, 1]


def test_take_waits_until_something_comes_and_ends_when_closed() -> None:
    """The one that sends sleeps while there is nothing, and is told the end by an empty batch."""
    outbox, taken = Outbox(), []

    def taking() -> None:
        while batch := outbox.take():
            taken.append(batch)

    thread = threading.Thread(target=taking)
    thread.start()
    outbox.put(texts(1))
    outbox.put(texts(2))
    outbox.close()
    thread.join(20)

    assert not thread.is_alive()
    assert [text for batch in taken for text in batch] == texts(1, 2)
