"""sales that are reported late"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("redemption", sa.Column("reported_at", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("redemption", "reported_at")
