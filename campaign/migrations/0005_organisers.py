"""Organisers, the audit log, settings, and totals of confirmed signatures kept by database triggers."""

from uuid import UUID

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)
_CHANGES = ("confirmed_at", "country", "language", "via")


def upgrade() -> None:
    _organisers()
    _settings_and_activity()
    _totals()
    columns = ", ".join(_CHANGES)
    op.execute(
        f"INSERT INTO signature_changes ({columns}, number) "
        f"SELECT {columns}, 1 FROM signatures WHERE confirmed_at IS NOT NULL"
    )
    for statement in _triggers() if op.get_bind().dialect.name == "sqlite" else _postgresql_triggers():
        op.execute(statement)


def downgrade() -> None:
    for name in ("confirmed", "entered", "erased"):
        on = "" if op.get_bind().dialect.name == "sqlite" else " ON signatures"
        op.execute(f"DROP TRIGGER signatures_{name}{on}")
    for table in ("confirmed_totals", "signature_changes", "step_tallies", "activities", "options", "failed_tries"):
        op.drop_table(table)
    for table in ("key_copies", "key_holders", "invitations", "organiser_sessions", "recovery_codes", "passkeys"):
        op.drop_table(table)
    op.drop_table("organisers")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION note_signature_change")
        op.execute("DROP FUNCTION keep_activity")


def _organisers() -> None:
    op.create_table(
        "organisers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("role", sa.String(length=10), nullable=False),
        sa.Column("password_hash", sa.String(length=128), nullable=False),
        sa.Column("totp_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("totp_step", sa.Integer(), nullable=True),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("ready_at", _TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisers")),
        sa.UniqueConstraint("email", name=op.f("uq_organisers_email")),
    )
    op.create_table(
        "passkeys",
        sa.Column("id", sa.Uuid(), nullable=False),
        _organiser_id(),
        sa.Column("credential_id", sa.LargeBinary(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.Integer(), nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passkeys")),
        sa.UniqueConstraint("credential_id", name=op.f("uq_passkeys_credential_id")),
        _organiser_of("passkeys"),
    )
    op.create_table(
        "recovery_codes",
        sa.Column("code_hash", sa.LargeBinary(length=32), nullable=False),
        _organiser_id(),
        sa.PrimaryKeyConstraint("code_hash", name=op.f("pk_recovery_codes")),
        _organiser_of("recovery_codes"),
    )
    op.create_table(
        "organiser_sessions",
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        _organiser_id(),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("seen_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_organiser_sessions")),
        _organiser_of("organiser_sessions"),
    )
    op.create_table(
        "invitations",
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("role", sa.String(length=10), nullable=False),
        sa.Column("exports", sa.Boolean(), nullable=False),
        sa.Column("sealed_keys", sa.LargeBinary(), nullable=True),
        sa.Column("organiser_id", sa.Uuid(), nullable=True),
        sa.Column("expires_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_invitations")),
        _organiser_of("invitations"),
    )
    for table in ("passkeys", "recovery_codes", "organiser_sessions", "invitations"):
        op.create_index(op.f(f"ix_{table}_organiser_id"), table, ["organiser_id"])
    op.create_table(
        "key_holders",
        _organiser_id(),
        sa.Column("public_key", sa.LargeBinary(length=32), nullable=False),
        sa.Column("salt", sa.LargeBinary(length=16), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("organiser_id", name=op.f("pk_key_holders")),
        _organiser_of("key_holders"),
    )
    op.create_table(
        "key_copies",
        _organiser_id(),
        sa.Column("campaign_key_id", sa.Uuid(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(length=80), nullable=False),
        sa.PrimaryKeyConstraint("organiser_id", "campaign_key_id", name=op.f("pk_key_copies")),
        sa.ForeignKeyConstraint(
            ["organiser_id"],
            ["key_holders.organiser_id"],
            name=op.f("fk_key_copies_organiser_id_key_holders"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["campaign_key_id"], ["campaign_keys.id"], name=op.f("fk_key_copies_campaign_key_id_campaign_keys")
        ),
    )


def _organiser_id() -> sa.Column[UUID]:
    return sa.Column("organiser_id", sa.Uuid(), nullable=False)


def _organiser_of(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_organiser_id_organisers")
    return sa.ForeignKeyConstraint(["organiser_id"], ["organisers.id"], name=name, ondelete="CASCADE")


def _settings_and_activity() -> None:
    op.create_table(
        "failed_tries",
        sa.Column("subject_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("until", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("subject_hash", name=op.f("pk_failed_tries")),
    )
    op.create_table(
        "options",
        sa.Column("name", sa.String(length=20), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", "language", name=op.f("pk_options")),
    )
    op.create_table(
        "activities",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("actor", sa.String(length=254), nullable=False),
        sa.Column("action", sa.String(length=40), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("chained", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_activities")),
    )


def _totals() -> None:
    op.create_table(
        "step_tallies",
        sa.Column("hour", _TIME, nullable=False),
        sa.Column("step", sa.String(length=10), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("hour", "step", "language", name=op.f("pk_step_tallies")),
    )
    op.create_table(
        "signature_changes",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("confirmed_at", _TIME, nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("via", sa.String(length=20), nullable=True),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signature_changes")),
    )
    op.create_table(
        "confirmed_totals",
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("period", _TIME, nullable=False),
        sa.Column("value", sa.String(length=20), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "period", "value", name=op.f("pk_confirmed_totals")),
    )


# When a signature begins to count, and when it ends: the trigger's name, the event, its condition, the row, the number.
_EVENTS = (
    ("entered", "INSERT", "NEW.confirmed_at IS NOT NULL", "NEW", 1),
    ("confirmed", "UPDATE OF confirmed_at", "OLD.confirmed_at IS NULL AND NEW.confirmed_at IS NOT NULL", "NEW", 1),
    ("erased", "DELETE", "OLD.confirmed_at IS NOT NULL", "OLD", -1),
)


def _triggers() -> list[str]:
    noting = [
        f"CREATE TRIGGER signatures_{name} AFTER {event} ON signatures WHEN {condition} BEGIN {_noted(row, number)} END"
        for name, event, condition, row, number in _EVENTS
    ]
    keeping = [
        f"CREATE TRIGGER activities_{event.lower()} BEFORE {event} ON activities "
        "BEGIN SELECT RAISE(ABORT, 'activities are kept as they are'); END"
        for event in ("UPDATE", "DELETE")
    ]
    return [*noting, *keeping]


def _postgresql_triggers() -> list[str]:
    of_row = f"IF TG_OP = 'DELETE' THEN {_noted('OLD', -1)} ELSE {_noted('NEW', 1)} END IF; RETURN NULL;"
    noting = [
        f"CREATE TRIGGER signatures_{name} AFTER {event} ON signatures FOR EACH ROW WHEN ({condition}) "
        "EXECUTE FUNCTION note_signature_change()"
        for name, event, condition, _row, _number in _EVENTS
    ]
    return [
        f"CREATE FUNCTION note_signature_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {of_row} END $$",
        *noting,
        (
            "CREATE FUNCTION keep_activity() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'activities are kept as they are'; END $$"
        ),
        (
            "CREATE TRIGGER activities_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON activities "
            "FOR EACH STATEMENT EXECUTE FUNCTION keep_activity()"
        ),
    ]


def _noted(row: str, number: int) -> str:
    values = ", ".join(f"{row}.{column}" for column in _CHANGES)
    return f"INSERT INTO signature_changes ({', '.join(_CHANGES)}, number) VALUES ({values}, {number});"
