"""Whose fault a refusal is, and which messages are kept: with a real mail server."""

import os
import signal
import time
from contextlib import contextmanager
from dataclasses import asdict
from datetime import timedelta
from itertools import pairwise

import pytest
import time_machine
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from sqlalchemy import insert, select, update

from campaign.app import create_app
from campaign.config.settings import Settings
from campaign.context import context_of
from campaign.core.database import db, transaction, utcnow
from campaign.mail import outbox, server_state
from campaign.mail.refusals import DeliveryError, Fault, Step, redact
from campaign.mail.transports import SmtpTransport
from campaign.mail.worker import BATCH
from campaign.models import OutboxMessage
from tests import services
from tests.conftest import campaign_on, dispose
from tests.live_server import wait_for
from tests.mail.smtp_server import refuse, waiting, worker
from tests.smtp_sink import sink

pytestmark = pytest.mark.slow

ALL = 12


def test_replies_are_judged_by_whom_they_speak_of():
    wrong = {}
    for step, fault, reply in _replies():
        code, _, words = reply.partition(" ")
        judged = DeliveryError(step, int(code), words.encode(), to="ada@example.org").fault
        if judged is not fault:
            wrong[reply] = judged
    assert wrong == {}


def _replies():
    server = (
        "550 5.4.5 daily sending limit exceeded",
        "554 Relay access denied",
        "550 blocked using a block list",
        "554 5.7.1 <x>: Relay access denied",
        "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)",
        "550 relay not permitted",
        "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org",
        "550 5.7.26 This mail is unauthenticated",
        "530 5.7.0 Authentication required",
        "503 5.5.1 MAIL first",
        "550 5.1.8 Sender address rejected: Domain not found",
        "452 4.3.1 Insufficient system storage",
        "450 4.7.1 Error: too much mail from 192.0.2.1",
        "452 4.5.3 Too many recipients",
        "451 4.3.0 Temporary lookup failure",
        "421 4.7.0 Try again later",
        "550 Daily message quota exceeded",
        "554 Message rejected due to spam",
        "550 Sender quota exceeded",
        "550 Monthly quota exceeded",
        "554 Email limit reached",
        "550 You have reached your limit for today",
        "550 Maximum credits exceeded",
        "550 Quota of outbound messages exceeded for your account",
        "550 mailbox unavailable: relaying denied",
        "550 Address rejected: relay access denied",
        "550 Administrative prohibition",
        "553 From address not verified",
        "550 Your account is disabled",
        "550 Invalid HELO",
        "550 Must issue a STARTTLS command first",
        "550 JunkMail rejected",
        "451 Temporary local problem - please try later",
    )
    recipient = (
        "550 5.1.1 no such user",
        "550 5.1.1 User blocked or unknown",
        "550 No such user here",
        "550 5.2.1 The account is disabled",
        "552 5.2.2 mailbox full",
        "552 mailbox full",
        "550 5.2.2 User is over quota",
        "550 Requested action not taken: mailbox unavailable",
        "550 5.5.0 Requested action not taken: mailbox unavailable",
        "501 5.1.3 Bad recipient address syntax",
        "556 5.1.10 Recipient domain has null MX",
        "550 5.4.1 Recipient address rejected: Access denied",
        "550 kein Empfang",
        "550 5.7.1 user unknown",
        "552 mailbox size limit exceeded",
        "550 5.2.1 The user is receiving mail at a rate that prevents delivery",
        "550 User account disabled",
    )
    yield from ((Step.RECIPIENT, Fault.SERVER, reply) for reply in server)
    yield from ((Step.RECIPIENT, Fault.RECIPIENT, reply) for reply in recipient)
    for reply in ("450 4.2.0 try later", "451 4.7.1 please try again", "452 4.2.2 mailbox full", _TOO_FAST):
        yield Step.RECIPIENT, Fault.TEMPORARY, reply
    for reply in ("450 4.2.0 greylisted", "451 4.7.1 Greylisting in action, come back in 60 seconds"):
        yield Step.RECIPIENT, Fault.GREYLISTED, reply
    yield Step.CONTENT, Fault.SERVER, "554 Transaction failed"
    yield Step.CONTENT, Fault.RECIPIENT, "550 5.1.1 no such user"
    for step in (Step.CONNECTION, Step.ENCRYPTION, Step.LOGIN, Step.SENDER):
        yield step, Fault.SERVER, "550 5.1.1 whatever it says"


