"""What crosses the boundary between the server and the key worker: answers, errors and exit codes."""

from typing import Any

from campaign.errors import (
    CampaignError,
    DecryptionFailed,
    EmailAlreadyRegistered,
    InvalidAgeKey,
    InvalidRecoveryKey,
    NoKeyHolder,
    UnknownInvitation,
    UnknownLink,
    UnknownOrganiser,
    WrongPassphrase,
)

EXIT_INCOMPLETE = 3

# Errors that a task may raise, by the name under which they travel. Any other error of the campaign travels as a
# plain `CampaignError`.
ERRORS: dict[str, type[CampaignError]] = {
    error.__name__: error
    for error in (
        CampaignError,
        DecryptionFailed,
        EmailAlreadyRegistered,
        InvalidAgeKey,
        InvalidRecoveryKey,
        NoKeyHolder,
        UnknownInvitation,
        UnknownLink,
        UnknownOrganiser,
        WrongPassphrase,
    )
}


def error_answer(error: CampaignError) -> dict[str, Any]:
    """Return the answer that reports `error`; messages of campaign errors hold no personal data."""
    name = type(error).__name__
    return {"error": name if name in ERRORS else CampaignError.__name__, "message": str(error)}


def error_from(answer: dict[str, Any]) -> CampaignError:
    """Return the error that `answer` reports."""
    return ERRORS[answer["error"]](answer["message"])
