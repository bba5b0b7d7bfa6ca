"""A page of codes reads what it shows and little more, whatever PostgreSQL knows of its tables."""

from typing import Any

import pytest

from promograph.domain.clock import system_clock
from promograph.domain.codes.states import CodeState
from promograph.domain.issuing import IssueRequest
from promograph.domain.promotions import PromotionTerms
from promograph.domain.stock.selections import CodeSelection
from promograph.services.app import Services
from promograph.services.promoting import Draft
from promograph.store.codes.listing import code_page
from promograph.store.databases.opening import open_database
from promograph.store.listing import Slice
from promograph.store.statements import Statement

pytestmark = pytest.mark.anyio

# The counts of this transaction alone, which is not over.
_READ = Statement(
    "SELECT coalesce(sum(seq_tup_read + idx_tup_fetch), 0) FROM pg_stat_xact_user_tables "
    "WHERE relname IN ('code', 'issuance')"
)


@pytest.mark.parametrize("states", [frozenset(), frozenset({CodeState.ISSUED})])
async def test_a_page_of_new_codes_is_looked_up_before_there_are_statistics(
    unknown_database: str, states: frozenset[CodeState]
) -> None:
    services = Services.open(unknown_database)
    made = await services.promoting.create(Draft(terms=PromotionTerms(handle="p", name="p")))
    await services.stocking.generate(made.id, 4_000, None, channel=None)
    promotion = await services.promoting.activate(made.id)
    await services.issuing.issue_many([IssueRequest(promotion="p", customer=f"c-{n}") for n in range(1_000)])
    await services.close()
    selection = CodeSelection(promotion=promotion, states=states)

    def look(connection: Any) -> tuple[int, int]:
        before = _READ.fetch(connection)[0][0]
        page = code_page(connection, selection, Slice(count=50), system_clock())
        return len(page.rows), _READ.fetch(connection)[0][0] - before

    database = open_database(unknown_database)
    try:
        shown, read = await database.snapshot(look)
    finally:
        await database.close()
    assert shown == 50
    # A candidate, its code and its issuance, for each of them and the next.
    assert read <= 3 * 51
