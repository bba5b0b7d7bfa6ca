"""Queries for what is wrong with what shops were told; in the shape of `verifying_breaches`."""

_COUNTED = (
    "SELECT p.handle, u.shop, u.{0}, coalesce(n.counted, 0) FROM shop_push u JOIN promotion p ON p.id = u.promotion_id "
    "LEFT JOIN (SELECT push_id, count(*) AS counted FROM shop_code WHERE state = '{1}' GROUP BY push_id) n "
    "ON n.push_id = u.id WHERE u.{0} <> coalesce(n.counted, 0)"
)

SHOPS = {
    "a shop is said to have other codes than are written down": _COUNTED.format("pushed", "THERE"),
    "a shop is said to have refused other codes than are written down": _COUNTED.format("refused", "REFUSED"),
    "codes are written down for a shop that was told of no promotion": (
        "SELECT 'push ' || x.push_id, 'codes', count(*), 0 FROM shop_code x "
        "LEFT JOIN shop_push u ON u.id = x.push_id WHERE u.id IS NULL GROUP BY x.push_id"
    ),
}
