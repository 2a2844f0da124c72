"""The tables and their constraints: no queries, no addresses of pages."""

from campaign.models.accounts import (
    Activity,
    FailedTry,
    Invitation,
    KeyCopy,
    KeyHolder,
    Organiser,
    OrganiserSession,
    Passkey,
    RecoveryCode,
    ShortLivedToken,
)
from campaign.models.counters import ConfirmedTotal, FilmTally, ShareTally, SignatureChange, StepTally
from campaign.models.mail import MailServer
from campaign.models.settings import Option, Switch
from campaign.models.signatures import (
    CampaignKey,
    DataKey,
    DomainEmails,
    EmailSlot,
    OutboxMessage,
    RefusedAddress,
    Signature,
    UsedChallenge,
)

__all__ = [
    "Activity",
    "CampaignKey",
    "ConfirmedTotal",
    "DataKey",
    "DomainEmails",
    "EmailSlot",
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
    "ShortLivedToken",
    "Signature",
    "SignatureChange",
    "StepTally",
    "Switch",
    "UsedChallenge",
]
