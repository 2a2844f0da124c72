"""The errors of the campaign. No message ever contains personal data."""


class CampaignError(Exception):
    """The parent of everything the campaign itself refuses or cannot do."""


class ConfigError(CampaignError):
    """A setting is wrong or the installation is not ready; the message names the remedy."""


class NoCampaignKey(CampaignError):
    """There is no key pair to encrypt signatures to."""

    def __init__(self) -> None:
        super().__init__("the campaign has no key pair yet; run 'flask init' first")


class UnknownLink(CampaignError):
    """A link that we never sent, or whose signature is gone."""


class ExpiredLink(CampaignError):
    """A link that was not used to confirm while it lived."""


class PetitionClosed(CampaignError):
    """The petition takes no signatures any more."""


class BotCheckRequired(CampaignError):
    """The submission must pass the bot check first."""


class PetitionDelivered(CampaignError):
    """The petition was delivered, so its signatures can no longer change."""


class TextTooLong(CampaignError):
    """Text of more than `max_length` characters."""

    def __init__(self, max_length: int) -> None:
        super().__init__(f"text is longer than {max_length} characters")
        self.max_length = max_length


class UnusableCharacter(CampaignError):
    """Text with a character that cannot be used; `place` counts characters from one, `code` is like "U+2028"."""

    def __init__(self, place: int, character: str) -> None:
        self.place, self.code = place, f"U+{ord(character):04X}"
        super().__init__(f"character {place} ({self.code}) cannot be used")


class InvalidEmailAddress(CampaignError):
    """Text that is not a valid email address (RFC 5322)."""


class InvalidInstance(CampaignError):
    """Text that names no instance of Mastodon."""


class InvalidRecoveryKey(CampaignError):
    """Text that is not a recovery key, or that contains a typing error."""


class DecryptionFailed(CampaignError):
    """A row or message that cannot be decrypted: damaged, or encrypted to another key."""


class NothingDecrypted(CampaignError):
    """There are signatures, and not one of them could be opened."""


class RealSignaturesExist(CampaignError):
    """Synthetic signatures are refused where people have signed."""


class FilmError(CampaignError):
    """A film that cannot be imported or shown; the message names the remedy."""


class CaptionError(FilmError):
    """A caption file with a fault; `line` counts from one."""

    def __init__(self, line: int, fault: str) -> None:
        super().__init__(f"line {line}: {fault}")
        self.line = line


class UnknownOrganiser(CampaignError):
    """An organiser who does not exist, or has been removed."""


class LastOwner(CampaignError):
    """The only owner cannot be removed: no owner would be left to invite others."""


class LastExporter(CampaignError):
    """The only organiser with the export right cannot lose it, since only they can grant it."""


class TooManyLookups(CampaignError):
    """An organiser looked up too many signatures; `seconds`: how long to wait."""

    def __init__(self, seconds: int) -> None:
        super().__init__("too many look-ups in an hour")
        self.seconds = seconds


class UnknownInvitation(CampaignError):
    """An invitation that was used, is too old, or never was."""


class WrongPassphrase(CampaignError):
    """The export passphrase does not open the organiser's copy of the keys."""


class WrongCredential(CampaignError):
    """A wrong password, code or passkey at log-in."""


class NoKeyHolder(CampaignError):
    """A person without a copy of the campaign's keys tried to decrypt data."""


class Throttled(CampaignError):
    """Something secret was given wrongly too often; `seconds`: how long to wait."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"too many tries; wait {seconds} seconds")
        self.seconds = seconds


class RateLimited(CampaignError):
    """Too much came from one network; `seconds`: how long to wait."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"too much from one network; wait {seconds} seconds")
        self.seconds = seconds


class LimitReached(RateLimited):
    """Something was done as often as its limit allows."""


class TooManyRequests(RateLimited):
    """Forms arrive in such numbers that they only get a short answer."""


class Busy(CampaignError):
    """Too much slow work is under way; `seconds`: when to try again."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"too much work at the moment; try again in {seconds} seconds")
        self.seconds = seconds


class LastSecondFactor(CampaignError):
    """The only second factor of an organiser cannot be removed: they could not log in again."""


class InvalidAgeKey(CampaignError):
    """Text that is not an age public key (age-encryption.org)."""


class EmailAlreadyRegistered(CampaignError):
    """An invitation for an email address that belongs to an organiser already."""


class WorkerFailed(CampaignError):
    """The key worker ended before its task was complete."""
