from __future__ import annotations

from pathlib import Path

import pytest

from archiver.sinks.sqlite import SqliteSink
from grafana.filling import Blanks
from grafana.queries import Choices
from manometer.board.opening import StoreMistake, open_reader
from manometer.board.reading import Unreadable

HERE = "influxdb=http://127.0.0.1:8086"


@pytest.mark.parametrize(
    ("store", "sentence"),
    [
        ("", 'expected sqlite=FILE or influxdb=URL with its options, got ""'),
        ("sqlit=a.db", 'got "sqlit=a.db". Did you mean "sqlite"?'),
        ("sqlite=", "sqlite: expected a file after `sqlite=`, got nothing"),
        ("influxdb=", "influxdb: expected a URL after `influxdb=`, got nothing"),
        (HERE, "influxdb: expected bucket, token-file as well, such as `,bucket=...`"),
        (f"{HERE},bucket=b", "influxdb: expected bucket, token-file as well, such as `,token-file=...`"),
        (
            f"{HERE},bucket=b,token=t",
            'influxdb: unknown option "token"; it has bucket, token-file. Did you mean "token-file"?',
        ),
        ("influxdb=127.0.0.1:8086,bucket=b,token-file=t", "influxdb: expected a URL such as http://127.0.0.1:8086"),
        ("influxdb=http://u:secret@h,bucket=b,token-file=t", "without user or password"),
    ],
)
def test_what_cannot_be_understood_is_told(store: str, sentence: str) -> None:
    """A store that is named wrongly is told with what was expected, and without what may be a secret."""
    with pytest.raises(StoreMistake) as caught:
        open_reader(store)

    assert sentence in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_token_comes_from_a_file_of_one_word(tmp_path: Path) -> None:
    """A file that is missing, empty or holds something else is told; what it holds is not."""
    for number, content in enumerate((b"", b"two words", b"\xff\xfe", b"a\nb")):
        file = tmp_path / f"token-{number}"
        file.write_bytes(content)
        with pytest.raises(Unreadable, match=f"token-{number}: expected a token of printable ASCII in one line"):
            open_reader(f"{HERE},bucket=b,token-file={file}")
    with pytest.raises(Unreadable, match="no such file or directory; give a file that holds the token"):
        open_reader(f"{HERE},bucket=b,token-file={tmp_path}/none")


def test_a_file_is_named_by_all_that_follows(tmp_path: Path) -> None:
    """Commas, question marks and equals signs are signs of a file's name."""
    file = tmp_path / "a,b?c=d.db"
    SqliteSink(file).close()

    reader = open_reader(f"sqlite={file}")

    assert reader.choices(Choices("engine"), Blanks(start=0, end=1, interval=1)) == []
    reader.close()
