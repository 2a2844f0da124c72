"""The film on the page: which one plays, where its files are, what its player may connect to, how much is watched."""

from contextlib import suppress

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from campaign.analytics.film_views import count_film_view
from campaign.context import current_context
from campaign.web import csrf, i18n, rate_limits
from campaign.web.film_player import current_film

bp = Blueprint("film", __name__)


@bp.post("/film/watched")
@rate_limits.only_counts
def watched() -> ResponseReturnValue:
    """Count that somebody has watched a part of the film; browsers send it beside the page and want no answer."""
    i18n.set_language(request.form.get("lang"))
    if csrf.is_same_origin() and rate_limits.is_countable():
        _count(request.form.get("percent", type=int, default=-1))
    return "", 204


def _count(percent: int) -> None:
    with suppress(ValueError):  # no player of ours sends another
        count_film_view(
            current_context().tallies, film=current_film().name, language=i18n.get_language(), percent=percent
        )
