"""The endpoint that counts film views."""

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
    """Count that a visitor has watched a part of the film; browsers send it in the background and expect no content."""
    i18n.set_language(request.form.get("lang"))
    if csrf.is_same_origin() and rate_limits.is_countable():
        _count(request.form.get("percent", type=int, default=-1))
    return "", 204


def _count(percent: int) -> None:
    with suppress(ValueError):  # our player sends no other
        count_film_view(
            current_context().tallies, film=current_film().name, language=i18n.get_language(), percent=percent
        )
