"""The state of the mail server, and the server's words about each message that it refused."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)
_REFUSED = sa.text("refused_at IS NOT NULL")


def upgrade() -> None:
    op.create_table(
        "mail_server",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("failing_since", _TIME, nullable=True),
        sa.Column("retry_at", _TIME, nullable=True),
        sa.Column("unreachable", sa.Boolean(), nullable=False),
        sa.Column("suspects", sa.String(length=400), nullable=False),
        sa.Column("refusing_since", _TIME, nullable=True),
        sa.Column("accepted_at", _TIME, nullable=True),
        sa.Column("reply", sa.String(length=300), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_server")),
    )
    op.add_column("outbox", sa.Column("refused_at", _TIME, nullable=True))
    op.add_column("outbox", sa.Column("reply", sa.String(length=300), nullable=True))
    op.add_column("outbox", sa.Column("own_failures", sa.Integer(), nullable=False, server_default="0"))
    op.create_index(
        op.f("ix_outbox_refused"), "outbox", ["refused_at"], sqlite_where=_REFUSED, postgresql_where=_REFUSED
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_outbox_refused"), table_name="outbox")
    for column in ("own_failures", "reply", "refused_at"):
        op.drop_column("outbox", column)
    op.drop_table("mail_server")
