"""a promotion's edition beside its counters, so that a promotion that has not changed need not be read again"""

from secrets import randbits

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("stock", sa.Column("edition", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    stock = sa.table("stock", sa.column("promotion_id", sa.BigInteger), sa.column("edition", sa.BigInteger))
    bind = op.get_bind()
    for (id_,) in bind.execute(sa.select(stock.c.promotion_id)).all():
        bind.execute(stock.update().where(stock.c.promotion_id == id_).values(edition=randbits(63)))


def downgrade() -> None:
    op.drop_column("stock", "edition")
