"""From the rows of a list to codes, and to complaints about the rows that are none.

A row is a line: no code has a line end inside, so a quotation mark that nobody closed spoils its own line and not the
rest of the file. Separators are comma, semicolon and tab, whichever a spreadsheet wrote; one column is what we want.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from promograph.domain.codes import MAX_LENGTH, check_text, normalise

LONGEST_LINE = 1 << 15
"""Characters; what is longer is no row of codes. Twice the separators of a spreadsheet's 16,384 columns."""

SHOWN = 40
"""The most characters of a bad row that are shown."""

Row = TypeVar("Row")
Verdict = tuple[str, str | None]
"""A row's code and what is wrong with it (None: nothing). A blank row is an empty text with which nothing is wrong."""

_SEPARATORS = re.compile("[,;\t]")
_CELL = re.compile(r'[ ]*+"((?:[^"]++|"")*+)"[ ]*+|([^",;\t]*+)')

# What most lists consist of: lines of visible ASCII with no quotation marks nor separators, bare or each in quotes.
_CODE = rf"[!#-+\--:<-~]{{1,{MAX_LENGTH}}}+"
_BARE_LINES = re.compile(rf"(?:{_CODE}\n)*+")
_QUOTED_LINES = re.compile(rf'(?:"{_CODE}"\n)*+')


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that is no code: its number (the first is 1), its beginning with control characters escaped, and why."""

    row: int
    shown: str
    why: str


@dataclass(frozen=True, slots=True)
class RepeatedRow:
    """A row whose code came before it in the same list."""

    row: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Consecutive rows of a list, without the blank ones.

    `rows`, `texts` and `keys` are parallel: the row's number, the code as given (trimmed), its normalised key.
    `header` is the text of the list's header row in the batch that would have had it, else empty.
    """

    rows: Sequence[int]
    texts: Sequence[str]
    keys: Sequence[str]
    bad: Sequence[BadRow] = ()
    repeated: Sequence[RepeatedRow] = ()
    header: str = ""


def read_bare(lines: list[str], first: int) -> Batch | None:
    """The batch of lines that are nothing but a code each, fast; None if one of them is anything else.

    `first` is the number of the first line. The answer is the one that `read_each` gives for the same lines.
    """
    block = "\n".join(lines) + "\n"
    if _QUOTED_LINES.fullmatch(block):
        block = block.replace('"', "")
        texts = block.split("\n")[:-1]
    elif _BARE_LINES.fullmatch(block):
        texts = lines
    else:
        return None
    upper = block.upper()
    keys = texts if upper == block else upper.split("\n")[:-1]
    return Batch(rows=range(first, first + len(texts)), texts=texts, keys=keys)


def read_each(
    content: Iterable[Row], first: int, *, judge: Callable[[Row], Verdict], line: Callable[[Row], str]
) -> Batch:
    """The batch of any rows, one by one; `line` gives what a person sees of a bad one."""
    rows: list[int] = []
    texts: list[str] = []
    bad: list[BadRow] = []
    for number, row in enumerate(content, first):
        text, fault = judge(row)
        if fault is not None:
            bad.append(BadRow(number, shown(line(row)), fault))
        elif text:
            rows.append(number)
            texts.append(text)
    return Batch(rows=rows, texts=texts, keys=[normalise(text) for text in texts], bad=bad)


def judge_line(line: str) -> Verdict:
    """The verdict on one line of a text file or of a paste."""
    if len(line) > LONGEST_LINE:
        return "", f"This row has more than {LONGEST_LINE:,} characters."
    if '"' not in line:
        return judge_cells(_SEPARATORS.split(line))
    cells = _quoted_cells(line)
    return judge_cells(cells) if cells is not None else ("", "The quotation marks in this row do not match.")


def judge_cells(cells: Iterable[str]) -> Verdict:
    """The verdict on the cells of one row, of which one may hold something."""
    held = [text for cell in cells if (text := cell.strip())]
    if not held:
        return "", None
    if len(held) > 1:
        return "", f"{len(held):,} columns of this row hold something; a list of codes has one column."
    return held[0], check_text(held[0])


def _quoted_cells(line: str) -> list[str] | None:
    """The cells of a line with quotation marks; None unless each pair of them encloses a whole cell."""
    cells: list[str] = []
    at = 0
    while found := _CELL.match(line, at):
        cells.append(found[2] if found[1] is None else found[1].replace('""', '"'))
        at = found.end()
        if at == len(line):
            return cells
        if not _SEPARATORS.match(line, at):
            break
        at += 1
    return None


def shown(line: str) -> str:
    """At most `SHOWN` characters of a line, safe to print: whatever is not visible is written as Python writes it."""
    start = line.strip()[: SHOWN + 1]
    safe = "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in start
    )
    return safe if len(safe) <= SHOWN else safe[: SHOWN - 1] + "…"
