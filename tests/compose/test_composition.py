from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Final

import click
import pytest
import yaml

from grafana.rendering import RUNBOOKS, SOURCE
from manometer.cli.main import main
from tests.compose.composition import FILE, JOBS, OURS, composition, environment, mounted, ours, services, words
from tests.house.source import ROOT
from tests.services.debian import installed
from tests.services.running import Missing, absent
from tests.services.specification import NotComposed, composed

WRITABLE: Final = {
    "kafka": "its start script writes the server's settings beside its programs",
    "influxdb": "its start script sets the server up in its home",
}
"""Services whose root file system is not read-only, with the reason."""
ROOTED: Final = {"influxdb": "its start script gives the data to its own user, and runs as that"}
"""Services that keep capabilities at the start, with the reason."""
_COMPOSE: Final = "docker-compose"
PROVISIONING: Final = ROOT / "grafana" / "provisioning"

each_service = pytest.mark.parametrize("name", list(services()))


def test_the_file_fits_the_specification() -> None:
    """The reader that `docker compose` uses takes the file, and finds all services with their variables filled."""
    try:
        model = composed(FILE)
    except Missing as missing:
        absent(missing)

    assert sorted(model["services"]) == sorted(services())
    for name in ours():
        assert model["services"][name]["command"] == words(name)[-len(model["services"][name]["command"]) :]


def test_nobody_has_to_set_a_variable() -> None:
    """`docker compose up` is all that one types: each variable of the file has a default."""
    assert set(re.findall(r"\$\{[^}]*\}", FILE.read_text("utf-8"))) == {
        "${BOARDS:-./grafana/dashboards}",
        "${GRAFANA_PORT:-3000}",
        "${INFLUXDB_PORT:-8086}",
        "${KAFKA_PORT:-9092}",
        "${KEEP:-}",
        "${PARTITIONS:-1}",
        "${WORKFLOW:-demo}",
    }


