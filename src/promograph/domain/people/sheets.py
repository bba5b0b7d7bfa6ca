"""Customers as the rows of a sheet: which column is what, and each row as `customer_reading` reads a customer."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

from promograph.domain.conditions.values import ValueType
from promograph.domain.people.attributes import checked_name
from promograph.domain.sheets import Cells, Reading, Sheet
from promograph.domain.sheets.heads import Head, find_head, header_word
from promograph.errors import BadInput, InputProblem

PIECE_ROWS = 2_000
"""How many rows are read, and written, at a time."""

_IDS_AT_ONCE = 5
"""Where a row is an id and nothing else, so many times as many."""

_IDS = {"id", "customer", "customer id", "client id", "client"}
_FIELDS = ("email", "phone", "locale")
# What people write, and what spreadsheets with English, German and French settings do.
_TRUTHS = dict.fromkeys(("true", "yes", "y", "1", "wahr", "ja", "vrai", "oui"), True)
_TRUTHS |= dict.fromkeys(("false", "no", "n", "0", "falsch", "nein", "faux", "non"), False)
_DOTTED_DAY = re.compile(r"([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{4})")
_PLAIN_NUMBER = re.compile(r"-?[0-9]{1,9}(?:\.[0-9]{1,4})?")
_MOST_COLUMNS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeColumn:
    """The attribute `name` is in a column. `type`: of its values; None: as known, or TEXT."""

    name: str
    column: str
    type: ValueType | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerColumns:
    """Which columns are read, each by its header or its number from 1. `consent`: by channel.

    `id` None: the one whose header says so, or the only one there is.
    """

    id: str | None = None
    email: str | None = None
    phone: str | None = None
    locale: str | None = None
    consent: Mapping[str, str] | None = None
    attributes: Sequence[AttributeColumn] = ()

    @classmethod
    def of(cls, kept: dict[str, Any]) -> Self:
        """From `asdict` of one."""
        attributes = [
            AttributeColumn(name=one["name"], column=one["column"], type=one["type"] and ValueType(one["type"]))
            for one in kept["attributes"]
        ]
        return cls(**{**kept, "attributes": attributes})

    @property
    def only_ids(self) -> bool:
        """Whether there is nothing to tell of a customer but that there is one."""
        return not any(asdict(self)[name] for name in (*_FIELDS, "consent", "attributes"))

    @property
    def piece_rows(self) -> int:
        """How many rows of a file with these columns are written at a time."""
        return PIECE_ROWS * (_IDS_AT_ONCE if self.only_ids else 1)

    def checked(self, known: Mapping[str, ValueType]) -> "CustomerColumns":
        """With the type of every attribute. BadInput for names and types that cannot be."""
        if len(self.attributes) > _MOST_COLUMNS:
            sentence = f"A file tells at most {_MOST_COLUMNS} attributes of a customer."
            raise BadInput(InputProblem.TOO_MANY, sentence, field=("columns", "attributes"))
        typed = []
        for place, one in enumerate(self.attributes):
            path = ("columns", "attributes", str(place))
            name = checked_name(one.name, (*path, "name"))
            there = known.get(name)
            if there is not None and one.type not in (None, there):
                sentence = f"The attribute {name!r} is a {there}, and not a {one.type}."
                raise BadInput(InputProblem.INVALID, sentence, field=(*path, "type"))
            typed.append(AttributeColumn(name=name, column=one.column, type=there or one.type or ValueType.TEXT))
        return CustomerColumns(**{**_shallow(self), "attributes": typed})


@dataclass(frozen=True, slots=True)
class Piece:
    """Consecutive rows with something in them: their numbers, and the customers that they tell of."""

    numbers: Sequence[int]
    customers: Sequence[Mapping[str, Any]]
    faults: Sequence[tuple[int, str]] = ()


def read_customer_rows(
    sheet: Sheet, columns: CustomerColumns, reading: Reading, *, piece_rows: int = PIECE_ROWS
) -> Iterator[Piece]:
    """The rows of a sheet, a piece at a time. BadInput where a column is not there."""
    named = [columns.id, columns.email, columns.phone, columns.locale, *(columns.consent or {}).values()]
    wanted = [column for column in (*named, *(one.column for one in columns.attributes)) if column is not None]
    head = find_head(sheet, wanted, lambda cell: header_word(cell) in _IDS, reading.header)
    rows = _Rows(head, columns)
    for found in sheet.blocks(after=head.rows):
        block = found.wanting(rows.places)
        damage = {row: why for (row, _), why in reversed(list(block.damaged.items()))}
        for start in range(0, len(block.rows), piece_rows):
            numbers: list[int] = []
            customers: list[Mapping[str, Any]] = []
            faults: list[tuple[int, str]] = []
            for place in range(start, min(start + piece_rows, len(block.rows))):
                cells, number = block.rows[place], block.numbers[place]
                if (fault := block.faults.get(place) or damage.get(place)) is not None:
                    faults.append((number, fault))
                elif any(cell.strip() for cell in cells):
                    numbers.append(number)
                    customers.append(rows.customer(cells))
            yield Piece(numbers, customers, faults)


class _Rows:
    """Where in a row each thing stands. An empty cell says nothing."""

    def __init__(self, head: Head, columns: CustomerColumns) -> None:
        self._id, self._only_ids = _id_place(head, columns.id), columns.only_ids
        fields = {name: getattr(columns, name) for name in _FIELDS}
        self._fields = [(name, head.place(at, ("columns", name))) for name, at in fields.items() if at is not None]
        consent = columns.consent or {}
        self._consent = [(channel, head.place(at, ("columns", "consent"))) for channel, at in consent.items()]
        self._attributes = [
            (one.name, head.place(one.column, ("columns", "attributes", str(n), "column")), _READ.get(one.type, str))
            for n, one in enumerate(columns.attributes)
        ]
        places = [place for _, place in (*self._fields, *self._consent)] + [place for _, place, _ in self._attributes]
        self.places = {self._id, *places}
        self._width = max(self.places) + 1

    def customer(self, cells: Cells) -> Mapping[str, Any]:
        texts = [cell.strip() for cell in cells]
        if len(texts) < self._width:
            texts += [""] * (self._width - len(texts))
        told: dict[str, Any] = {"id": texts[self._id]}
        if self._only_ids:
            return told
        for name, place in self._fields:
            if text := texts[place]:
                told[name] = text
        told["consent"] = {channel: _truth(text) for channel, place in self._consent if (text := texts[place])}
        told["attributes"] = {name: read(text) for name, place, read in self._attributes if (text := texts[place])}
        return told


def _id_place(head: Head, column: str | None) -> int:
    if column is not None:
        return head.place(column, ("columns", "id"))
    found = [at for at, name in enumerate(head.names) if header_word(name) in _IDS]
    if len(found) == 1:
        return found[0]
    if len(head.names) > 1 or len(found) > 1:
        sentence = "Say which column holds the customers' ids, by its header or by its number from 1."
        raise BadInput(InputProblem.REQUIRED, sentence, field=("columns", "id"))
    return 0


# How a cell tells a value, as `reading` takes it; what is none of its type is found out there.


def _truth(text: str) -> Any:
    """What is neither yes nor no stays as it is, and is then told to be neither."""
    return _TRUTHS.get(text.casefold(), text)


def _number(text: str) -> Any:
    """As such where a number of Python's is the same to the last digit: that is looked at by the hundred."""
    if not _PLAIN_NUMBER.fullmatch(text):
        return {"number": text}
    if "." not in text:
        return int(text)
    number = float(text)
    return int(number) if number.is_integer() else number


def _day(text: str) -> Any:
    # Spreadsheets write days with a midnight.
    day = text[:10] if text[10:].strip("T ").strip("0:. ") == "" else text
    dotted = _DOTTED_DAY.fullmatch(day)
    return {"date": f"{dotted[3]}-{dotted[2]:0>2}-{dotted[1]:0>2}" if dotted else day}


def _members(text: str) -> Any:
    return [part for part in map(str.strip, text.split(";")) if part]


_READ: Mapping[ValueType | None, Callable[[str], Any]] = {
    ValueType.NUMBER: _number,
    ValueType.BOOLEAN: _truth,
    ValueType.DATE: _day,
    ValueType.LIST: _members,
}


def _shallow(columns: CustomerColumns) -> dict[str, Any]:
    return {name: getattr(columns, name) for name in ("id", *_FIELDS, "consent")}
