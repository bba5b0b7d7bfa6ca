"""what shops said of orders, and what became of the codes in them"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_REFUSED = sa.text("state = 'REFUSED'")


def upgrade() -> None:
    op.create_table(
        "shop_order",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("channel", sa.String(length=64), nullable=False),
        sa.Column("shop", sa.String(length=64), nullable=False),
        sa.Column("ref", sa.String(length=128), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=True),
        sa.Column("customer", sa.String(length=128), nullable=True),
        sa.Column("heard", sa.Text(), nullable=False),
        sa.Column("said_at", sa.BigInteger(), nullable=True),
        sa.Column("heard_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("channel", "shop", "ref"),
    )
    op.create_index("shop_order_customer", "shop_order", ["customer"], unique=False)
    op.create_table(
        "order_code",
        sa.Column("order_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("key", sa.String(length=256), nullable=False),
        sa.Column("promotion_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("redemption", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("refusals", sa.Text(), nullable=True),
        sa.Column("tries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("order_id", "key"),
        sqlite_with_rowid=False,
    )
    op.create_index("order_code_redemption", "order_code", ["promotion_id", "redemption"], unique=True)
    for name, columns in (("order_code_refused", ["promotion_id", "seq"]), ("order_code_due", ["due_at"])):
        op.create_index(name, "order_code", columns, unique=False, sqlite_where=_REFUSED, postgresql_where=_REFUSED)


def downgrade() -> None:
    op.drop_table("order_code")
    op.drop_table("shop_order")
