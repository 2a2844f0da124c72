"""Settings: how far the petition is, the goals, the letter, the bot check, whom to write to."""

from typing import Any

from flask import Blueprint, abort, g, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from campaign import options, stages, switches
from campaign.db import db, utcnow
from campaign.options import Options
from campaign.petition import totals
from campaign.petition.counting import goal_for
from campaign.web import chosen, languages
from campaign.web.organise import questions
from campaign.web.organise.access import needs, no_step_up, recording, step_up
from campaign.web.organise.setting_forms import DayForm, GoalsForm, LetterForm
from campaign.web.organise.step_up import asks_first
from campaign.web.petition_pages import shown_page

bp = Blueprint("settings", __name__)


@bp.get("/settings")
@needs("owner")
def show() -> ResponseReturnValue:
    """Show what can be set."""
    return _page()


@bp.post("/settings/stage")
@needs("owner")
@step_up
@asks_first(questions.changing_stage)
def set_stage() -> ResponseReturnValue:
    """Open or close the petition, or note the day on which it was handed in."""
    form = DayForm()
    act = request.form.get("act")
    if act == "deliver":
        if not form.validate() or form.day.data is None:
            return _page(422, day=form)
        with recording("delivered", day=form.day.data) as draft:
            draft.happened = stages.deliver(db.session, form.day.data)
    elif act == "close":
        with recording("closed") as draft:
            draft.happened = stages.close(db.session)
    else:
        with recording("reopened") as draft:
            draft.happened = stages.reopen(db.session)
    return _done()


@bp.post("/settings/bot-check")
@needs("owner")
@step_up
def set_bot_check() -> ResponseReturnValue:
    """Switch the bot check on or off."""
    is_on = request.form.get("act") == "on"
    with recording("changed-setting", setting="bot-check", to="on" if is_on else "off") as draft:
        turn = switches.turn_on if is_on else switches.turn_off
        draft.happened = turn(db.session, "bot-check")
    return _done()


@bp.post("/settings/names")
@needs("owner")
@step_up
def set_names() -> ResponseReturnValue:
    """Show first names on the public page, or none."""
    is_shown = request.form.get("act") == "on"
    with recording("changed-setting", setting="names", to="on" if is_shown else "off") as draft:
        turn = switches.turn_off if is_shown else switches.turn_on
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
    before = chosen.chosen()
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
    _set("letter", chosen.chosen().letters.get(of, ""), text, language=of)
    return redirect(url_for(".show", of=of, done="1") + "#letter", 303)


@bp.post("/settings/letter/preview")
@needs("owner")
@no_step_up
def preview_letter() -> ResponseReturnValue:
    """Show the public page with a letter that is not set yet."""
    form = _letter_form()
    if not form.validate():
        return _page(422, letter=form)
    present, (of, text) = chosen.chosen(), _letter(form)
    chosen.preview(Options(present.goals, present.contact, {**present.letters, of: text}))
    languages.use(of)
    g.previewed = True
    return make_response(shown_page())


def _letter_form() -> LetterForm:
    """Return the form of the letter as it was sent. Our own page sends no language that the site does not have."""
    form = LetterForm()
    return form if form.of.data in languages.LANGUAGES else abort(400)


def _letter(form: LetterForm) -> tuple[str, str]:
    """Return the language and the text of a letter; the text is empty where it is the one that ships."""
    of, text = str(form.of.data), str(form.text.data)
    return of, "" if text == chosen.shipped_letter(of) else text


def _set(name: options.Name, before: str, to: str, *, language: str = "") -> None:
    """Set an option and record it, unless it is what it was."""
    with recording("changed-setting", setting=f"{name} {language}".strip(), before=before, to=to) as draft:
        draft.happened = before != to
        options.set_option(db.session, name, to, language=language)


def _goals(of: Options) -> str:
    return " ".join(map(str, of.goals))


def _done() -> ResponseReturnValue:
    return redirect(url_for(".show", done="1"), 303)


def _page(status: int = 200, **forms: Any) -> ResponseReturnValue:
    present, of = chosen.chosen(), request.args.get("of", languages.current())
    of = of if of in languages.LANGUAGES else languages.DEFAULT
    count = totals.confirmed(db.session)
    shown: dict[str, Any] = {
        "day": DayForm(formdata=None, day=utcnow().date()),
        "goals": GoalsForm(formdata=None, goals=_goals(present), contact=present.contact),
        "letter": LetterForm(formdata=None, of=of, text=chosen.letter_in(of)),
    }
    page = render_template(
        "organise/settings.html",
        stage=stages.stage(db.session),
        bot_check=switches.is_on(db.session, "bot-check"),
        names_off=switches.is_on(db.session, "names-off"),
        goal=goal_for(count, present.goals),
        **shown | forms,
    )
    return make_response(page, status)
