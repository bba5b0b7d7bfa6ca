"""events; what is told of stock"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_ZERO = sa.text("0")


def upgrade() -> None:
    op.create_table(
        "event",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("promotion_id", sa.BigInteger(), nullable=True),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("happened_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("event_promotion", "event", ["promotion_id", "id"], unique=False)
    op.create_table(
        "issue_mark",
        sa.Column("promotion_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("marked_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("asked", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("promotion_id", "marked_at"),
        sqlite_with_rowid=False,
    )
    op.add_column("promotion", sa.Column("low_stock_threshold", sa.BigInteger(), nullable=True))
    for name in ("repeats", "level", "marked_at"):
        op.add_column("stock", sa.Column(name, sa.BigInteger(), server_default=_ZERO, nullable=False))
    op.execute(
        "UPDATE stock SET repeats = (SELECT count(*) FROM issuance i "
        "WHERE i.promotion_id = stock.promotion_id AND i.kind = 'REPEAT')"
    )
    # Pools that were empty before anybody was told of it: they are not told now either.
    op.execute(
        "UPDATE stock SET level = CASE WHEN (SELECT p.on_empty FROM promotion p WHERE p.id = stock.promotion_id) "
        "= 'FALLBACK' THEN 3 ELSE 2 END WHERE available <= booked AND promotion_id IN (SELECT p.id FROM promotion p "
        "WHERE p.status IN ('ACTIVE', 'PAUSED') AND p.code_kind <> 'SINGLE' AND p.on_empty <> 'GENERATE')"
    )


def downgrade() -> None:
    for name in ("marked_at", "level", "repeats"):
        op.drop_column("stock", name)
    op.drop_column("promotion", "low_stock_threshold")
    op.drop_table("issue_mark")
    op.drop_table("event")
