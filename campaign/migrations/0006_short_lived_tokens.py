"""The state of a log-in, which was in a signed cookie; names of passkeys, and when each was last used."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "short_lived_tokens",
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("purpose", sa.String(length=20), nullable=False),
        sa.Column("organiser_id", sa.Uuid(), nullable=False),
        sa.Column("expires_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_short_lived_tokens")),
        sa.ForeignKeyConstraint(
            ["organiser_id"],
            ["organisers.id"],
            name=op.f("fk_short_lived_tokens_organiser_id_organisers"),
            ondelete="CASCADE",
        ),
    )
    op.create_index(op.f("ix_short_lived_tokens_organiser_id"), "short_lived_tokens", ["organiser_id"])
    op.add_column("passkeys", sa.Column("name", sa.String(length=60), nullable=True))
    op.add_column("passkeys", sa.Column("last_used_at", _TIME, nullable=True))
    # An organiser with a passkey was shown an app secret as well; an unconfirmed secret does not count as a second
    # factor.
    op.execute("UPDATE organisers SET totp_sealed = NULL WHERE totp_step IS NULL AND ready_at IS NOT NULL")


def downgrade() -> None:
    op.drop_column("passkeys", "last_used_at")
    op.drop_column("passkeys", "name")
    op.drop_table("short_lived_tokens")
