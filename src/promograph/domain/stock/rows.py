"""From the rows of a list to codes, and to complaints about the rows that are none."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from promograph.domain.codes import MAX_LENGTH, check_text, normalise
from promograph.domain.sheets import Block, Cells

SHOWN = 40
"""The most characters of a bad row that are shown."""

Verdict = tuple[str, str | None]
"""A row's code and what is wrong with it (None: nothing). A blank row is an empty text with which nothing is wrong."""

# What most lists consist of: visible ASCII, no space.
_BARE = re.compile(rf"(?:[!-~]{{1,{MAX_LENGTH}}}+\n)*+")


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
class About:
    """What further columns say of a code: whose it is, when it expires (in UTC), the channel that it is meant for."""

    customer: str | None = None
    expires_at: datetime | None = None
    channel: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Consecutive rows of a list, without the blank ones.

    `rows`, `texts` and `keys` are parallel: the row's number, the code as given (trimmed), its normalised key; and
    `about`, unless only codes were read.
    `header` is the text of the list's header row in the batch that would have had it, else empty; `notes` are sentences
    about the list for the person who sent it.
    """

    rows: Sequence[int]
    texts: Sequence[str]
    keys: Sequence[str]
    bad: Sequence[BadRow] = ()
    about: Sequence[About] = ()
    repeated: Sequence[RepeatedRow] = ()
    header: str = ""
    notes: Sequence[str] = ()

    def only(self, places: Sequence[int]) -> "Batch":
        """The batch with none but the codes at these places; what it says of other rows stays."""
        return replace(
            self,
            rows=[self.rows[place] for place in places],
            texts=[self.texts[place] for place in places],
            keys=[self.keys[place] for place in places],
            about=[self.about[place] for place in places] if self.about else (),
        )


def read_bare(block: Block) -> Batch | None:
    """The batch of rows that are nothing but a code each, fast; None if one of them is anything else.

    The answer is the one that `read_cells` gives for the same rows.
    """
    if block.faults or set(map(len, block.rows)) != {1}:
        return None
    return _bare([cells[0] for cells in block.rows], block.numbers)


def read_cells(block: Block) -> Batch:
    """The batch of rows of which one cell may hold something, whichever it is."""
    return _read_each(block, _judge_cells)


def read_column(block: Block, at: int) -> Batch:
    """The batch of rows whose code is in the cell at a place."""
    if not block.faults:
        try:
            texts = [cells[at] for cells in block.rows]
        except IndexError:
            texts = []
        batch = _bare(texts, block.numbers) if texts else None
        if batch is not None:
            return batch
    return _read_each(block, lambda cells: _judge_cell(cells, at))


def _bare(texts: list[str], numbers: Sequence[int]) -> Batch | None:
    joined = "\n".join(texts) + "\n"
    if not _BARE.fullmatch(joined) or joined.count("\n") != len(texts):
        return None
    upper = joined.upper()
    return Batch(rows=numbers, texts=texts, keys=texts if upper == joined else upper.split("\n")[:-1])


def _read_each(block: Block, judge: Callable[[Cells], Verdict]) -> Batch:
    rows: list[int] = []
    texts: list[str] = []
    bad: list[BadRow] = []
    for place, (number, cells) in enumerate(zip(block.numbers, block.rows, strict=True)):
        fault = block.faults.get(place)
        text, fault = judge(cells) if fault is None else ("", fault)
        if fault is not None:
            bad.append(BadRow(number, shown(", ".join(filter(None, cells))), fault))
        elif text:
            rows.append(number)
            texts.append(text)
    return Batch(rows=rows, texts=texts, keys=[normalise(text) for text in texts], bad=bad)


def _judge_cells(cells: Cells) -> Verdict:
    held = [text for cell in cells if (text := cell.strip())]
    if not held:
        return "", None
    if len(held) > 1:
        return "", f"{len(held):,} columns of this row hold something; a list of codes has one column."
    return held[0], check_text(held[0])


def _judge_cell(cells: Cells, at: int) -> Verdict:
    text = cells[at].strip() if at < len(cells) else ""
    if text:
        return text, check_text(text)
    return "", "This row has no code." if any(cell.strip() for cell in cells) else None


def shown(line: str) -> str:
    """At most `SHOWN` characters of a line, safe to print: whatever is not visible is written as Python writes it."""
    start = line.strip()[: SHOWN + 1]
    safe = "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in start
    )
    return safe if len(safe) <= SHOWN else safe[: SHOWN - 1] + "…"
