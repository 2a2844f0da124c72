"""The endpoint that gives the ALTCHA widget its challenge."""

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from campaign.context import current_context
from campaign.petition import proof_of_work

bp = Blueprint("bot_check", __name__)


@bp.get("/altcha.json")
def challenge() -> ResponseReturnValue:
    """Return a new signed challenge as JSON, in the format of ALTCHA."""
    return jsonify(proof_of_work.challenge(current_context().challenge_key))
