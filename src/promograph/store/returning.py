"""People who were erased and ask for a code again: to a promotion that knew them, they are who they were."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Connection

from promograph.domain.issuing import IssueOutcome, IssueRequest
from promograph.store.people import erasures
from promograph.store.stock import Stock

Asked = Mapping[str, str]
"""Of people who were erased, by their hashes, the ids with which they ask."""


def known_again(
    connection: Connection, requests: Sequence[IssueRequest], stocks: Mapping[str, Stock]
) -> tuple[Sequence[IssueRequest], Asked]:
    """The requests with the hashes under which promotions know who asks. `stocks` are locked, by their handles."""
    known = erasures.aliases(connection, (request.customer for request in requests), stocks.values())
    if not known:
        return requests, {}
    ids = {handle: stock.promotion_id for handle, stock in stocks.items()}
    seen = [
        replace(request, customer=known.get((ids.get(request.promotion, 0), request.customer), request.customer))
        for request in requests
    ]
    return seen, {hash_: customer for (_, customer), hash_ in known.items()}


def as_asked(outcomes: Sequence[IssueOutcome], asked: Asked) -> Sequence[IssueOutcome]:
    """With the ids that the caller knows, where the rows have a hash."""
    return [_as_asked(outcome, asked) for outcome in outcomes] if asked else outcomes


def _as_asked(outcome: IssueOutcome, asked: Asked) -> IssueOutcome:
    issuance = outcome.issuance
    if issuance is None or issuance.customer not in asked:
        return outcome
    return replace(outcome, issuance=replace(issuance, customer=asked[issuance.customer]))
