"""what a shop was told of a code's own expiry, and that expiries were changed"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("stock", sa.Column("expiry_changes", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    op.add_column("shop_code", sa.Column("told_expiry", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("shop_code", "told_expiry")
    op.drop_column("stock", "expiry_changes")
