"""What no honest form sends: a clear answer, never a failure of ours, and nothing stored."""

from io import BytesIO

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from campaign.core.database import db
from campaign.models import Signature
from campaign.web.rate_limits import MAX_BODY
from tests.personas import FROM_OUR_PAGE, WANTS_JSON

GOOD = {"given_name": "Ada", "email": "ada@example.org", "country": "GB"}
FORM = "application/x-www-form-urlencoded"


@pytest.fixture(autouse=True)
def _nothing_is_stored(campaign):
    yield
    with campaign.app.app_context():
        assert db.session.scalar(select(func.count()).select_from(Signature)) == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("given_name", "", "Enter your first name"),
        ("given_name", "   ", "Enter your first name"),
        ("given_name", "A" * 101, "Use 100 characters or fewer"),
        ("given_name", "A\0da", "number 2 (U+0000)"),
        ("given_name", "A\nda", "number 2 (U+000A)"),
        ("given_name", "  Ada \u2028 L", "number 7 (U+2028)"),
        ("given_name", "\u3164", "Enter your first name"),
        ("given_name", "A" + "\u0300\u0327" * 20, "number 32 (U+0300)"),
        ("given_name", "A" + "\u0300\u0327\u200b" * 16, "can’t read one of these characters"),
        ("given_name", "A\U0001ffff", "number 2 (U+1FFFF)"),
        ("given_name", "\u200b", "Enter your first name"),
        ("family_name", "L" * 101, "Use 100 characters or fewer"),
        ("email", "", "Enter your email"),
        ("email", "ada", "in the format"),
        ("email", "ada@example.org\r\nBcc: all@example.org", "number 16 (U+000D)"),
        ("email", "ada@exam\0ple.org", "number 9 (U+0000)"),
        ("email", f"{'a' * 250}@example.org", "Use 254 characters or fewer"),
        ("country", "", "Choose your country"),
        ("country", "XX", "from the list"),
        ("country", "gb", "from the list"),
        ("message", "m" * 1001, "Use 1000 characters or fewer"),
        ("message", "m\r\n\0", "number 3 (U+0000)"),
    ],
)
def test_a_wrong_field_is_explained_beside_it_and_all_stays_typed(campaign, field, value, says):
    typed = GOOD | {"family_name": "Lovelace", field: value}
    response = campaign.client.post("/sign", data=typed, headers=FROM_OUR_PAGE)
    assert response.status_code == 422
    assert f'id="{field}-error"' in response.text
    assert says in response.text
    assert all(kept in response.text for name, kept in typed.items() if name != field and name != "country")
    json = campaign.client.post("/sign", data=typed, headers=WANTS_JSON)
    assert (json.status_code, list(json.json["errors"])) == (422, [field])


@pytest.mark.parametrize("raw", ["%00", "%ED%A0%80", "%FF%FE", "A%EF%BF%BF"])
def test_bytes_that_are_no_text_are_refused(campaign, raw):
    for field in ("given_name", "family_name", "message"):
        body = f"email=ada@example.org&country=GB&given_name=Ada&{field}={raw}".replace("given_name=Ada&given", "given")
        response = campaign.client.post("/sign", data=body, content_type=FORM, headers=WANTS_JSON)
        assert (response.status_code, list(response.json["errors"])) == (422, [field])


@pytest.mark.parametrize("field", ["email", "country"])
def test_bytes_that_are_no_text_are_no_address_and_no_country(campaign, field):
    body = "&".join(f"{name}={'%ED%A0%80' if name == field else value}" for name, value in GOOD.items())
    assert campaign.client.post("/sign", data=body, content_type=FORM, headers=FROM_OUR_PAGE).status_code == 422


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "application/xml", "nonsense", None])
def test_a_body_that_is_no_form_is_refused(campaign, content_type):
    response = campaign.client.post("/sign", data=b'{"email": 1}', content_type=content_type, headers=FROM_OUR_PAGE)
    assert response.status_code == 415
    assert "use the form on the page" in response.text


@pytest.mark.parametrize("content_type", [FORM, "multipart/form-data; boundary=x", "application/json"])
@pytest.mark.parametrize("size", [MAX_BODY + 1, 10_000_000])
def test_a_body_that_is_too_large_is_refused(campaign, content_type, size):
    body = b"message=" + b"m" * size
    response = campaign.client.post("/sign", data=body, content_type=content_type, headers=FROM_OUR_PAGE)
    assert response.status_code == 413
    assert "too long" in response.text


def test_a_chunked_body_that_is_too_large_is_refused_and_not_cut(campaign):
    body = b"&".join(f"{name}={value}".encode() for name, value in GOOD.items()) + b"&message=" + b"m" * MAX_BODY
    response = campaign.client.post(
        "/sign",
        input_stream=BytesIO(body),
        content_type=FORM,
        headers=FROM_OUR_PAGE,
        environ_overrides={"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"},
    )
    assert response.status_code == 413


def test_hundreds_of_fields_are_refused(campaign):
    parts = (
        "".join(f'--x\r\nContent-Disposition: form-data; name="f{n}"\r\n\r\n1\r\n' for n in range(500)) + "--x--\r\n"
    )
    kind = "multipart/form-data; boundary=x"
    assert (
        campaign.client.post("/sign", data=f"{parts}--x--\r\n", content_type=kind, headers=FROM_OUR_PAGE).status_code
        == 413
    )


@pytest.mark.parametrize("content_type", [FORM, "multipart/form-data", "multipart/form-data; boundary=x"])
def test_an_empty_or_broken_form_is_explained(campaign, content_type):
    for body in (b"", b"--x\r\nContent-Disp", b"&&&===%%%"):
        response = campaign.client.post("/sign", data=body, content_type=content_type, headers=FROM_OUR_PAGE)
        assert response.status_code == 422


def test_a_file_in_place_of_a_text_is_refused(campaign):
    upload = {**GOOD, "given_name": (BytesIO(b"x"), "x.txt")}
    response = campaign.client.post("/sign", data=upload, content_type="multipart/form-data", headers=FROM_OUR_PAGE)
    assert response.status_code == 422


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=100)
@given(body=st.binary(max_size=2000))
def test_any_bytes_get_an_answer(campaign, body):
    response = campaign.client.post("/sign", data=body, content_type=FORM, headers=FROM_OUR_PAGE)
    assert response.status_code == 422


@pytest.mark.parametrize(
    "path",
    [
        "/%00",
        "/en/%ED%A0%80",
        "/xx/",
        "/en",
        "/share/nobody",
        "/confirm/" + "a" * 5000,
        "/receipt/é",
        "/static/../wsgi.py",
    ],
)
def test_an_address_we_do_not_have_is_explained(campaign, path):
    response = campaign.client.get(path)
    assert response.status_code in (308, 404)


@pytest.mark.parametrize("query", ["ref=%00", "via=%ED%A0%80", "ref[]=1", "%", "lang=%00", "ref=" + "a" * 10_000])
def test_a_strange_query_is_ignored(campaign, query):
    for path in ("/", "/en/", "/en/thanks", "/share/x", "/count.json"):
        assert campaign.client.get(f"{path}?{query}").status_code in (200, 302)
