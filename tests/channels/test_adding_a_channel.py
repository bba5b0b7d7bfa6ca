"""docs/adding-a-channel.md, followed word for word by a stranger."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

GUIDE = Path(__file__).parents[2] / "docs/adding-a-channel.md"
FILE = re.compile(r"^`([\w.]+)`:\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```$", GUIDE.read_text(), re.MULTILINE | re.DOTALL)


def commands() -> list[str]:
    return [line.removeprefix("$ ") for block in blocks("console") for line in block.splitlines()]


def run(folder: Path, *command: str) -> str:
    """In a process of its own, which finds what was installed into `folder/site` and no settings of ours."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("PROMOGRAPH_")}
    path = os.pathsep.join([str(Path(sys.executable).parent), own.get("PATH", "")])
    surroundings = {**own, "PYTHONPATH": str(folder / "site"), "PATH": path}
    ended = subprocess.run(command, cwd=folder, env=surroundings, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of the guide, built and installed by its own command, beside what there is and without a network."""
    folder = tmp_path_factory.mktemp("stranger")
    for name, content in FILE.findall(GUIDE.read_text()):
        (folder / name).write_text(content)
    install, *_ = commands()
    assert install == "pip install ."
    offline = ("--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check", "--target", "site")
    run(folder, sys.executable, "-m", *install.split(), *offline)
    return folder


def test_the_guide_has_these_steps(stranger: Path) -> None:
    assert commands() == ["pip install .", "promograph plugins", "pytest -q test_pigeons.py"]
    assert {path.name for path in stranger.iterdir()} >= {"pyproject.toml", "promograph_pigeons.py", "test_pigeons.py"}


def test_promograph_shows_the_strangers_plugin_as_the_guide_says(stranger: Path) -> None:
    shown = run(stranger, "promograph", "plugins")
    (wanted,) = blocks("text")
    assert wanted.splitlines()
    for line in wanted.splitlines():
        assert line in shown


def test_the_strangers_plugin_stands_the_kit(stranger: Path) -> None:
    tested = run(stranger, sys.executable, "-m", *commands()[-1].split(), "-p", "no:cacheprovider")
    assert re.search(r"\b15 passed\b", tested), tested
