"""Writing an export: to standard output or a file, with progress and a manifest."""

import hashlib
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID

import click
from nacl.public import PrivateKey

from campaign.core.atomic_files import atomic_write
from campaign.core.database import db, iso, utcnow
from campaign.core.process import exit_on_termination
from campaign.crypto.data_keys import Decryptor
from campaign.errors import CampaignError, NothingDecrypted
from campaign.exports.columns import LAYOUTS, Row
from campaign.exports.export import ExportFilter, iter_rows, row_count
from campaign.exports.formats import FORMATS

_BAR_STEP = 1000


@dataclass(slots=True)
class Export:
    """One export: its options and its outcome."""

    purpose: str
    dialect: str
    choice: ExportFilter
    rows: int = 0
    unreadable: list[UUID] = field(default_factory=list)

    def write(self, private_keys: Sequence[PrivateKey], output: Path | None) -> None:
        """Write to standard output, or to `output` with its manifest beside it: neither is seen before it is whole.

        Raises `NothingDecrypted` when no row could be opened; a file that is there already then stays as it is.
        """
        exit_on_termination()
        try:
            if output is None:
                self._write_to(sys.stdout.buffer, private_keys)
            else:
                self._write_files(output, private_keys)
        except BrokenPipeError:
            raise  # the reader has closed the pipe; click exits silently
        except OSError as error:
            raise CampaignError(f"{output or 'standard output'} cannot be written ({error.strerror})") from None

    def _write_files(self, output: Path, private_keys: Sequence[PrivateKey]) -> None:
        with atomic_write(output) as file:
            digest = self._write_to(file, private_keys)
        with atomic_write(output.with_name(f"{output.name}.json")) as file:
            file.write(json.dumps(self._manifest(output, digest), indent=2).encode() + b"\n")

    def _write_to(self, file: BinaryIO, private_keys: Sequence[PrivateKey]) -> str:
        digest = hashlib.sha256()
        with progress_bar(row_count(db.session, self.choice), "Exporting") as bar:
            opener = Decryptor(db.session, private_keys)
            layout = LAYOUTS[self.purpose]
            rows = iter_rows(db.engine, opener, self.choice, layout, on_unreadable=self.unreadable.append)
            for chunk in FORMATS[self.dialect].write(self._with_progress(rows, bar), header=layout.header):
                digest.update(chunk)
                file.write(chunk)
        file.flush()
        if self.unreadable and not self.rows:
            raise NothingDecrypted("no signature could be decrypted")
        return digest.hexdigest()

    def _with_progress(self, rows: Iterable[Row], bar: Any) -> Iterator[Row]:
        for row in rows:
            self.rows += 1
            if self.rows % _BAR_STEP == 0:
                bar.update(_BAR_STEP)
            yield row

    def _manifest(self, output: Path, digest: str) -> dict[str, object]:
        return {
            "file": output.name,
            "exported_at": _to_json_value(utcnow()),
            "purpose": self.purpose,
            "dialect": self.dialect,
            "filters": {name: _to_json_value(value) for name, value in asdict(self.choice).items()},
            "rows": self.rows,
            "unreadable": [str(identity) for identity in self.unreadable],
            "sha256": digest,
        }


def progress_bar(length: int, label: str) -> Any:
    """Return a progress bar on standard error, seen only where that is a terminal."""
    return click.progressbar(length=length, label=label, file=sys.stderr, hidden=not sys.stderr.isatty())


def _to_json_value(value: object) -> object:
    """Return `value` as JSON can hold it."""
    return iso(value) if isinstance(value, datetime) else value
