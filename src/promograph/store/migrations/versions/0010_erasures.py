"""people who were erased, and the key of their hashes"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("stock", sa.Column("erased", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    op.create_table(
        "erasure",
        sa.Column("hash", sa.String(length=128), nullable=False),
        sa.Column("erased_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("hash"),
    )
    op.create_table(
        "keyring",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("value", sa.String(length=128), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )


def downgrade() -> None:
    op.drop_table("keyring")
    op.drop_table("erasure")
    op.drop_column("stock", "erased")
