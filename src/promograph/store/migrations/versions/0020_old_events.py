"""what was told long ago is found, to be dropped"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_IS_DONE = sa.text("due_at IS NULL")


def upgrade() -> None:
    op.create_index(
        "inbound_event_done", "inbound_event", ["received_at"], sqlite_where=_IS_DONE, postgresql_where=_IS_DONE
    )


def downgrade() -> None:
    op.drop_index("inbound_event_done", table_name="inbound_event")
