from __future__ import annotations

import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from engine.decoders import Decoder
from engine.decoders.sensors import Sensors
from engine.monitor import Monitor
from engine.plugins import (
    PluginError,
    available_decoders,
    available_monitors,
    builtin_decoders,
    builtin_monitors,
    find_decoder,
    find_monitor,
)

MONITOR = "from engine.monitor import Monitor\n\n\nclass Latency(Monitor):\n    pass\n"
DECODER = "from engine import decoders\n\n\nclass Tabs(decoders.Decoder):\n    pass\n"


class OwnMonitor(Monitor):
    """A monitor that a dotted path names."""


def write(folder: Path, name: str, text: str) -> Path:
    """Write a plugin file."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def refused(name: str, *folders: Path) -> str:
    """Give the sentence with which a monitor is refused."""
    with pytest.raises(PluginError) as caught:
        find_monitor(name, folders)
    return str(caught.value)


def test_all_of_ours_are_found_by_the_names_of_their_files() -> None:
    """Every file of monitors/ and engine/decoders/ is a plugin with one class."""
    monitors, decoders = builtin_monitors(), builtin_decoders()

    assert {"throughput", "resources", "health", "threshold"} <= set(monitors)
    assert {"sensors", "json"} <= set(decoders)
    assert all(issubclass(cls, Monitor) for cls in monitors.values())
    assert all(issubclass(cls, Decoder) for cls in decoders.values())
    assert find_monitor("throughput").cls is monitors["throughput"]


def test_ours_say_that_they_are_built_in() -> None:
    """The origin of our own plugins needs no path."""
    found = find_decoder("sensors")

    assert (found.name, found.cls, found.origin) == ("sensors", Sensors, "built in")


def test_a_folder_gives_a_monitor_without_touching_the_path(tmp_path: Path) -> None:
    """A file of a plugin folder is loaded by its location; neither sys.path nor the folder changes."""
    path = write(tmp_path, "latency.py", f"__version__ = '1.2'\n{MONITOR}")
    before = list(sys.path)

    found = find_monitor("latency", [tmp_path])

    assert (found.cls.__name__, found.origin, found.version) == ("Latency", str(path), "1.2")
    assert sys.path == before
    assert "latency" not in sys.modules
    assert list(tmp_path.iterdir()) == [path]


def test_the_same_file_gives_the_same_class_and_a_changed_one_a_new_one(tmp_path: Path) -> None:
    """A plugin is loaded once, and again as soon as its text has changed, also to one as long."""
    path = write(tmp_path, "latency.py", MONITOR)
    first, again = find_monitor("latency", [tmp_path]).cls, find_monitor("latency", [tmp_path]).cls
    path.write_text(MONITOR.replace("pass", "a =1"), encoding="utf-8")
    changed: Any = find_monitor("latency", [tmp_path]).cls

    assert first is again
    assert changed is not first
    assert changed.a == 1


def test_types_in_annotations_of_a_plugin_are_found(tmp_path: Path) -> None:
    """States and options of a plugin may have annotations that are read late."""
    text = (
        "from __future__ import annotations\nfrom engine.monitor import Monitor, MonitorState\n"
        "class Latency(Monitor):\n    class State(MonitorState):\n        part: Part | None = None\n"
        "class Part(MonitorState):\n    a: int = 0\n"
    )
    write(tmp_path, "latency.py", text)

    found: Any = find_monitor("latency", [tmp_path]).cls

    assert found.State().part is None


def test_the_first_folder_wins(tmp_path: Path) -> None:
    """Folders are looked through in their order."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write(tmp_path / name, "latency.py", MONITOR)

    assert find_monitor("latency", [tmp_path / "b", tmp_path / "a"]).origin == str(tmp_path / "b" / "latency.py")


def test_monitors_and_decoders_of_one_folder_are_told_apart(tmp_path: Path) -> None:
    """A file is a plugin of the kind that its class is; tests and helpers beside it are none."""
    write(tmp_path, "latency.py", MONITOR)
    write(tmp_path, "tabs.py", DECODER)
    write(tmp_path, "test_latency.py", "import latency\n")

    mine = [one.name for one in available_monitors([tmp_path]) if one.origin.startswith(str(tmp_path))]
    theirs = [one.name for one in available_decoders([tmp_path]) if one.origin.startswith(str(tmp_path))]

    assert (mine, theirs) == (["latency"], ["tabs"])
    assert find_decoder("tabs", [tmp_path]).cls.__name__ == "Tabs"
    assert "unknown monitor" in refused("tabs", tmp_path)


def test_listing_imports_nothing(tmp_path: Path) -> None:
    """Only what a workflow names is imported; a plugin that would fail is listed all the same."""
    write(tmp_path, "latency.py", f"{MONITOR}\nraise RuntimeError('imported')\n")

    assert "latency" in {one.name for one in available_monitors([tmp_path])}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "x = 1\nimport no_such_module\n",
            "fails to import: ModuleNotFoundError: No module named 'no_such_module' ({}:2)",
        ),
        ("x = (\n", "fails to import: SyntaxError"),
        ("raise SystemExit(3)\n", "fails to import: SystemExit: 3 ({}:1)"),
        ("raise ValueError('a\\n b')\n", "fails to import: ValueError: a b ({}:1)"),
        ("a\0b", "fails to import: "),
    ],
)
def test_a_plugin_that_fails_to_import_says_where(tmp_path: Path, text: str, expected: str) -> None:
    """The exception is told in one line, with the file and line of the plugin, and nothing stays behind."""
    path = write(tmp_path, "latency.py", text if "(\n" in text or "\0" in text else f"{text}{MONITOR}")
    before = set(sys.modules)

    sentence = refused("latency", tmp_path)

    assert sentence.startswith(str(path))
    assert expected.format(path) in sentence
    assert "\n" not in sentence
    assert not [name for name in set(sys.modules) - before if "latency" in name]


