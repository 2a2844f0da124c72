"""`flask static`: the static files, for a proxy or a CDN."""

from pathlib import Path

import click

from campaign.cli.commands import Group
from campaign.errors import CampaignError
from campaign.web.static_files import MAX_VERSIONS, export_files

static = Group("static", help="Copy the static files for a proxy or a CDN.")


@static.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def export(folder: Path) -> None:
    """Add the static files of this release to FOLDER.

    Each file is there under the path of its address, with compressed copies beside it. The files of the last releases
    stay, so that pages of those find theirs.
    """
    try:
        added = export_files(folder)
    except OSError as error:
        raise CampaignError(f"{folder} cannot be written ({error.strerror})") from None
    click.echo(f"{added} folders added; {folder} keeps the last {MAX_VERSIONS} versions of each")
