"""What every list of codes goes through: texts that are kept for tests are no codes, and each code counts once."""

from collections.abc import Iterator
from dataclasses import replace

from promograph.domain.codes.placeholders import RESERVED, is_placeholder
from promograph.domain.stock.reports import Repeats
from promograph.domain.stock.rows import BadRow, Batch


def checked(batches: Iterator[Batch], repeats: Repeats) -> Iterator[Batch]:
    return (repeats.drop(_without_reserved(batch)) for batch in batches)


def _without_reserved(batch: Batch) -> Batch:
    """Placeholders' texts are no codes."""
    reserved = {key for key in batch.keys if is_placeholder(key)}
    if not reserved:
        return batch
    bad = [
        BadRow(row, text, RESERVED)
        for row, text, key in zip(batch.rows, batch.texts, batch.keys, strict=True)
        if key in reserved
    ]
    left = batch.only([place for place, key in enumerate(batch.keys) if key not in reserved])
    return replace(left, bad=sorted([*batch.bad, *bad], key=lambda fault: fault.row))
