"""What further columns of a list say of a code: its customer, its expiry, its channel."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time

from promograph.domain.keys import checked_key
from promograph.domain.sheets import Block, Cells
from promograph.domain.stock.rows import About, BadRow, Batch, shown
from promograph.domain.windows import end_of_day, zone
from promograph.errors import BadInput, InputProblem

_LONGEST_CHANNEL = 64
_ISO_DAY = re.compile(r"(\d{4})-(\d\d?)-(\d\d?)", re.ASCII)
_DOTTED_DAY = re.compile(r"(\d\d?)\.(\d\d?)\.(\d{4})(?!\d)", re.ASCII)
_MIDNIGHT = re.compile(r"[T ]00:00(:00)?$")


class AboutReader:
    """Reads the columns at `places` (by the names of `About`'s fields). Days are meant in the time zone."""

    def __init__(self, places: Mapping[str, int], time_zone: str) -> None:
        self._customer = places.get("customer")
        self._expires_at = places.get("expires_at")
        self._channel = places.get("channel")
        self._time_zone = time_zone
        self._instants: dict[str, datetime] = {}  # the same few are in thousands of rows

    def read(self, block: Block, batch: Batch) -> Batch:
        """The batch of this block, each code with what the columns say; a row where that cannot be is a bad one."""
        place_of = {number: place for place, number in enumerate(block.numbers)}
        about: list[About] = []
        kept: list[int] = []
        bad: list[BadRow] = []
        for at, number in enumerate(batch.rows):
            place = place_of[number]
            cells = block.rows[place]
            try:
                self._check_whole(block, place)
                about.append(self._about(cells))
                kept.append(at)
            except BadInput as problem:
                bad.append(BadRow(number, shown(", ".join(filter(None, cells))), str(problem)))
        if bad:
            faults = sorted([*batch.bad, *bad], key=lambda fault: fault.row)
            batch = replace(batch.only(kept), bad=faults)
        return replace(batch, about=about)

    def _check_whole(self, block: Block, place: int) -> None:
        for column in (self._customer, self._channel):
            if block.damaged and column is not None and (place, column) in block.damaged:
                raise BadInput(InputProblem.INVALID, f"Column {column + 1}: {block.damaged[place, column]}")

    def _about(self, cells: Cells) -> About:
        customer = _cell(cells, self._customer)
        expires = _cell(cells, self._expires_at)
        channel = _cell(cells, self._channel)
        return About(
            customer=checked_key(customer, "customer") if customer else None,
            expires_at=self._instant(expires) if expires else None,
            channel=checked_key(channel, "channel", longest=_LONGEST_CHANNEL) if channel else None,
        )

    def _instant(self, text: str) -> datetime:
        found = self._instants.get(text)
        if found is None:
            found = self._instants[text] = read_expiry(text, self._time_zone)
        return found


def read_expiry(text: str, time_zone: str) -> datetime:
    """When a code stops working, in UTC: a day (2026-12-31 or 31.12.2026: with its end, there), or an instant, which
    without an offset is meant there too.

    BadInput for anything else; 12/11/2026 is two days, depending on who reads it.
    """
    iso = text
    if found := _DOTTED_DAY.match(text):
        iso = f"{found[3]}-{found[2]:0>2}-{found[1]:0>2}{text[found.end() :]}"
    day = _MIDNIGHT.sub("", iso)  # what spreadsheets make of a day
    try:
        if found := _ISO_DAY.fullmatch(day):
            return end_of_day(date(int(found[1]), int(found[2]), int(found[3])), time_zone)
        instant = datetime.fromisoformat(iso)
        if instant.tzinfo is None and instant.time() == time.min:
            return end_of_day(instant.date(), time_zone)
        local = instant if instant.tzinfo is not None else instant.replace(tzinfo=zone(time_zone))
        return local.astimezone(UTC)
    except (ValueError, OverflowError):
        sentence = (
            f"{shown(text)} is no day or time that there is: write 2026-12-31 or 31.12.2026, and a time as in "
            "2026-12-31T18:00:00+01:00."
        )
        raise BadInput(InputProblem.INVALID, sentence) from None


def _cell(cells: Cells, at: int | None) -> str:
    return cells[at].strip() if at is not None and at < len(cells) else ""
