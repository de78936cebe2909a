"""Makes a picture of a screen small: a PNG of at most 256 colours, as screens with charts have hardly more."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

_SIGN: Final = b"\x89PNG\r\n\x1a\n"
_COLOURS: Final = 256
_TURNS: Final = 8
_BYTES: Final = {2: 3, 6: 4}
"""Of the kinds of PNG that bpairers write: colours, and colours with opacity."""

Pixels = NDArray[np.uint8]


def smaller(png: bytes) -> bytes:
    """Give the same picture in at most 256 colours; the most frequent ones stay exactly what they are."""
    pixels = decoded(png)
    found, place, count = np.unique(pixels.reshape(-1, 3), axis=0, return_inverse=True, return_counts=True)
    palette, nearest = _chosen(found.astype(np.float64), count)
    return _encoded(palette, nearest[place.reshape(-1)].reshape(pixels.shape[:2]))


def decoded(png: bytes) -> Pixels:
    """Give the colours of each pixel of a picture as a bpairer writes it, opacity left out.

    Raises:
        ValueError: it is not such a picture.
    """
    parts = dict(_parts(png))
    width, height, depth, kind, _, _, interlaced = struct.unpack(">IIBBBBB", parts[b"IHDR"])
    if depth != 8 or kind not in _BYTES or interlaced:
        raise ValueError(f"a PNG of depth {depth} and kind {kind}; expected 8 bits of colours, not interlaced")
    size = _BYTES[kind]
    lines = np.frombuffer(zlib.decompress(parts[b"IDAT"]), np.uint8).reshape(height, 1 + width * size)
    whole = np.zeros((height + 1, (width + 1) * size), np.int64)
    for number, line in enumerate(lines):
        _undo(line[0], line[1:], whole[number : number + 2], size)
    return whole[1:, size:].reshape(height, width, size)[:, :, :3].astype(np.uint8)


def _undo(kind: int, line: Pixels, pair: NDArray[np.int64], size: int) -> None:
    """Undo the filter of a line; `pair` are the one above and this one, each with a pixel of zeros before it."""
    above, row = pair
    given = line.astype(np.int64)
    if kind == 0:
        row[size:] = given
    elif kind == 1:
        row[size:] = np.cumsum(given.reshape(-1, size), axis=0).reshape(-1) & 255
    elif kind == 2:
        row[size:] = (given + above[size:]) & 255
    else:
        for at in range(size, len(row)):
            left, up, corner = int(row[at - size]), int(above[at]), int(above[at - size])
            guess = (left + up) // 2 if kind == 3 else _paeth(left, up, corner)
            row[at] = (int(given[at - size]) + guess) & 255


def _paeth(left: int, up: int, corner: int) -> int:
    about = left + up - corner
    return min((left, up, corner), key=lambda one: abs(about - one))


def _chosen(found: NDArray[np.float64], count: NDArray[np.int64]) -> tuple[Pixels, NDArray[np.uint8]]:
    """Choose colours, each as far as possible from those before, then move them to the middle of what they stand for.

    Gives them, and the number of the one that stands for each of the colours found.
    """
    if len(found) <= _COLOURS:
        return found.astype(np.uint8), np.arange(len(found), dtype=np.uint8)
    weight = np.sqrt(count)
    chosen = [int(np.argmax(count))]
    far = np.full(len(found), np.inf)
    for _ in range(_COLOURS - 1):
        far = np.minimum(far, ((found - found[chosen[-1]]) ** 2).sum(axis=1))
        chosen.append(int(np.argmax(far * weight)))
    centres = found[chosen]
    nearest = _nearest(found, centres)
    for _ in range(_TURNS):
        for number in range(_COLOURS):
            mine = nearest == number
            if mine.any():
                centres[number] = np.average(found[mine], axis=0, weights=weight[mine])
        nearest = _nearest(found, centres)
    for number in range(_COLOURS):
        mine = np.flatnonzero(nearest == number)
        if mine.size:
            centres[number] = found[mine[np.argmax(count[mine])]]
    return centres.astype(np.uint8), nearest.astype(np.uint8)


def _nearest(found: NDArray[np.float64], centres: NDArray[np.float64]) -> NDArray[np.int64]:
    squares = (found**2).sum(axis=1)[:, None] - 2 * found @ centres.T + (centres**2).sum(axis=1)[None, :]
    return np.asarray(squares.argmin(axis=1), np.int64)


def _parts(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    if not png.startswith(_SIGN):
        raise ValueError("not a PNG")
    at, data = len(_SIGN), b""
    while at < len(png):
        (size,) = struct.unpack_from(">I", png, at)
        name, body = png[at + 4 : at + 8], png[at + 8 : at + 8 + size]
        at += size + 12
        if name == b"IDAT":
            data += body
        else:
            yield name, body
    yield b"IDAT", data


def _encoded(palette: Pixels, numbers: NDArray[np.uint8]) -> bytes:
    height, width = numbers.shape
    lines = np.zeros((height, width + 1), np.uint8)
    lines[:, 1:] = numbers
    parts = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
        (b"PLTE", palette.tobytes()),
        (b"IDAT", zlib.compress(lines.tobytes(), 9)),
        (b"IEND", b""),
    )
    return _SIGN + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in parts
    )
