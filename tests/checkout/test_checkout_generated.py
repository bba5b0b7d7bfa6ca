"""What is made from the checkout's documents is what `just client` would make."""

import json
import subprocess
import sys
from hashlib import sha256
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from zipfile import ZipFile

import pytest
from hatchling.builders.wheel import WheelBuilder

from .shop import DOCUMENTS

CLIENT = Path(__file__).parents[2] / "clients/python"


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    spec = spec_from_file_location("generate", CLIENT / "generate.py")
    assert spec and spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_client_is_made_from_the_schema_and_the_documents(generate: ModuleType) -> None:
    assert (CLIENT / "promograph_client/operations.py").read_text() == generate.module(), "run 'just client'"
    assert (DOCUMENTS / "documents.json").read_text() == generate.manifest(), "run 'just client'"


def test_the_manifest_has_each_document_under_its_hash() -> None:
    texts = json.loads((DOCUMENTS / "documents.json").read_text())
    assert {sha256(text.encode()).hexdigest(): text for text in texts.values()} == texts
    assert sorted(texts.values()) == sorted(path.read_text() for path in DOCUMENTS.glob("*.graphql"))


def test_the_client_is_a_distribution_of_its_own(tmp_path: Path) -> None:
    (wheel,) = WheelBuilder(str(CLIENT)).build(directory=str(tmp_path))
    with ZipFile(wheel) as file:
        (metadata,) = (file.read(name).decode() for name in file.namelist() if name.endswith("METADATA"))
        assert "promograph_client/py.typed" in file.namelist()
    needed = [line for line in metadata.splitlines() if line.startswith("Requires-Dist")]
    assert [line.partition(": ")[2].partition(">")[0] for line in needed] == ["httpx2"]
    code = "import sys, promograph_client; print(promograph_client.__file__, 'promograph' in sys.modules)"
    shown = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": wheel}, capture_output=True, text=True, check=True
    )
    assert shown.stdout.split() == [f"{wheel}/promograph_client/__init__.py", "False"]