_TOO_FAST = "450 4.2.1 The user you are trying to contact is receiving mail at a rate that prevents delivery"


@pytest.mark.parametrize(
    ("to", "words"),
    [
        ("ada.lovelace@example.org", b"long words <x@y.example> " + b" " * 966 + b"ada.lovelace@example.org"),
        ("ada.lovelace@example.org", b"<ada.lovelace@example.org>: unknown"),
        ("ada.lovelace@example.org", b"ADA.LOVELACE at Example.org is unknown; see x?to=ada.lovelace%40example.org"),
        ("ada.lovelace+tag@example.org", b"no ada.lovelace here;\r\n\x1b[1mada.lovelace=40example.org"),
        ("ada.lovelace@xn--bcher-kva.example", "ada.lovelace auf bücher.example unbekannt".encode()),
        ("x@y.example", b"forwarded to ada.lovelace@example.org"),
    ],
)
def test_stored_server_replies_contain_no_address(to, words):
    kept = redact(words, to=to)
    assert "<address>" in kept
    assert kept.isprintable()
    for part in ("lovel", "example.org", "bücher"):
        assert part not in kept.lower()


@pytest.mark.parametrize(
    ("step", "reply"),
    [
        ("DATA", "550 5.4.5 daily sending limit exceeded"),
        ("DATA", "554 Transaction failed"),
        ("DATA", "reset"),
        ("RCPT", "554 Relay access denied"),
        ("RCPT", "550 blocked using a block list"),
        ("RCPT", "550 5.1.1 no such user"),
        ("RCPT", "550 rejected"),
        ("RCPT", "450 try later"),
        ("RCPT", "421 4.3.2 closing"),
        ("MAIL", "550 5.7.1 sender not allowed"),
        ("MAIL", "451 4.3.0 local error"),
    ],
)
def test_a_refusal_of_everything_loses_nothing_is_reported_and_drains(posting, mailbox, step, reply):
    _sign(posting, ALL)
    mailbox.rule = lambda at, to: reply if at == step else None
    for _ in range(4):
        worker(posting).drain()
    assert (waiting(posting).waiting, waiting(posting).dead) == (ALL, 0)
    told = _ready(posting)
    assert told["status"] == "failing"
    assert (reply == "reset") or told["reply"] == reply
    assert f"reply: {told['reply']}" in posting.command("mail", "status").output
    mailbox.rule = lambda at, to: None
    worker(posting).drain()
    assert {mail["To"] for mail in mailbox.messages} == {f"ada{number}@example.org" for number in range(ALL)}
    assert len(mailbox.messages) == ALL
    assert _ready(posting)["status"] == "ok"


def test_one_unknown_recipient_among_others_is_dead_and_they_go_on(posting, mailbox):
    _sign(posting, ALL)
    mailbox.rule = lambda at, to: f"550 5.1.1 <{to}>: no such user" if to == "ada3@example.org" else None
    worker(posting).drain()
    assert len(mailbox.messages) == ALL - 1
    assert (waiting(posting).waiting, waiting(posting).dead) == (0, 1)
    assert (_ready(posting)["status"], _ready(posting)["reply"]) == ("dead", "550 5.1.1 <<address>>: no such user")
    with time_machine.travel(utcnow() + timedelta(days=1, minutes=1)):
        assert _ready(posting)["status"] == "ok"