def test_the_file_fits_the_first_compose_too() -> None:
    """Debian's docker-compose, which is older than the specification, takes the file as well."""
    try:
        found = installed([_COMPOSE], [_COMPOSE], f"apt-get install --no-install-recommends {_COMPOSE}")
    except Missing as missing:
        absent(missing)

    done = subprocess.run([found, "-f", str(FILE), "config"], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert sorted(yaml.safe_load(done.stdout)["services"]) == sorted(services())


def test_a_mistake_in_the_file_is_found(tmp_path: Path) -> None:
    """The same reader refuses a key that the specification does not know."""
    wrong = tmp_path / "docker-compose.yml"
    wrong.write_text(FILE.read_text(encoding="utf-8").replace("healthcheck:", "heathcheck:", 1), encoding="utf-8")

    try:
        with pytest.raises(NotComposed, match="heathcheck"):
            composed(wrong)
    except Missing as missing:
        absent(missing)


@each_service
def test_images_are_pinned(name: str) -> None:
    """Each image is ours, built here, or has a whole version."""
    image = services()[name]["image"]

    assert image == OURS or re.fullmatch(r"[a-z/]+:\d+\.\d+\.\d+", image)


@each_service
def test_ports_are_open_on_this_machine_only(name: str) -> None:
    """What is published is so on 127.0.0.1."""
    assert all(port.startswith("127.0.0.1:") for port in services()[name].get("ports", ()))


@each_service
def test_a_service_can_do_no_more_than_it_has_to(name: str) -> None:
    """A service gains no rights, drops capabilities and cannot write its root, with exceptions that have a reason."""
    service = services()[name]

    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service.get("read_only", False) != (name in WRITABLE)
    assert (service.get("cap_drop") == ["ALL"]) != (name in ROOTED)
    assert "privileged" not in service


@each_service
def test_what_runs_on_is_looked_after(name: str) -> None:
    """A service that stays says how it is, and is started again; one that runs once does neither."""
    service = services()[name]
    stays = name not in JOBS

    assert ("restart" in service) == stays
    assert ("healthcheck" in service) == (stays and name != "demo")


@each_service
def test_a_service_waits_for_what_it_needs(name: str) -> None:
    """What is waited for is there: jobs until they have ended well, others until they are healthy."""
    for needed, how in services()[name].get("depends_on", {}).items():
        wanted = "service_completed_successfully" if needed in JOBS else "service_healthy"
        assert how == {"condition": wanted}


def test_no_password_stands_in_the_file() -> None:
    """Each variable that names a password or a token names a file, and none has a value that is one."""
    found = {
        f"{name}: {key}"
        for name, service in services().items()
        for key, value in service.get("environment", {}).items()
        if re.search("PASSWORD|TOKEN", key) and not ("FILE" in key and value.startswith("/"))
    }

    assert not found


def test_each_process_sees_only_its_own_secrets() -> None:
    """A volume of secrets is written by the jobs, and read by the one process it is for."""
    readers = {
        volume.removesuffix(":ro"): {
            name
            for name in services()
            for source in mounted(name).values()
            if source.removesuffix(":ro") == volume and name not in JOBS
        }
        for volume in composition()["volumes"]
        if volume.startswith("secrets-of-")
    }

    assert readers == {f"secrets-of-{name}": {name} for name in ("influxdb", "grafana", "archiver")}
    for name in set(services()) - set(JOBS):
        assert all(s.endswith(":ro") for s in mounted(name).values() if s.startswith("secrets-of-"))


def test_volumes_and_folders_are_there() -> None:
    """Each volume that is mounted is declared, each one declared is mounted, and each folder is in the checkout."""
    sources = {source.removesuffix(":ro") for name in services() for source in mounted(name).values()}
    folders = {source for source in sources if source.startswith("./")}

    assert sources - folders == set(composition()["volumes"])
    assert all((ROOT / folder).is_dir() for folder in folders)


@pytest.mark.parametrize("name", ours())
def test_our_services_are_commands_that_exist(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line of each service of ours is understood, in its environment: command, options, values."""
    for key, value in environment(name).items():
        monkeypatch.setenv(key, value)
    command: click.Command = main
    given = words(name)
    while isinstance(command, click.Group):
        command = command.commands[given.pop(0)]

    context = command.make_context(name, given)

    assert not context.args


def test_people_get_the_password_by_one_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """`docker compose run --rm secrets show` is `manometer secrets show`, with the folder from the environment."""
    assert services()["secrets"]["entrypoint"] == ["manometer", "secrets"]
    assert environment("secrets")["MANOMETER_SECRETS"] == "/secrets"
    assert {"/secrets/influxdb", "/secrets/grafana"} == set(mounted("secrets"))


def test_grafana_finds_what_is_provisioned() -> None:
    """Data source and boards have the names that the boards use; files are where the composition mounts them."""
    (source,) = yaml.safe_load((PROVISIONING / "datasources" / "manometer.yaml").read_text("utf-8"))["datasources"]
    (provider,) = yaml.safe_load((PROVISIONING / "dashboards" / "manometer.yaml").read_text("utf-8"))["providers"]
    there = mounted("grafana")
    home = environment("grafana")["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    path = provider["options"]["path"]

    assert (source["uid"], source["type"]) == (SOURCE["uid"], SOURCE["type"])
    assert set(re.findall(r"\$\{(\w+)\}", str(source))) <= set(environment("grafana"))
    assert there[path] == "./grafana/dashboards:ro"
    assert (ROOT / "grafana" / "dashboards" / home.removeprefix(f"{path}/")).is_file()
    assert there[f"/usr/share/grafana{RUNBOOKS}"] == "./docs/runbooks:ro"
    assert "$__file{/run/manometer/influxdb-token}" in source["secureJsonData"]["httpHeaderValue1"]


def test_the_image_has_no_root_and_no_tools() -> None:
    """The last stage of the Dockerfile installs nothing, and runs as a user of its own; both stages are pinned."""
    stages = (ROOT / "Dockerfile").read_text("utf-8").split("\nFROM ")[1:]
    last = stages[-1]

    assert len(stages) == 2
    assert all(re.match(r"python:\d+\.\d+\.\d+-slim-[a-z]+", stage) for stage in stages)
    assert not re.search(r"\b(pip|apt|apt-get)\b", last)
    assert re.search(r"^USER 10001:10001$", last, re.MULTILINE)
    assert 'ENTRYPOINT ["manometer"]' in last


def test_the_image_has_all_that_is_shipped() -> None:
    """What the wheel is made from goes to the build, and nothing else."""
    wanted = re.search(r"only-include = \[(.*?)\]", (ROOT / "pyproject.toml").read_text("utf-8"))
    allowed = set(re.findall(r"^!(\S+)$", (ROOT / ".dockerignore").read_text("utf-8"), re.MULTILINE))

    assert wanted is not None
    assert (
        set(re.findall(r'"(\w+)"', wanted[1])) | {"LICENSE", "README.md", "constraints.txt", "pyproject.toml"}
        == allowed
    )
