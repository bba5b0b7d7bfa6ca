"""codes in the place of others, codes given back"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("code_event", sa.Column("other", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("code_event", "other")
