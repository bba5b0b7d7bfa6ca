"""looks of codes with check characters; codes by their own expiry, batches by their numbers"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "code_look",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("look", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "code_expiry",
        "code",
        ["promotion_id", "expires_at", "seq"],
        sqlite_where=sa.text("expires_at IS NOT NULL"),
        postgresql_where=sa.text("expires_at IS NOT NULL"),
    )
    op.create_index("batch_codes", "batch", ["promotion_id", "first_seq"])


def downgrade() -> None:
    op.drop_index("batch_codes", "batch")
    op.drop_index("code_expiry", "code")
    op.drop_table("code_look")
