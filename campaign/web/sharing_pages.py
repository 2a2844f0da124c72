"""Share links: count the use, then lead to the network."""

from flask import Blueprint, abort, redirect, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from campaign.sharing.channels import CHANNELS, landing_url, share_url
from campaign.sharing.counting import count_share
from campaign.state import state
from campaign.web import languages
from campaign.web.forms import arrival

bp = Blueprint("sharing", __name__)


@bp.get("/share/<channel>")
def share(channel: str) -> ResponseReturnValue:
    """Lead to one of the networks we know, and nowhere else."""
    languages.use(request.args.get("lang"))
    network = CHANNELS.get(channel) or abort(404)
    if request.method == "GET":
        count_share(state().tallies, channel=channel, language=languages.current())
    ref = arrival(ref=request.args.get("ref"), via=None).ref
    url = landing_url(state().settings.public_url, language=languages.current(), via=channel, ref=ref)
    title, text = gettext("Love Always Wins"), share_text()
    return redirect(share_url(network, url=url, title=title, text=text), 302)


def share_text() -> str:
    """Return what people pass on with the link."""
    return str(
        gettext(
            "She wins gold, and cannot embrace the woman she loves. Watch the film and ask the IOC to speak out. "
            "#LoveAlwaysWins"
        )
    )
