"""The petition page with its form, for the public route, for refusals and for the organisers' preview."""

from flask import render_template, request

from campaign.petition import goals
from campaign.web import bot_check, csrf, last_known
from campaign.web.forms.sign import SignForm
from campaign.web.petition_settings import current_settings
from campaign.web.previews import page_preview
from campaign.web.share_links import share_links


def render_page() -> str:
    """Return the page as everyone sees it, in the language of this request."""
    return render_with_form(SignForm(formdata=None))


def render_with_form(form: SignForm, **more: object) -> str:
    """Return the page with `form` as filled in; `more` are further template variables."""
    count, stage = last_known.count(), last_known.status()
    return render_template(
        "public/petition.html",
        form=form,
        count=count,
        goal=goals.goal_for(count, current_settings().goals),
        recent_supporters=last_known.names(),
        names_off="names-off" in last_known.flags(),
        petition_status=stage,
        bot_check=bot_check.is_enabled(),
        share_links=share_links(stage),
        preview=page_preview(count, stage),
        **more,
    )


def submitted_tokens() -> dict[str, str]:
    """Return the tokens that the form came with."""
    return {name: request.form[name] for name in (csrf.TOKEN_FIELD, bot_check.TOKEN_FIELD) if name in request.form}
