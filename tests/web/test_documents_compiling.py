"""When operations are compiled, and that a flood of documents compiles few."""

import pytest
from graphql import parse
from strawberry.types.graphql import OperationType

from promograph.api.documents.compiling import OperationCompiler
from promograph.api.documents.memory import DocumentMemory, KnownDocument, KnownOperation
from promograph.api.schema import build_schema
from promograph.api.scopes import NOTHING

SCHEMA = build_schema()
TEXT = '{ promotion(handle: "x") { id name } }'


class Setup:
    def __init__(self) -> None:
        self.now = 0.0
        self.memory = DocumentMemory(max_documents=1_000, max_bytes=10_000_000)
        self.compiler = OperationCompiler(self.memory, lambda: self.now)

    def asked(self, text: str) -> bool:
        """Whether it was asked of a compiled operation."""
        known = self.memory.get(text)
        if known is None:
            document = parse(text)
            operation = KnownOperation(OperationType.QUERY, NOTHING)
            known = KnownDocument(document, {None: operation})
            self.memory.put(text, known)
        return self.compiler.compiled(SCHEMA, text, known, known.operations[None], None) is not None


@pytest.fixture
def setup() -> Setup:
    return Setup()


def test_what_comes_a_second_time_is_compiled_and_its_size_counted(setup: Setup) -> None:
    assert not setup.asked(TEXT)
    size = setup.memory.size
    assert setup.asked(TEXT)
    grown = setup.memory.size
    assert grown > 2 * size
    assert setup.asked(TEXT)
    assert setup.memory.size == grown


def test_what_is_declined_is_tried_once(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "{ __schema { description } }"
    assert [setup.asked(text) for _ in range(3)] == [False, False, False]
    monkeypatch.setattr("strawberry_compiled.compile", None)
    assert not setup.asked(text)


def test_a_flood_compiles_so_many_at_once_and_a_second(setup: Setup) -> None:
    texts = [f'{{ promotion(handle: "{number}") {{ id }} }}' for number in range(130)]
    assert not any(setup.asked(text) for text in texts)
    assert sum(setup.asked(text) for text in texts) == 100
    setup.now += 1
    assert sum(setup.asked(text) for text in texts) == 120
    setup.now += 60
    assert all(setup.asked(text) for text in texts)
