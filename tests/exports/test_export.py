"""The stream of an export: however many rows, the same memory."""

import tracemalloc
from uuid import UUID

import pytest

from campaign.core.database import db
from campaign.crypto.campaign_keys import parse_recovery_keys
from campaign.crypto.data_keys import Decryptor
from campaign.exports.columns import LAYOUTS
from campaign.exports.csv_writer import DIALECTS, iter_csv
from campaign.exports.export import FETCH_ROWS, ExportFilter, iter_rows


def peak_of_export(campaign) -> int:
    """Bytes that an export of all signatures takes at most."""
    with campaign.app.app_context():
        opener = Decryptor(db.session, parse_recovery_keys(campaign.recovery_key))
        rows = iter_rows(
            db.engine,
            opener,
            ExportFilter(),
            LAYOUTS["full"],
            on_unreadable=_fail,
        )
        tracemalloc.start()
        for _ in iter_csv(rows, header=LAYOUTS["full"].header, dialect=DIALECTS["plain"]):
            pass
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return peak


@pytest.mark.long
@pytest.mark.slow
def test_memory_stays_the_same_however_many_rows(campaign):
    campaign.command("signatures", "seed", str(2 * FETCH_ROWS))
    small = peak_of_export(campaign)
    campaign.command("signatures", "seed", str(4 * FETCH_ROWS))
    assert peak_of_export(campaign) < 1.1 * small


def _fail(identity: UUID) -> None:
    pytest.fail(f"{identity} cannot be decrypted")
