"""Nobody can find out who signed: each signing is answered alike, and does the same work."""

import pytest
from sqlalchemy import event

from campaign.core.database import db
from tests.personas import FROM_OUR_PAGE, WANTS_JSON, comparable

KINDS = ("new", "pending", "beyond", "known", "told", "refused")


@pytest.fixture
def people(campaign):
    """Somebody of each kind: new, pending, with all emails of the day, known, told so today, and one who refused."""
    people = {kind: campaign.persona("Ada", email=f"{kind}@example.org") for kind in KINDS}
    people["pending"].signs()
    for _ in range(3):
        people["beyond"].signs()
    people["known"].confirms()
    people["told"].confirms()
    people["told"].signs()
    people["refused"].signs()
    campaign.client.post(f"{people['refused'].link()}/not-me")
    return people


def statements(campaign, act) -> list[str]:
    """The SQL that `act` carries out."""
    done: list[str] = []

    def note(_connection, _cursor, statement, *_):
        done.append(statement)

    with campaign.app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    act()
    event.remove(engine, "before_cursor_execute", note)
    return done


def test_the_same_statements_are_carried_out_for_everyone(backend, campaign, people):
    campaign.persona("Grace", email="grace@example.org").signs()  # so that the data key is there
    done = {kind: statements(campaign, people[kind].signs) for kind in KINDS}
    if backend == "postgresql":
        writes = [statement for statement in done["new"] if "INSERT" in statement]
        assert len(writes) == 1  # a lock is held for no longer than that
    assert {kind: done[kind] == done["new"] for kind in KINDS} == dict.fromkeys(KINDS, True)


def ask_for_link(campaign, person):
    """Request the link again."""
    return campaign.client.post("/link", data={"email": person.fields["email"]}, headers=FROM_OUR_PAGE)


def test_the_same_statements_are_carried_out_for_everyone_who_asks_for_a_link(campaign, people):
    done = {kind: statements(campaign, lambda kind=kind: ask_for_link(campaign, people[kind])) for kind in KINDS}
    assert any("INSERT" in statement for statement in done["new"])
    assert {kind: done[kind] == done["new"] for kind in KINDS} == dict.fromkeys(KINDS, True)


def test_the_same_bytes_come_back_to_everyone_who_asks_for_a_link(campaign, people):
    answers = [ask_for_link(campaign, people[kind]) for kind in KINDS]
    assert len(set(map(comparable, answers))) == 1


@pytest.mark.parametrize("headers", [None, WANTS_JSON])
def test_the_response_has_the_same_bytes_for_everyone(people, headers):
    asked = {"headers": headers} if headers else {}
    answers = [people[kind].posts(**asked) for kind in KINDS]
    assert len(set(map(comparable, answers))) == 1


def test_the_answer_takes_no_less_than_its_time(campaign, people, monkeypatch):
    waits: list[float] = []
    monkeypatch.setattr("campaign.web.negotiation.MIN_SIGNING_SECONDS", 100.0)
    monkeypatch.setattr("campaign.web.negotiation.time.sleep", waits.append)
    for kind in KINDS:
        people[kind].signs()
        ask_for_link(campaign, people[kind])
    people["new"].posts(website="http://spam.example")
    assert [round(wait) for wait in waits] == [100] * 13


def test_a_decoy_is_never_sent(campaign, people):
    for kind in ("beyond", "told", "refused"):
        before = len(people[kind].mails())
        people[kind].signs()
        assert len(people[kind].mails()) == before
    assert "waiting: 0" in campaign.command("mail", "status").output
