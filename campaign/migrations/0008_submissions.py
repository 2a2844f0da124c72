"""Several pending submissions and one confirmed signature per address; limits of emails per mailbox and mail domain.

Pauses start from zero: on the day of the upgrade an address may get one notice more than usual.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)
_CONFIRMED = sa.text("confirmed_at IS NOT NULL")


def upgrade() -> None:
    kept = _Kept()
    with op.batch_alter_table("signatures") as signatures:
        signatures.drop_constraint("uq_signatures_address_hash", type_="unique")
        signatures.drop_column("noticed_at")
        signatures.add_column(sa.Column("mailbox_hash", sa.LargeBinary(length=32), nullable=True))
    # Right for every address without a tag. Of the others only the hash is known.
    op.execute("UPDATE signatures SET mailbox_hash = address_hash")
    with op.batch_alter_table("signatures") as signatures:
        signatures.alter_column("mailbox_hash", existing_type=sa.LargeBinary(length=32), nullable=False)
    op.create_index("ix_signatures_address_hash", "signatures", ["address_hash"])
    op.create_index(
        "uq_signatures_confirmed_address",
        "signatures",
        ["address_hash"],
        unique=True,
        sqlite_where=_CONFIRMED,
        postgresql_where=_CONFIRMED,
    )
    kept.restore()
    op.add_column("outbox", sa.Column("domain_hash", sa.LargeBinary(length=16), nullable=True))
    op.create_table(
        "email_slots",
        sa.Column("mailbox_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("slot", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=True),
        sa.Column("paused_until", _TIME, nullable=True),
        sa.ForeignKeyConstraint(
            ["message_id"],
            ["outbox.id"],
            name=op.f("fk_email_slots_message_id_outbox"),
            ondelete="CASCADE",
            deferrable=True,
            initially="DEFERRED",
        ),
        sa.PrimaryKeyConstraint("mailbox_hash", "slot", name=op.f("pk_email_slots")),
        sa.UniqueConstraint("message_id", name=op.f("uq_email_slots_message_id")),
    )
    op.create_table(
        "domain_emails",
        sa.Column("domain_hash", sa.LargeBinary(length=16), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("sent", sa.Integer(), nullable=False),
        sa.Column("held", sa.Integer(), nullable=False),
        sa.Column("released", sa.Boolean(), nullable=False),
        sa.Column("domain", sa.String(length=255), nullable=True),
        sa.PrimaryKeyConstraint("domain_hash", "day", name=op.f("pk_domain_emails")),
    )


def downgrade() -> None:
    op.drop_table("domain_emails")
    op.drop_table("email_slots")
    with op.batch_alter_table("outbox") as outbox:
        outbox.drop_column("domain_hash")
    _keep_one_of_each_address()
    op.drop_index("uq_signatures_confirmed_address", "signatures")
    op.drop_index("ix_signatures_address_hash", "signatures")
    kept = _Kept()
    with op.batch_alter_table("signatures") as signatures:
        signatures.drop_column("mailbox_hash")
        signatures.add_column(sa.Column("noticed_at", _TIME, nullable=True))
        signatures.create_unique_constraint("uq_signatures_address_hash", ["address_hash"])
    kept.restore()


def _keep_one_of_each_address() -> None:
    """Delete all but one row per address: the confirmed signature stays, or else the newest submission."""
    better = (
        "SELECT 1 FROM signatures AS other WHERE other.address_hash = signatures.address_hash AND "
        "(other.confirmed_at IS NOT NULL OR other.id > signatures.id)"
    )
    op.execute(f"DELETE FROM signatures WHERE confirmed_at IS NULL AND EXISTS ({better})")


class _Kept:
    """The rows and triggers that SQLite loses when it rebuilds a table to change constraints; PostgreSQL alters it.

    Dropping the old table deletes its rows, so the messages of signatures and the references between signatures go as
    well, and so do its triggers.
    """

    def __init__(self) -> None:
        self._is_needed = op.get_bind().dialect.name == "sqlite"
        if self._is_needed:
            named = "SELECT sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'signatures'"
            self._triggers = op.get_bind().scalars(sa.text(named)).all()
            op.execute("CREATE TABLE kept_outbox AS SELECT * FROM outbox")
            op.execute(
                "CREATE TABLE kept_referrals AS SELECT id, referred_by FROM signatures WHERE referred_by IS NOT NULL"
            )

    def restore(self) -> None:
        """Restore the rows and triggers."""
        if not self._is_needed:
            return
        op.execute(
            "UPDATE signatures SET referred_by = kept_referrals.referred_by "
            "FROM kept_referrals WHERE kept_referrals.id = signatures.id"
        )
        op.execute("DELETE FROM outbox")
        op.execute("INSERT INTO outbox SELECT * FROM kept_outbox")
        op.execute("DROP TABLE kept_outbox")
        op.execute("DROP TABLE kept_referrals")
        for trigger in self._triggers:
            op.execute(sa.text(trigger.replace(":", "\\:")))
