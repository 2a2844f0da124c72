"""Share links: count the use, then lead to the network."""

from contextlib import suppress

from flask import Blueprint, abort, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from campaign.analytics.shares import count_share
from campaign.context import current_context
from campaign.errors import InvalidInstance
from campaign.sharing.channels import (
    CHANNELS,
    MESSAGE_LENGTH,
    OFFLINE_CHANNELS,
    share_template,
    share_url,
)
from campaign.sharing.mastodon import parse_instance
from campaign.web import csrf, i18n, last_known, share_texts
from campaign.web.forms.sign import parse_referral
from campaign.web.headers import never_cache
from campaign.web.rate_limits import is_countable, only_counts
from campaign.web.share_links import landing_link

bp = Blueprint("sharing", __name__)


@bp.get("/share/<channel>")
def share(channel: str) -> ResponseReturnValue:
    """Redirect to one of the known networks, never elsewhere."""
    i18n.set_language(request.args.get("lang"))
    if channel not in CHANNELS and channel != "qr":
        abort(404)
    is_followed = request.method == "GET" and "prefetch" not in request.headers.get("Sec-Purpose", "")
    if is_followed and is_countable():
        count_share(current_context().tallies, channel=channel, language=i18n.get_language())
    return redirect(_target(channel, _ref()), 302)


@bp.post("/share/<channel>")
@only_counts
def shared(channel: str) -> ResponseReturnValue:
    """Count a share made by the page's script: a copied link, the device's share sheet, a custom message."""
    i18n.set_language(request.args.get("lang"))
    if channel not in CHANNELS and channel not in OFFLINE_CHANNELS:
        abort(404)
    if csrf.is_same_origin() and is_countable():
        count_share(current_context().tallies, channel=channel, language=i18n.get_language())
    return "", 204


@bp.route("/<lang:lang>/mastodon", methods=["GET", "POST"])
def mastodon(lang: str) -> ResponseReturnValue:
    """Show a form for the supporter's instance, and then a link to it. The server never redirects to typed hosts."""
    typed, text = request.form.get("instance", ""), request.form.get("text", _message())[:MESSAGE_LENGTH]
    network, about = CHANNELS["mastodon"], {"url": landing_link("mastodon", _ref()), "title": share_texts.title()}
    onward = ""
    if request.method == "POST":
        csrf.is_same_origin()  # raises for other sites; no origin is fine, since this only shows a link
        with suppress(InvalidInstance):
            onward = share_url(network, text=text, instance=parse_instance(typed), **about)
    wrong = request.method == "POST" and not onward
    context = {"instance": typed, "text": text, "max_length": MESSAGE_LENGTH, "ref": _ref()}
    context |= {"share_url": onward, "is_invalid": wrong}
    page = render_template("public/mastodon.html", share_template=share_template(network, **about), **context)
    return never_cache(make_response(page, 422 if wrong else 200))


def _target(channel: str, ref: str | None) -> str:
    """Return the URL for a channel."""
    if channel == "qr":
        return url_for("images.qr", lang=i18n.get_language(), ref=ref)
    network = CHANNELS[channel]
    if network.needs_instance:
        return url_for(".mastodon", lang=i18n.get_language(), ref=ref)
    return share_url(network, url=landing_link(channel, ref), title=share_texts.title(), text=_message())


def _message() -> str:
    """Return the message to share."""
    return share_texts.message(last_known.status(), has_signed=_ref() is not None)


def _ref() -> str | None:
    """Return the supporter's code in the address, if it looks like one."""
    return parse_referral(ref=request.args.get("ref"), via=None).ref
