from __future__ import annotations

from engine.events import Message
from engine.kafka.batch import PIECE_MESSAGES, Batch


def test_pieces_cover_what_the_batch_covers() -> None:
    """A batch that is cut begins and ends where it did, holes and lost offsets stay where they were, once."""
    offsets = [*range(7, PIECE_MESSAGES), *range(PIECE_MESSAGES + 3, 3 * PIECE_MESSAGES)]
    batch = Batch("t", 1, 5, [Message("t", 1, offset, None, None, b"") for offset in offsets], lost_until=7)
    pieces = list(batch.pieces())

    assert [message for piece in pieces for message in piece.messages] == batch.messages
    assert max(len(piece.messages) for piece in pieces) == PIECE_MESSAGES
    assert [piece.first for piece in pieces] == [5, *(piece.last + 1 for piece in pieces[:-1])]
    assert pieces[-1].last == batch.last
    assert [piece.lost_until for piece in pieces] == [7, 0, 0]
    assert sum(piece.skipped for piece in pieces) == batch.skipped == 5
