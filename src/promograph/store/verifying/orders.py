"""Queries for orders of shops that say otherwise than the uses counted for them; in the shape of `breaches`."""

_CODE = "FROM order_code o JOIN promotion p ON p.id = o.promotion_id"
_USE = (
    "EXISTS (SELECT 1 FROM redemption d WHERE d.promotion_id = o.promotion_id AND d.number = o.redemption "
    "AND d.seq = o.seq)"
)
_UNDONE = (
    "EXISTS (SELECT 1 FROM rollback b WHERE b.promotion_id = o.promotion_id AND b.number = o.redemption AND b.is_whole)"
)

ORDERS = {
    "an order names a use that is not there": (
        f"SELECT p.handle, o.key, o.redemption, o.seq {_CODE} "
        f"WHERE (o.state IN ('REDEEMED', 'ROLLED_BACK') OR o.redemption IS NOT NULL) AND NOT {_USE}"
    ),
    "an order says that a use is undone, and it stands": (
        f"SELECT p.handle, o.key, o.redemption, 0 {_CODE} WHERE o.state = 'ROLLED_BACK' AND NOT {_UNDONE}"
    ),
    "a code belongs to an order that is not there": (
        f"SELECT p.handle, o.key, o.order_id, 0 {_CODE} "
        "WHERE NOT EXISTS (SELECT 1 FROM shop_order s WHERE s.id = o.order_id)"
    ),
    "an order with a code of ours is taken for another": (
        f"SELECT p.handle, o.key, o.order_id, 0 {_CODE} "
        "WHERE EXISTS (SELECT 1 FROM shop_order s WHERE s.id = o.order_id AND NOT s.is_ours)"
    ),
}
