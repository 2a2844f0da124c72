"""The privacy page, and the form with which supporters request their link again."""

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from campaign.context import current_context
from campaign.core.database import DatabaseError, db
from campaign.errors import LimitReached
from campaign.petition import signatures
from campaign.web import csrf, i18n
from campaign.web.error_pages import unavailable
from campaign.web.forms.sign import LinkForm, error_response, read_form
from campaign.web.headers import cache_publicly
from campaign.web.negotiation import minimum_duration, set_retry_after, wait_in_words, wants_json
from campaign.web.petition_settings import current_settings
from campaign.web.rate_limits import count_signing

bp = Blueprint("privacy", __name__)


@bp.get("/<lang:lang>/privacy")
def page(lang: str) -> ResponseReturnValue:
    """Show the privacy page."""
    return cache_publicly(make_response(_page(LinkForm(formdata=None))))


@bp.post("/link")
def send_link() -> ResponseReturnValue:
    """Send a supporter their link again; the answer is the same whether they signed or not."""
    form = read_form(LinkForm)
    is_ours = csrf.is_same_origin()
    if not form.validate():
        return _error_response(form, 422)
    if not is_ours:
        form.form_errors.append(gettext("Please press the button again."))
        return _error_response(form, 422, **{csrf.TOKEN_FIELD: csrf.token()})
    count_signing()
    with minimum_duration():
        signatures.send_link(db.session, current_context().keys, email=form.address, language=i18n.get_language())
    if wants_json():
        return {"status": "check-email"}, 202
    return redirect(url_for(".link_sent", lang=i18n.get_language()), 303)


@bp.errorhandler(LimitReached)
def refuse_for_now(error: LimitReached) -> ResponseReturnValue:
    """Return the time to retry after too many requests."""
    form, when = read_form(LinkForm), wait_in_words(error.seconds)
    form.form_errors.append(
        gettext("Too many requests have come from your network. Please try again %(when)s.", when=when)
    )
    return set_retry_after(_error_response(form, 429), error.seconds)


@bp.errorhandler(DatabaseError)
def ask_to_retry(error: DatabaseError) -> ResponseReturnValue:
    """Return the form with its input where the request could not be stored."""
    return unavailable(error, _unavailable_form if request.endpoint == "privacy.send_link" else None)


@bp.get("/<lang:lang>/link-sent")
def link_sent(lang: str) -> ResponseReturnValue:
    """Show where to look for the email."""
    return cache_publicly(make_response(render_template("public/link_sent.html")))


def _error_response(form: LinkForm, status: int, **tokens: str) -> ResponseReturnValue:
    if wants_json():
        return error_response(form, tokens), status
    return _page(form, tokens=tokens), status


def _unavailable_form(advice: str) -> ResponseReturnValue:
    form = read_form(LinkForm)
    form.form_errors.append(advice)
    return _error_response(form, 503)


def _page(form: LinkForm, **more: object) -> str:
    sends_reminders, version = bool(current_context().settings.reminder_hours), signatures.CONSENT_VERSION
    contact = current_settings().contact
    return render_template(
        "public/privacy.html", form=form, sends_reminders=sends_reminders, version=version, contact=contact, **more
    )
