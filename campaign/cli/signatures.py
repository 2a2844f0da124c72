"""`flask signatures`: exporting, counting, checking, erasing, and synthetic ones for trials."""

import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from nacl.public import PrivateKey

from campaign.accounts import audit_log
from campaign.cli.commands import DatabaseGroup
from campaign.cli.export_writer import Export, progress_bar
from campaign.cli.organisers import record, record_refused
from campaign.cli.recovery_keys import key_file_option, recovery_keys
from campaign.context import current_context
from campaign.core.database import db, utcnow
from campaign.crypto.campaign_keys import unknown_keys
from campaign.errors import NothingDecrypted
from campaign.exports import integrity
from campaign.exports.columns import LAYOUTS
from campaign.exports.export import ExportFilter, row_count
from campaign.exports.formats import FORMATS
from campaign.exports.integrity import Finding
from campaign.petition import cleanup, seeding, totals
from campaign.petition.cleanup import NO_CHANNEL
from campaign.petition.countries import CODES
from campaign.sharing.channels import REFERRAL_CHANNELS

EXIT_INCOMPLETE = 3  # some rows could not be opened; all others were written


class Moment(click.ParamType[datetime]):
    """A time in ISO 8601; without a zone it is taken for UTC."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Return an aware datetime."""
        try:
            moment = datetime.fromisoformat(value)
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is not a time; use for example 2013-11-22 or 2013-11-22T18:30:00Z", param, ctx)


