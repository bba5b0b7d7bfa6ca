"""Every table of a brand's store. No table names a schema; nothing here refers outside the brand.

Rows that come by the million are narrow: a code is known by its promotion and its number there (`seq`), which is also
its place in the line of codes that wait to be issued, so that no further index is needed for either.
"""

from sqlmodel import SQLModel

from promograph.store.tables import (
    audiences,
    codes,
    events,
    inbound,
    jobs,
    keeping,
    orders,
    people,
    promotions,
    sends,
    shops,
    uses,
    webhooks,
)

METADATA = SQLModel.metadata
"""All of the tables that the files here declare."""

__all__ = [
    "METADATA",
    "audiences",
    "codes",
    "events",
    "inbound",
    "jobs",
    "keeping",
    "orders",
    "people",
    "promotions",
    "sends",
    "shops",
    "uses",
    "webhooks",
]
