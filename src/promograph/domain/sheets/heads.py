"""The header of a sheet, and which column is meant by a name or a number."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from promograph.domain.sheets import Cells, Sheet
from promograph.errors import BadInput, InputProblem

_SEARCHED = 20  # rows with something in them, for a header below titles
_SHOWN = 20  # names in a complaint

Held = tuple[int, Cells]
"""A row with something in it: its place in the first block, and its cells."""


def header_word(text: str) -> str:
    """What makes two names of columns the same: letter case, underscores and runs of spaces do not matter."""
    return " ".join(text.replace("_", " ").split()).casefold()


@dataclass(frozen=True, slots=True)
class Head:
    """`names` are the columns' (none where there is no header); `rows` so many of the first block are no data."""

    names: tuple[str, ...]
    rows: int

    def place(self, column: str, field: Sequence[str] = ()) -> int:
        """The place, from 0, of the column with this name, or else this number from 1; BadInput at `field`."""
        word = header_word(column)
        found = [at for at, name in enumerate(self.names) if header_word(name) == word]
        if len(found) == 1:
            return found[0]
        if len(found) > 1:
            sentence = f"The file has {len(found)} columns named {column[:64]!r}: give the number of the one you mean."
            raise BadInput(InputProblem.INVALID, sentence, field=field)
        if column.strip().isdecimal() and 1 <= int(column[:9]) <= 16_384:
            return int(column) - 1
        raise BadInput(InputProblem.NOT_FOUND, self._unknown(column), field=field)

    def _unknown(self, column: str) -> str:
        names = [name[:64] for name in self.names if name]
        if not names:
            return f"The file has no column named {column[:64]!r}, as no header was found; give its number, from 1."
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        return f"The file has no column named {column[:64]!r}; it has {', '.join(names[:_SHOWN])}{more}."


def find_head(sheet: Sheet, wanted: Iterable[str], known: Callable[[str], bool], told: bool | None = None) -> Head:
    """The header of a sheet.

    `wanted` are the columns that were asked for, by names or numbers; `known` tells of a cell whether it names a column
    of what is being read. `told`: there is one (the first row that is no title), or there is none. Else a row that
    holds a wanted or a known name is one, if it is the first row, or only titles (rows with one cell, merged cells)
    stand above it.
    """
    if told is False:
        return Head((), 0)
    rows = sheet.first.rows
    words = {header_word(column) for column in wanted if not column.strip().isdecimal()}
    held = _held(rows)
    above = [each for each in held if each[0] < sheet.merged]
    below = [each for each in held if each[0] >= sheet.merged]

    def names(cells: Cells) -> bool:
        return any(header_word(cell) in words or known(cell) for cell in cells)

    found = max((place for place, cells in above if names(cells)), default=None)
    for index, (place, cells) in enumerate(below):
        many = _count(cells) > 1
        if (many or not index) and names(cells):
            found = place
        if not sheet.is_table or (many and (found == place or not words)):
            break
    if found is None and told and held:
        found = _told(above, below)
    if found is None:
        return Head((), min(sheet.merged, len(rows)))
    return Head(tuple(cell.strip() for cell in rows[found]), max(found + 1, min(sheet.merged, len(rows))))


def _told(above: Sequence[Held], below: Sequence[Held]) -> int:
    """The place of the header, of which nothing is known but that there is one."""
    levels = [place for place, cells in above if len(set(filter(None, cells))) > 1]
    if levels:
        return levels[-1]
    return (below or above)[0][0]


def _held(rows: Sequence[Cells]) -> list[Held]:
    """The first rows with something in them."""
    held: list[Held] = []
    for place, cells in enumerate(rows):
        if _count(cells):
            held.append((place, cells))
            if len(held) == _SEARCHED:
                break
    return held


def _count(cells: Cells) -> int:
    return sum(bool(cell.strip()) for cell in cells)
