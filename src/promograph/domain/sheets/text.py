"""Text files as sheets: CSV with any separator, and lists with one column."""

from collections.abc import Iterable
from itertools import chain

from promograph.domain.sheets import Block, Reading, Sheet
from promograph.domain.sheets.decoding import decode, unify_line_ends
from promograph.domain.sheets.lines import blocks, portions
from promograph.domain.sheets.separators import check_separator, find_separator
from promograph.errors import BadInput, InputProblem

_MARKED = "Such a file has no sheets; leave the sheet out."


def read_text(chunks: Iterable[bytes], reading: Reading) -> Sheet:
    """The sheet in the bytes of a text file, cut anywhere.

    A byte-order mark (UTF-8, UTF-16) tells the encoding, else it is UTF-8, else the one that `reading` names.
    Raises BadInput for what `reading` names and is not known, or no text at the beginning; `Sheet.blocks` for no text
    farther on.
    """
    if reading.sheet is not None:
        raise BadInput(InputProblem.INVALID, _MARKED, field=("sheet",))
    told = None if reading.separator is None else check_separator(reading.separator)
    return _sheet(portions(decode(chunks, reading.encoding)), told)


def read_pasted(text: str) -> Sheet:
    """The sheet of a text that somebody pasted: one cell a line."""
    coming = portions([unify_line_ends(text.removeprefix("\ufeff"))])
    return Sheet(blocks(coming, None), is_table=False)


def _sheet(coming: Iterable[list[str]], told: str | None) -> Sheet:
    coming = iter(coming)
    first: list[list[str]] = []
    for lines in coming:
        first.append(lines)
        if any(line and not line.isspace() for line in lines):
            break
    separator, hints = find_separator(first[-1] if first else [])
    if told is not None:
        separator = told
    if hints:
        first[-1] = [""] * hints + first[-1][hints:]
    rows: Iterable[Block] = blocks(chain(first, coming), separator)
    return Sheet(rows, is_table=separator is not None)
