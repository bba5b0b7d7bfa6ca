"""Alembic's entry: migrations run on the connection that promograph hands over, in its transaction."""

from typing import Literal

from alembic import context
from sqlmodel import SQLModel

from promograph.store import tables, tables_audiences, tables_events, tables_people

for _filled in (tables.PromotionRow, tables_people.CustomerRow, tables_audiences.AudienceRow, tables_events.EventRow):
    assert _filled.metadata is SQLModel.metadata, "imports fill it"


def _render(kind: str, item: object, _context: object) -> str | Literal[False]:
    """A migration names plain types only, so that it says the same whatever the code becomes."""
    return "sa.BigInteger()" if kind == "type" and isinstance(item, tables.Instant) else False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    render_item=_render,
    compare_type=True,
    compare_server_default=False,
)
context.run_migrations()
