"""The tables and their constraints: no queries, no addresses of pages."""

from campaign.models.mail import MailServer
from campaign.models.organisers import (
    Activity,
    FailedTry,
    Invitation,
    KeyCopy,
    KeyHolder,
    Organiser,
    OrganiserSession,
    Passkey,
    RecoveryCode,
)
from campaign.models.settings import Option, Switch
from campaign.models.signatures import CampaignKey, DataKey, OutboxMessage, RefusedAddress, Signature, UsedChallenge
from campaign.models.tallies import ConfirmedTotal, FilmTally, ShareTally, SignatureChange, StepTally

__all__ = [
    "Activity",
    "CampaignKey",
    "ConfirmedTotal",
    "DataKey",
    "FailedTry",
    "FilmTally",
    "Invitation",
    "KeyCopy",
    "KeyHolder",
    "MailServer",
    "Option",
    "Organiser",
    "OrganiserSession",
    "OutboxMessage",
    "Passkey",
    "RecoveryCode",
    "RefusedAddress",
    "ShareTally",
    "Signature",
    "SignatureChange",
    "StepTally",
    "Switch",
    "UsedChallenge",
]
