"""Captions: browsers get valid WebVTT from any input, and errors name the line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign.errors import CaptionError
from campaign.film.captions import cues, notes, webvtt

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
        (b"WEBVTT\n\n00:00:01 --> 00:00:02\nGold\n", 3, "is no time"),
        (b"WEBVTT\n\nname\n00:01.000 --> never\nGold\n", 4, "is no time"),
        (VTT.encode() + b"\nno time\nhere\n", 10, "no time stands before"),
        (b"NOTE to self\n\n" + SRT, 1, "no time stands before"),
        (b"WEBVTTX\n\n00:01.000 --> 00:02.000\nGold\n", 1, "no time stands before"),
        (cue("Gold\n2\n00:00:03,000 --> 00:00:04,000\nSilver"), 5, "empty line before"),
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


@pytest.mark.parametrize(("end", "noted"), [("00:10.900", 0), ("00:11.500", 1)])
def test_a_caption_that_ends_late_ends_with_the_film(end, noted):
    late = cue("x", times=f"00:09.000 --> {end}")
    assert "00:00:09.000 --> 00:00:10.000\n" in webvtt(late, seconds=10)
    assert [note.partition(",")[0] for note in notes(late, seconds=10)] == [
        "line 2: this caption was cut at the end of the film"
    ] * noted


@pytest.mark.parametrize("end", ["00:00:01,000", "00:00:02,000"])
def test_a_caption_that_is_never_shown_is_kept_and_noted(end):
    backwards = cue("Gold", times=f"00:00:02,000 --> {end}")
    assert text_of(backwards) == "Gold"
    assert notes(backwards, seconds=10) == ["line 2: this caption ends before it begins, so it is never shown"]


def test_many_notes_are_summed_up():
    backwards = cue("Gold", times="00:00:02,000 --> 00:00:01,000") + b"\n"
    found = notes(backwards * 8, seconds=10)
    assert (len(found), found[-1]) == (6, "and 3 more captions like these")


def test_captions_out_of_order_are_put_in_order():
    late = SRT + b"\n3\n00:00:00,500 --> 00:00:01,000\nFirst\n"
    assert [one.text for one in cues(late)] == ["First", "Gold!", "Two\nlines"]


@pytest.mark.parametrize("text", ["", "<i> </i>", " "])
@pytest.mark.parametrize("after", ["", "\n\n2\n00:00:03,000 --> 00:00:04,000\nGold"])
def test_an_empty_caption_is_kept(text, after):
    found = cues(cue(f"{text}{after}"))
    assert [(one.start, bool(one.text.strip("<i>/ "))) for one in found] == [(1000, False), (3000, True)][: len(found)]
    assert len(found) == (2 if after else 1)


def test_a_line_of_spaces_belongs_to_the_caption_unless_another_follows():
    content = cue(" \nGold\n \nSilver\n \n2\n00:00:03,000 --> 00:00:04,000\nBronze\n \n \n")
    assert [one.text for one in cues(content)] == ["Gold\nSilver", "Bronze"]


@pytest.mark.parametrize("word", ["NOTE", "STYLE", "REGION", "WEBVTT"])
def test_words_of_webvtt_are_text_in_srt(word):
    content = cue(f"{word} to self\n\n2\n00:00:03,000 --> 00:00:04,000\n{word}")
    assert [one.text for one in cues(content)] == [f"{word} to self", word]
    without_numbers = f"00:00:01,000 --> 00:00:02,000\n{word}\n".encode()
    assert text_of(without_numbers) == word


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
