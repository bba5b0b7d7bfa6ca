"""Queries for money, holds and rollbacks that cannot be; in the shape of `verifying_breaches`."""

_STOCK = "FROM stock s JOIN promotion p ON p.id = s.promotion_id"
_ROLLBACKS = (
    "(SELECT b.promotion_id, b.number, count(*) AS parts, max(b.part) AS last, "
    "sum(CASE WHEN b.is_whole THEN 1 ELSE 0 END) AS wholes, max(CASE WHEN b.is_whole THEN b.part END) AS whole, "
    "coalesce(sum(b.minor), 0) AS minor FROM rollback b GROUP BY b.promotion_id, b.number) b "
    "JOIN promotion p ON p.id = b.promotion_id"
)
_ITS_REDEMPTION = "JOIN redemption d ON d.promotion_id = b.promotion_id AND d.number = b.number"

MONEY = {
    "more is given or held than the budget has": (
        f"SELECT p.handle, p.budget_currency, s.spent + s.held, p.budget_minor {_STOCK} "
        "WHERE p.budget_minor IS NOT NULL AND s.spent + s.held > p.budget_minor"
    ),
    "it was used or held more often than its cap allows": (
        f"SELECT p.handle, 'uses', s.redemptions + s.holds, p.redemption_cap {_STOCK} "
        "WHERE p.redemption_cap IS NOT NULL AND s.redemptions + s.holds > p.redemption_cap"
    ),
    "a discount is in another currency than the budget": (
        "SELECT p.handle, d.discount_currency, d.number, 0 FROM redemption d JOIN promotion p ON p.id = d.promotion_id "
        "WHERE p.budget_currency IS NOT NULL AND d.discount_currency <> p.budget_currency "
        "AND d.discount_minor > coalesce((SELECT sum(b.minor) FROM rollback b "
        "WHERE b.promotion_id = d.promotion_id AND b.number = d.number), 0)"
    ),
    "a rollback is of a redemption that is not there": (
        f"SELECT p.handle, 'redemption', b.number, 0 FROM {_ROLLBACKS} LEFT {_ITS_REDEMPTION} WHERE d.number IS NULL"
    ),
    "parts of a rollback are missing": (
        f"SELECT p.handle, 'redemption', b.parts, b.last FROM {_ROLLBACKS} WHERE b.parts <> b.last"
    ),
    "a redemption was rolled back on after it had been as a whole": (
        f"SELECT p.handle, 'redemption', b.last, b.whole FROM {_ROLLBACKS} WHERE b.wholes > 1 OR b.whole <> b.last"
    ),
    "another amount was rolled back than the redemption gave": (
        f"SELECT p.handle, d.order_ref, b.minor, coalesce(d.discount_minor, 0) FROM {_ROLLBACKS} {_ITS_REDEMPTION} "
        "WHERE b.minor > coalesce(d.discount_minor, 0) "
        "OR (b.minor = coalesce(d.discount_minor, 0)) <> (b.wholes = 1)"
    ),
    "a hold was redeemed without a redemption": (
        "SELECT p.handle, h.order_ref, h.number, 0 FROM hold h JOIN promotion p ON p.id = h.promotion_id "
        "LEFT JOIN redemption d ON d.promotion_id = h.promotion_id AND d.number = h.redemption "
        "WHERE h.ended = 'REDEEMED' AND (d.number IS NULL OR coalesce(d.seq, 0) <> coalesce(h.seq, 0))"
    ),
    "a redemption came of several holds": (
        "SELECT p.handle, 'redemption', h.times, 1 FROM (SELECT promotion_id, redemption, count(*) AS times FROM hold "
        "WHERE redemption IS NOT NULL GROUP BY promotion_id, redemption HAVING count(*) > 1) h "
        "JOIN promotion p ON p.id = h.promotion_id"
    ),
}
