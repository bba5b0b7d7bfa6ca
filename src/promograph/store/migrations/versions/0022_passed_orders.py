"""orders without a code of ours are remembered, apart from the others"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_IS_PASSED = sa.text("NOT is_ours")


def upgrade() -> None:
    op.add_column("shop_order", sa.Column("is_ours", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.execute("UPDATE shop_order SET is_ours = true WHERE id IN (SELECT c.order_id FROM order_code c)")
    op.create_index(
        "shop_order_passed", "shop_order", ["changed_at"], sqlite_where=_IS_PASSED, postgresql_where=_IS_PASSED
    )


def downgrade() -> None:
    op.drop_index("shop_order_passed", table_name="shop_order")
    op.execute("DELETE FROM shop_order WHERE NOT is_ours")
    op.drop_column("shop_order", "is_ours")