def test_many_unknown_recipients_delay_others_only_for_a_moment_and_are_dead_in_the_end(posting, mailbox):
    for number in range(25):
        posting.persona("Mallory", email=f"bad{number}@example.org").signs()
    mailbox.rule = lambda at, to: "550 5.1.1 no such user" if str(to).startswith("bad") else None
    _sign(posting, 1)
    for _ in range(6):
        worker(posting).drain()
    assert len(mailbox.messages) == 1
    for number in range(30):
        posting.persona("Olga", email=f"olga{number}@example.org").signs()
        for _ in range(2):
            worker(posting).drain()
    assert len(mailbox.messages) == 31
    assert (waiting(posting).waiting, waiting(posting).dead) == (0, 25)
    assert len(mailbox.asked) < 31 + 25 * 5


@pytest.mark.parametrize("reply", ["550 rejected", "550 5.1.1 no such user", "554 Relay access denied"])
def test_a_server_that_works_for_a_moment_between_two_outages_loses_nothing(posting, mailbox, reply):
    _sign(posting, 9)
    allowed = [0, 1, 0, ALL]
    while allowed:
        left = [allowed.pop(0)]

        def rule(at, to, left=left):
            if at == "RCPT":
                left[0] -= 1
            return reply if at == "RCPT" and left[0] < 0 else None

        mailbox.rule = rule
        for _ in range(3):
            worker(posting).drain()
        assert (len(mailbox.messages) + waiting(posting).waiting, waiting(posting).dead) == (9, 0)
    assert waiting(posting).waiting == 0


@pytest.mark.parametrize("reply", ["450 4.2.0 try later", "450 4.2.0 greylisted"])
def test_a_few_that_were_put_off_for_hours_are_sent_as_soon_as_the_server_works(posting, mailbox, reply):
    _sign(posting, 4)
    mailbox.rule = lambda at, to: reply if at == "RCPT" else None
    one = worker(posting)
    with time_machine.travel(utcnow(), tick=False) as traveller:
        for _ in range(45):
            one.send_batch()
            traveller.shift(timedelta(minutes=5))
        mailbox.rule = lambda at, to: None
        for _ in range(3):
            traveller.shift(timedelta(minutes=1))
            one.send_batch()
    one.drain()
    assert len(mailbox.messages) == 4


def test_several_emails_to_one_recipient_are_no_evidence_against_the_server(posting, mailbox):
    _post(posting.app, ["bad@example.org"] * 5)
    mailbox.rule = lambda at, to: "550 5.1.1 no such user" if to == "bad@example.org" else None
    worker(posting).drain()
    assert (waiting(posting).waiting, waiting(posting).dead) == (0, 5)


def test_one_refused_by_policy_among_others_slows_nobody_down(posting, mailbox):
    posting.persona("Ada", email="bad@example.org").signs()
    _sign(posting, 5)
    mailbox.rule = lambda at, to: "550 5.7.1 not wanted" if to == "bad@example.org" else None
    worker(posting).drain()  # nothing is known of the server yet, so this is its fault
    assert _ready(posting)["status"] == "failing"
    worker(posting).drain()
    assert len(mailbox.messages) == 5
    assert (mailbox.asked.count("bad@example.org"), waiting(posting).waiting, waiting(posting).dead) == (2, 1, 0)
    assert _ready(posting)["status"] == "ok"


def test_greylisting_passes_after_a_minute(posting, mailbox):
    _sign(posting, ALL)
    seen = set()

    def rule(at, to):
        if at == "RCPT" and to not in seen:
            seen.add(to)
            return "450 4.2.0 greylisted"
        return None

    mailbox.rule = rule
    worker(posting).drain()
    assert (len(mailbox.messages), len(mailbox.asked)) == (0, ALL)
    with time_machine.travel(utcnow() + timedelta(seconds=62)):
        worker(posting).drain()
    assert len(mailbox.messages) == ALL


def test_pauses_grow_to_a_minute_and_are_shared_by_all_workers(posting, mailbox):
    _sign(posting, 3)
    mailbox.refusal = "554 Relay access denied"
    now, workers = utcnow(), [worker(posting) for _ in range(3)]
    pauses, tries = [], 0
    for _ in range(240):
        with time_machine.travel(now, tick=False):
            for one in workers:
                one.send_batch()
        if len(mailbox.asked) > tries:
            pauses.append(now)
            assert len(mailbox.asked) == tries + 1
            tries = len(mailbox.asked)
        now += timedelta(seconds=1)
    gaps = [round((after - before).total_seconds()) for before, after in pairwise(pauses)]
    for one in workers:
        one.drain()
    assert gaps == [1, 2, 4, 8, 16, 32, 60, 60]


