"""Rules of the house that no other tool keeps."""

import ast
import re
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

import promograph

ROOT = Path(__file__).parent.parent
SOURCES = sorted(
    [
        *(ROOT / "src").rglob("*.py"),
        *(ROOT / "plugins").glob("*/promograph_*/**/*.py"),
        *(ROOT / "clients").rglob("*.py"),
    ]
)
# A migration is one list of what it makes, however long.
WRITTEN = [path for path in SOURCES if path.parent.name != "versions"]
DOMAIN = sorted((ROOT / "src/promograph/domain").rglob("*.py"))

# What git keeps out, and what tools put beside the sources.
FOREIGN = {".git", ".venv", ".hypothesis", "node_modules", "__pycache__", "dist", "build", "uv.lock", "pylock.toml"}

LONGEST_FUNCTION = 60

# In parts, so that this file does not name them either.
REGISTRIES = [".".join(parts) for parts in (("pypi", "org"), ("pythonhosted", "org"), ("registry", "npmjs", "org"))]


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def files() -> Iterator[Path]:
    pending = [ROOT]
    while pending:
        for path in pending.pop().iterdir():
            if path.name in FOREIGN or (path.is_dir() and path.name.endswith("_cache")):
                continue
            if path.is_dir():
                pending.append(path)
            else:
                yield path


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pins() -> list[str]:
    return [line for line in read("constraints.txt").splitlines() if line and not line.startswith("#")]


def test_ci_runs_the_test_command_of_the_readme() -> None:
    *_, command = read(".ci/run").strip().splitlines()
    assert command.endswith(".venv/bin/just")
    assert command in [line.strip() for line in read("README.md").splitlines()]


def test_ci_can_be_run() -> None:
    assert (ROOT / ".ci/run").stat().st_mode & 0o100


def test_the_changelog_knows_this_version() -> None:
    assert re.search(rf"^## \[?{re.escape(promograph.__version__)}\b", read("CHANGELOG.md"), re.MULTILINE)


def test_pins_are_versions_without_addresses() -> None:
    names = [pin.partition("==")[0] for pin in pins()]
    assert names == sorted(set(names))
    for pin in pins():
        assert re.fullmatch(r"[a-z0-9-]+==[0-9][0-9a-z.+!]*", pin), pin


def test_every_dependency_is_pinned() -> None:
    project = tomllib.loads(read("pyproject.toml"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    names = {plain(re.split(r"[^A-Za-z0-9._-]", each, maxsplit=1)[0]) for each in wanted}
    assert names <= {pin.partition("==")[0] for pin in pins()}


def test_nothing_names_a_registry() -> None:
    for path in files():
        content = path.read_bytes()
        assert not [host for host in REGISTRIES if host.encode() in content], named(path)


def test_no_plugin_folder_is_a_package() -> None:
    folders = [path for path in (ROOT / "plugins").iterdir() if path.is_dir()]
    assert folders
    for folder in folders:
        assert not (folder / "__init__.py").exists(), f"{folder.name} would hide another package of that name"
        assert (folder / "README.md").stat().st_size


def test_test_files_have_names_of_their_own() -> None:
    names = Counter(path.name for path in files() if path.name.startswith("test_") and path.suffix == ".py")
    assert [name for name, count in names.items() if count > 1] == []


def test_no_test_skips() -> None:
    """What is missing fails: a test that is left out looks like one that passed."""
    for path in files():
        if path.suffix == ".py" and "tests" in path.relative_to(ROOT).parts:
            for node in ast.walk(ast.parse(path.read_bytes())):
                if isinstance(node, ast.Attribute) and ast.unparse(node.value) in ("pytest", "pytest.mark", "unittest"):
                    assert node.attr not in ("skip", "skipif", "importorskip", "xfail"), named(path)


@pytest.mark.parametrize("path", DOMAIN, ids=named)
def test_the_domain_stays_with_the_standard_library(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            modules = [name.name for name in node.names]
        elif isinstance(node, ast.ImportFrom):
            modules = [node.module or "."]
        else:
            continue
        for module in modules:
            own = module.startswith("promograph.domain") or module == "promograph.errors"
            assert own or module.partition(".")[0] in sys.stdlib_module_names, module


@pytest.mark.parametrize("path", WRITTEN, ids=named)
def test_functions_are_short(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            assert lines <= LONGEST_FUNCTION, f"{node.name} has {lines} lines"


@pytest.mark.parametrize("path", SOURCES, ids=named)
def test_only_the_settings_read_the_environment(path: Path) -> None:
    if path == ROOT / "src/promograph/config.py":
        return
    names = {node.attr for node in ast.walk(ast.parse(path.read_bytes())) if isinstance(node, ast.Attribute)}
    assert not names & {"environ", "environb", "getenv"}
