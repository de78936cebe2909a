from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.recording import csv_lines
from engine.recording.byte_lines import ByteLines, InputError
from engine.recording.csv_lines import objects
from engine.recording.files import open_input


def read(data: bytes) -> list[bytes]:
    """Give the values that a CSV file of these bytes makes."""
    return list(objects("a.csv", ByteLines("-", stdin=io.BytesIO(data))))


def error_of(data: bytes) -> tuple[int | None, str]:
    """Give line and sentence of the error that a CSV file of these bytes is."""
    with pytest.raises(InputError) as caught:
        read(data)
    return caught.value.line, caught.value.detail


def test_each_line_becomes_an_object() -> None:
    """A cell that is a JSON number is one, an empty cell is null, any other is text."""
    cells = "1,-2.50,3e5,,text,007,+1,1.,.5,NaN,0x1,true, 1,1_0,\u0661"  # the last is a digit, but of another script
    names = ",".join(f"c{number}" for number in range(len(cells.split(","))))

    (value,) = read(f"{names}\n{cells}\n".encode())

    assert (
        value
        == (
            '{"c0":1,"c1":-2.50,"c2":3e5,"c3":null,"c4":"text","c5":"007","c6":"+1","c7":"1.","c8":".5","c9":"NaN",'
            '"c10":"0x1","c11":"true","c12":" 1","c13":"1_0","c14":"\u0661"}'
        ).encode()
    )


def test_numbers_keep_all_their_digits() -> None:
    """A number goes into the object as it stands in the cell."""
    digits = b"123456789012345678901234567890.10"

    assert read(b"a\n" + digits + b"\n") == [b'{"a":' + digits + b"}"]


def test_quoted_cells_may_hold_anything() -> None:
    """Commas, doubled quotes, and newlines of either kind stay in the cell; the next line is read as usual."""
    data = b'a,b\r\n"x, ""y""","one\ntwo\r\nthree"\r\n1,2\r\n'

    assert [json.loads(value) for value in read(data)] == [{"a": 'x, "y"', "b": "one\ntwo\r\nthree"}, {"a": 1, "b": 2}]


TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


@given(lines=st.lists(st.lists(TEXTS, min_size=3, max_size=3), max_size=5), end=st.sampled_from(["\n", "\r\n"]))
def test_what_csv_writers_write_is_read(lines: list[list[str]], end: str) -> None:
    """Any texts that the standard library wrote come back, each as number, null or text."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerows([["a", "b,ü", '"'], *lines])

    values = [json.loads(value) for value in read(file.getvalue().encode())]

    assert [list(value) for value in values] == [["a", "b,ü", '"']] * len(lines)
    assert [list(value.values()) for value in values] == [[_as_value(cell) for cell in line] for line in lines]


def _as_value(cell: str) -> Any:
    try:
        value = json.loads(cell, parse_constant=str)
    except ValueError:
        return cell or None
    return value if cell.strip() == cell and type(value) in (int, float) else cell


@given(data=st.binary())
def test_any_bytes_are_values_or_an_input_error(data: bytes) -> None:
    """No bytes raise anything else, and every line after the header is in some value."""
    try:
        values = read(b"a,b\n" + data)
    except InputError:
        pytest.fail("the header is fine")

    lines = sum(bool(line.strip(b"\r")) for line in data.split(b"\n"))
    assert len(values) <= lines


@pytest.mark.parametrize(
    "line",
    [b"1", b"1,2,3", b",", b"\xff,1", b'"\xff",1', b'"a"b,1', b'1,"open', b"a\rb,1", b'{"a":1}'],
)
def test_a_line_that_does_not_fit_is_given_as_it_is(line: bytes) -> None:
    """Where cells, quotes or encoding do not fit, the decoder gets the bytes, and the lines around are whole."""
    expected = b'{"a":null,"b":null}' if line == b"," else line

    assert read(b"a,b\n1,2\n" + line + b"\n3,4\n") == [b'{"a":1,"b":2}', expected, b'{"a":3,"b":4}']


def test_a_quote_that_is_never_closed_costs_one_line() -> None:
    """The lines after an open quote are read again as lines of their own, also when the quote closes by chance."""
    data = b"a,b\n" + b'1,"open\n' + b'2,"x"\n' * 2 + b"3,4\n" * 50_000 + b'5,"open again\n6,7'
    values = read(data)

    assert values[:4] == [b'1,"open', b'{"a":2,"b":"x"}', b'{"a":2,"b":"x"}', b'{"a":3,"b":4}']
    assert values[-3:] == [b'{"a":3,"b":4}', b'5,"open again', b'{"a":6,"b":7}']
    assert len(values) == 50_005


def test_a_line_with_the_wrong_number_of_cells_over_several_lines_is_one_value() -> None:
    """Where the quotes fit, a line is given as it is with its newlines."""
    assert read(b'a,b\n"1\n2",3,4\n5,6\n') == [b'"1\n2",3,4', b'{"a":5,"b":6}']


def test_a_cell_has_a_longest_length() -> None:
    """A cell of more than 131,072 characters does not fit, and nothing is lost."""
    fits, over = b"x" * 131_072, b"x" * 131_073

    assert read(b"a\n" + fits + b"\n" + over + b"\n1\n") == [b'{"a":"' + fits + b'"}', over, b'{"a":1}']


def test_empty_lines_do_not_count() -> None:
    """In CSV the number of a line counts data lines from 1; empty ones are none, before the header too."""
    assert read(b"\n\na,b\n\n1,2\r\n\r\n3,4\n\n") == [b'{"a":1,"b":2}', b'{"a":3,"b":4}']


def test_a_byte_order_mark_is_no_part_of_the_first_name() -> None:
    """Spreadsheets begin a file in UTF-8 with a mark."""
    assert read(b"\xef\xbb\xbfa,b\n1,2\n") == [b'{"a":1,"b":2}']
    assert read(b'\xef\xbb\xbf"a",b\n1,2\n')[0] == b'{"a":1,"b":2}'


@pytest.mark.parametrize(
    ("data", "line", "sentence"),
    [
        (b"", 1, "expected a header line with the names of the fields"),
        (b"\n\n", 1, "expected a header line with the names of the fields"),
        (b'"open', 1, "expected a header line with the names of the fields"),
        (b"a,b,a\n1,2,3\n", 1, "expected different names of fields, got 'a' twice"),
        (b"a,,b\n1,2,3\n", 1, "expected a name for each field, got an empty one"),
        (b"a,\xff\n1,2\n", 1, "expected a header line in UTF-8"),
    ],
)
def test_a_header_that_cannot_be_used_is_an_input_error(data: bytes, line: int, sentence: str) -> None:
    """Without good names no line can become an object, so nothing is read."""
    assert error_of(data) == (line, sentence)


def test_quoted_lines_without_end_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many quoted cells that each go over a line are bounded together."""
    monkeypatch.setattr(csv_lines, "LINE_BYTES", 1 << 20)

    assert error_of(b"a\n" + b'"x\n",' * 600_000) == (None, "expected at most 1 MiB from quote to quote")


def test_a_csv_file_is_numbered_by_its_data_lines(tmp_path: Any) -> None:
    """The offset is the number of the data line minus one."""
    path = tmp_path / "a.CSV"
    path.write_bytes(b"a\n\n1\nx,y\n3\n")
    with open_input(path, "input") as opened:
        (batch,) = opened.batches()

    assert [(member.offset, member.value) for member in batch] == [(0, b'{"a":1}'), (1, b"x,y"), (2, b'{"a":3}')]  # type: ignore[union-attr]  # no ticks in plain files
