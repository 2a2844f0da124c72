"""The cause of a refusal, judged by the SMTP step and by the mail server's reply."""

import re
from enum import Enum

import idna

MAX_REPLY = 250  # characters of a stored reply
_MAX_READ = 1000
SERVICE_UNAVAILABLE = 421  # the server ends the session, whatever the command was (RFC 5321, 3.8)


class Step(Enum):
    """How far a delivery came before it failed."""

    CONNECTION = "connection"
    ENCRYPTION = "encryption"
    LOGIN = "log-in"
    SENDER = "sender"
    RECIPIENT = "recipient"
    CONTENT = "content"


class Fault(Enum):
    """The cause of a failed delivery, which decides what happens to the message."""

    SERVER = "server"  # no message could be sent now: keep them all, and pause
    TEMPORARY = "temporary"  # this message, for now
    GREYLISTED = "greylisted"  # the same, and normal for a first attempt
    RECIPIENT = "recipient"  # this message, permanently


class DeliveryError(Exception):
    """A message was not accepted.

    `step` is where it failed; `code` the SMTP reply code, or None without a reply; `reply` the server's reply with the
    code, or the reason, in both cases without email addresses. The text of the exception contains none of these, since
    texts of exceptions reach logs.
    """

    def __init__(self, step: Step, code: int | None, words: str | bytes, *, to: str = "") -> None:
        """Store the server's words about a message for `to`, the address removed."""
        self.step, self.code = step, code
        self.reply = " ".join(filter(None, (str(code or ""), redact(words, to=to))))[:MAX_REPLY]
        self.enhanced = _enhanced_code(self.reply)
        super().__init__(f"{step.value} {code or 'no reply'}")

    @property
    def status(self) -> str:
        """The enhanced status code without its class, such as x.4.5; empty where the server gave none."""
        return f"x.{self.enhanced[0]}.{self.enhanced[1]}" if self.enhanced else ""

    @property
    def is_about_one_message(self) -> bool:
        """Return whether the server was ready, and failed at this recipient or this content."""
        return self.step in (Step.RECIPIENT, Step.CONTENT)

    @property
    def is_limit(self) -> bool:
        """Return whether a limit of the connection or of a period was reached."""
        return self.code == SERVICE_UNAVAILABLE or self.enhanced == (5, 3) or bool(_LIMIT.search(self.reply))

    @property
    def fault(self) -> Fault:
        """Return whose fault this one reply names. A row of replies can change that: see `server_state`."""
        if not self.is_about_one_message or self.code is None or self.code == SERVICE_UNAVAILABLE:
            return Fault.SERVER
        if 400 <= self.code < 500:
            return self._temporary()
        if self.code >= 500 and not self._is_server_fault():
            return Fault.RECIPIENT
        return Fault.SERVER

    def _temporary(self) -> Fault:
        if _GREYLIST.search(self.reply):
            return Fault.GREYLISTED
        if self._is_of_mailbox:
            return Fault.TEMPORARY
        is_server = self.is_limit or self.code == 454 or self._subject == 3 or self.enhanced == (4, 5)
        return (
            Fault.SERVER
            if is_server or _OURS.search(self.reply) or _CONFIGURATION.search(self.reply)
            else Fault.TEMPORARY
        )

    def _is_server_fault(self) -> bool:
        """Return whether a permanent refusal is about the server, its limits or its policy (RFC 3463, RFC 5248)."""
        if self.code in _OUT_OF_ORDER or self.enhanced in _SENDER or self.enhanced == (4, 5):
            return True
        if self._subject == 7 and not self._is_of_mailbox:
            return True
        if self._is_of_mailbox:
            return False
        if _LIMIT.search(self.reply) or _OURS.search(self.reply):
            return True
        if _NO_MAILBOX.search(self.reply):
            return False
        is_policy = _CONFIGURATION.search(self.reply) or _POLICY.search(self.reply)
        # A server that took the recipient objects to something else, which other messages have as well.
        return bool(is_policy) or self._subject == 3 or self.step is Step.CONTENT

    @property
    def _is_of_mailbox(self) -> bool:
        """Return whether the status code or clear words name the recipient's mailbox."""
        if self._subject in (1, 2) and self.enhanced not in {(1, 0), (2, 0), *_SENDER}:
            return True
        return bool(_THIS_MAILBOX.search(self.reply)) and not _OURS.search(self.reply)

    @property
    def _subject(self) -> int | None:
        return self.enhanced[0] if self.enhanced else None


