"""The petition page with its form, for the public route, for refusals and for the organisers' preview."""

from flask import render_template, request

from campaign.core.database import db
from campaign.petition import display_names, goals, totals
from campaign.petition.feature_flags import is_on
from campaign.petition.status import stage
from campaign.web import bot_check, csrf
from campaign.web.forms.sign import SignForm
from campaign.web.petition_settings import chosen
from campaign.web.previews import preview
from campaign.web.share_links import sharing

SHOWN = 6  # how many of those who want to be seen


def shown_page() -> str:
    """Return the page as everybody sees it, in the language of this request."""
    return _page(SignForm(formdata=None))


def _page(form: SignForm, **more: object) -> str:
    count, reached, names_off = totals.confirmed(db.session), stage(db.session), is_on(db.session, "names-off")
    return render_template(
        "public/page.html",
        form=form,
        count=count,
        goal=goals.goal_for(count, chosen().goals),
        shown=[] if names_off else display_names.newest(db.session, most=SHOWN),
        names_off=names_off,
        stage=reached,
        bot_check=bot_check.is_needed(),
        sharing=sharing(reached),
        preview=preview(count, reached),
        **more,
    )


def _tokens() -> dict[str, str]:
    """Return the tokens that the form came with."""
    return {name: request.form[name] for name in (csrf.TOKEN_FIELD, bot_check.TOKEN_FIELD) if name in request.form}
