"""`flask check`: tells an operator what is missing or unsafe."""

import json
import sys
from dataclasses import asdict

import click
from flask.cli import with_appcontext

from campaign.checks import Result, run_checks
from campaign.cli.commands import Command
from campaign.context import current_context
from campaign.core.database import db
from campaign.crypto.secret_key import fingerprint, note_keys_saved


@click.command("check", cls=Command)
@click.option("--dns", "with_dns", is_flag=True, help="Also look up the DNS records of the sender.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
@click.option("--keys-saved", is_flag=True, help="Confirm that recovery key and secret key are saved elsewhere.")
@with_appcontext
def check(with_dns: bool, as_json: bool, keys_saved: bool) -> None:
    """Tell what is missing or unsafe, why it matters, and how to mend it. Exit status 1 if there are errors."""
    settings = current_context().settings
    if keys_saved:
        note_keys_saved(db.session)
    results = []
    for result in run_checks(settings, with_dns=with_dns):
        results.append(result)
        if not as_json:
            _show(result)
    levels = [finding.level for result in results for finding in result.findings]
    errors, warnings, own = levels.count("error"), levels.count("warning"), fingerprint(settings)
    if as_json:
        checks = [asdict(result) for result in results]
        totals = {"errors": errors, "warnings": warnings, "secret_key_fingerprint": own}
        click.echo(json.dumps({**totals, "checks": checks}, indent=2))
    else:
        click.echo(f"{errors} errors, {warnings} warnings, {len(results)} checks; secret key fingerprint {own}")
    sys.exit(errors > 0)


def _show(result: Result) -> None:
    if not result.findings:
        click.echo(f"ok       {result.check}")
    for finding in result.findings:
        click.echo(f"{finding.level:<8} {result.check}: {finding.what}")
        click.echo(f"         {finding.why}")
        click.echo(f"         -> {finding.fix}")