def test_a_clock_that_was_wrong_does_not_prolong_a_pause(posting, mailbox):
    mailbox.refusal = "554 Relay access denied"
    with time_machine.travel(utcnow() + timedelta(days=400)):
        _sign(posting, 1)
        worker(posting).drain()
    mailbox.refusal = ""
    posting.persona("Olga", email="olga@example.org").signs()
    one = worker(posting)
    assert one.send_batch() == 1
    one.drain()
    assert [mail["To"] for mail in mailbox.messages] == ["olga@example.org"]


def test_an_email_that_cannot_be_written_holds_up_nothing_and_is_given_up_in_the_end(posting, mailbox, monkeypatch):
    _post(posting.app, [f"ada@{'ä' * 70}.example"])  # too long for IDNA
    one = worker(posting)
    with time_machine.travel(utcnow(), tick=False) as traveller:
        with monkeypatch.context() as patched:
            patched.setattr(SmtpTransport, "_open", refuse)
            _post(posting.app, ["grace@example.org"])
            one.drain()
            with posting.app.app_context(), transaction(db.session):  # she withdraws
                [grace] = db.session.scalars(select(OutboxMessage).where(OutboxMessage.refused_at.is_(None)))
                db.session.delete(grace)
            for _ in range(4):
                traveller.shift(timedelta(minutes=2))
                one.drain()
            assert _ready(posting)["status"] == "failing"
        one.drain()
        assert _ready(posting)["status"] == "ok"
        for _ in range(outbox.MAX_ATTEMPTS):
            traveller.shift(timedelta(hours=6))
            one.drain()
        assert (_ready(posting)["status"], waiting(posting).dead) == ("dead", 1)
        assert _ready(posting)["reply"].startswith("could not be rendered")


@pytest.mark.parametrize("reply", ["550 5.1.1 no such user", "450 4.2.1 busy", "450 4.2.0 greylisted"])
def test_one_bad_recipient_after_an_outage_keeps_no_server_marked_as_failing(posting, mailbox, reply):
    _sign(posting, 1)
    mailbox.rule = lambda at, to: "451 4.3.0 local error" if at == "MAIL" else None
    worker(posting).drain()
    assert _ready(posting)["status"] == "failing"
    mailbox.rule = lambda at, to: reply if at == "RCPT" else None
    for _ in range(5):
        worker(posting).drain()
    assert len(mailbox.asked) == 1
    assert _ready(posting)["status"] == ("dead" if reply.startswith("550") else "ok")


def test_an_attempt_whose_worker_dies_is_followed_by_another(posting, mailbox):
    _sign(posting, 3)
    mailbox.refusal = "554 Relay access denied"
    worker(posting).drain()
    with posting.app.app_context():
        assert server_state.claim_attempt(db.session, at_once=True)  # and no more is heard of this worker
    mailbox.refusal = ""
    assert worker(posting).send_batch() == 0
    with time_machine.travel(utcnow() + timedelta(seconds=61)):
        next_worker = worker(posting)
        assert next_worker.send_batch() == 3
        next_worker.drain()


def test_a_wrong_password_pauses_and_loses_nothing(backend, ready, tmp_path, mailbox):
    right = []
    controller = Controller(
        mailbox,
        hostname="127.0.0.1",
        port=services.free_port(),
        auth_require_tls=False,
        authenticator=lambda *_: AuthResult(success=bool(right), handled=False),
    )
    controller.start()
    url = f"smtp://ada%40example.org:secret@127.0.0.1:{controller.port}?from=hello@example.org"
    with campaign_on(ready, backend, tmp_path, mail_url=url) as campaign:
        _sign(campaign, ALL)
        worker(campaign).drain()
        assert (waiting(campaign).waiting, _ready(campaign)["status"]) == (ALL, "failing")
        assert _ready(campaign)["reply"].startswith("535 5.7.8")
        right.append(True)
        worker(campaign).drain()
        assert (len(mailbox.messages), _ready(campaign)["status"]) == (ALL, "ok")
    controller.stop()


