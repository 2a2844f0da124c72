"""The public pages of the petition: the page itself, signing, thanks, the count."""

from flask import Blueprint, Response, jsonify, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from campaign.analytics.page_views import count_page_view
from campaign.context import current_context
from campaign.core.database import DatabaseError, db, iso
from campaign.errors import BotCheckRequired, LimitReached, PetitionClosed
from campaign.petition import goals, signatures
from campaign.petition.status import PetitionStatus
from campaign.web import bot_check, csrf, i18n, last_known
from campaign.web.error_pages import unavailable
from campaign.web.film_player import allow_player
from campaign.web.forms.sign import SignForm, error_response, read_form, referral_from_url
from campaign.web.headers import cache_publicly
from campaign.web.negotiation import minimum_duration, set_retry_after, wait_in_words, wants_json
from campaign.web.petition_page import render_page, render_with_form, submitted_tokens
from campaign.web.petition_settings import current_settings
from campaign.web.rate_limits import count_signing, is_countable, only_counts
from campaign.web.share_links import share_links

bp = Blueprint("petition", __name__)


@bp.get("/")
@bp.get("/sign")  # opened by hand, after an error for instance
def index() -> ResponseReturnValue:
    """Redirect to the page in the visitor's language."""
    target, query = url_for(".page", lang=i18n.preferred_language()), request.query_string.decode("ascii", "ignore")
    response = redirect(f"{target}?{query}" if query else target, 302)
    response.headers["Vary"] = "Accept-Language"
    return response


@bp.get("/<lang:lang>/")
def page(lang: str) -> ResponseReturnValue:
    """Show the page: the same bytes for everyone."""
    return cache_publicly(allow_player(make_response(render_page())))


@bp.post("/sign")
def sign() -> ResponseReturnValue:
    """Accept a signature. The response is the same whether the email address is new or known."""
    form = _read_form()
    is_ours = csrf.is_same_origin()
    if "switch" in request.form:
        i18n.set_language(request.form["switch"])  # the form as it is, without judging it
        return allow_player(Response(render_with_form(form, tokens=submitted_tokens())))
    if not form.validate():
        if not last_known.status().is_open:
            raise PetitionClosed
        return _error_response(form, 422)
    if not is_ours:
        return _asked_again(form, gettext("Please select “Sign the petition” again."), again=csrf.token())
    if not form.is_bot():
        count_signing()
    try:
        with minimum_duration():
            _sign(form, has_passed=bot_check.is_passed(form.address))
    except BotCheckRequired:
        advice = gettext("Wait ten seconds, then select “Sign the petition” again.")
        return _asked_again(form, advice, waited=bot_check.token(form.address))
    return _accepted()


@bp.errorhandler(LimitReached)
def refuse_for_now(error: LimitReached) -> ResponseReturnValue:
    """Return the time to retry to clients that sign too often, with their input in the form."""
    form, when = _read_form(), wait_in_words(error.seconds)
    form.form_errors.append(
        gettext("Too many signatures have come from your network. Please try again %(when)s.", when=when)
    )
    return set_retry_after(_error_response(form, 429), error.seconds)


@bp.errorhandler(DatabaseError)
def ask_to_retry(error: DatabaseError) -> ResponseReturnValue:
    """Return the form with all input where a signature could not be stored."""
    return unavailable(error, _unavailable_form if request.endpoint == "petition.sign" else None)


@bp.errorhandler(PetitionClosed)
def refuse_since_closed(_error: PetitionClosed) -> ResponseReturnValue:
    """Explain that the petition is closed."""
    form = _read_form()
    form.form_errors.append(_why_closed(last_known.status()))
    return _error_response(form, 410)


@bp.get("/<lang:lang>/thanks")
def thanks(lang: str) -> ResponseReturnValue:
    """Show the next step (the confirmation email), and offer sharing."""
    is_mail_late, stage = last_known.is_mail_late(), last_known.status()
    page = render_template(
        "public/thanks.html", is_mail_late=is_mail_late, petition_status=stage, share_links=share_links(stage)
    )
    return cache_publicly(make_response(page))


@bp.post("/seen")
@only_counts
def seen() -> ResponseReturnValue:
    """Count that a visitor has opened the page; browsers send it in the background and expect no content."""
    i18n.set_language(request.form.get("lang"))
    if csrf.is_same_origin() and is_countable():
        count_page_view(current_context().tallies, "viewed", language=i18n.get_language())
    return "", 204


@bp.get("/count.json")
def count() -> ResponseReturnValue:
    """Return the count as JSON, also for other sites."""
    confirmed, read_at = last_known.counted()
    fields = {"count": confirmed, "goal": goals.goal_for(confirmed, current_settings().goals), "as_of": iso(read_at)}
    response = jsonify(fields | _ended(last_known.status()))
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cache-Control"] = "public, max-age=0, s-maxage=5"
    return response


def _sign(form: SignForm, *, has_passed: bool) -> None:
    """Store a valid form. A bot is refused and accepted like everybody else, and nothing of it is stored."""
    if form.is_bot():
        if not has_passed and bot_check.is_enabled():
            raise BotCheckRequired
        return
    context = current_context()
    referral = form.referral()
    signatures.sign(db.session, context.keys, context.signing, form.signer(), arrived=referral, has_passed=has_passed)
    # Counted for every address, else the figures would tell organisers whether one has signed.
    count_page_view(context.tallies, "signed", language=i18n.get_language())


def _why_closed(stage: PetitionStatus) -> str:
    if stage.delivered_on is None:
        return str(gettext("This petition is closed. Thank you for wanting to sign."))
    text = gettext(
        "The petition was delivered to the International Olympic Committee on %(day)s. Thank you to everyone who "
        "signed.",
        day=i18n.format_day(stage.delivered_on),
    )
    return str(text)


def _unavailable_form(advice: str) -> ResponseReturnValue:
    form = _read_form()
    form.form_errors.append(advice)
    return _error_response(form, 503)


def _ended(stage: PetitionStatus) -> dict[str, str]:
    """Return the status fields of a petition that is no longer open."""
    if stage.is_open:
        return {}
    return {"status": stage.name} | ({"delivered_on": str(stage.delivered_on)} if stage.delivered_on else {})


def _read_form() -> SignForm:
    form = read_form(SignForm)
    form.take_arrival(referral_from_url(request.referrer))
    return form


def _accepted() -> ResponseReturnValue:
    if wants_json():
        return {"status": "check-email"}, 202
    return redirect(url_for(".thanks", lang=i18n.get_language()), 303)


def _asked_again(form: SignForm, advice: str, **tokens: str) -> ResponseReturnValue:
    """Show the form again, with tokens that make the next attempt valid."""
    form.form_errors.append(advice)
    return _error_response(form, 422, **tokens)


def _error_response(form: SignForm, status: int, **tokens: str) -> ResponseReturnValue:
    """Show the form again with its errors, the typed values, and both submitted and new tokens."""
    if wants_json():
        return error_response(form, tokens), status
    return allow_player(Response(render_with_form(form, tokens=submitted_tokens() | tokens), status))
