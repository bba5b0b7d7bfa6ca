"""issuances that are tentative, and the messages that carry their codes"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_REPEATS = (
    "UPDATE issuance SET state = 'RETURNED', occasion = 'r: ' || number WHERE kind = 'REPEAT' AND seq <> 0 "
    "AND NOT EXISTS (SELECT 1 FROM issuance g WHERE g.promotion_id = issuance.promotion_id "
    "AND g.seq = issuance.seq AND g.kind = 'INITIAL' AND g.seq <> 0 AND g.customer = issuance.customer)"
)


def upgrade() -> None:
    op.add_column(
        "promotion",
        sa.Column("return_policy", sa.String(length=16), server_default=sa.text("'WHEN_UNSEEN'"), nullable=False),
    )
    op.add_column("issuance", sa.Column("state", sa.String(length=9), nullable=True))
    op.execute("UPDATE issuance SET state = 'RETURNED' WHERE kind = 'RETURNED'")
    op.execute(_REPEATS)
    op.create_table(
        "carried_code",
        sa.Column("promotion_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("channel", sa.String(length=64), nullable=False),
        sa.Column("message", sa.String(length=128), nullable=False),
        sa.PrimaryKeyConstraint("promotion_id", "seq", "channel", "message"),
        sqlite_with_rowid=False,
    )
    op.create_index("carried_code_message", "carried_code", ["channel", "message"])


def downgrade() -> None:
    op.drop_index("carried_code_message", table_name="carried_code")
    op.drop_table("carried_code")
    op.drop_column("issuance", "state")
    op.drop_column("promotion", "return_policy")