@pytest.mark.parametrize("reply", ["421 4.7.0 too many messages", "452 4.5.3 too many recipients"])
def test_a_server_with_a_limit_for_each_connection_gets_new_ones_without_a_pause(posting, mailbox, reply):
    _sign(posting, 9)
    mailbox.rule = lambda at, session: reply if at == "MAIL" and session.accepted >= 2 else None
    worker(posting).drain()
    assert (len(mailbox.messages), mailbox.connections, waiting(posting).waiting) == (9, 5, 0)


def test_a_server_that_accepts_without_a_reply_gets_few_copies(posting, mailbox):
    _sign(posting, 1)
    mailbox.hangs_up = True
    now = utcnow()
    for minute in range(60):
        with time_machine.travel(now + timedelta(minutes=minute)):
            worker(posting).drain()
    assert len(mailbox.messages) <= 5
    assert waiting(posting).waiting == 1


def test_public_health_does_not_depend_on_one_recipient(posting, mailbox):
    """One email that the server puts off, refuses or cuts off, or a decoy in its place: the same five minutes later."""
    for reply in ("450 try later", "550 5.7.1 policy", "550 5.1.1 no such user", "reset", "421 closing"):
        mailbox.rule = lambda at, to, reply=reply: reply if at == "RCPT" and reply != "reset" else None
        posting.persona("Ada", email="ada@example.org").signs()
        for _ in range(3):
            worker(posting).drain()
        with time_machine.travel(utcnow() + timedelta(minutes=6)):
            told = posting.client.get("/readyz", environ_base={"REMOTE_ADDR": "8.8.8.8"}).json["mail"]
            assert told == {"status": "ok", "late": False}
            assert "running late" not in posting.client.get("/en/thanks").text
        with posting.app.app_context(), transaction(db.session):
            for table in ("outbox", "mail_server", "signatures"):
                db.session.connection().exec_driver_sql(f"DELETE FROM {table}")


def test_a_decoy_waits_for_a_server_that_is_down_like_an_email(posting, monkeypatch):
    def refuse(_transport):
        raise ConnectionRefusedError(111, "Connection refused")

    for kind in ("confirmation", "blank"):
        with posting.app.app_context(), transaction(db.session):
            row = outbox.new_message(context_of(posting.app).keys.outbox, outbox.Recipient("ada@example.org", "en"))
            db.session.add(OutboxMessage(**asdict(row), kind=kind))
        monkeypatch.setattr(SmtpTransport, "_open", refuse)
        worker(posting).drain()
        assert (waiting(posting).waiting, _ready(posting)["reply"]) == (1, "Connection refused")
        with time_machine.travel(utcnow() + timedelta(minutes=6)):
            assert _ready(posting)["late"] is True
        monkeypatch.undo()
        worker(posting).drain()
        assert (waiting(posting).waiting, _ready(posting)["status"], _ready(posting)["late"]) == (0, "ok", False)


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-For": "8.8.8.8"},
        {"X-Forwarded-For": "10.0.0.1, 8.8.8.8"},
        {"Forwarded": "for=8.8.8.8"},
        {"Forwarded": f"for={'1' * 5000}, for=8.8.8.8"},
    ],
)
def test_a_proxy_that_nobody_set_does_not_make_outsiders_insiders(campaign, headers):
    assert "waiting" in campaign.client.get("/readyz", headers={"X-Forwarded-For": "10.0.0.1"}).json["mail"]
    assert "waiting" not in campaign.client.get("/readyz", headers=headers).json["mail"]


