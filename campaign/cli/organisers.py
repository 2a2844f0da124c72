"""`flask organisers`: manage the organisers' accounts on the server."""

from contextlib import AbstractContextManager
from pathlib import Path
from uuid import UUID

import click
from nacl.public import PrivateKey

from campaign.accounts import audit_log, invitations
from campaign.accounts.organisers import EXPORT_ROLES, ROLES, Role, by_email, members, remove
from campaign.cli.commands import DatabaseGroup, confirm_action, yes_option
from campaign.cli.recovery_keys import key_file_option, recovery_keys
from campaign.context import current_context
from campaign.core.database import db, iso
from campaign.crypto.campaign_keys import unknown_keys
from campaign.errors import InvalidEmailAddress, InvalidRecoveryKey, UnknownOrganiser
from campaign.petition.email_addresses import normalize_email


def _address(_context: click.Context, _parameter: click.Parameter, text: str) -> str:
    """Return the email address in `text`, normalised like on the pages, so that its owner can log in with it."""
    try:
        return normalize_email(text)
    except InvalidEmailAddress as error:
        raise click.BadParameter(str(error)) from None


organisers = DatabaseGroup("organisers", help="Invite, list and remove organisers.")


@organisers.command()
@click.argument("email", callback=_address)
@click.option("--role", type=click.Choice(ROLES), default="organiser", show_default=True, help="Role of the organiser.")
@click.option("--export", "exports", is_flag=True, help="Grant the right to export; asks for the recovery key.")
@key_file_option
def add(email: str, role: Role, exports: bool, key_file: Path | None) -> None:
    """Print a single-use invitation URL for EMAIL, valid for 48 hours.

    For an existing organiser, --export grants the right to export.
    """
    if exports and role not in EXPORT_ROLES:
        raise click.UsageError("readers cannot export; choose another role")
    organiser = by_email(db.session, email)
    if organiser and organiser.activated_at and not exports:
        raise click.UsageError("this organiser is registered already")
    private_keys = _check_recovery_keys(recovery_keys(key_file)) if exports else []
    with recording("invited", email=email, role=role, exports=exports):
        token = invitations.invite(
            db.session,
            email=email,
            role=role,
            may_export=exports,
            private_keys=private_keys,
            organiser_id=organiser.id if organiser and organiser.activated_at else None,
        )
    show_invitation(token)


@organisers.command("list")
def list_() -> None:
    """List organisers with their role, and whether they may export."""
    for one in members(db.session):
        since = f"since {iso(one.activated_at)}" if one.activated_at else "registration incomplete"
        click.echo(f"{one.email}: {one.role}{', exports' if one.may_export else ''}, {since}")


@organisers.command("remove")
@click.argument("email")
@yes_option
def remove_(email: str, yes: bool) -> None:
    """Remove an organiser: end their sessions, and delete their copy of the keys."""
    organiser_id = _find_organiser(email)
    confirm_action(f"Remove {email}? Their sessions end, and their copy of the keys is deleted.", yes=yes)
    with recording("removed", email=email):
        remove(db.session, organiser_id)
    click.echo(f"{email} is no longer an organiser.")


def record(action: str, **details: object) -> None:
    """Record an action from the command line that is done already."""
    audit_log.record(db.session, current_context().activity_key, actor=audit_log.COMMAND_LINE, action=action, **details)


def record_refused(attempt: str, why: str, **details: object) -> None:
    """Record an action from the command line that was refused, or failed."""
    key, actor = current_context().activity_key, audit_log.COMMAND_LINE
    audit_log.record_refused(db.session, key, actor=actor, attempt=attempt, why=why, **details)


def recording(action: str, **details: object) -> AbstractContextManager[audit_log.Draft]:
    """Carry out an action from the command line and record it, both or neither; see `audit_log.recording`."""
    return audit_log.recording(
        db.session, current_context().activity_key, actor=audit_log.COMMAND_LINE, action=action, **details
    )


def show_invitation(token: str) -> None:
    """Print the address that an invitation is."""
    url = f"{current_context().settings.public_url}/organise/invitation/{token}"
    click.echo(f"\n  Invitation: {url}\n\nIt is single-use and valid for 48 hours. Anyone who has it can use it.\n")


def _find_organiser(email: str) -> UUID:
    organiser = by_email(db.session, email)
    if organiser is None:
        raise UnknownOrganiser(f"unknown organiser {email}; 'flask organisers list' shows all")
    return organiser.id


def _check_recovery_keys(private_keys: list[PrivateKey]) -> list[PrivateKey]:
    if unknown_keys(db.session, private_keys):
        raise InvalidRecoveryKey("this recovery key belongs to another campaign")
    return private_keys
