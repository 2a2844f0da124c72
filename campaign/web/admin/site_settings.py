"""Settings: how far the petition is, the goals, the letter, the bot check, whom to write to."""

from typing import Any

from flask import Blueprint, abort, g, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from campaign.core.database import db, utcnow
from campaign.core.languages import DEFAULT_LANGUAGE, LANGUAGES
from campaign.petition import feature_flags, settings, totals
from campaign.petition import status as petition_status
from campaign.petition.goals import goal_for
from campaign.petition.settings import Options
from campaign.web import i18n, petition_settings
from campaign.web.admin import confirmations
from campaign.web.admin.access import needs, no_step_up, recording, step_up
from campaign.web.admin.step_up import asks_first
from campaign.web.forms.settings import DayForm, GoalsForm, LetterForm
from campaign.web.petition_page import shown_page

bp = Blueprint("settings", __name__)


@bp.get("/settings")
@needs("owner")
def show() -> ResponseReturnValue:
    """Show what can be set."""
    return _page()


@bp.post("/settings/stage")
@needs("owner")
@step_up
@asks_first(confirmations.changing_stage)
def set_stage() -> ResponseReturnValue:
    """Open or close the petition, or note the day on which it was handed in."""
    form = DayForm()
    act = request.form.get("act")
    if act == "deliver":
        if not form.validate() or form.day.data is None:
            return _page(422, day=form)
        with recording("delivered", day=form.day.data) as draft:
            draft.happened = petition_status.deliver(db.session, form.day.data)
    elif act == "close":
        with recording("closed") as draft:
            draft.happened = petition_status.close(db.session)
    else:
        with recording("reopened") as draft:
            draft.happened = petition_status.reopen(db.session)
    return _done()


@bp.post("/settings/bot-check")
@needs("owner")
@step_up
def set_bot_check() -> ResponseReturnValue:
    """Switch the bot check on or off."""
    is_on = request.form.get("act") == "on"
    with recording("changed-setting", setting="bot-check", to="on" if is_on else "off") as draft:
        turn = feature_flags.turn_on if is_on else feature_flags.turn_off
        draft.happened = turn(db.session, "bot-check")
    return _done()


@bp.post("/settings/names")
@needs("owner")
@step_up
def set_names() -> ResponseReturnValue:
    """Show first names on the public page, or none."""
    is_shown = request.form.get("act") == "on"
    with recording("changed-setting", setting="names", to="on" if is_shown else "off") as draft:
        turn = feature_flags.turn_off if is_shown else feature_flags.turn_on
        draft.happened = turn(db.session, "names-off")
    return _done()


@bp.post("/settings/goals")
@needs("owner")
@step_up
def set_goals() -> ResponseReturnValue:
    """Set the goals and the address to write to."""
    form = GoalsForm()
    if not form.validate():
        return _page(422, goals=form)
    before = petition_settings.chosen()
    _set("goals", _goals(before), str(form.goals.data))
    _set("contact", before.contact, str(form.contact.data))
    return _done()


@bp.post("/settings/letter")
@needs("owner")
@step_up
def set_letter() -> ResponseReturnValue:
    """Set the letter in one language."""
    form = _letter_form()
    if not form.validate():
        return _page(422, letter=form)
    of, text = _letter(form)
    _set("letter", petition_settings.chosen().letters.get(of, ""), text, language=of)
    return redirect(url_for(".show", of=of, done="1") + "#letter", 303)


@bp.post("/settings/letter/preview")
@needs("owner")
@no_step_up
def preview_letter() -> ResponseReturnValue:
    """Show the public page with a letter that is not set yet."""
    form = _letter_form()
    if not form.validate():
        return _page(422, letter=form)
    present, (of, text) = petition_settings.chosen(), _letter(form)
    petition_settings.preview(Options(present.goals, present.contact, {**present.letters, of: text}))
    i18n.use(of)
    g.previewed = True
    return make_response(shown_page())


def _letter_form() -> LetterForm:
    """Return the form of the letter as it was sent. Our own page sends no language that the site does not have."""
    form = LetterForm()
    return form if form.of.data in LANGUAGES else abort(400)


def _letter(form: LetterForm) -> tuple[str, str]:
    """Return the language and the text of a letter; the text is empty where it is the one that ships."""
    of, text = str(form.of.data), str(form.text.data)
    return of, "" if text == petition_settings.shipped_letter(of) else text


def _set(name: settings.Name, before: str, to: str, *, language: str = "") -> None:
    """Set an option and record it, unless it is what it was."""
    with recording("changed-setting", setting=f"{name} {language}".strip(), before=before, to=to) as draft:
        draft.happened = before != to
        settings.set_option(db.session, name, to, language=language)


def _goals(of: Options) -> str:
    return " ".join(map(str, of.goals))


def _done() -> ResponseReturnValue:
    return redirect(url_for(".show", done="1"), 303)


def _page(status: int = 200, **forms: Any) -> ResponseReturnValue:
    present, of = petition_settings.chosen(), request.args.get("of", i18n.current())
    of = of if of in LANGUAGES else DEFAULT_LANGUAGE
    count = totals.confirmed(db.session)
    shown: dict[str, Any] = {
        "day": DayForm(formdata=None, day=utcnow().date()),
        "goals": GoalsForm(formdata=None, goals=_goals(present), contact=present.contact),
        "letter": LetterForm(formdata=None, of=of, text=petition_settings.letter_in(of)),
    }
    page = render_template(
        "organise/settings.html",
        stage=petition_status.stage(db.session),
        bot_check=feature_flags.is_on(db.session, "bot-check"),
        names_off=feature_flags.is_on(db.session, "names-off"),
        goal=goal_for(count, present.goals),
        **shown | forms,
    )
    return make_response(page, status)
