"""Applications are found by the telephone of whoever applied."""

import sqlalchemy as sa
from alembic import op

from customers.api.archive import plain_number
from foundation.db import Sealed, keyed_hash

revision = "0009"
down_revision = "0008"

APPLICATIONS = sa.table(
    "application",
    sa.column("id", sa.BigInteger()),
    sa.column("phone", Sealed()),
    sa.column("phone_hash", sa.LargeBinary()),
    schema="customers",
)


def upgrade() -> None:
    op.add_column(
        "application", sa.Column("phone_hash", sa.LargeBinary(), nullable=True), schema="customers"
    )
    op.create_index(
        op.f("ix_application_phone_hash"), "application", ["phone_hash"], schema="customers"
    )
    known = op.get_bind().execute(sa.select(APPLICATIONS.c.id, APPLICATIONS.c.phone)).all()
    for number, phone in known:
        op.execute(
            sa.update(APPLICATIONS)
            .where(APPLICATIONS.c.id == number)
            .values(phone_hash=keyed_hash(plain_number(phone)))
        )
