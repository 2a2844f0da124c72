"""Free disk space for the campaign's data."""

import shutil
from pathlib import Path
from typing import Literal

from sqlalchemy.engine import make_url

from campaign.config.settings import Settings

LOW_SPACE_BYTES = 512 * 1024 * 1024  # a warning in time: some 300,000 signatures, or one film
MIN_SPACE_BYTES = 64 * 1024 * 1024  # below that SQLite soon cannot write, nor clear its log

DiskStatus = Literal["enough", "low", "full"]


def disk_status(settings: Settings) -> DiskStatus:
    """Return the status of the space for the instance folder and SQLite's file.

    The disk of a database server is its operator's responsibility.
    """
    folders = [settings.instance]
    url = make_url(settings.database())
    if url.drivername.startswith("sqlite"):
        folders.append(Path(url.database or "").absolute().parent)
    free = min(shutil.disk_usage(folder).free for folder in folders)
    return "full" if free < MIN_SPACE_BYTES else "low" if free < LOW_SPACE_BYTES else "enough"
