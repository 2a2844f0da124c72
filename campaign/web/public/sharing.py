"""Share links: count the use, then lead to the network."""

from contextlib import suppress
from dataclasses import dataclass

from flask import Blueprint, abort, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError

from campaign.analytics.shares import count_share
from campaign.context import state
from campaign.core.database import db
from campaign.errors import InvalidInstance
from campaign.petition.status import Stage, stage
from campaign.sharing.channels import (
    BY_HAND,
    CHANNELS,
    MESSAGE_LENGTH,
    Channel,
    fitting,
    landing_url,
    share_template,
    share_url,
)
from campaign.sharing.mastodon import instance
from campaign.web import csrf, i18n, share_texts
from campaign.web.forms.sign import arrival
from campaign.web.headers import private
from campaign.web.public.embed import snippet
from campaign.web.rate_limits import is_countable, only_counts

bp = Blueprint("sharing", __name__)


@dataclass(frozen=True, slots=True)
class Sharing:
    """What templates need to offer sharing; `ref` is the supporter's code, on their own page."""

    stage: Stage
    ref: str | None = None
    longest: int = MESSAGE_LENGTH

    @property
    def description(self) -> str:
        """What the campaign is about."""
        return share_texts.description(self.stage)

    @property
    def message(self) -> str:
        """What is passed on with the link, unless the supporter writes something else."""
        return share_texts.message(self.stage)

    @property
    def snippet(self) -> str:
        """What puts the film into another site's page."""
        return snippet()

    @property
    def channels(self) -> list[Channel]:
        """The networks, the most fitting first."""
        return fitting(i18n.current())

    def url(self, via: str) -> str:
        """Return the page's address as `via` passes it on."""
        return _landing(via, self.ref)

    def link(self, channel: str) -> str:
        """Return our own address that counts and leads to `channel`."""
        return url_for("sharing.share", channel=channel, lang=i18n.current(), ref=self.ref)

    def template(self, channel: Channel) -> str:
        """Return the network's address with {text} left open, "" where it takes none or has many addresses."""
        if channel.needs_instance:
            return f"{self.link(channel.key)}#{{text}}"
        if not channel.takes_text:
            return ""
        return share_template(channel, url=self.url(channel.key), title=share_texts.title())


def sharing(reached: Stage, ref: str | None = None) -> Sharing:
    """Return what to offer on a page in this stage; `ref` is the code of the supporter whose page it is."""
    return Sharing(reached, ref)


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
    except SQLAlchemyError:
        return share_texts.message(Stage())


def _landing(via: str, ref: str | None) -> str:
    return landing_url(state().settings.public_url, language=i18n.current(), via=via, ref=ref)


def _ref() -> str | None:
    """Return the supporter's code in the address, if it looks like one."""
    return arrival(ref=request.args.get("ref"), via=None).ref
