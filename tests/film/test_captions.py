"""Captions: what a browser gets is right, whatever came; and what is wrong is named by its line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign.errors import CaptionError
from campaign.film.captions import cues, webvtt

SRT = b"1\r\n00:00:01,000 --> 00:00:02,500\r\nGold!\r\n\r\n2\r\n00:00:03,000 --> 00:00:04,000\r\nTwo\r\nlines\r\n"
VTT = "WEBVTT\n\n00:00:01.000 --> 00:00:02.500\nGold!\n\n00:00:03.000 --> 00:00:04.000\nTwo\nlines\n"


def cue(text: str, *, times: str = "00:00:01,000 --> 00:00:02,000") -> bytes:
    return f"1\n{times}\n{text}\n".encode()


def text_of(content: bytes) -> str:
    [only] = cues(content)
    return only.text


@pytest.mark.parametrize(
    "content",
    [
        SRT,
        VTT.encode(),
        b"\xef\xbb\xbf" + SRT,
        SRT.decode().encode("utf-16"),
        SRT.replace(b"\r\n", b"\r"),
        SRT.replace(b"00:00:01,000", b"0:00:01.0"),
        VTT.replace("00:00:0", "00:0").encode(),
        b"\n\n" + SRT + b"\n\n\n",
        VTT.replace("\n\n", "\n\nNOTE by the editor\n\nSTYLE\n::cue { color: red }\n\nname of a cue\n", 1).encode(),
    ],
)
def test_whatever_the_form_the_same_captions_come_out(content):
    assert webvtt(content) == VTT


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("Gold & silver", "Gold &amp; silver"),
        ("&amp; &lt;3", "&amp; &lt;3"),
        ("1 < 2 > 0", "1 &lt; 2 &gt; 0"),
        ("she --> he", "she --&gt; he"),
        ('<font color="red">Gold</font>', "Gold"),
        (r"{\an8}Gold", "Gold"),
        (r"{\an{\an8}8}Gold", "Gold"),
        ("<i>Gold</i> <v Ada>at last</v>", "<i>Gold</i> <v Ada>at last</v>"),
        ("<script>alert(1)</script>", "alert(1)"),
        ("Go\x00ld\x1b", "Gold"),
        ("Золото ذهب 🏅", "Золото ذهب 🏅"),
        ("line\u2028separator", "line\u2028separator"),
    ],
)
def test_text_is_what_webvtt_can_hold(written, shown):
    assert text_of(cue(written)) == shown


def test_places_are_kept_and_nothing_else_beside_the_time():
    found = webvtt(cue("Gold", times="00:01.000 --> 00:02.000 line:10% X1:5 align:start region:fred"))
    assert "00:00:02.000 line:10% align:start\n" in found


@pytest.mark.parametrize(
    ("content", "line", "fault"),
    [
        (b"", 1, "no caption"),
        (b"WEBVTT\n\nNOTE nothing yet\n", 1, "no caption"),
        (b"WEBVTT\n\n\xff\xfe\n", 3, "UTF-8"),
        (b"\xff\xfe\x00", 1, "UTF-8"),
        (SRT + b"\nno time\n", 10, "no time stands before"),
        (cue("Gold", times="00:00:01 --> 00:00:02"), 2, "is no time"),
        (cue("Gold", times="00:00:01,000 --> 00:00:61,000"), 2, "up to 59"),
        (cue("Gold", times="00:00:02,000 --> 00:00:01,000"), 2, "ends before"),
        (cue("Gold", times="00:00:02,000 --> 00:00:02,000"), 2, "ends before"),
        (cue(""), 2, "no text"),
        (cue("<i> </i>"), 2, "no text"),
        (cue("Gold\n2\n00:00:03,000 --> 00:00:04,000\nSilver"), 5, "empty line before"),
        (SRT + b"\n3\n00:00:00,500 --> 00:00:01,000\nLate\n", 11, "order of time"),
        (cue("Gold", times="00:00:09,000 --> 00:00:11,500"), 2, "ends at 00:00:10.000"),
        (cue("Gold", times="00:00:10,000 --> 00:00:10,500"), 2, "ends at 00:00:10.000"),
        (cue("Gold", times="٠٠:٠٠:٠١,٠٠٠ --> ٠٠:٠٠:٠٢,٠٠٠"), 2, "is no time"),
        (b"x" * 2_000_001, 1, "2 MB"),
    ],
)
def test_a_fault_is_named_with_its_line(content, line, fault):
    with pytest.raises(CaptionError, match=fault) as caught:
        webvtt(content, seconds=10)
    assert caught.value.line == line
    assert str(caught.value).startswith(f"line {line}: ")


def test_a_caption_that_ends_a_little_late_ends_with_the_film():
    assert "00:00:09.000 --> 00:00:10.000\n" in webvtt(cue("x", times="00:09.000 --> 00:10.900"), seconds=10)


_pieces = ["00:00:01,000 --> 00:00:02,000", "00:09.0 --> 1:00:00.0 line:1", "WEBVTT", "NOTE", "1", "a", "<i>", "</i>"]
_pieces += [
    "&amp;",
    "&",
    "<",
    ">",
    "-->",
    "{\\an8}",
    "<font>",
    "{",
    "}",
    "\\",
    "\n",
    "\n\n",
    "\r",
    " ",
    "\x00",
    "\ufeff",
]
_texts = st.lists(st.sampled_from(_pieces) | st.text(max_size=5), max_size=30).map("".join)
_headed = _texts.map(lambda text: f"00:00:01,000 --> 00:00:02,000\na{text}")


@given(st.binary(max_size=200) | (_texts | _headed).map(str.encode) | _texts.map(lambda text: text.encode("utf-16")))
def test_any_bytes_are_refused_or_become_webvtt_that_reads_the_same(content):
    try:
        found = webvtt(content, seconds=3600)
    except CaptionError:
        return
    assert webvtt(found.encode(), seconds=3600) == found
    before, after = cues(content, seconds=3600), cues(found.encode(), seconds=3600)
    assert [(one.start, one.end, one.text) for one in before] == [(one.start, one.end, one.text) for one in after]
    assert all("-->" not in one.text for one in after)