def redact(words: str | bytes, *, to: str) -> str:
    """Return a server's words on one line without email addresses: neither `to`, nor its parts, nor any other."""
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    if len(text) > _MAX_READ:
        text = re.sub(r"\S*\Z", "", text[:_MAX_READ])  # half an address would not be found
    text = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    text = _ADDRESS.sub("<address>", text)
    for part in _parts(to):
        text = re.sub(rf"(?<!\w){re.escape(part)}(?!\w)", "<address>", text, flags=re.IGNORECASE)
    return text


def _parts(to: str) -> list[str]:
    """Return the parts of the address `to` (ASCII) that must not remain, the longest first."""
    local, _, domain = to.rpartition("@")
    domains = [domain, _decode_domain(domain)]
    parts = {*(f"{local}@{name}" for name in domains), local, local.partition("+")[0], *domains}
    return sorted(parts - {"", "@"}, key=len, reverse=True)


def _decode_domain(domain: str) -> str:
    try:
        return idna.decode(domain)
    except idna.IDNAError:
        return domain


def _enhanced_code(reply: str) -> tuple[int, int] | None:
    """Return subject and detail of the enhanced status code in `reply`: at its start, or as qmail has it, (#5.7.1)."""
    match = re.match(r"\d{3} [245]\.(\d{1,3})\.(\d{1,3})\b", reply) or re.search(r"#[245]\.(\d)\.(\d{1,3})\b", reply)
    return (int(match[1]), int(match[2])) if match else None


# Our commands came at the wrong time, or without authentication (RFC 4954, RFC 5321, RFC 7504).
_OUT_OF_ORDER = {500, 502, 503, 504, 521, 523, 524, 525, 530, 534, 535, 538, 555}
_SENDER = {(1, 7), (1, 8), (1, 9)}  # the sender's address is bad (RFC 3463, 3.2; RFC 7505)
_GREYLIST = re.compile(r"gr[ae]y.?list", re.IGNORECASE)
_LIMIT = re.compile(
    r"\b(daily|hourly|weekly|monthly|sending|outgoing|outbound|rate|throttl\w*|credits?|per (day|hour|minute|second))\b"
    r"|too (many|much)|(message|recipient|connection|sender|email)s?\W+(\w+\W+)?(limit|quota)\b"
    r"|limit (is |was |has been )?(exceeded|reached)|your (\w+ )?(limit|quota)\b",
    re.IGNORECASE,
)
_OURS = re.compile(r"\brelay|rcpthosts|\byour (account|ip|host|server)\b", re.IGNORECASE)
_THIS_MAILBOX = re.compile(
    r"(no such|unknown) (user|recipient|mailbox)|(user|recipient|mailbox) (unknown|not found|does ?n[o']t exist)"
    r"|mailbox (\S+ ){0,2}(full|quota|limit)\b",
    re.IGNORECASE,
)
_NO_MAILBOX = re.compile(
    r"(no such|unknown|invalid|bad|non-?existent|undeliverable) (user|recipient|mailbox|address|account|person|domain)"
    r"|(user|recipient|mailbox|address|account|domain|host)( \S+)?( is| was| has)?( been)?"
    r" (unknown|not found|unavailable|disabled|invalid|rejected|full|inactive|doesn't exist|does not exist|not exist)"
    r"|no mailbox|mailbox (is )?full|over.?quota|quota exceeded|exceeded.{0,20}quota|not known here",
    re.IGNORECASE,
)
_CONFIGURATION = re.compile(
    r"authenticat|not logged in|log ?in (first|required)|sender (verify|address|domain|rejected)"
    r"|\b(helo|ehlo|starttls)\b|(from|sender|email) address (is )?not verified"
    r"|\b(system|server|disk|insufficient) (storage|full|error)"
    r"|local (error|problem)|configuration",
    re.IGNORECASE,
)
_POLICY = re.compile(
    r"(block|black|deny).{0,3}list|\bblocked\b|\b(rbl|dnsbl|spf|dkim|dmarc|spam\w*|junk\w*)\b"
    r"|\b(policy|policies|reputation|abuse|ptr)\b|access denied|administrative\w* prohib\w+"
    r"|not (permitted|allowed|authori[sz]ed)|banned|suspended|reverse dns",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"[^\s<>()\[\],;:]+(@|%40|=40)[^\s<>()\[\],;]+", re.IGNORECASE)
