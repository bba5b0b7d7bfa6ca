"""what shops were told"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_ON_THEIR_WAY = sa.text("state IN ('SENDING', 'STOPPING')")


def upgrade() -> None:
    op.create_index("code_event_last", "code_event", ["promotion_id", "id"], unique=False)
    op.create_table(
        "shop_push",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("promotion_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("shop", sa.String(length=64), nullable=False),
        sa.Column("remote", sa.String(length=200), nullable=True),
        sa.Column("told", sa.Text(), nullable=True),
        sa.Column("revision", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("stamp", sa.Text(), nullable=True),
        sa.Column("pushed", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("refused", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("error", sa.String(length=1000), nullable=True),
        sa.Column("job_id", sa.BigInteger(), nullable=True),
        sa.Column("tried_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"]),
        sa.ForeignKeyConstraint(["promotion_id"], ["promotion.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("shop_push_shop", "shop_push", ["promotion_id", "shop"], unique=True)
    op.create_table(
        "shop_code",
        sa.Column("push_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("remote", sa.String(length=200), nullable=True),
        sa.Column("revision", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("error", sa.String(length=300), nullable=True),
        sa.PrimaryKeyConstraint("push_id", "seq"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "shop_code_open",
        "shop_code",
        ["push_id"],
        unique=False,
        sqlite_where=_ON_THEIR_WAY,
        postgresql_where=_ON_THEIR_WAY,
    )


def downgrade() -> None:
    op.drop_table("shop_code")
    op.drop_table("shop_push")
    op.drop_index("code_event_last", "code_event")
