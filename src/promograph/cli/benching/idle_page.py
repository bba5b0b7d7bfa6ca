"""A page of promotions from memory."""

from datetime import datetime

from promograph.api.connections import connection_of
from promograph.api.promotions.promotion import promotion_node
from promograph.api.promotions.shared import PromotionConnection
from promograph.cli.benching.page import SIZE
from promograph.domain.promotions import Promotion, PromotionStatus, PromotionTerms
from promograph.store.inventories import Inventory
from promograph.store.listing import Page, PromotionQuery

_INVENTORY = Inventory(
    promotion_id=1,
    total=2_000,
    available=1_000,
    booked=0,
    issued=1_000,
    blocked=0,
    void=0,
    redeemed=0,
    redemptions=0,
    held=0,
    customers=1_000,
    fallback_issued=0,
    fallback_active=False,
    low_stock=False,
    runs_out_at=None,
)


def page_from_memory(now: datetime) -> PromotionConnection:
    rows = []
    for number in range(SIZE):
        facts = Promotion(
            id=number,
            terms=PromotionTerms(handle=f"spread-{number}", name=f"Bench: spread-{number}"),
            stored_status=PromotionStatus.ACTIVE,
            stored_end_reason=None,
            stop_redeeming=False,
            created_at=now,
            updated_at=now,
        )
        rows.append(((number,), facts))
    found = connection_of(
        Page(rows=rows, has_next=True, has_previous=False),
        "promotions",
        lambda facts: promotion_node(facts, now, _INVENTORY),
    )
    return PromotionConnection(edges=found.edges, nodes=found.nodes, page_info=found.page_info, query=PromotionQuery())