def test_of_several_classes_the_one_called_like_the_file_counts(tmp_path: Path) -> None:
    """A file may define more, if one class has the file's name; classes it imports or hides do not count."""
    text = f"from monitors.throughput import Throughput\n{MONITOR}class Other(Latency):\n    pass\n"
    write(tmp_path, "latency.py", text)
    write(tmp_path, "other_name.py", text)
    write(tmp_path, "hidden.py", f"{MONITOR}class _Inner(Latency):\n    pass\n")

    assert find_monitor("latency", [tmp_path]).cls.__name__ == "Latency"
    assert find_monitor("hidden", [tmp_path]).cls.__name__ == "Latency"
    assert "defines several: Latency, Other" in refused("other_name", tmp_path)


def test_a_file_whose_class_is_hidden_defines_none(tmp_path: Path) -> None:
    """A class whose name begins with an underscore is not what a workflow can use."""
    write(tmp_path, "latency.py", MONITOR.replace("Latency", "_Latency"))

    assert "defines no subclass of engine.monitor.Monitor" in refused("latency", tmp_path)


def test_a_plugin_with_the_name_of_ours_is_refused(tmp_path: Path) -> None:
    """A name always means the same monitor; our own folder as plugin folder changes nothing."""
    path = write(tmp_path, "throughput.py", MONITOR)

    assert f"{path} has the name of our own monitor" in refused("throughput", tmp_path)
    assert find_monitor("throughput", [Path("monitors").resolve()]).origin == "built in"


def test_a_decoder_with_the_name_of_a_monitor_of_ours_is_fine(tmp_path: Path) -> None:
    """The two kinds have their names apart."""
    write(tmp_path, "throughput.py", DECODER)

    assert find_monitor("throughput", [tmp_path]).origin == "built in"
    assert find_decoder("throughput", [tmp_path]).cls.__name__ == "Tabs"


def test_an_unknown_name_brings_the_nearest() -> None:
    """The sentence lists what there is and asks for the word that was probably meant."""
    sentence = refused("thruput")

    assert sentence.startswith('unknown monitor "thruput". There are: ')
    assert sentence.endswith('Did you mean "throughput"?')


@pytest.mark.parametrize("name", ["../latency", "a/b", "", "Latency", "__init__", "stats"])
def test_a_name_is_never_a_path(tmp_path: Path, name: str) -> None:
    """Only names of files in the folder itself can be named."""
    write(tmp_path, "latency.py", MONITOR)
    (tmp_path / "inner").mkdir()

    assert "unknown monitor" in refused(name, tmp_path / "inner")


def test_a_dotted_path_names_any_class() -> None:
    """package.module:Class is imported from where Python finds modules."""
    found = find_monitor("monitors.throughput:Throughput")

    assert found.cls is builtin_monitors()["throughput"]
    assert found.origin == "module monitors.throughput"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("monitors.throughput:Thruput", 'monitors.throughput has no Thruput. Did you mean "Throughput"?'),
        ("monitors.nothing:Thing", "monitors.nothing does not import: ModuleNotFoundError"),
        ("engine.decoders.sensors:Sensors", "is no monitor; expected a subclass of engine.monitor.Monitor"),
        ("engine.monitor:Monitor", "is no monitor; expected a subclass"),
        ("monitors.throughput:", "expected a name or package.module:Class"),
    ],
)
def test_a_dotted_path_that_leads_nowhere_says_why(name: str, expected: str) -> None:
    """Module, name and kind are looked at, and the sentence tells which of them it is."""
    assert expected in refused(name)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Install a package with two entry points into a folder on the path."""
    write(tmp_path, "weather_manometer.py", MONITOR)
    info = tmp_path / "weather_manometer-2.0.dist-info"
    info.mkdir()
    write(info, "METADATA", "Metadata-Version: 2.1\nName: weather-manometer\nVersion: 2.0\n")
    points = "wind = weather_manometer:Latency\nrain = weather_manometer:Rain\nsun = weather_manometer\n"
    write(info, "entry_points.txt", f"[manometer.monitors]\n{points}")
    monkeypatch.syspath_prepend(str(tmp_path))
    return "weather-manometer"


def test_an_installed_package_brings_monitors(package: str) -> None:
    """Entry points are listed and found, with the package and its version."""
    found = find_monitor("wind")

    assert (found.cls.__name__, found.origin, found.version) == ("Latency", f"entry point of {package}", "2.0")
    assert {"wind", "rain"} <= {one.name for one in available_monitors()}
    assert metadata.version(package) == "2.0"


def test_an_entry_point_that_does_not_load_says_why(package: str) -> None:
    """A package whose entry point leads nowhere, or to no monitor, is told by its name."""
    assert f'monitor "rain", entry point of {package}, does not load: AttributeError' in refused("rain")
    assert "weather_manometer is no monitor" in refused("sun")


def test_a_folder_comes_before_an_installed_package(package: str, tmp_path: Path) -> None:
    """The folders of the workflow are looked through first."""
    path = write(tmp_path, "wind.py", MONITOR)

    assert find_monitor("wind", [tmp_path]).origin == str(path)
    assert package
