"""Captions are read as Chromium reads them: no cue that it shows is lost or changed by an import."""

import random
from typing import Any

import pytest
from playwright.sync_api import Page

from campaign.errors import CaptionError
from campaign.film.captions import webvtt

# Each track in turn: what Chromium's own parser makes of a file.
PARSE = """async texts => Promise.all(texts.map(text => new Promise(resolve => {
    const video = document.createElement("video"), track = document.createElement("track");
    const read = () => resolve([...(track.track.cues || [])].map(cue =>
        [Math.round(cue.startTime * 1000), Math.round(cue.endTime * 1000), cue.getCueAsHTML().textContent]));
    track.onload = read;
    track.onerror = () => resolve(null);
    track.src = URL.createObjectURL(new Blob([text], {type: "text/vtt"}));
    video.append(track);
    track.track.mode = "hidden";
})))"""

TIME, LATER = "00:00:01.000 --> 00:00:03.000", "00:00:04.000 --> 00:00:05.000"

ODD_FILES = {
    "automatic captions": f"WEBVTT\nKind: captions\nLanguage: en\n\n{TIME} align:start position:0%\n \nspoken"
    "<00:00:01.500><c> text</c>\n\n00:00:03.000 --> 00:00:03.010\n\n\n00:00:03.010 --> 00:00:05.000\nspoken text\nmore",
    "no empty line after the header": f"WEBVTT\n{TIME}\nFirst\n\n{LATER}\nSecond",
    "header of several lines": f"WEBVTT - made by hand\nX-TIMESTAMP-MAP=LOCAL:00:00:00.000\n{TIME}\nFirst",
    "a tab after the signature": f"WEBVTT\tmade\n\n{TIME}\nFirst",
    "byte order mark and CRLF": f"\ufeffWEBVTT\r\n\r\n{TIME}\r\nFirst\r\n\r\n{LATER}\r\nSecond\r\n",
    "CR alone": f"WEBVTT\r\r{TIME}\rFirst\rline\r",
    "no empty line between cues": f"WEBVTT\n\n{TIME}\nFirst\n{LATER}\nSecond",
    "a number without an empty line": f"WEBVTT\n\n1\n{TIME}\nFirst\n2\n{LATER}\nSecond",
    "a cue called NOTE": f"WEBVTT\n\nNOTE\n{TIME}\nFirst\n\nSTYLE\n{LATER}\nSecond",
    "comments, styles and regions": f"WEBVTT\n\nSTYLE\n::cue {{ color: red }}\n\nREGION\nid:fred\n\nNOTE one\ntwo"
    f"\n\n{TIME}\nFirst\n\nNOTE\nthree",
    "a style after the first cue": f"WEBVTT\n\n{TIME}\nFirst\n\nSTYLE\n::cue {{}}\n\n{LATER}\nSecond",
    "empty cues": f"WEBVTT\n\n{TIME}\n\n{LATER}",
    "a cue that ends before it begins": f"WEBVTT\n\n00:00:03.000 --> 00:00:01.000\nNever\n\n{LATER}\nSecond",
    "out of order": f"WEBVTT\n\n{LATER}\nSecond\n\n{TIME}\nFirst",
    "times without hours": "WEBVTT\n\n00:01.000 --> 00:03.000\nFirst",
    "times of many hours": "WEBVTT\n\n100:00:01.000 --> 100:00:03.000\nFirst",
    "no space around the arrow": "WEBVTT\n\n00:01.000-->00:03.000\nFirst",
    "spaces around the time": "WEBVTT\n\n  00:01.000 -->  00:03.000  line:10%  \nFirst",
    "tags": f"WEBVTT\n\n{TIME}\n<v Ada>Gold</v> <i>and</i> <c.loud>silver</c> "
    "<lang de>Eis</lang> <b>&amp; &lt;ice&gt;</b>",
    "entities": f"WEBVTT\n\n{TIME}\nGold &amp; silver &nbsp;&lrm;x &copy; R&D &copy 2013 &#9829; &nonsense;",
    "ruby": f"WEBVTT\n\n{TIME}\n<ruby>氷<rt>ice</rt></ruby>",
    "an unknown tag": f"WEBVTT\n\n{TIME}\n<font color=red>Gold</font> <blink>!</blink>",
    "all scripts": f"WEBVTT\n\n{TIME}\nЗолото ذهب 🏅 𠮷野\n\u2028line separator",
    "settings": f"WEBVTT\n\n{TIME} region:fred line:-1 position:20%,line-left size:50% vertical:rl align:end"
    " nonsense\nFirst",
}

_PIECES = [
    "WEBVTT",
    "NOTE",
    "NOTE x",
    "STYLE",
    "REGION",
    "1",
    "name",
    "text",
    " ",
    "  two",
    "\t",
    "<i>a</i>",
    "a &amp; b",
    "-->",
]
_PIECES += [TIME, LATER, "00:06.000 --> 00:07.000", "00:08.000 --> 00:08.000", f"{TIME} align:start"]


def shown(cues: list[Any]) -> list[tuple[int, int, str]]:
    """Return the cues in order of time, their spaces alike."""
    return sorted((start, end, " ".join(text.split())) for start, end, text in cues)


def imported(texts: list[str]) -> list[tuple[str, str]]:
    """Return the texts that can be imported, each with the result."""
    found = []
    for text in texts:
        try:
            found.append((text, webvtt(text.encode())))
        except CaptionError:
            continue
    return found


def is_same(cue: tuple[int, int, str], other: tuple[int, int, str]) -> bool:
    """Return whether `other` has the times of `cue` and its text; more text is what Chromium threw away."""
    return cue[:2] == other[:2] and cue[2] in other[2]


@pytest.mark.browser
@pytest.mark.parametrize("text", ODD_FILES.values(), ids=ODD_FILES)
def test_an_import_shows_the_cues_that_chromium_finds(page: Page, text: str):
    before, after = page.evaluate(PARSE, [text, webvtt(text.encode())])
    assert before
    assert shown(after) == shown(before)


@pytest.mark.browser
def test_no_cue_vanishes_from_files_of_any_shape(page: Page):
    dice = random.Random(20131122)
    files = ["\n".join(["WEBVTT", *dice.choices([*_PIECES, "", ""], k=dice.randint(2, 14))]) for _ in range(1500)]
    pairs = imported(files)
    assert len(pairs) > 200
    before = page.evaluate(PARSE, [text for text, _ in pairs])
    after = page.evaluate(PARSE, [result for _, result in pairs])
    for (text, _), old, new in zip(pairs, before, after, strict=True):
        lost = [cue for cue in shown(old or []) if not any(is_same(cue, other) for other in shown(new))]
        assert not lost, text
