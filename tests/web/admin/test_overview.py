"""The figures: right whatever happens to signatures, as a chart, as a table, and as CSV."""

import csv
import io
from datetime import timedelta

import pytest
import time_machine

from campaign.core.database import db, utcnow
from campaign.maintenance import flush_counters
from campaign.web.admin.figures import FIGURES
from tests.personas import FROM_OUR_PAGE


def figures(browser, key: str) -> dict[str, list[str]]:
    """Return the lines of a table, by their first cell."""
    answer = browser.get(f"/organise/figures/{key}.csv")
    assert answer.status_code == 200
    lines = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))
    return {line[0]: line[1:] for line in lines[1:]}


def test_signatures_count_at_once_and_after_they_were_added_up(campaign, olga, ada):
    ada.fields |= {"country": "FR", "lang": "fr", "via": "x"}
    receipt = ada.confirms()
    for _ in range(2):
        assert figures(olga, "countries") == {"FR": ["1"]}
        assert figures(olga, "languages") == {"fr": ["1"]}
        assert figures(olga, "channels") == {"x": ["1", "0"]}
        assert figures(olga, "days")[str(utcnow().date())] == ["1"]
        flush_counters(campaign.app)
    campaign.client.post(f"{receipt}/withdraw")
    for _ in range(2):
        assert figures(olga, "countries") == {}
        assert sum(int(number) for [number] in figures(olga, "hours").values()) == 0
        flush_counters(campaign.app)


def test_a_pending_submission_counts_only_as_signed(campaign, olga, ada):
    ada.signs()
    flush_counters(campaign.app)
    assert figures(olga, "countries") == {}
    assert figures(olga, "funnel")["signed"] == ["1"]
    assert figures(olga, "funnel")["confirmed"] == ["0"]


def test_the_way_from_the_page_to_sharing_is_counted(campaign, olga, ada):
    post = campaign.client.post
    for _ in range(3):
        post("/seen", data={"lang": "en"}, headers=FROM_OUR_PAGE)
    for percent in (0, 0, 100):
        post("/film/watched", data={"lang": "en", "percent": percent}, headers=FROM_OUR_PAGE)
    ada.confirms()
    ada.signs()  # again: the figures do not tell that it is not a new one
    campaign.client.get("/share/x?lang=en")
    flush_counters(campaign.app)
    numbers = {key: int(number) for key, [number] in figures(olga, "funnel").items()}
    assert numbers == {"views": 3, "plays": 2, "watched": 1, "signed": 2, "confirmed": 1, "shared": 1}


def test_views_are_counted_for_our_own_page_only_and_limited(campaign, olga):
    campaign.client.post("/seen", data={"lang": "en"}, headers={"Sec-Fetch-Site": "cross-site"})
    for _ in range(70):
        campaign.client.post("/seen", data={"lang": "en"}, headers=FROM_OUR_PAGE)
    flush_counters(campaign.app)
    assert figures(olga, "funnel")["views"] == ["60"]


def test_hours_and_days_have_no_gaps(campaign, olga, ada):
    with time_machine.travel(utcnow() - timedelta(days=5)):
        ada.confirms()
    flush_counters(campaign.app)
    assert len(figures(olga, "hours")) == 48
    assert len(figures(olga, "days")) == 6
    assert list(figures(olga, "days").values()) == [["1"], ["0"], ["0"], ["0"], ["0"], ["0"]]


def test_mail_that_waits_is_shown(campaign, olga, ada):
    ada.signs()
    assert figures(olga, "mail") == {"waiting": ["1"], "bounced": ["0"], "dead": ["0"]}


def test_a_mail_server_at_fault_is_shown_in_red_with_its_words_until_it_works(campaign, olga, ada):
    ada.signs()
    mail_folder = campaign.settings.mail_folder()
    mail_folder.write_text("a file where the folder should be")
    campaign.send_mail()
    page = olga.get("/organise/").text
    assert 'data-mail-status="failing"' in page
    assert "Emails aren’t being sent" in page
    assert "File exists" in page
    mail_folder.unlink()
    campaign.send_mail()
    assert "data-mail-status" not in olga.get("/organise/").text


@pytest.mark.slow
@pytest.mark.parametrize("key", list(FIGURES))
def test_every_figure_is_on_the_page_with_its_table(olga, key):
    page = olga.get("/organise/").text
    with olga.campaign.app.test_request_context("/organise/"):
        title = FIGURES[key]().title
        db.session.rollback()
    assert f"<h2>{title}</h2>" in page
    assert f'<caption class="visually-hidden">{title}</caption>' in page


def test_charts_have_a_text_alternative(olga, ada):
    ada.confirms()
    assert 'role="img"' in olga.get("/organise/").text
    assert "1 in total, with a peak of 1" in olga.get("/organise/").text


def test_no_row_of_a_signature_is_read_for_the_dashboard(campaign, olga, ada):
    """So that it is as fast with ten million: every figure comes from totals."""
    from sqlalchemy import event  # noqa: PLC0415

    ada.confirms()
    flush_counters(campaign.app)
    statements: list[str] = []
    with campaign.app.app_context():
        event.listen(db.engine, "before_cursor_execute", lambda *seen: statements.append(seen[2]))
    olga.get("/organise/")
    assert len(statements) > 5
    assert not [one for one in statements if " signatures" in one or "data_keys" in one]


@pytest.mark.settings(domain_limit=1)
def test_a_domain_that_used_up_its_budget_is_named(campaign, reader):
    for number in range(3):
        campaign.persona("Ada", email=f"ada{number}@school.example").signs()
    assert "school.example" not in reader.get("/organise/").text
    campaign.send_mail()
    page = " ".join(reader.get("/organise/").text.split())
    assert "school.example reached the daily limit" in page
    assert "1 sent, 2 held" in page


def test_the_figures_do_not_reveal_whether_an_email_has_signed(campaign, reader, ada):
    grace = campaign.persona("Grace", email="grace@example.org")
    ada.confirms()
    flush_counters(campaign.app)
    counted = [int(figures(reader, "funnel")["signed"][0])]
    for person in (ada, ada, grace, grace, grace, grace):
        person.signs()
        flush_counters(campaign.app)
        counted.append(int(figures(reader, "funnel")["signed"][0]))
    assert counted == list(range(1, 8))
