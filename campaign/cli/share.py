"""`flask share`: link previews, and the use of share links."""

from functools import cache

import click

from campaign.analytics.shares import share_counts
from campaign.cli.commands import DatabaseGroup
from campaign.context import current_context
from campaign.core.database import db
from campaign.petition.totals import by_channel
from campaign.sharing.preview_checker import page_fetcher
from campaign.sharing.preview_checker.crawlers import CRAWLERS, Preview, check_preview, languages

share = DatabaseGroup("share", help="Check link previews, and show how often the page is shared.")


@share.command()
def check() -> None:
    """Fetch the public page as WhatsApp, Facebook, X, Telegram and LinkedIn do, in each language.

    Prints each preview and its faults. Exits with status 1 if there are any.
    """
    fetch = cache(page_fetcher.fetch)
    page = f"{current_context().settings.public_url}/en/"
    pages = languages(page, fetch)
    if not pages:
        raise click.ClickException(f"{page} cannot be read; is the server running at CAMPAIGN_PUBLIC_URL?")
    previews = [check_preview(url, reader, fetch) for url in pages.values() for reader in CRAWLERS]
    for one in previews:
        _show(one)
    wrong = sum(bool(one.faults) for one in previews)
    click.echo(f"{len(previews) - wrong} of {len(previews)} previews are right.")
    if wrong:
        raise SystemExit(1)


@share.command()
def counted() -> None:
    """Show how often each channel was used to share, and how many confirmed signatures it brought."""
    click.echo(f"{'channel':<10} {'shares':>8} {'signatures':>10}")
    for channel, (shares, signatures) in by_channel(db.session, share_counts(db.session)).items():
        click.echo(f"{channel:<10} {shares:>8} {signatures:>10}")


def _show(preview: Preview) -> None:
    click.echo(f"{preview.reader.name:9} {preview.url}")
    if preview.title:
        click.echo(f"          {preview.title} | {preview.description} | {preview.picture or 'no image'}")
    for fault in preview.faults:
        click.secho(f"          WRONG: {fault}", fg="red")
