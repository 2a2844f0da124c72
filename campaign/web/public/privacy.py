"""What becomes of people's data, and the way back to one's own: the link of a lost mail, sent again."""

from flask import Blueprint, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from campaign.context import state
from campaign.core.database import db
from campaign.errors import LimitReached
from campaign.petition import signatures
from campaign.web import csrf, i18n
from campaign.web.forms.sign import LinkForm, read, refusal
from campaign.web.headers import public
from campaign.web.negotiation import in_words, taking_its_time, to_retry, wants_json
from campaign.web.petition_settings import chosen
from campaign.web.rate_limits import count_signing

bp = Blueprint("privacy", __name__)


@bp.get("/<lang:lang>/privacy")
def page(lang: str) -> ResponseReturnValue:
    """Say what becomes of people's data."""
    return public(make_response(_page(LinkForm(formdata=None))))


@bp.post("/link")
def send_link() -> ResponseReturnValue:
    """Send a supporter their link again; the answer is the same whether they signed or not."""
    form = read(LinkForm)
    is_ours = csrf.is_ours()
    if not form.validate():
        return _refused(form, 422)
    if not is_ours:
        form.form_errors.append(gettext("Please press the button once more."))
        return _refused(form, 422, **{csrf.TOKEN_FIELD: csrf.token()})
    count_signing()
    with taking_its_time():
        signatures.send_link(db.session, state().keys, email=form.address, language=i18n.current())
    if wants_json():
        return {"status": "check-email"}, 202
    return redirect(url_for(".link_sent", lang=i18n.current()), 303)


@bp.errorhandler(LimitReached)
def refuse_for_now(error: LimitReached) -> ResponseReturnValue:
    """Answer somebody who asks too often with the time to come back."""
    form, when = read(LinkForm), in_words(error.seconds)
    form.form_errors.append(gettext("Too much came from your network. Please try again %(when)s.", when=when))
    return to_retry(_refused(form, 429), error.seconds)


@bp.get("/<lang:lang>/link-sent")
def link_sent(lang: str) -> ResponseReturnValue:
    """Ask the supporter to look into their mail."""
    return public(make_response(render_template("public/link_sent.html")))


def _refused(form: LinkForm, status: int, **tokens: str) -> ResponseReturnValue:
    if wants_json():
        return refusal(form, tokens), status
    return _page(form, tokens=tokens), status


def _page(form: LinkForm, **more: object) -> str:
    reminds, version = bool(state().settings.reminder_hours), signatures.CONSENT_VERSION
    contact = chosen().contact
    return render_template("public/privacy.html", form=form, reminds=reminds, version=version, contact=contact, **more)
