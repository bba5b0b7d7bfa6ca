"""sends, their messages, and how many there are of each state"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_ZERO = sa.text("0")
_IS_DUE = sa.text("due_at IS NOT NULL")


def upgrade() -> None:
    op.create_table(
        "send",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("key", sa.String(length=128), nullable=False),
        sa.Column("token", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("channel", sa.String(length=64), nullable=False),
        sa.Column("audience_id", sa.BigInteger(), nullable=True),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("html", sa.Text(), nullable=True),
        sa.Column("promotion", sa.String(length=200), nullable=True),
        sa.Column("campaign", sa.String(length=128), nullable=True),
        sa.Column("fallback", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("rate", sa.Integer(), nullable=True),
        sa.Column("start_at", sa.BigInteger(), nullable=True),
        sa.Column("messages", sa.BigInteger(), server_default=_ZERO, nullable=False),
        sa.Column("reached", sa.String(length=128), server_default=sa.text("''"), nullable=False),
        sa.Column("is_read", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("planned", sa.BigInteger(), nullable=True),
        sa.Column("paced_to", sa.BigInteger(), server_default=_ZERO, nullable=False),
        sa.Column("spans", sa.Text(), nullable=True),
        sa.Column("problem", sa.String(length=500), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
        sa.UniqueConstraint("token"),
    )
    op.create_table(
        "send_message",
        sa.Column("send_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("customer", sa.String(length=128), nullable=False),
        sa.Column("trigger_key", sa.String(length=128), server_default=sa.text("''"), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("why", sa.String(length=300), nullable=True),
        sa.Column("codes", sa.Text(), nullable=True),
        sa.Column("tries", sa.Integer(), server_default=_ZERO, nullable=False),
        sa.Column("maybe_seen", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("owner", sa.String(length=128), nullable=True),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("send_id", "number"),
        sqlite_with_rowid=False,
    )
    op.create_index("send_message_recipient", "send_message", ["customer", "send_id", "trigger_key"], unique=True)
    op.create_index(
        "send_message_due",
        "send_message",
        ["send_id", "due_at"],
        unique=False,
        sqlite_where=_IS_DUE,
        postgresql_where=_IS_DUE,
    )
    op.create_table(
        "send_tally",
        sa.Column("send_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("why", sa.String(length=32), nullable=False),
        sa.Column("messages", sa.BigInteger(), server_default=_ZERO, nullable=False),
        sa.PrimaryKeyConstraint("send_id", "status", "why"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("send_tally")
    op.drop_index("send_message_due", "send_message")
    op.drop_index("send_message_recipient", "send_message")
    op.drop_table("send_message")
    op.drop_table("send")
