"""what was told of a message is found by its key, and nothing else begins with the channel but its id"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

_HAS_KEY = sa.text("key IS NOT NULL")


def upgrade() -> None:
    op.drop_index("inbound_event_message", table_name="inbound_event")
    op.create_index(
        "inbound_event_message", "inbound_event", ["key", "channel"], sqlite_where=_HAS_KEY, postgresql_where=_HAS_KEY
    )


def downgrade() -> None:
    op.drop_index("inbound_event_message", table_name="inbound_event")
    op.create_index("inbound_event_message", "inbound_event", ["channel", "key"])
