"""The PDF for delivery: requested with the passphrase, created in the background, downloaded once it is ready."""

from collections.abc import Callable
from contextlib import suppress
from threading import Thread
from typing import Any

from babel import Locale
from flask import Blueprint, abort, current_app, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from campaign.accounts import audit_log
from campaign.core.database import db, utcnow
from campaign.core.dates import format_long_date
from campaign.errors import UnknownLink, WorkerFailed
from campaign.key_worker.client import Task
from campaign.key_worker.results import Job, create_job
from campaign.petition import status as petition_status
from campaign.petition import totals
from campaign.petition.countries import CODES
from campaign.web import petition_settings
from campaign.web.admin import confirmations
from campaign.web.admin.access import (
    NO_RIGHT_TO_EXPORT,
    current_organiser,
    record_refused,
    recording,
    requires_role,
    run_with_passphrase,
    step_up,
)
from campaign.web.admin.downloads import attachment, audit_recorder, discard_form_data, iter_output
from campaign.web.admin.step_up import asks_confirmation
from campaign.web.forms.admin import DeliveryForm
from campaign.web.forms.settings import DayForm

LANGUAGE = "en"  # of the document
_COVER = """To the International Olympic Committee

{count} people have signed the petition that follows. They ask you to speak out, and to stand by your principle of \
non-discrimination.

Their names stand behind it, in the order in which they signed. Where fewer than ten people of a country have signed, \
we write “elsewhere”: some of them live where such a list can be a danger to them.

Please read it, and answer in public.

The organisers of “Love Always Wins”"""

bp = Blueprint("delivery", __name__)


@bp.get("/hand-in")
@requires_role("organiser")
def show() -> ResponseReturnValue:
    """Show the form for the cover letter and the passphrase."""
    cover = _COVER.format(count=f"{totals.confirmed(db.session):,}")
    return _page(DeliveryForm(formdata=None, cover=cover))


@bp.post("/hand-in")
@requires_role("organiser")
@step_up
def begin() -> ResponseReturnValue:
    """Start the key worker, and redirect to the progress page."""
    form, job = DeliveryForm(), create_job(db.session)
    if not current_organiser().may_export:
        record_refused("hand-in", NO_RIGHT_TO_EXPORT)
        abort(403)
    if not form.validate():
        return _page(form, 422)
    arguments: dict[str, Any] = {"token": job.token, "wanted": _delivery_request(form)}
    with form.refusing(form.passphrase, gettext("Wrong passphrase. No PDF was created. Try again.")):
        task = run_with_passphrase("deliver", str(form.passphrase.data), **arguments)
        with task.stopped_on_error():
            count = totals.confirmed(db.session)
            discard_form_data()
            Thread(target=_recording_end(task, job.token, count), name="hand-in", daemon=True).start()
        return redirect(url_for(".follow", job=job.token), 303)
    return _page(form, form.status)


@bp.get("/hand-in/<job>")
@requires_role("organiser")
def follow(job: str) -> ResponseReturnValue:
    """Show how far it is."""
    progress, day_form = _job(job).progress(), DayForm(formdata=None, day=utcnow().date())
    return render_template("admin/delivery_progress.html", job=job, progress=progress, day_form=day_form)


@bp.get("/hand-in/<job>/file")
@requires_role("organiser")
def fetch(job: str) -> ResponseReturnValue:
    """Send the PDF."""
    return attachment(_job(job).content(), "hand-in", suffix="pdf", mimetype="application/pdf")


@bp.post("/hand-in/delivered")
@requires_role("organiser")
@step_up
@asks_confirmation(confirmations.delivery_question)
def deliver() -> ResponseReturnValue:
    """Record the delivery; from then on nothing can be signed or confirmed."""
    form = DayForm()
    if not current_organiser().may_export:
        record_refused("delivered", NO_RIGHT_TO_EXPORT)
        abort(403)
    if not form.validate() or form.day.data is None:
        abort(400)
    with recording("delivered", day=form.day.data) as draft:
        draft.happened = petition_status.deliver(db.session, form.day.data)
    return redirect(url_for("overview.show"), 303)


@bp.errorhandler(UnknownLink)
def explain(_error: UnknownLink) -> ResponseReturnValue:
    """Explain that a PDF is kept for an hour."""
    title, advice = (
        gettext("This PDF is no longer available"),
        gettext("PDFs are deleted after an hour. You can create a new one."),
    )
    return render_template("admin/error.html", title=title, advice=advice), 404


def _recording_end(task: Task, token: str, count: int) -> Callable[[], None]:
    """Return a function that waits for the end of `task`, and records the result.

    Names that are set in their closest form are recorded by their numbers.
    """
    note, output = audit_recorder(), iter_output(task)
    app = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 - documented by Flask

    def wait() -> None:
        try:
            for _ in output:
                pass
        except WorkerFailed as error:
            note(audit_log.REFUSED, attempt="hand-in", why=audit_log.reason_of(error))
            return
        note("hand-in", signatures=count)
        with suppress(UnknownLink), app.app_context():  # unknown: deleted in the meantime
            progress = _job(token).progress()
            if progress.replaced:
                note("hand-in-replaced", names=progress.replaced, numbers=progress.replaced_numbers)

    return wait


def _job(token: str) -> Job:
    return Job(db.session, token)


def _delivery_request(form: DeliveryForm) -> dict[str, Any]:
    """Return the words of the document, in English."""
    words = {
        "title": "Love Always Wins",
        "day": format_long_date(utcnow().date(), LANGUAGE),
        "cover": petition_settings.paragraphs(str(form.cover.data)),
        "letter_to": "To the International Olympic Committee",
        "letter": petition_settings.paragraphs(petition_settings.petition_text_in(LANGUAGE)),
        "totals": "Signatures by country",
        "total": "In all",
        "names": "Names",
        "elsewhere": "elsewhere",
        "page": "page {page} of {pages}",
    }
    territories = Locale.parse(LANGUAGE).territories
    return {"words": words, "countries": {code: territories[code] for code in CODES}}


def _page(form: DeliveryForm, status: int = 200) -> ResponseReturnValue:
    return make_response(render_template("admin/delivery.html", form=form), status)
