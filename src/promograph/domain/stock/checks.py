"""What every list of codes goes through: texts that are kept for tests, or that a spreadsheet left where a code was,
are no codes, and each code counts once."""

import re
from collections.abc import Iterator
from dataclasses import replace

from promograph.domain.codes.placeholders import RESERVED, is_placeholder
from promograph.domain.stock.reports import Repeats
from promograph.domain.stock.rows import BadRow, Batch

_NUMBER = re.compile(r"\d([.,]\d+)?E\+\d+")
_ERROR = re.compile(r"#(N/A|NV|#+|NULL!|(DIV/0|REF|BEZUG|VALUE|WERT|NUM|ZAHL)!|NAME\?)")
_SHORTENED = (
    "A spreadsheet has shortened this number, and its last digits are lost: format the column as text and enter the "
    "codes anew."
)
_FAILED = "This is a spreadsheet's sign that a formula failed, and no code."


def checked(batches: Iterator[Batch], repeats: Repeats) -> Iterator[Batch]:
    return (repeats.drop(_without_others(batch)) for batch in batches)


def _without_others(batch: Batch) -> Batch:
    """Without what is no code, which is bad."""
    why = {key: RESERVED for key in batch.keys if is_placeholder(key)} | _spoiled(batch)
    if not why:
        return batch
    bad = [
        BadRow(row, text, why[key])
        for row, text, key in zip(batch.rows, batch.texts, batch.keys, strict=True)
        if key in why
    ]
    left = batch.only([place for place, key in enumerate(batch.keys) if key not in why])
    return replace(left, bad=sorted([*batch.bad, *bad], key=lambda fault: fault.row))


def _spoiled(batch: Batch) -> dict[str, str]:
    """What spreadsheets have left, in files that they wrote: by key, what is wrong with it."""
    together = "\n".join(batch.keys)  # millions pass by here, and hardly any has one
    if "E+" not in together and "#" not in together:
        return {}
    numbers = {key: _SHORTENED for key in batch.keys if _NUMBER.fullmatch(key)}
    return numbers | {key: _FAILED for key in batch.keys if _ERROR.fullmatch(key)}
