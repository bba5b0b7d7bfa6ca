"""Reading the lists of codes that people import, paste or type: one code a row.

Each reader gives batches while it reads, never holds the list, and numbers every row, the blank ones too, so that the
numbers are those that an editor or a spreadsheet shows. What is wrong with a row is told with the row; only a file that
cannot be read as text is an error.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice

from promograph.domain.code_decoding import decode, unify_line_ends
from promograph.domain.code_rows import LONGEST_LINE, Batch, Row, Verdict, judge_cells, judge_line, read_bare, read_each
from promograph.domain.codes import normalise

BATCH_ROWS = 20_000
"""The most rows in a batch."""

_HEADERS = {"COUPON", "COUPONS", "VOUCHER", "VOUCHERS", "PROMOCODE", "PROMOCODES"} | {
    f"{kind}{word}"
    for kind in ("", "PROMO ", "PROMOTION ", "PROMOTIONAL ", "COUPON ", "VOUCHER ", "DISCOUNT ")
    for word in ("CODE", "CODES")
}
_SEPARATOR_HINT = "SEP="  # `sep=;` above the header tells a spreadsheet which separator follows


def read_codes(chunks: Iterable[bytes], encoding: str | None = None) -> Iterator[Batch]:
    """The codes of a text file with one column, CSV or plain, from its bytes cut anywhere.

    A byte-order mark (UTF-8, UTF-16) tells the encoding, else it is UTF-8, else the one that `encoding` names.
    Raises BadInput where the bytes are none of these: batches of the rows before may have been given by then.
    """
    return _read(_portions(decode(chunks, encoding)), _read_lines, judge_line)


def read_pasted(text: str) -> Iterator[Batch]:
    """The codes of a text, one a line, by the rules of a file."""
    return _read(_portions([unify_line_ends(text.removeprefix("\ufeff"))]), _read_lines, judge_line)


def read_table(rows: Iterable[Sequence[str]]) -> Iterator[Batch]:
    """The codes of a spreadsheet's rows, each of them the texts of its cells (an empty one is an empty text)."""
    remaining = iter(rows)
    portions = iter(lambda: list(islice(remaining, BATCH_ROWS)), [])
    return _read(portions, _read_cells, judge_cells)


def _read(
    portions: Iterable[list[Row]], read: Callable[[list[Row], int], Batch], judge: Callable[[Row], Verdict]
) -> Iterator[Batch]:
    first = 1
    begun = False
    for rows in portions:
        skipped, header = 0, ""
        if not begun:
            skipped, header = _head(rows, judge)
            begun = bool(header) or skipped < len(rows)
        batch = read(rows[skipped:], first + skipped)
        first += len(rows)
        if batch.texts or batch.bad or header:
            yield replace(batch, header=header) if header else batch


def _head(rows: Sequence[Row], judge: Callable[[Row], Verdict]) -> tuple[int, str]:
    """How many rows come before the first code, and the text of the header if there is one."""
    for number, row in enumerate(rows):
        text, fault = judge(row)
        word = normalise(" ".join(text.replace("_", " ").split()))
        if word in _HEADERS:
            return number + 1, text
        if fault is not None or (text and word != _SEPARATOR_HINT):
            return number, ""
    return len(rows), ""


def _read_lines(lines: list[str], first: int) -> Batch:
    return read_bare(lines, first) or read_each(lines, first, judge=judge_line, line=str)


def _read_cells(rows: list[Sequence[str]], first: int) -> Batch:
    return read_each(rows, first, judge=judge_cells, line=lambda cells: ", ".join(filter(None, cells)))


def _portions(texts: Iterable[str]) -> Iterator[list[str]]:
    """The lines of a text that comes in pieces, `BATCH_ROWS` at a time."""
    waiting: list[str] = []
    begun = ""  # the line whose end has not come yet
    for text in texts:
        lines = (begun + text).split("\n")
        begun = lines.pop()[: LONGEST_LINE + 1]  # of a line that is too long, it is enough to know that it is
        waiting += lines
        while len(waiting) >= BATCH_ROWS:
            yield waiting[:BATCH_ROWS]
            del waiting[:BATCH_ROWS]
    if begun:
        waiting.append(begun)
    if waiting:
        yield waiting