def test_no_address_reaches_the_log(posting, mailbox, caplog):
    _sign(posting, 4)
    mailbox.rule = lambda at, to: f"554 5.7.1 <{to}>: Relay access denied" if at == "RCPT" else None
    worker(posting).drain()
    printed = caplog.text
    assert "the mail server refuses all messages" in printed
    assert "@example.org" not in printed
    assert "Relay" not in printed


def test_a_worker_that_is_killed_loses_nothing_and_doubles_one_batch_at_most(backend, ready, tmp_path):
    """`flask mail work`, killed in the middle of many, and another one after it."""
    with sink(taken := tmp_path / "taken") as port:
        site = ready.site(tmp_path, backend, CAMPAIGN_MAIL_URL=f"smtp://127.0.0.1:{port}?from=hello@example.org")
        _fill(site, 100)
        killed = site.command("mail", "work", own_group=True)
        wait_for(lambda: len(_lines(taken)) > 20, "the first emails")
        os.killpg(killed.pid, signal.SIGKILL)
        killed.communicate()
        _end_leases(site)
        site.flask("mail", "work", "--once")
        arrived = _lines(taken)
        assert len(set(arrived)) == 100
        assert len(arrived) <= 100 + BATCH


@pytest.mark.long
def test_two_processes_and_a_server_find_out_and_drain_at_full_speed(backend, ready, tmp_path):
    """Two `flask mail work` and the server's own worker: all pause, and drain in seconds once the limit is lifted."""
    mailbox = Limited()
    controller = Controller(mailbox, hostname="127.0.0.1", port=services.free_port())
    controller.start()
    site = ready.site(tmp_path, backend, CAMPAIGN_MAIL_URL=f"smtp://127.0.0.1:{controller.port}?from=hello@example.org")
    _fill(site, 100)
    with site.served():
        workers = [site.command("mail", "work") for _ in range(2)]
        wait_for(lambda: mailbox.refused >= 3, "refusals")
        time.sleep(3)  # none of them may go on in this time
        assert mailbox.refused <= 10
        assert "status: failing" in site.flask("mail", "status")
        mailbox.is_open = True
        began = time.monotonic()
        wait_for(lambda: len(mailbox.taken) == 100, "all emails")
        assert time.monotonic() - began < 30
        for one in workers:
            one.terminate()
            one.communicate()
    status = site.flask("mail", "status")
    assert "status: ok" in status
    assert "dead: 0" in status
    controller.stop()


class Limited:
    """A server whose daily limit is reached until it is opened."""

    def __init__(self):
        self.is_open, self.refused, self.taken = False, 0, []

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        if not self.is_open:
            self.refused += 1
            return "550 5.4.5 daily sending limit exceeded"
        self.taken.append(envelope.rcpt_tos[0])
        return "250 OK"


def _sign(campaign, number: int) -> None:
    for one in range(number):
        campaign.persona("Ada", email=f"ada{one}@example.org").signs()


def _ready(campaign) -> dict:
    response = campaign.client.get("/readyz")
    assert response.status_code == 200
    return response.json["mail"]


def _lines(path) -> list[str]:
    return path.read_text().split() if path.exists() else []


def _fill(site, number: int) -> None:
    """Store so many emails in the outbox, each to somebody else."""
    with _inside(site) as app:
        _post(app, [f"ada{one}@example.org" for one in range(number)])


def _post(app, addresses: list[str]) -> None:
    """Store an email to each address in the outbox."""
    key = context_of(app).keys.outbox
    rows = [asdict(outbox.new_message(key, outbox.Recipient(address, "en"))) for address in addresses]
    with app.app_context(), transaction(db.session):
        db.session.execute(insert(OutboxMessage), [row | {"kind": "already_signed"} for row in rows])


def _end_leases(site) -> None:
    """Make the messages of a dead worker due, as they are after five minutes."""
    with _inside(site), transaction(db.session):
        db.session.execute(update(OutboxMessage).values(due_at=utcnow()))


@contextmanager
def _inside(site):
    app = create_app(Settings.load(instance=site.instance, database_url=site.database_url))
    with app.app_context():
        yield app
    dispose(app)
