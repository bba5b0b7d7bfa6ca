"""What became of a list's rows: repeats within the list, counts, and the rows to show to a person."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from promograph.domain.stock.rows import BadRow, Batch, RepeatedRow
from promograph.errors import BadInput, InputProblem

ROWS_KEPT = 1_000
"""A report names so many bad and so many repeated rows; the rest of them it counts."""

MAX_CODES = 10_000_000
"""The most codes that one list may hold, unless told otherwise; `Repeats` says what they cost."""


_GROUPS = 1 << 16


class Repeats:
    """The keys of one list, to find the rows that say again what a row before them said.

    Exact: it keeps whole keys, not hashes of them, so no new code is ever taken for a repeat. They lie one behind the
    other in some thousands of texts, by their hashes: a key of 10 characters costs 11 bytes there and 100 in a set,
    and of the texts that a key might be in, one of a few hundred characters is looked through.
    """

    def __init__(self, most: int = MAX_CODES) -> None:
        self._most = most
        self._count = 0
        self._groups: dict[int, str] = {}

    def drop(self, batch: Batch) -> Batch:
        """The batch with its repeated rows moved to `repeated`; BadInput (TOO_MANY) when the list is too long."""
        again = self._add(batch.keys)
        self._count += len(batch.keys) - len(again)
        if self._count > self._most:
            raise BadInput(InputProblem.TOO_MANY, f"A list holds at most {self._most:,} codes: split this one.")
        if not again:
            return batch
        repeated = set(again)
        return replace(
            batch.only([place for place in range(len(batch.keys)) if place not in repeated]),
            repeated=[RepeatedRow(batch.rows[place], batch.texts[place]) for place in again],
        )

    def _add(self, keys: Sequence[str]) -> list[int]:
        """The places of the keys that were there before."""
        groups, again = self._groups, []
        for place, key in enumerate(keys):
            number = hash(key) % _GROUPS
            group = groups.get(number, "\n")
            if key in group and f"\n{key}\n" in group:  # no key has a line feed in it
                again.append(place)
            else:
                groups[number] = f"{group}{key}\n"
        return again


@dataclass(frozen=True, slots=True, kw_only=True)
class ListReport:
    """One list, read to its end: `read` rows held something (the header aside), and `read = good + repeated + bad`.

    Of the repeated and of the bad rows the first `ROWS_KEPT` are named. `header_skipped` is the header's text or
    empty; `notes` are sentences about the list.
    """

    read: int
    good: int
    repeated: int
    repeated_rows: tuple[RepeatedRow, ...]
    bad: int
    bad_rows: tuple[BadRow, ...]
    header_skipped: str
    notes: tuple[str, ...] = ()


class Tally:
    """Counts batches, after `Repeats.drop`, into a report."""

    def __init__(self) -> None:
        self._good = self._repeated = self._bad = 0
        self._repeated_rows: list[RepeatedRow] = []
        self._bad_rows: list[BadRow] = []
        self._header = ""
        self._notes: tuple[str, ...] = ()

    def add(self, batch: Batch) -> None:
        self._good += len(batch.texts)
        self._repeated += len(batch.repeated)
        self._bad += len(batch.bad)
        self._repeated_rows += batch.repeated[: ROWS_KEPT - len(self._repeated_rows)]
        self._bad_rows += batch.bad[: ROWS_KEPT - len(self._bad_rows)]
        self._header = self._header or batch.header
        self._notes += tuple(batch.notes)

    def report(self) -> ListReport:
        """The report on all batches so far."""
        return ListReport(
            read=self._good + self._repeated + self._bad,
            good=self._good,
            repeated=self._repeated,
            repeated_rows=tuple(self._repeated_rows),
            bad=self._bad,
            bad_rows=tuple(self._bad_rows),
            header_skipped=self._header,
            notes=self._notes,
        )
