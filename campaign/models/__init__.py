"""The tables and their constraints: no queries, no addresses of pages."""

from campaign.models.accounts import (
    AuditLogEntry,
    BackupCode,
    FailedAttempt,
    Invitation,
    KeyCopy,
    KeyHolder,
    Organiser,
    OrganiserSession,
    Passkey,
    ShortLivedToken,
)
from campaign.models.counters import ConfirmedTotal, FilmViewCount, PageViewCount, ShareCount, SignatureChange
from campaign.models.jobs import Job, JobPart
from campaign.models.mail import MailServer
from campaign.models.settings import FeatureFlag, InstallationFact, Setting
from campaign.models.signatures import (
    CampaignKey,
    DataKey,
    DomainEmailCount,
    EmailSlot,
    OutboxMessage,
    Signature,
    SuppressedEmail,
    UsedChallenge,
)

__all__ = [
    "AuditLogEntry",
    "BackupCode",
    "CampaignKey",
    "ConfirmedTotal",
    "DataKey",
    "DomainEmailCount",
    "EmailSlot",
    "FailedAttempt",
    "FeatureFlag",
    "FilmViewCount",
    "InstallationFact",
    "Invitation",
    "Job",
    "JobPart",
    "KeyCopy",
    "KeyHolder",
    "MailServer",
    "Organiser",
    "OrganiserSession",
    "OutboxMessage",
    "PageViewCount",
    "Passkey",
    "Setting",
    "ShareCount",
    "ShortLivedToken",
    "Signature",
    "SignatureChange",
    "SuppressedEmail",
    "UsedChallenge",
]
