"""The export page: choose filters, see the number of rows, enter reason and passphrase, download."""

from dataclasses import asdict
from typing import Any

from flask import Blueprint, Response, abort, make_response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from campaign.accounts import audit_log
from campaign.core.database import db, iso
from campaign.exports.columns import LAYOUTS
from campaign.exports.export import row_count
from campaign.exports.formats import FORMATS
from campaign.key_worker.client import Task
from campaign.web.admin.access import (
    NO_RIGHT_TO_EXPORT,
    current_organiser,
    own_secret,
    record,
    record_refused,
    requires_role,
    run_with_passphrase,
)
from campaign.web.admin.downloads import attachment, discard_form_data, iter_output
from campaign.web.forms.export import ChoiceForm, DownloadForm

EXPORTS_SHOWN = 10

bp = Blueprint("export", __name__)


@bp.get("/export")
@requires_role("organiser")
def show() -> ResponseReturnValue:
    """Show the filters; once they are chosen, also the number of rows and the field for the passphrase."""
    form = ChoiceForm(request.args if "purpose" in request.args else None)
    if "purpose" not in request.args:
        return _page(form)
    if not form.validate():
        return _page(form, status=422)
    return _page(form, DownloadForm(request.args))


@bp.post("/export")
@requires_role("organiser")
@own_secret
def download() -> ResponseReturnValue:
    """Send the file, once the passphrase has opened the keys; else nothing."""
    form = DownloadForm()
    if not current_organiser().may_export:
        record_refused("exported", NO_RIGHT_TO_EXPORT)
        abort(403)
    if not form.validate():
        return _page(form, form, 422)
    with form.refusing(form.passphrase, gettext("Wrong passphrase. Nothing was exported. Try again.")):
        task = _start_export(form)
        with task.stopped_on_error():
            return _file(form, task)
    return _page(form, form, form.status)


def _start_export(form: DownloadForm) -> Task:
    """Start the key worker, and record the export before its first byte. Raises the errors of `run_with_passphrase`."""
    choice, details = form.choice(), form.asked()
    rows = row_count(db.session, choice)
    moments = {name: iso(moment) for name in ("since", "until") if (moment := getattr(choice, name))}
    as_json = asdict(choice) | moments  # as it travels to the key worker
    task = run_with_passphrase("export", str(form.passphrase.data), choice=as_json, **details)
    with task.stopped_on_error():
        record("exported", **details, **asdict(choice), rows=rows, reason=form.reason.data)
    discard_form_data()
    return task


def _file(form: DownloadForm, task: Task) -> Response:
    file_format = FORMATS[str(form.dialect.data)]
    suffix, mimetype = file_format.suffix, file_format.mimetype
    if form.recipient.data:
        suffix, mimetype = f"{suffix}.age", "application/octet-stream"
    name = f"{form.purpose.data}-{file_format.use}"
    response = attachment(iter_output(task), name, suffix=suffix, mimetype=mimetype)
    response.call_on_close(task.stop)  # a client that disconnects ends the task
    return response


def _page(form: ChoiceForm, download: DownloadForm | None = None, status: int = 200) -> ResponseReturnValue:
    download = download if form.is_clear() else None
    rows = row_count(db.session, form.choice()) if download else None
    exports = [
        entry
        for action in ("exported", "export-incomplete")
        for entry in audit_log.entries(db.session, most=EXPORTS_SHOWN, action=action)
    ]
    context: dict[str, Any] = {"form": form, "download_form": download, "row_count": rows, "purposes": list(LAYOUTS)}
    exports.sort(key=lambda entry: entry.number, reverse=True)
    return make_response(render_template("admin/export.html", **context, exports=exports), status)
