"""Responses that organisers save as files."""

from collections.abc import Callable, Iterable, Iterator

from flask import Response, current_app, request

from campaign.accounts import audit_log
from campaign.context import context_of
from campaign.core.database import db, utcnow
from campaign.key_worker.client import Task
from campaign.web.admin.access import current_organiser


def attachment(
    content: bytes | Iterable[bytes], name: str, *, suffix: str = "csv", mimetype: str = "text/csv"
) -> Response:
    """Return `content`, bytes or a stream of them, as a file to keep, with today's date in its name."""
    response = Response(content, mimetype=mimetype)
    response.headers["Content-Disposition"] = f'attachment; filename="{export_filename(name, suffix)}"'
    return response


def export_filename(name: str, suffix: str) -> str:
    """Return the name of a downloaded file, for example love-always-wins-crm-import-2013-11-22.csv."""
    return f"love-always-wins-{name}-{utcnow().date()}.{suffix}"


def iter_output(task: Task) -> Iterator[bytes]:
    """Yield the output of the key worker; if rows could not be decrypted, this is recorded at the end."""
    note = audit_recorder()

    def chunks() -> Iterator[bytes]:
        yield from task.iter_output()
        if not task.is_complete():
            note("export-incomplete")

    return chunks()


def audit_recorder() -> Callable[..., None]:
    """Return a function that records an action, with its details, of the present organiser after the request."""
    app, actor = current_app._get_current_object(), current_organiser().email  # type: ignore[attr-defined]  # noqa: SLF001 - documented by Flask

    def note(action: str, **details: object) -> None:
        with app.app_context():
            audit_log.record(db.session, context_of(app).activity_key, actor=actor, action=action, **details)

    return note


def discard_form_data() -> None:
    """Discard the submitted form: the request object lives as long as the download, and the passphrase must not."""
    for attribute in ("form", "values", "_cached_data"):
        request.__dict__.pop(attribute, None)
