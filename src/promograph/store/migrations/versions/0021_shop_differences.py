"""what shops and we do not agree on"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "shop_difference",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("job_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("order_ref", sa.String(length=128), nullable=False),
        sa.Column("code", sa.String(length=256), nullable=False),
        sa.Column("promotion_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("redemption", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("there", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("there_currency", sa.String(length=3), nullable=True),
        sa.Column("here", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("here_currency", sa.String(length=3), nullable=True),
        sa.Column("why", sa.String(length=1000), nullable=True),
        sa.Column("is_mended", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("shop_difference_job", "shop_difference", ["job_id", "id"], unique=False)
    op.create_index("shop_difference_use", "shop_difference", ["job_id", "promotion_id", "redemption"], unique=False)


def downgrade() -> None:
    op.drop_table("shop_difference")
