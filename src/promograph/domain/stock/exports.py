"""Codes as rows of a file that people open in a spreadsheet."""

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import groupby

from promograph.domain.carts import Money
from promograph.domain.codes.states import state_of
from promograph.domain.promotions import CodeKind, Promotion

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class ExportFormat(StrEnum):
    CSV = "CSV"
    XLSX = "XLSX"


COLUMNS = (
    "code",
    "state",
    "kind",
    "batch",
    "source",
    "channel",
    "added_at",
    "customer",
    "issued_at",
    "issued_through",
    "send",
    "expires_at",
    "uses",
    "uses_left",
    "open_holds",
    "redeemed_at",
    "order",
    "discount",
    "currency",
    "replaces",
    "replaced_by",
)
"""Instants are RFC 3339 in UTC; what is not so is empty. `redeemed_at` to `currency` are of the last use."""

# What a spreadsheet takes for the beginning of a formula; a tab or a line's end is dropped before it looks.
_FORMULAS = frozenset("=+-@\t\r\n")

Tail = tuple[str, ...]
"""All columns of a row but the first."""

Stretch = tuple[Sequence[str], Tail]
"""The texts of neighbours, and all that is told of each of them. Most codes of most exports wait for somebody, and of
thousands of them the same is told: they are written many times as fast together."""


@dataclass(frozen=True, slots=True)
class BatchFacts:
    """`added_at` in microseconds since 1970."""

    id: int
    first_seq: int
    last_seq: int
    source: str
    channel: str | None
    added_at: int


