"""A sheet: rows of cells as texts, whichever kind of file they come from, a block at a time.

Whoever reads one finds its header (`sheet_heads`), asks that for the columns it wants, and goes through `blocks`.
"""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

BLOCK_ROWS = 20_000
"""The most rows in a block."""

Cells = Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How to read a file; what is None is found from its content.

    `encoding` and `separator` are for text files, `sheet` (a name, or a number from 1) is for workbooks. `header` says
    whether there is a row with the columns' names.
    """

    encoding: str | None = None
    separator: str | None = None
    sheet: str | None = None
    header: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Consecutive rows, the blank ones too; a row may have fewer cells than another.

    `numbers` are those that an editor or a spreadsheet shows: of a row over several lines, that of the first line.
    `faults` tells by place in `rows` what is wrong with a row (which has no cells then), and `damaged` by place and
    column what is wrong with a cell; `errors` by the same which cells hold no value but an error of the spreadsheet's.
    `numeric` counts by column the cells that hold a number and not a text.
    """

    numbers: Sequence[int]
    rows: Sequence[Cells]
    faults: Mapping[int, str] = field(default_factory=dict)
    damaged: Mapping[tuple[int, int], str] = field(default_factory=dict)
    errors: Mapping[tuple[int, int], str] = field(default_factory=dict)
    numeric: Mapping[int, int] = field(default_factory=dict)

    def wanting(self, columns: Container[int] | None) -> "Block":
        """The block for whoever reads these columns (None: all of them): a row with an error there is a fault."""
        spoiled = {place: why for (place, at), why in self.errors.items() if columns is None or at in columns}
        return replace(self, faults=spoiled | dict(self.faults)) if spoiled else self

    def since(self, start: int) -> "Block":
        """The block without its first `start` rows (`numeric` still counts them)."""
        if not start:
            return self
        return replace(
            self,
            numbers=self.numbers[start:],
            rows=self.rows[start:],
            faults={place - start: why for place, why in self.faults.items() if place >= start},
            damaged={(place - start, at): why for (place, at), why in self.damaged.items() if place >= start},
            errors={(place - start, at): why for (place, at), why in self.errors.items() if place >= start},
        )


class Sheet:
    """An opened sheet. `blocks` can be gone through once, and raises BadInput where the file cannot be read on.

    `is_table` tells that rows have several columns (a text file without a separator is a list of lines, and a line with
    one in it has two cells all the same). `merged` is how many of the first rows have merged cells: titles, or a header
    of several levels. `notes` are sentences for the person who sent the file.
    """

    def __init__(self, blocks: Iterable[Block], *, is_table: bool, merged: int = 0, notes: Sequence[str] = ()) -> None:
        self.is_table = is_table
        self.merged = merged
        self.notes = tuple(notes)
        self._coming = iter(blocks)
        self._first: Block | None = None

    @property
    def first(self) -> Block:
        """The first block with anything in it, which `blocks` will give again; an empty one for an empty file."""
        while self._first is None or not _holds(self._first):
            block = next(self._coming, None)
            if block is None:
                self._first = self._first or Block(numbers=(), rows=())
                break
            self._first = block
        return self._first

    def blocks(self, *, after: int = 0) -> Iterator[Block]:
        """All blocks from `first` on, without the first `after` rows of it."""
        yield self.first.since(after)
        yield from self._coming


def _holds(block: Block) -> bool:
    return bool(block.faults or block.errors) or any(cell.strip() for cells in block.rows for cell in cells)
