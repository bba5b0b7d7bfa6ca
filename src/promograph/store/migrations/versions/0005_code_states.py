"""void codes, codes with an expiry of their own"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("code", sa.Column("void", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("code", sa.Column("expires_at", sa.BigInteger(), nullable=True))
    op.add_column("stock", sa.Column("void", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    for flag in ("blocked", "void"):
        op.create_index(
            f"code_{flag}",
            "code",
            ["promotion_id", "seq"],
            unique=False,
            sqlite_where=sa.text(flag),
            postgresql_where=sa.text(flag),
        )
    op.create_index("returned_code_place", "returned_code", ["promotion_id", "seq"], unique=True)


def downgrade() -> None:
    op.drop_index("returned_code_place", table_name="returned_code")
    for flag in ("blocked", "void"):
        op.drop_index(f"code_{flag}", table_name="code")
    op.drop_column("stock", "void")
    op.drop_column("code", "expires_at")
    op.drop_column("code", "void")