CodeRow = tuple[int, str, bool, bool, int, int | None]
"""Number, text, blocked, void, uses, own expiry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportPage:
    """Codes in the order of their numbers, and what belongs to them by number; instants in microseconds since 1970.

    `issued`: customer, when, channel, send. `used`: of the last
    use when, the order, the discount and its currency. `held`: open holds. `shared_issued`: somebody was given the
    shared code.
    """

    codes: Sequence[CodeRow]
    issued: Mapping[int, tuple[str, int, str | None, str | None]] = field(default_factory=dict)
    used: Mapping[int, tuple[int, str | None, int | None, str | None]] = field(default_factory=dict)
    held: Mapping[int, int] = field(default_factory=dict)
    replaces: Mapping[int, str] = field(default_factory=dict)
    replaced_by: Mapping[int, str] = field(default_factory=dict)
    batches: Sequence[BatchFacts] = ()
    shared_issued: bool = False


def harmless(text: str | None) -> str:
    """The text, with an apostrophe before it where a spreadsheet would take it for a formula."""
    if not text:
        return ""
    return "'" + text if text[0] in _FORMULAS else text


class Shower:
    """Makes rows of one promotion's codes, as they are at `now`. It is called for millions of them."""

    def __init__(self, promotion: Promotion, now: datetime, *, is_safe: bool) -> None:
        """`is_safe`: the file says itself which cells are texts, so that none is taken for a formula."""
        terms = promotion.terms
        self._kind = str(terms.code_kind)
        self._is_single = terms.code_kind is CodeKind.SINGLE
        self._limit = terms.uses_per_code
        self._now = _micros(now)
        self._ends_at = None if terms.window.ends_at is None else _micros(terms.window.ends_at)
        self._valid_for = None if terms.valid_for is None else terms.valid_for // timedelta(microseconds=1)
        self._text = str_or_empty if is_safe else harmless
        self._instants: dict[int, str] = {}

    def stretches(self, page: ExportPage) -> Iterator[Stretch]:
        """The page's rows in their order."""
        known = (
            page.issued.keys() | page.used.keys() | page.held.keys() | page.replaces.keys() | page.replaced_by.keys()
        )
        batch = None if known else _batch_of_all(page)
        if batch is not None:
            _, texts, *standing = zip(*page.codes, strict=True)
            if all(column.count(column[0]) == len(texts) for column in standing):
                yield [*map(self._text, texts)], self._tail(page, page.codes[0], self._came(batch))
                return
        for _, rows in groupby(self._rows(page, known), key=_which_tail):
            texts, tails = zip(*rows, strict=True)
            yield texts, tails[0]

    def _rows(self, page: ExportPage, known: Set[int]) -> Iterator[tuple[str, Tail]]:
        """Of codes of which nothing is known but the batch, all that are alike have the same tail."""
        text_of = self._text
        batches = iter(page.batches)
        batch = next(batches, None)
        begun: BatchFacts | None = None
        came = ("", "", "", "")
        tails: dict[tuple[int | None, ...], Tail] = {}
        for code in page.codes:
            seq, text, *standing = code
            while batch is not None and batch.last_seq < seq:
                batch = next(batches, None)
            within = None if batch is None or batch.first_seq > seq else batch
            if within is not begun:
                begun, tails = within, {}
                came = ("", "", "", "") if within is None else self._came(within)
            if seq in known or not seq:
                yield text_of(text), self._tail(page, code, came)
                continue
            like = tuple(standing)
            tail = tails.get(like)
            if tail is None:
                tail = tails[like] = self._tail(page, code, came)
            yield text_of(text), tail

    def _came(self, batch: BatchFacts) -> tuple[str, str, str, str]:
        return str(batch.id), batch.source, self._text(batch.channel), self._instant(batch.added_at)

    def _tail(self, page: ExportPage, code: CodeRow, came: tuple[str, str, str, str]) -> Tail:
        text_of, instant = self._text, self._instant
        seq, _, blocked, void, uses, own = code
        issue, use = page.issued.get(seq), page.used.get(seq)
        customer, issued_at, through, send = issue or ("", None, "", "")
        used_at, order, minor, currency = use or (None, "", None, "")
        expires_at = self._expiry(issued_at, own)
        held = page.held.get(seq, 0)
        state = state_of(
            blocked=blocked,
            void=void,
            uses=uses,
            is_issued=issue is not None or (seq == 0 and page.shared_issued),
            is_over=expires_at is not None and expires_at <= self._now,
        )
        return (
            state,
            self._kind,
            *came,
            text_of(customer),
            instant(issued_at),
            text_of(through),
            text_of(send),
            instant(expires_at),
            str(uses),
            self._left(seq, uses + held),
            str(held),
            instant(used_at),
            text_of(order),
            _amount(minor, currency),
            currency or "",
            text_of(page.replaces.get(seq)),
            text_of(page.replaced_by.get(seq)),
        )

    def _expiry(self, issued_at: int | None, own: int | None) -> int | None:
        """The earliest of the three, as `Promotion.expiry` says."""
        ends = self._ends_at
        if own is not None and (ends is None or own < ends):
            ends = own
        if issued_at is not None and self._valid_for is not None:
            after_issue = issued_at + self._valid_for
            if ends is None or after_issue < ends:
                ends = after_issue
        return ends

    def _left(self, seq: int, uses: int) -> str:
        if self._limit is None or (seq == 0 and not self._is_single):
            return ""
        return str(max(self._limit - uses, 0))

    def _instant(self, micros: int | None) -> str:
        if micros is None:
            return ""
        shown = self._instants.get(micros)
        if shown is None:
            if len(self._instants) > 100_000:
                self._instants.clear()
            shown = self._instants[micros] = (_EPOCH + timedelta(microseconds=micros)).isoformat()
        return shown


def _batch_of_all(page: ExportPage) -> BatchFacts | None:
    """The batch that all of a page's codes are of; None too where one of them is the shared code."""
    if not page.codes or not page.codes[0][0]:
        return None
    first, last = page.codes[0][0], page.codes[-1][0]
    return next((batch for batch in page.batches if batch.first_seq <= first and last <= batch.last_seq), None)


def _which_tail(row: tuple[str, Tail]) -> int:
    return id(row[1])


def str_or_empty(text: str | None) -> str:
    return text or ""


def _amount(minor: int | None, currency: str | None) -> str:
    return "" if minor is None or not currency else Money(minor=minor, currency=currency).amount


def _micros(instant: datetime) -> int:
    return (instant - _EPOCH) // timedelta(microseconds=1)
