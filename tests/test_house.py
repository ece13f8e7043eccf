"""What the house says of itself is true: README, `./run`, `--help`, decisions, hooks."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from service.cli import COMMANDS
from service.settings import PREFIX, Settings
from tests.house import settings_table

RUN_COMMANDS = ("demo", "test", "lint", "bench", "soak", "fuzz", "mutants", "lock", "clean", "help")


def run(repository: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([repository / "run", *arguments], capture_output=True, text=True, check=False)


def test_run_is_posix_sh(repository: Path) -> None:
    shell = shutil.which("dash") or "sh"
    for script in ("run", ".ci/run"):
        subprocess.run([shell, "-n", repository / script], check=True)


def test_run_help_has_a_line_for_every_command(repository: Path) -> None:
    lines = re.findall(r"^  (\w+) +\S", run(repository, "help").stdout, re.MULTILINE)
    assert tuple(lines) == RUN_COMMANDS


def test_run_without_a_command_helps_and_an_unknown_one_is_said(repository: Path) -> None:
    assert run(repository).stdout == run(repository, "help").stdout
    unknown = run(repository, "tset")
    assert unknown.returncode == 2
    assert 'knows no command "tset"' in unknown.stderr


def test_run_without_a_python_that_is_new_enough_says_what_to_do(repository: Path, tmp_path: Path) -> None:
    copy = tmp_path / "overfly"
    copy.mkdir()
    for name in (
        "run",
        "pyproject.toml",
        "requirements.lock",
        "requirements-dev.lock",
        "requirements-build.lock",
    ):
        shutil.copy(repository / name, copy)
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("sh", "cat", "cksum", "dirname", "grep", "id"):
        (programs / name).symlink_to(str(shutil.which(name)))
    old = programs / "python3"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo Python 3.9.2\nexit 1\n')
    old.chmod(0o755)
    said = subprocess.run(
        [copy / "run", "lint"], env={"PATH": str(programs)}, capture_output=True, text=True, check=False
    )
    assert said.returncode == 1
    assert "needs Python 3.11 or newer; found: Python 3.9.2" in said.stderr
    assert "apt-get install -y python3-venv" in said.stderr


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md"])
def test_documents_name_only_commands_that_run_has(repository: Path, document: str) -> None:
    named = set(re.findall(r"\./run (\w+)", (repository / document).read_text(encoding="utf-8")))
    assert named
    assert named <= set(RUN_COMMANDS)


def test_readme_names_only_commands_that_overfly_has(repository: Path) -> None:
    readme = (repository / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(?:\.venv/bin/)?overfly (\w+)", readme))
    assert named <= set(COMMANDS)


def test_the_settings_are_listed_as_they_are(repository: Path) -> None:
    assert (repository / "docs/settings.md").read_text(encoding="utf-8").endswith(settings_table())


@pytest.mark.parametrize("document", ["README.md", "docs/access.md", "docs/settings.md", "infra/README.md"])
def test_documents_name_only_settings_that_there_are(repository: Path, document: str) -> None:
    named = set(re.findall(rf"{PREFIX}[A-Z_]+", (repository / document).read_text(encoding="utf-8")))
    assert named
    assert named <= {PREFIX + field.upper() for field in Settings.model_fields}


def test_files_that_documents_link_to_exist(repository: Path) -> None:
    for document in (
        "README.md",
        "CONTRIBUTING.md",
        "docs/README.md",
        "docs/access.md",
        "docs/geofences.md",
        "infra/README.md",
        "sample_data/README.md",
    ):
        text = (repository / document).read_text(encoding="utf-8")
        links = re.findall(r"\]\((?!https?:)([^)#]+)", text)
        assert [link for link in links if not (repository / document).parent.joinpath(link).exists()] == []


@pytest.mark.parametrize("command", [(), *((command,) for command in COMMANDS)])
def test_every_command_explains_itself(command: tuple[str, ...]) -> None:
    program = Path(sys.executable).with_name("overfly")
    shown = subprocess.run([program, *command, "--help"], capture_output=True, text=True, check=True)
    assert shown.stdout.strip().startswith("Usage: overfly")
    assert len(shown.stdout.splitlines()) > 5


def test_decisions_are_numbered_without_gaps_and_titled(repository: Path) -> None:
    decisions = sorted((repository / "docs/decisions").glob("*.md"))
    assert decisions
    for number, decision in enumerate(decisions, start=1):
        assert re.fullmatch(rf"{number:04d}-[a-z0-9-]+\.md", decision.name)
        assert decision.read_text(encoding="utf-8").startswith(f"# {number}. ")


def test_pre_commit_hooks_call_run(repository: Path) -> None:
    configuration = yaml.safe_load((repository / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    hooks = [hook for source in configuration["repos"] for hook in source["hooks"]]
    assert {source["repo"] for source in configuration["repos"]} == {"local"}
    assert {hook["entry"].split()[0] for hook in hooks} == {"./run"}
    assert {hook["entry"].split()[1] for hook in hooks} <= set(RUN_COMMANDS)


def test_every_pin_has_a_hash_and_no_lock_names_an_index(repository: Path) -> None:
    for lock in sorted(repository.glob("requirements*.lock")):
        text = lock.read_text(encoding="utf-8")
        pins = re.split(r"^(?=\S+==)", text, flags=re.MULTILINE)[1:]
        assert pins
        assert [pin.splitlines()[0] for pin in pins if "--hash=sha256:" not in pin] == []
        assert "://" not in text
        assert "--index" not in text


def test_development_pins_agree_with_those_to_run(repository: Path) -> None:
    def pins(name: str) -> set[str]:
        text = (repository / name).read_text(encoding="utf-8")
        return set(re.findall(r"^(\S+==[^\\]+?) *\\?$", text, re.MULTILINE))

    assert pins("requirements.lock") <= pins("requirements-dev.lock")
