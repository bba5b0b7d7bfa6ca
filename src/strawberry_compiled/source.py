"""Python source under construction, and what its names stand for."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

_numbers = count(1)


class Source:
    """Lines of a module whose global names are bound to objects; only our own identifiers get into the text."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._lines: list[str] = []
        self._depth = 0
        self._names: dict[str, Any] = {}
        self._known: dict[tuple[str, int], str] = {}

    def write(self, line: str) -> None:
        self._lines.append("    " * self._depth + line)

    @contextmanager
    def indented(self) -> Iterator[None]:
        self._depth += 1
        yield
        self._depth -= 1

    def bind(self, name: str, value: Any) -> str:
        """A global name for `value`: `name` itself, or with a number where that is taken."""
        key = (name, id(value))
        if key not in self._known:
            free = name if name not in self._names else f"{name}_{len(self._names)}"
            self._names[free] = value
            self._known[key] = free
        return self._known[key]

    @property
    def text(self) -> str:
        return "\n".join(self._lines) + "\n"

    def made(self) -> dict[str, Any]:
        """The module's names, after it has run."""
        file = f"<strawberry_compiled {next(_numbers)}: {self._title}>"
        exec(compile(self.text, file, "exec"), self._names)
        return self._names
