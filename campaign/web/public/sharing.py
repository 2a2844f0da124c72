"""Share links: count the use, then lead to the network."""

from contextlib import suppress

from flask import Blueprint, abort, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from campaign.analytics.shares import count_share
from campaign.context import state
from campaign.core.database import DatabaseError, db
from campaign.errors import InvalidInstance
from campaign.petition.status import Stage, stage
from campaign.sharing.channels import (
    BY_HAND,
    CHANNELS,
    MESSAGE_LENGTH,
    share_template,
    share_url,
)
from campaign.sharing.mastodon import instance
from campaign.web import csrf, i18n, share_texts
from campaign.web.forms.sign import arrival
from campaign.web.headers import private
from campaign.web.rate_limits import is_countable, only_counts
from campaign.web.share_links import _landing

bp = Blueprint("sharing", __name__)


@bp.get("/share/<channel>")
def share(channel: str) -> ResponseReturnValue:
    """Lead to one of the networks we know, and nowhere else."""
    i18n.use(request.args.get("lang"))
    if channel not in CHANNELS and channel != "qr":
        abort(404)
    is_followed = request.method == "GET" and "prefetch" not in request.headers.get("Sec-Purpose", "")
    if is_followed and is_countable():
        count_share(state().tallies, channel=channel, language=i18n.current())
    return redirect(_target(channel, _ref()), 302)


@bp.post("/share/<channel>")
@only_counts
def shared(channel: str) -> ResponseReturnValue:
    """Count what the page's script did itself: a copied link, the device's share sheet, a message of one's own."""
    i18n.use(request.args.get("lang"))
    if channel not in CHANNELS and channel not in BY_HAND:
        abort(404)
    if csrf.is_ours() and is_countable():
        count_share(state().tallies, channel=channel, language=i18n.current())
    return "", 204


@bp.route("/<lang:lang>/mastodon", methods=["GET", "POST"])
def mastodon(lang: str) -> ResponseReturnValue:
    """Ask which instance is theirs, and show the link to it: only its owner's own click leads off to what was typed."""
    typed, text = request.form.get("instance", ""), request.form.get("text", _message())[:MESSAGE_LENGTH]
    network, about = CHANNELS["mastodon"], {"url": _landing("mastodon", _ref()), "title": share_texts.title()}
    onward = ""
    if request.method == "POST":
        csrf.is_ours()  # what says nothing may pass: this only shows a link
        with suppress(InvalidInstance):
            onward = share_url(network, text=text, instance=instance(typed), **about)
    wrong = request.method == "POST" and not onward
    shown = {"typed": typed, "text": text, "longest": MESSAGE_LENGTH, "ref": _ref(), "onward": onward, "wrong": wrong}
    page = render_template("public/mastodon.html", template=share_template(network, **about), **shown)
    return private(make_response(page, 422 if wrong else 200))


def _target(channel: str, ref: str | None) -> str:
    """Return where a channel leads."""
    if channel == "qr":
        return url_for("pictures.qr", lang=i18n.current(), ref=ref)
    network = CHANNELS[channel]
    if network.needs_instance:
        return url_for(".mastodon", lang=i18n.current(), ref=ref)
    return share_url(network, url=_landing(channel, ref), title=share_texts.title(), text=_message())


def _message() -> str:
    """Return what is passed on, whether the database can be asked or not: sharing goes on without it."""
    try:
        return share_texts.message(stage(db.session))
    except DatabaseError:
        return share_texts.message(Stage())


def _ref() -> str | None:
    """Return the supporter's code in the address, if it looks like one."""
    return arrival(ref=request.args.get("ref"), via=None).ref
