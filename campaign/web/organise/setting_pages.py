"""Settings: how far the petition is, the goals, the letter, the bot check, whom to write to."""

from typing import Any

from flask import Blueprint, g, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from campaign import options, stages, switches
from campaign.db import db, utcnow
from campaign.options import Options
from campaign.petition import totals
from campaign.petition.counting import goal_for
from campaign.web import chosen, languages
from campaign.web.organise.access import needs, record
from campaign.web.organise.setting_forms import DayForm, GoalsForm, LetterForm
from campaign.web.petition_pages import shown_page

bp = Blueprint("settings", __name__)


@bp.get("/settings")
@needs("owner")
def show() -> ResponseReturnValue:
    """Show what can be set."""
    return _page()


@bp.post("/settings/stage")
@needs("owner")
def set_stage() -> ResponseReturnValue:
    """Open or close the petition, or note the day on which it was handed in."""
    form = DayForm()
    act = request.form.get("act")
    if act == "deliver":
        if not form.validate() or form.day.data is None:
            return _page(422, day=form)
        record("delivered", day=form.day.data)
        stages.deliver(db.session, form.day.data)
    elif act == "close":
        record("closed")
        stages.close(db.session)
    else:
        record("reopened")
        stages.reopen(db.session)
    return _done()


@bp.post("/settings/bot-check")
@needs("owner")
def set_bot_check() -> ResponseReturnValue:
    """Switch the bot check on or off."""
    is_on = request.form.get("act") == "on"
    record("changed-setting", setting="bot-check", to="on" if is_on else "off")
    if is_on:
        switches.turn_on(db.session, "bot-check")
    else:
        switches.turn_off(db.session, "bot-check")
    return _done()


@bp.post("/settings/names")
@needs("owner")
def set_names() -> ResponseReturnValue:
    """Show first names on the public page, or none."""
    is_shown = request.form.get("act") == "on"
    if is_shown:
        switches.turn_off(db.session, "names-off")
    else:
        switches.turn_on(db.session, "names-off")
    record("changed-setting", setting="names", to="on" if is_shown else "off")
    return _done()


@bp.post("/settings/goals")
@needs("owner")
def set_goals() -> ResponseReturnValue:
    """Set the goals and the address to write to."""
    form = GoalsForm()
    if not form.validate():
        return _page(422, goals=form)
    before = chosen.chosen()
    record("changed-setting", setting="goals", before=_goals(before), to=form.goals.data)
    options.set_option(db.session, "goals", str(form.goals.data))
    record("changed-setting", setting="contact", before=before.contact, to=form.contact.data)
    options.set_option(db.session, "contact", str(form.contact.data))
    return _done()


@bp.post("/settings/letter")
@needs("owner")
def set_letter() -> ResponseReturnValue:
    """Set the letter in one language, or show the page as it would be."""
    form = LetterForm()
    if not form.validate():
        return _page(422, letter=form)
    of, text = str(form.of.data), str(form.text.data)
    text = "" if text == chosen.shipped_letter(of) else text
    if "preview" in request.form:
        return _previewed(of, text)
    record("changed-setting", setting=f"letter {of}", before=chosen.chosen().letters.get(of), to=text)
    options.set_option(db.session, "letter", text, language=of)
    return redirect(url_for(".show", of=of, done="1") + "#letter", 303)


def _previewed(of: str, text: str) -> ResponseReturnValue:
    """Show the public page with a letter that is not set yet."""
    present = chosen.chosen()
    chosen.preview(Options(present.goals, present.contact, {**present.letters, of: text}))
    languages.use(of)
    g.previewed = True
    return make_response(shown_page())


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