class Country(click.ParamType[str]):
    """A country code of two letters, in either case."""

    name = "country"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the code in capitals."""
        code = str(value).upper()
        return code if code in CODES else self.fail(f"{value!r} is not a country code (ISO 3166-1 alpha-2)", param, ctx)


signatures = DatabaseGroup("signatures", help="Export, count, check and erase signatures.")


@signatures.command()
@click.option("--purpose", type=click.Choice(list(LAYOUTS)), default="full", show_default=True, help="Which columns.")
@click.option(
    "--dialect",
    type=click.Choice(list(FORMATS)),
    default="plain",
    show_default=True,
    help="plain: CSV for import programs; excel: CSV for spreadsheets; xlsx: a workbook for spreadsheets.",
)
@click.option("--country", type=Country(), metavar="CC", help="Only this country.")
@click.option("--language", metavar="LANG", help="Only signatures in this language.")
@click.option("--since", type=Moment(), metavar="T", help="Only signatures confirmed at T (ISO 8601, UTC) or later.")
@click.option("--until", type=Moment(), metavar="T", help="Only signatures confirmed before T.")
@click.option(
    "--include-unconfirmed",
    is_flag=True,
    help="Include unconfirmed signatures; --since and --until then refer to signing.",
)
@click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Default: standard output."
)
@key_file_option
def export(purpose: str, dialect: str, output: Path | None, key_file: Path | None, **filters: Any) -> None:
    """Write signatures as CSV or a workbook, opened with the recovery key; with all of them where keys were rotated."""
    if dialect == "xlsx" and output is None and sys.stdout.isatty():
        raise click.UsageError("a workbook cannot be shown in a terminal; name a file with --output")
    choice = ExportFilter(**filters, opted_in=LAYOUTS[purpose].opted_in)
    private_keys, export_job = _recovery_keys(key_file, choice), Export(purpose, dialect, choice)
    described = {"purpose": purpose, "dialect": dialect, **asdict(choice)}
    try:
        export_job.write(private_keys, output)
        record("exported", **described, rows=export_job.rows, unreadable=len(export_job.unreadable))
    except NothingDecrypted as error:
        click.echo(f"{error}; nothing was written", err=True)
        record_refused("exported", audit_log.reason_of(error), **described)
    except BaseException as error:  # rows may have left already
        record_refused("exported", audit_log.reason_of(error), **described, rows=export_job.rows)
        raise
    for identity in export_job.unreadable:
        click.echo(f"cannot be decrypted, skipped: {identity}", err=True)
    if export_job.unreadable:
        sys.exit(EXIT_INCOMPLETE)


def _recovery_keys(key_file: Path | None, choice: ExportFilter) -> list[PrivateKey]:
    private_keys = recovery_keys(key_file)
    others = unknown_keys(db.session, private_keys)
    for _ in others:
        click.echo("this recovery key belongs to another campaign", err=True)
    if len(others) == len(private_keys) and not row_count(db.session, choice):
        raise NothingDecrypted("nothing was written")
    return private_keys


@signatures.command()
def count() -> None:
    """Show how many signatures are confirmed, and how many are pending."""
    click.echo(f"confirmed: {totals.confirmed(db.session)}\nunconfirmed: {totals.unconfirmed(db.session)}")


@signatures.command()
def check() -> None:
    """Check that the count is right and the rows are whole; ends with status 1 if not."""
    findings = [*integrity.findings(db.session), _chain()]
    for finding in findings:
        click.echo(f"{'ok  ' if finding.holds else 'FAIL'}  {finding.subject} ({finding.figures})")
    if not all(finding.holds for finding in findings):
        sys.exit(1)


def _chain() -> Finding:
    """Check the audit log for changed, added or deleted entries."""
    number, broken = (
        audit_log.count_entries(db.session),
        audit_log.first_invalid_entry(db.session, current_context().activity_key),
    )
    where = f", broken at number {broken}" if broken else ""
    return Finding("the audit log is intact", broken is None, f"{number} entries{where}")


@signatures.command()
@click.option("--since", type=Moment(), metavar="T", help="Only signatures made at T (ISO 8601, UTC) or later.")
@click.option("--until", type=Moment(), metavar="T", help="Only signatures made before T.")
@click.option(
    "--via", type=click.Choice([*sorted(REFERRAL_CHANNELS), NO_CHANNEL]), help="Only signatures from this channel."
)
@click.option("--country", type=Country(), metavar="CC", help="Only this country.")
@click.option("--language", metavar="LANG", help="Only signatures in this language.")
@click.option("--unconfirmed", is_flag=True, help="Only unconfirmed signatures.")
@click.option("--dry-run", is_flag=True, help="Only report the number.")
@click.option("--yes", is_flag=True, help="Skip the confirmation.")
def erase(dry_run: bool, yes: bool, **filters: Any) -> None:
    """Erase a burst of fakes, described by when and how they came."""
    if not any(filters.values()):
        raise click.UsageError("choose the signatures to erase; see 'flask signatures erase --help'")
    filters["until"] = filters["until"] or utcnow()  # leaves out signatures that arrive while the question is open
    burst = cleanup.SignatureFilter(**filters)
    matches = cleanup.count_matching(db.session, burst)
    click.echo(f"matching: {matches.all} signatures, {matches.confirmed} of them confirmed")
    if dry_run or not matches.all:
        return
    if not yes:
        click.confirm("Erase them permanently?", abort=True)
    try:
        click.echo(f"erased: {cleanup.erase_matching(db.session, burst)}")
    finally:  # a command that is stopped halfway has erased signatures too
        remaining = cleanup.count_matching(db.session, burst).all
        record("erased", **asdict(burst), signatures=matches.all - remaining)


@signatures.command()
@click.option("--dry-run", is_flag=True, help="Only report the number.")
def purge(dry_run: bool) -> None:
    """Delete signatures not confirmed within 30 days, expired suppressions, dead messages and used challenges.

    The server does this every hour.
    """
    counts = cleanup.count_expired(db.session) if dry_run else cleanup.purge(db.session)
    for what, number in asdict(counts).items():
        click.echo(f"{what}: {number}")


@signatures.command()
@click.argument("number", type=click.IntRange(min=1))
def seed(number: int) -> None:
    """Add NUMBER synthetic confirmed signatures, for trials; refused where people have signed."""
    with progress_bar(number, "Seeding") as bar:
        seeding.seed(db.session, current_context().keys, number, progress=bar.update)
    click.echo(f"{number} synthetic signatures added")
