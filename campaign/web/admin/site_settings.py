"""Settings of the public site: status, goals, petition text, bot check, contact address."""

from typing import Any

from flask import Blueprint, abort, g, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from campaign.core.database import db, transaction, utcnow
from campaign.core.languages import DEFAULT_LANGUAGE, LANGUAGES
from campaign.petition import feature_flags, settings, totals
from campaign.petition import status as petition_status
from campaign.petition.goals import goal_for
from campaign.petition.settings import PetitionSettings
from campaign.web import i18n, petition_settings
from campaign.web.admin import confirmations
from campaign.web.admin.access import no_step_up, recording, requires_role, step_up
from campaign.web.admin.step_up import asks_confirmation
from campaign.web.forms.settings import DayForm, GoalsForm, PetitionTextForm
from campaign.web.petition_page import render_page

bp = Blueprint("settings", __name__)


@bp.get("/settings")
@requires_role("owner")
def show() -> ResponseReturnValue:
    """Show the settings."""
    return _page()


@bp.post("/settings/stage")
@requires_role("owner")
@step_up
@asks_confirmation(confirmations.status_change_question)
def set_stage() -> ResponseReturnValue:
    """Open or close the petition, or record the day of its delivery."""
    form = DayForm()
    act = request.form.get("act")
    if act == "deliver":
        if not form.validate() or form.day.data is None:
            return _page(422, day_form=form)
        with recording("delivered", day=form.day.data) as draft:
            draft.happened = petition_status.deliver(db.session, form.day.data)
    elif act == "close":
        with recording("closed") as draft:
            draft.happened = petition_status.close(db.session)
    else:
        with recording("reopened") as draft:
            draft.happened = petition_status.reopen(db.session)
    return _redirect_to_settings()


@bp.post("/settings/bot-check")
@requires_role("owner")
@step_up
def set_bot_check() -> ResponseReturnValue:
    """Switch the bot check on or off."""
    is_on = request.form.get("act") == "on"
    with recording("changed-setting", setting="bot-check", to="on" if is_on else "off") as draft:
        turn = feature_flags.enable if is_on else feature_flags.disable
        draft.happened = turn(db.session, "bot-check")
    return _redirect_to_settings()


@bp.post("/settings/names")
@requires_role("owner")
@step_up
def set_names() -> ResponseReturnValue:
    """Show first names on the public page, or none."""
    is_shown = request.form.get("act") == "on"
    with recording("changed-setting", setting="names", to="on" if is_shown else "off") as draft:
        turn = feature_flags.disable if is_shown else feature_flags.enable
        draft.happened = turn(db.session, "names-off")
    return _redirect_to_settings()


@bp.post("/settings/goals")
@requires_role("owner")
@step_up
def set_goals() -> ResponseReturnValue:
    """Set the goals and the address to write to."""
    form = GoalsForm()
    if not form.validate():
        return _page(422, goals_form=form)
    with transaction(db.session):
        before = settings.load_settings(db.session)
        _save("goals", _goals(before), str(form.goals.data))
        _save("contact", before.contact, str(form.contact.data))
    return _redirect_to_settings()


@bp.post("/settings/letter")
@requires_role("owner")
@step_up
def set_letter() -> ResponseReturnValue:
    """Set the petition text in one language."""
    form = _letter_form()
    if not form.validate():
        return _page(422, text_form=form)
    of, text = _letter(form)
    with transaction(db.session):
        before = settings.load_settings(db.session).letters.get(of, "")
        _save("letter", before, text, language=of)
    return redirect(url_for(".show", of=of, done="1") + "#letter", 303)


@bp.post("/settings/letter/preview")
@requires_role("owner")
@no_step_up
def preview_letter() -> ResponseReturnValue:
    """Show the public page with a petition text that is not stored yet."""
    form = _letter_form()
    if not form.validate():
        return _page(422, text_form=form)
    present, (of, text) = petition_settings.current_settings(), _letter(form)
    petition_settings.preview(PetitionSettings(present.goals, present.contact, {**present.letters, of: text}))
    i18n.set_language(of)
    g.is_preview = True
    return make_response(render_page())


def _letter_form() -> PetitionTextForm:
    """Return the submitted form of the petition text. Our own page only submits existing languages."""
    form = PetitionTextForm()
    return form if form.of.data in LANGUAGES else abort(400)


def _letter(form: PetitionTextForm) -> tuple[str, str]:
    """Return language and petition text; the text is empty if it is the default."""
    of, text = str(form.of.data), str(form.text.data)
    return of, "" if text == petition_settings.default_petition_text(of) else text


def _save(name: settings.Name, before: str, to: str, *, language: str = "") -> None:
    """Store a setting and record the change, unless it is the same as before."""
    with recording("changed-setting", setting=f"{name} {language}".strip(), before=before, to=to) as draft:
        draft.happened = before != to
        settings.set_setting(db.session, name, to, language=language)


def _goals(of: PetitionSettings) -> str:
    return " ".join(map(str, of.goals))


def _redirect_to_settings() -> ResponseReturnValue:
    return redirect(url_for(".show", done="1"), 303)


def _page(status: int = 200, **forms: Any) -> ResponseReturnValue:
    present, of = petition_settings.current_settings(), request.args.get("of", i18n.get_language())
    of = of if of in LANGUAGES else DEFAULT_LANGUAGE
    count = totals.confirmed(db.session)
    context: dict[str, Any] = {
        "day_form": DayForm(formdata=None, day=utcnow().date()),
        "goals_form": GoalsForm(formdata=None, goals=_goals(present), contact=present.contact),
        "text_form": PetitionTextForm(formdata=None, of=of, text=petition_settings.petition_text_in(of)),
    }
    page = render_template(
        "admin/settings.html",
        petition_status=petition_status.petition_status(db.session),
        bot_check=feature_flags.is_enabled(db.session, "bot-check"),
        names_off=feature_flags.is_enabled(db.session, "names-off"),
        goal=goal_for(count, present.goals),
        **context | forms,
    )
    return make_response(page, status)
