"""Reading the lists of codes that people import, paste or type: one code a row of a sheet.

It gives batches while it reads, never holds the list, and tells what is wrong with a row with the row; only a file
whose codes cannot be found, or would be other codes than those meant, is an error.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, astuple, dataclass, replace

from promograph.domain.codes import normalise
from promograph.domain.sheets import Block, Sheet
from promograph.domain.sheets.heads import Head, find_head, header_word
from promograph.domain.stock.abouts import AboutReader
from promograph.domain.stock.rows import Batch, read_bare, read_cells, read_column
from promograph.errors import BadInput, InputProblem

_HEADERS = {"coupon", "coupons", "voucher", "vouchers", "promocode", "promocodes"} | {
    f"{kind}{word}"
    for kind in ("", "promo ", "promotion ", "promotional ", "coupon ", "voucher ", "discount ")
    for word in ("code", "codes")
}
_HEADERS |= {"gutscheincode", "gutscheincodes", "rabattcode", "rabattcodes", "aktionscode", "aktionscodes"}
_HEADERS |= {"code promo", "codes promo"}
_AT = ("columns", "code")
_ASKED = {"expires_at": "expiresAt"}  # what columns are called by whoever names them
_SHOWN = 10  # names in a note


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeColumns:
    """Which columns of a sheet are read, by their names or their numbers from 1.

    `code` None: the one whose header says so, or the only one that holds something. The others are read only where they
    are named: whose code a row is, the day or the instant with which it expires, the channel that it is meant for.
    """

    code: str | None = None
    customer: str | None = None
    expires_at: str | None = None
    channel: str | None = None


def read_codes(
    sheet: Sheet, columns: CodeColumns | None = None, *, header: bool | None = None, time_zone: str = "UTC"
) -> Iterator[Batch]:
    """The codes of a sheet, in their order; `header` says whether there is one, where that is known.

    Days of expiry are meant in the time zone.

    Raises BadInput where the codes' column cannot be told, where spreadsheets have spoiled codes, and what
    `Sheet.blocks` raises: batches of the rows before may have been given by then.
    """
    columns = columns or CodeColumns()
    wanted = [column for column in astuple(columns) if column is not None]
    head = find_head(sheet, wanted, _names_codes, header)
    at = _place(head, columns)
    wishes = {name: wish for name, wish in asdict(columns).items() if name != "code" and wish is not None}
    more = {name: head.place(wish, ("columns", _ASKED.get(name, name))) for name, wish in wishes.items()}
    about = AboutReader(more, time_zone) if more else None
    if at is None and about is not None:
        raise BadInput(InputProblem.REQUIRED, "Say which column holds the codes, too.", field=_AT)
    if at is None and sheet.is_table:
        _check_single(sheet, head)
    shown = _header(head, at)
    notes = (*sheet.notes, *_unread(head, {at, *more.values()}))
    held = numeric = 0
    for found in sheet.blocks(after=head.rows):
        block = found.wanting(None if at is None else {at, *more.values()})
        batch = _batch(block, at)
        if about is not None:
            batch = about.read(block, batch)
        held += len(batch.texts)
        numeric += block.numeric.get(at or 0, 0)
        if batch.texts or batch.bad or shown or notes:
            yield replace(batch, header=shown, notes=notes) if shown or notes else batch
            shown, notes = "", ()
    if 0 < numeric < held:
        yield Batch(rows=(), texts=(), keys=(), notes=(_mixed(numeric),))


def _batch(block: Block, at: int | None) -> Batch:
    """The codes of a block, which are in the column at a place, or in whichever one holds something."""
    for (place, column), why in block.damaged.items():
        if column == at or at is None:
            raise BadInput(InputProblem.INVALID, f"Row {block.numbers[place]:,}: {why}")
    if at is None:
        return read_bare(block) or read_cells(block)
    return read_column(block, at)


def _place(head: Head, columns: CodeColumns) -> int | None:
    if columns.code is not None:
        return head.place(columns.code, _AT)
    found = [at for at, name in enumerate(head.names) if _names_codes(name)]
    if len(found) > 1:
        names = " and ".join(head.names[at] for at in found[:_SHOWN])
        raise BadInput(InputProblem.INVALID, f"The columns {names} may each hold the codes: name one.", field=_AT)
    if not found or len(list(filter(None, head.names))) == 1:
        return None
    return found[0]


def _check_single(sheet: Sheet, head: Head) -> None:
    """BadInput where most rows hold something in several columns: which one are the codes?"""
    counts = [sum(bool(cell.strip()) for cell in cells) for cells in sheet.first.rows[head.rows :]]
    if sum(count > 1 for count in counts) * 2 > sum(count > 0 for count in counts):
        raise BadInput(
            InputProblem.INVALID,
            f"The rows of this file have up to {max(counts)} columns: say which one holds the codes, by its header "
            "or by its number from 1.",
            field=_AT,
        )


def _header(head: Head, at: int | None) -> str:
    if at is not None and at < len(head.names):
        return head.names[at]
    return ", ".join(filter(None, head.names))


def _unread(head: Head, read: set[int | None]) -> Sequence[str]:
    names = [name for at, name in enumerate(head.names) if name and at not in read]
    if read == {None} or not names:
        return ()
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return (f"Of the file, these columns were not read: {', '.join(names[:_SHOWN])}{more}.",)


def _mixed(numeric: int) -> str:
    return (
        f"Codes that are numbers in the spreadsheet: {numeric:,}; the others are texts. If some of them began with "
        "zeros, the spreadsheet has dropped those: format the column as text and enter them anew."
    )


def _names_codes(name: str) -> bool:
    return len(name) <= 64 and header_word(normalise(name)) in _HEADERS
