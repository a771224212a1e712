"""What deploy/ says fits the program: its flags, config, variables, addresses and times."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from jackfield.cli.gateway import PORT
from jackfield.cli.serve import VARIABLES
from jackfield.config.json5 import parse
from jackfield.gateway.routes import EXACT
from jackfield.gateway.server import END_S
from tests.commands import run

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
UNIT = (DEPLOY / "jackfield.service").read_text(encoding="utf-8")
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
GATEWAY = COMPOSE["services"]["gateway"]
OBJECTS = {
    path.stem: yaml.safe_load(path.read_text(encoding="utf-8"))
    for path in sorted((DEPLOY / "kubernetes").glob("*.yaml"))
}
POD = OBJECTS["deployment"]["spec"]["template"]["spec"]
CONTAINER = POD["containers"][0]
CONFIGS = {
    "file": (DEPLOY / "jackfield.json").read_text(encoding="utf-8"),
    "kubernetes": OBJECTS["config"]["data"]["jackfield.json"],
}
GIVEN = {
    "JACKFIELD_DATABASE": "postgresql://jackfield:x@database/jackfield",
    "JACKFIELD_SHARED_STATE": "redis://shared:6379/0",
}


def instructions(name: str) -> list[str]:
    """Return what every instruction of a name says, its continued lines joined."""
    joined = re.sub(r"\\\n\s*", " ", DOCKERFILE)
    return re.findall(rf"^\s*{name} +(.+)$", joined, re.MULTILINE)


def unit(name: str) -> str:
    """Return a setting of the systemd unit."""
    found = re.findall(rf"^{name}=(.*)$", UNIT, re.MULTILINE)
    assert len(found) == 1, name
    return str(found[0])


def seconds(text: str) -> int:
    return int(text.removesuffix("s"))


def command_lines() -> dict[str, list[str]]:
    entry = json.loads(instructions("ENTRYPOINT")[0])
    return {
        "Dockerfile": [*entry, *json.loads(instructions("CMD")[-1])],
        "compose": [*entry, *GATEWAY["command"]],
        "kubernetes": [*entry, *CONTAINER["args"]],
        "systemd": shlex.split(unit("ExecStart").rpartition("/")[2]),
    }


def keys_of(value: Any, at: str = "") -> Iterator[str]:
    """Yield the path of every key that holds no further ones."""
    for name, held in value.items():
        path = f"{at}.{name}" if at else name
        if isinstance(held, dict):
            yield from keys_of(held, path)
        else:
            yield path


@pytest.mark.parametrize("place", ["Dockerfile", "compose", "kubernetes", "systemd"])
def test_every_command_line_is_one_of_the_program(place: str) -> None:
    program, *arguments = command_lines()[place]

    assert program == "jackfield"
    assert arguments[:2] == ["gateway", "run"]
    # Help comes only when every flag before it is known and its value fits.
    assert run(*arguments, "--help").code == 0
    assert run(*arguments, "--no-such-flag", "--help").code == 2


@pytest.mark.parametrize("place", sorted(CONFIGS))
def test_every_config_is_valid_and_its_keys_are_documented(place: str, home: Path) -> None:
    path = home / "deployed.json"
    path.write_text(CONFIGS[place], encoding="utf-8")
    done = run("--config", str(path), "config", "validate", env=GIVEN)
    reference = (ROOT / "docs" / "config-keys.md").read_text(encoding="utf-8")

    assert done.code == 0, done.err
    assert "warning" not in done.err
    for key in keys_of(parse(CONFIGS[place], "deployed").plain()):
        section, _, name = key.rpartition(".")
        assert f"| `{name}` |" in reference.partition(f"\n## {section}\n")[2].partition("\n## ")[0], key


def test_the_two_configs_say_the_same() -> None:
    one, other = (parse(text, "deployed").plain() for text in CONFIGS.values())

    assert one == other


def test_every_variable_is_read_by_somebody() -> None:
    source = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py"))
    named = set(
        re.findall(r"\bJACKFIELD_[A-Z_]+\b", "\n".join(p.read_text("utf-8") for p in DEPLOY.rglob("*") if p.is_file()))
    )
    named -= {"JACKFIELD_PORT"}  # told of as one that must not come

    assert set(GIVEN) <= named
    assert VARIABLES[0] in named
    for name in named:
        assert f'"{name}"' in source or all(f"${{{name}}}" in text for text in CONFIGS.values()), name


def test_probes_ask_where_the_gateway_answers() -> None:
    probes = [CONTAINER[f"{name}Probe"]["httpGet"] for name in ("startup", "liveness", "readiness")]

    assert [probe["path"] for probe in probes] == ["/healthz", "/healthz", "/readyz"]
    assert {probe["port"] for probe in probes} == {"http"}
    assert {"/healthz", "/readyz"} <= set(EXACT)
    assert f"127.0.0.1:{PORT}/healthz" in instructions("HEALTHCHECK")[0]


def test_one_port_runs_through_all_of_it() -> None:
    assert CONTAINER["ports"] == [{"name": "http", "containerPort": PORT}]
    assert OBJECTS["service"]["spec"]["ports"] == [{"name": "http", "port": PORT, "targetPort": "http"}]
    assert instructions("EXPOSE") == [str(PORT)]
    assert GATEWAY["ports"] == [f"127.0.0.1:{PORT}:{PORT}"]


def test_who_ends_the_gateway_waits_longer_than_it_drains() -> None:
    drain_s = parse(CONFIGS["file"], "deployed").plain()["gateway"]["drainSeconds"]
    pause_s = int(CONTAINER["lifecycle"]["preStop"]["exec"]["command"][1])

    assert POD["terminationGracePeriodSeconds"] > pause_s + drain_s + END_S
    assert seconds(GATEWAY["stop_grace_period"]) > drain_s + END_S
    assert seconds(unit("TimeoutStopSec")) > drain_s + END_S


def test_nothing_runs_as_root_or_writes_where_it_need_not() -> None:
    user = instructions("USER")[-1]

    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user)
    assert f"{POD['securityContext']['runAsUser']}:{POD['securityContext']['runAsGroup']}" == user
    assert POD["securityContext"]["runAsNonRoot"] is True
    assert CONTAINER["securityContext"]["readOnlyRootFilesystem"] is True
    assert CONTAINER["securityContext"]["allowPrivilegeEscalation"] is False
    assert CONTAINER["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert GATEWAY["read_only"] is True
    assert GATEWAY["cap_drop"] == ["ALL"]
    assert unit("DynamicUser") == "yes"
    assert unit("ProtectSystem") == "strict"


def test_everything_has_an_end_to_what_it_takes() -> None:
    assert set(CONTAINER["resources"]["limits"]) == {"cpu", "memory"}
    assert all(
        service["deploy"]["resources"]["limits"].keys() == {"cpus", "memory"}
        for service in COMPOSE["services"].values()
    )
    assert unit("MemoryMax")


def test_no_secret_stands_in_any_of_it() -> None:
    assert not re.search(r"(TOKEN|PASSWORD|_KEY)\b", "\n".join(instructions("ENV") + instructions("ARG")))
    assert not instructions("ADD")
    for line in (DEPLOY / "env.example").read_text(encoding="utf-8").splitlines():
        assert line.startswith("#") or line.endswith("="), line
    assert "deploy/.env" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert all(
        name in {"POSTGRES_USER", "POSTGRES_DB"} or "${" in value or "@" not in value
        for service in COMPOSE["services"].values()
        for name, value in service.get("environment", {}).items()
    )


def test_what_the_image_is_made_of_exists_and_is_let_in() -> None:
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    let_in = {line.removeprefix("!") for line in ignored if line.startswith("!")}
    copied = {each for line in instructions("COPY") if "--from" not in line for each in line.split()[:-1]}

    assert "*" in ignored
    assert copied == let_in
    assert all((ROOT / each).exists() for each in copied)
    assert all(":" in each.split()[0] and "latest" not in each for each in instructions("FROM"))


def test_services_and_budgets_find_their_pods() -> None:
    labels = OBJECTS["deployment"]["spec"]["template"]["metadata"]["labels"]
    budget = OBJECTS["disruption-budget"]["spec"]

    assert OBJECTS["deployment"]["spec"]["selector"]["matchLabels"] == labels
    assert OBJECTS["service"]["spec"]["selector"] == labels
    assert budget["selector"]["matchLabels"] == labels
    assert budget["minAvailable"] < OBJECTS["deployment"]["spec"]["replicas"]
    mounts = {each["name"]: each["mountPath"] for each in CONTAINER["volumeMounts"]}
    assert set(mounts) == {each["name"] for each in POD["volumes"]}
    assert {"/etc/jackfield", "/var/lib/jackfield"} <= set(mounts.values())


def test_kubernetes_objects_have_a_version_a_kind_and_a_name() -> None:
    kinds = {name: (each["apiVersion"], each["kind"]) for name, each in OBJECTS.items()}

    assert kinds == {
        "config": ("v1", "ConfigMap"),
        "deployment": ("apps/v1", "Deployment"),
        "disruption-budget": ("policy/v1", "PodDisruptionBudget"),
        "service": ("v1", "Service"),
    }
    assert {each["metadata"]["name"] for each in OBJECTS.values()} == {"jackfield"}


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    path = tmp_path / "jackfield.service"
    path.write_text(UNIT.replace("/opt/jackfield/bin/jackfield", shutil.which("true") or ""), encoding="utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", str(path)], capture_output=True, text=True, check=False, env=dict(os.environ)
    )

    assert (done.returncode, done.stderr) == (0, "")
