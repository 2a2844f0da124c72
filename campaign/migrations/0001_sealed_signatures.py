"""Signatures, sealed from the first row on; keys, outbox and share tallies."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = ("default",)
depends_on = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "campaign_keys",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(length=32), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign_keys")),
        sa.UniqueConstraint("public_key", name=op.f("uq_campaign_keys_public_key")),
    )
    op.create_table(
        "share_tallies",
        sa.Column("hour", _TIME, nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("shares", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("hour", "channel", "language", name=op.f("pk_share_tallies")),
    )
    op.create_table(
        "data_keys",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campaign_key_id", sa.Uuid(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(length=80), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_key_id"], ["campaign_keys.id"], name=op.f("fk_data_keys_campaign_key_id_campaign_keys")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_data_keys")),
    )
    op.create_table(
        "signatures",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("address_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("data_key_id", sa.Uuid(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("updates", sa.Boolean(), nullable=False),
        sa.Column("shown_name", sa.String(length=100), nullable=True),
        sa.Column("via", sa.String(length=20), nullable=True),
        sa.Column("code", sa.String(length=16), nullable=False),
        sa.Column("referred_by", sa.Uuid(), nullable=True),
        sa.Column("consent_version", sa.String(length=20), nullable=False),
        sa.Column("signed_at", _TIME, nullable=False),
        sa.Column("confirmed_at", _TIME, nullable=True),
        sa.Column("noticed_at", _TIME, nullable=True),
        sa.Column("synthetic", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["data_key_id"], ["data_keys.id"], name=op.f("fk_signatures_data_key_id_data_keys")),
        sa.ForeignKeyConstraint(
            ["referred_by"], ["signatures.id"], name=op.f("fk_signatures_referred_by_signatures"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signatures")),
        sa.UniqueConstraint("address_hash", name=op.f("uq_signatures_address_hash")),
        sa.UniqueConstraint("code", name=op.f("uq_signatures_code")),
    )
    for name, column, present in (
        ("confirmed", "confirmed_at", "confirmed_at"),
        ("shown", "confirmed_at", "shown_name"),
        ("referred", "referred_by", "referred_by"),
    ):
        only = sa.text(f"{present} IS NOT NULL")
        op.create_index(f"ix_signatures_{name}", "signatures", [column], sqlite_where=only, postgresql_where=only)
    op.create_table(
        "outbox",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("signature_id", sa.Uuid(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("due_at", _TIME, nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["signature_id"], ["signatures.id"], name=op.f("fk_outbox_signature_id_signatures"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
    )
    op.create_index("ix_outbox_due_at", "outbox", ["due_at"])
    op.create_index("ix_outbox_signature_id", "outbox", ["signature_id"])


def downgrade() -> None:
    for table in ("outbox", "signatures", "data_keys", "share_tallies", "campaign_keys"):
        op.drop_table(table)
