"""Standard names for tables, columns and triggers. Contents stay as they are.

Constraints keep their former names, since SQLite could rename them only by rewriting each table.
"""

from typing import NamedTuple

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

# Former and present names
_TABLES = {
    "activities": "audit_log",
    "failed_tries": "failed_attempts",
    "film_tallies": "film_view_counts",
    "options": "settings",
    "recovery_codes": "backup_codes",
    "refused_addresses": "suppressed_emails",
    "share_tallies": "share_counts",
    "step_tallies": "page_view_counts",
    "switches": "feature_flags",
}
_COLUMNS = {
    "audit_log": {"at": "occurred_at", "chained": "chain_hash"},
    "data_keys": {"sealed": "encrypted_key"},
    "failed_attempts": {"until": "blocked_until"},
    "feature_flags": {"since": "enabled_at"},
    "invitations": {"exports": "may_export", "sealed_keys": "encrypted_keys"},
    "key_copies": {"sealed": "encrypted_key"},
    "key_holders": {"wrapped": "wrapped_private_key"},
    "organiser_sessions": {"seen_at": "last_seen_at", "confirmed_at": "reauthenticated_at"},
    "organisers": {
        "totp_sealed": "encrypted_totp_secret",
        "totp_step": "last_totp_step",
        "ready_at": "activated_at",
    },
    "outbox": {"sealed": "encrypted_message", "refusal": "reply_code", "own_failures": "recipient_failures"},
    "signatures": {
        "address_hash": "email_hash",
        "sealed": "encrypted_person",
        "shown_name": "display_name",
        "code": "referral_code",
    },
    "suppressed_emails": {"address_hash": "email_hash", "until": "expires_at"},
    "used_challenges": {"until": "expires_at"},
}
_CONFIRMED = sa.text("confirmed_at IS NOT NULL")


class _Index(NamedTuple):
    """An index on a present table and column; a unique one covers confirmed signatures only."""

    former: str
    present: str
    table: str
    column: str
    unique: bool = False


_INDEXES = [
    _Index("ix_recovery_codes_organiser_id", "ix_backup_codes_organiser_id", "backup_codes", "organiser_id"),
    _Index("ix_signatures_address_hash", "ix_signatures_email_hash", "signatures", "email_hash"),
    _Index("uq_signatures_confirmed_address", "uq_signatures_confirmed_email", "signatures", "email_hash", unique=True),
]


class _AuditLog(NamedTuple):
    """The table of the audit log, PostgreSQL's trigger function that refuses changes, and the error's message."""

    table: str
    function: str
    message: str


_FORMER_LOG = _AuditLog("activities", "keep_activity", "activities are kept as they are")
_PRESENT_LOG = _AuditLog("audit_log", "refuse_audit_log_change", "the audit log cannot be changed")


def upgrade() -> None:
    _drop_audit_log_triggers(_FORMER_LOG)
    for former, present in _TABLES.items():
        op.rename_table(former, present)
    for table, columns in _COLUMNS.items():
        for former, present in columns.items():
            _rename_column(table, former, present)
    for index in _INDEXES:
        _rename_index(index, index.former, index.present)
    _create_audit_log_triggers(_PRESENT_LOG)


def downgrade() -> None:
    _drop_audit_log_triggers(_PRESENT_LOG)
    for index in _INDEXES:
        _rename_index(index, index.present, index.former)
    for table, columns in _COLUMNS.items():
        for former, present in columns.items():
            _rename_column(table, present, former)
    for former, present in _TABLES.items():
        op.rename_table(present, former)
    _create_audit_log_triggers(_FORMER_LOG)


def _is_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


def _rename_column(table: str, name: str, new_name: str) -> None:
    # By hand: a batch of Alembic would copy the whole table on SQLite, and lose its triggers.
    op.execute(f'ALTER TABLE {table} RENAME COLUMN "{name}" TO "{new_name}"')


def _rename_index(index: _Index, name: str, new_name: str) -> None:
    """Rename an index; SQLite has to build it again."""
    if not _is_sqlite():
        op.execute(f"ALTER INDEX {name} RENAME TO {new_name}")
        return
    where = _CONFIRMED if index.unique else None
    op.drop_index(name, index.table)
    op.create_index(new_name, index.table, [index.column], unique=index.unique, sqlite_where=where)


def _drop_audit_log_triggers(log: _AuditLog) -> None:
    if _is_sqlite():
        for event in ("update", "delete"):
            op.execute(f"DROP TRIGGER {log.table}_{event}")
        return
    op.execute(f"DROP TRIGGER {log.table}_kept ON {log.table}")
    op.execute(f"DROP FUNCTION {log.function}")


def _create_audit_log_triggers(log: _AuditLog) -> None:
    if _is_sqlite():
        for event in ("update", "delete"):
            op.execute(
                f"CREATE TRIGGER {log.table}_{event} BEFORE {event.upper()} ON {log.table} "
                f"BEGIN SELECT RAISE(ABORT, '{log.message}'); END"
            )
        return
    op.execute(
        f"CREATE FUNCTION {log.function}() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{log.message}'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {log.table}_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON {log.table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {log.function}()"
    )
