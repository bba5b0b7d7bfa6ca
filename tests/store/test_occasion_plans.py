"""Whether somebody has a code already is told by their own rows, whatever PostgreSQL knows of its tables."""

from typing import Any

import pytest

from promograph.domain.issuing import IssueRequest
from promograph.domain.promotions import PromotionTerms
from promograph.services.app import Services
from promograph.services.promoting import Draft
from promograph.store import issuances
from promograph.store.databases.opening import open_database
from promograph.store.statements import Statement

pytestmark = pytest.mark.anyio

_ASKED = 50
# The counts of this transaction alone, which is not over.
_READ = Statement("SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'issuance'")


async def test_occasions_are_looked_up_before_there_are_statistics(unknown_database: str) -> None:
    services = Services.open(unknown_database)
    made = await services.promoting.create(Draft(terms=PromotionTerms(handle="p", name="p")))
    await services.stocking.generate(made.id, 2_000, None, channel=None)
    await services.promoting.activate(made.id)
    await services.issuing.issue_many([IssueRequest(promotion="p", customer=f"c-{n}") for n in range(1_000)])
    await services.close()
    occasions = [(made.id, f"c-{n}", "") for n in range(1_000 - _ASKED // 2, 1_000 + _ASKED // 2)]

    def look(connection: Any) -> tuple[int, int]:
        before = _READ.fetch(connection)[0][0]
        found = issuances.at_occasions(connection, occasions)
        return len(found), _READ.fetch(connection)[0][0] - before

    database = open_database(unknown_database)
    try:
        found, read = await database.write(look)
    finally:
        await database.close()
    assert found == _ASKED // 2
    assert read <= _ASKED
