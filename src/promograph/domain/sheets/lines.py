"""The lines of a text file and the cells of a line.

A row is a line; in a table, where a quotation mark is open at its end, the row goes on, if a well-formed row comes of
it. So a quotation mark that nobody closed spoils its own line and not the rest of the file.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence

from promograph.domain.sheets import BLOCK_ROWS, Block, Cells

LONGEST_LINE = 1 << 15
"""Characters; what is longer is no row. Twice the separators of a spreadsheet's 16,384 columns."""

ANY_SEPARATOR = ",;\t"
"""What parts the cells of a line in a file whose lines are not parted as a rule."""

_MOST_LINES = 100  # of one row
_MOST_CHARACTERS = 1 << 22  # of a portion: twenty thousand long lines are half a gigabyte
_TOO_LONG = f"This row has more than {LONGEST_LINE:,} characters."
_UNPAIRED = "The quotation marks in this row do not match."
_ALL_QUOTED = re.compile(r'(?:"[^",;\t]*+"\n)*+')


def portions(texts: Iterable[str]) -> Iterator[list[str]]:
    """The lines of a text that comes in pieces, `BLOCK_ROWS` at a time, or fewer where they are long."""
    waiting: list[str] = []
    begun = ""  # the line whose end has not come yet
    size = 0
    for text in texts:
        lines = (begun + text).split("\n")
        begun = lines.pop()[: LONGEST_LINE + 1]  # of a line that is too long, it is enough to know that it is
        waiting += lines
        size += len(text)
        while len(waiting) >= BLOCK_ROWS:
            yield waiting[:BLOCK_ROWS]
            del waiting[:BLOCK_ROWS]
            size = 0
        if size >= _MOST_CHARACTERS and waiting:
            yield waiting
            waiting, size = [], 0
    if begun:
        waiting.append(begun)
    if waiting:
        yield waiting


def blocks(coming: Iterable[list[str]], separator: str | None) -> Iterator[Block]:
    """The rows of a file's lines. `separator` None: of a list, whose lines are one cell each unless they are odd."""
    splitter = _Splitter(separator)
    begun: list[str] = []  # lines of a row that may go on in the next portion
    number = 1
    for lines in coming:
        lines = begun + lines
        block, begun = splitter.split(lines, number, final=False)
        number += len(lines) - len(begun)
        yield block
    if begun:
        yield splitter.split(begun, number, final=True)[0]


class _Splitter:
    """From lines to cells, for one separator."""

    def __init__(self, separator: str | None) -> None:
        self._separators = separator or ANY_SEPARATOR
        self._one = separator
        within = re.escape(self._separators)
        self._separator = re.compile(f"[{within}]")
        self._cell = re.compile(rf'[ ]*+"((?:[^"]++|"")*+)"[ ]*+|([^"{within}]*+)')

    def split(self, lines: list[str], first: int, *, final: bool) -> tuple[Block, list[str]]:
        """The block of these lines, and those at their end that await the next ones (none when `final`)."""
        rows = self._split_fast(lines)
        if rows is not None:
            return Block(numbers=range(first, first + len(rows)), rows=rows), []
        return self._split_each(lines, first, final=final)

    def _split_fast(self, lines: list[str]) -> Sequence[Cells] | None:
        """The rows where every line is one and none needs a closer look."""
        text = "\n".join(lines)
        if len(text) > LONGEST_LINE and max(map(len, lines)) > LONGEST_LINE:
            return None
        if self._one is None:
            if any(mark in text for mark in ANY_SEPARATOR):
                return None
            if '"' not in text:
                return list(zip(lines))
            return [(line[1:-1],) for line in lines] if _ALL_QUOTED.fullmatch(text + "\n") else None
        if '"' not in text:
            return [line.split(self._one) for line in lines]
        try:
            rows = list(csv.reader(lines, delimiter=self._one, strict=True))
        except csv.Error:
            return None
        # A quotation mark that is left in a cell was doubled, or stood where none may stand.
        odd = len(rows) != len(lines) or any('"' in cell for row in rows for cell in row)
        return None if odd else rows

    def _split_each(self, lines: list[str], first: int, *, final: bool) -> tuple[Block, list[str]]:
        numbers: list[int] = []
        rows: list[list[str]] = []
        faults: dict[int, str] = {}
        at = 0
        while at < len(lines):
            cells, used = self._row(lines, at)
            if cells is None and used > 1 and not final and at + _MOST_LINES > len(lines):
                return Block(numbers=numbers, rows=rows, faults=faults), lines[at:]
            numbers.append(first + at)
            if cells is None:
                faults[len(rows)] = _TOO_LONG if len(lines[at]) > LONGEST_LINE else _UNPAIRED
                rows.append([lines[at]])
                at += 1
            else:
                rows.append(cells)
                at += used
        return Block(numbers=numbers, rows=rows, faults=faults), []

    def _row(self, lines: list[str], at: int) -> tuple[list[str] | None, int]:
        """The cells of the row that begins with a line, and how many lines it has; None where it is no row.

        More than one line for None: further ones might have made it a row.
        """
        line = lines[at]
        if len(line) > LONGEST_LINE:
            return None, 1
        if '"' not in line:
            return self._separator.split(line), 1
        cells = self._cells(line)
        # An even number of marks can never be mended by more lines, and an odd one only by another such line.
        if cells is not None or self._one is None or line.count('"') % 2 == 0:
            return cells, 1
        text = line
        for used, further in enumerate(lines[at + 1 : at + _MOST_LINES], 2):
            text = f"{text}\n{further}"
            if len(text) > LONGEST_LINE:
                return None, 1
            if further.count('"') % 2:
                cells = self._cells(text)
                return cells, (used if cells is not None else 1)
        return None, _MOST_LINES

    def _cells(self, line: str) -> list[str] | None:
        """The cells of a line with quotation marks; None unless each pair of them encloses a whole cell."""
        cells: list[str] = []
        at = 0
        while found := self._cell.match(line, at):
            cells.append(found[2] if found[1] is None else found[1].replace('""', '"'))
            at = found.end()
            if at == len(line):
                return cells
            if not self._separator.match(line, at):
                break
            at += 1
        return None
