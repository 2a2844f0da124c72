"""What an import makes is what its manifest says, plays in parts, and gives nobody away."""

import re
import shutil
import subprocess
from fractions import Fraction

import pytest
from PIL import Image

from campaign.errors import FilmError
from campaign.film import library
from campaign.film.importer import encode as encode_module
from campaign.film.importer.ffmpeg import encode
from campaign.film.importer.probe import probe_file
from campaign.film.importer.publish import import_film
from campaign.film.tracks import TrackFiles
from tests.film.conftest import SECONDS, described, ffmpeg

pytestmark = pytest.mark.slow

CODECS = {"avc1.6400": ("h264", "High"), "av01.0.": ("av1", "Main"), "mp4a.40.2": ("aac", "LC"), "opus": ("opus", None)}


@pytest.fixture(scope="module")
def film(library_of_one):
    return library.load_film(library_of_one, "sochi")[0]


@pytest.fixture(scope="module")
def folder(library_of_one):
    return library.load_film(library_of_one, "sochi")[1]


@pytest.fixture
def renditions(tmp_path):
    """Return the settings for the H.264 renditions of a file, and a description of the largest."""

    def make(path):
        probe = probe_file(path)
        rungs = encode_module.ladder(probe)
        encode(encode_module.h264(path, probe, rungs), seconds=probe.seconds, folder=tmp_path)
        return described(tmp_path / f"{rungs[-1].name}.mp4")

    return make


def keyframes(path) -> list[bytes]:
    shown = ["-v", "error", "-select_streams", "v", "-skip_frame", "nokey", "-show_entries", "frame=pts_time"]
    return subprocess.run(
        ["ffprobe", *shown, "-of", "default=nk=1:nw=1", path], check=True, capture_output=True
    ).stdout.split()


def loudness(path) -> float:
    command = ["ffmpeg", "-nostats", "-i", path, "-map", "0:a", "-af", "ebur128", "-f", "null", "-"]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stderr
    return float(re.findall(r"I:\s+(-?[0-9.]+) LUFS", said)[-1])


def test_each_source_has_its_declared_type(film, folder):
    assert [source.path for source in film.sources] == ["av1/720p.mp4", "mp4/480p.mp4", "mp4/720p.mp4"]
    assert [source.media for source in film.sources] == ["", "(max-width: 600px)", ""]
    for source in film.sources:
        found = described(folder / source.path)
        for stream, codec in zip((found["video"], found["audio"]), source.type.split('"')[1].split(", "), strict=True):
            name, profile = next(names for start, names in CODECS.items() if codec.startswith(start))
            assert (stream["codec_name"], stream.get("profile")) == (name, profile)
        assert found["video"]["height"] == source.height
        assert float(found["format"]["duration"]) == pytest.approx(SECONDS, abs=0.1)
    assert (film.width, film.height, film.seconds) == (1280, 720, pytest.approx(SECONDS, abs=0.1))


def test_the_level_in_the_codec_string_is_that_of_the_file(film, folder):
    for source in film.sources[1:]:
        level = int(re.search(r"avc1\.6400(..)", source.type)[1], 16)
        assert level == described(folder / source.path)["video"]["level"]


def test_colours_and_pixels_are_those_that_every_browser_shows(film, folder):
    for source in film.sources:
        picture = described(folder / source.path)["video"]
        assert (picture["pix_fmt"], picture["color_space"], picture["color_range"]) == ("yuv420p", "bt709", "tv")
        assert picture.get("sample_aspect_ratio", "1:1") == "1:1"


def test_a_source_can_play_before_it_is_whole(film, folder):
    for source in film.sources:
        content = (folder / source.path).read_bytes()
        assert 0 < content.index(b"moov") < content.index(b"mdat")


def test_keyframes_stand_at_the_same_times_in_all_sizes(folder):
    times = [keyframes(path) for path in sorted((folder / "mp4").iterdir())]
    assert len(times) == 2
    assert times[0] == times[1]
    assert [float(time) for time in times[0]] == [0, 2]


def test_the_sound_is_as_loud_as_before(film, folder, film_file):
    for source in film.sources:
        assert loudness(folder / source.path) == pytest.approx(loudness(film_file), abs=0.5)


def test_location_and_author_are_removed_from_the_film(film_file, folder):
    given_away = [b"Ada", b"Secret", b"+43.58", b"Sochi", b"01:02:03"]
    assert all(word in film_file.read_bytes() for word in given_away[:3])
    for path in folder.rglob("*.*"):
        content = path.read_bytes()
        assert not [word for word in given_away if word in content], path.name


def test_no_file_holds_streams_beside_picture_and_sound(film, folder):
    for source in film.sources:
        found = described(folder / source.path)
        assert [stream["codec_type"] for stream in found["streams"]] == ["video", "audio"]
        assert found["chapters"] == []


def test_the_master_playlist_names_each_size_with_what_a_player_must_know(folder):
    master = (folder / "hls" / "master.m3u8").read_text()
    variants = re.findall(
        r"BANDWIDTH=(\d+),AVERAGE-BANDWIDTH=(\d+),RESOLUTION=(\d+x\d+),FRAME-RATE=([\d.]+),"
        r'CODECS="(avc1\.6400..,mp4a\.40\.2)"\n(\S+)\n',
        master,
    )
    assert master.startswith("#EXTM3U\n")
    assert [one[2] for one in variants] == ["854x480", "1280x720"]
    for peak, average, _, rate, _, address in variants:
        assert rate == "24.000"
        assert int(peak) >= int(average) > 50_000
        assert (folder / "hls" / address).is_file()


def test_a_media_playlist_is_whole_and_its_segments_decode_one_after_the_other(folder, tmp_path):
    for playlist in sorted((folder / "hls").glob("*/stream.m3u8")):
        text = playlist.read_text()
        assert "#EXT-X-PLAYLIST-TYPE:VOD\n" in text
        assert text.endswith("#EXT-X-ENDLIST\n")
        names = [re.search(r'#EXT-X-MAP:URI="(.+)"', text)[1], *re.findall(r"^[^#\n].*", text, re.MULTILINE)]
        joined = tmp_path / "joined.mp4"
        joined.write_bytes(b"".join((playlist.parent / name).read_bytes() for name in names))
        assert sum(map(float, re.findall(r"#EXTINF:([\d.]+)", text))) == pytest.approx(SECONDS, abs=0.1)
        assert (
            len(
                ffmpeg(
                    "-xerror",
                    "-i",
                    str(joined),
                    "-fps_mode",
                    "passthrough",
                    "-s",
                    "2x2",
                    "-f",
                    "rawvideo",
                    "-pix_fmt",
                    "gray",
                    "-",
                )
            )
            == 384
        )
        assert abs(_start(joined, "video") - _start(joined, "audio")) < 0.05


def _start(path, kind) -> float:
    return float(described(path)[kind]["start_time"])


def test_a_long_film_is_cut_into_segments_of_six_seconds(make_film, films):
    long = make_film("long.mp4", size="64x64", rate="24000/1001", seconds=14)
    import_film(films, long, name="long", texts=TrackFiles(), show=lambda *_: None)
    [playlist] = films.glob("long/*/hls/*/stream.m3u8")
    lengths = [float(seconds) for seconds in re.findall(r"#EXTINF:([\d.]+)", playlist.read_text())]
    assert lengths == pytest.approx([6.006, 6.006, 2.0], abs=0.05)


def test_posters_come_in_three_kinds_and_two_sizes(film, folder):
    kinds = ["image/avif", "image/webp", "image/jpeg"]
    assert [(one.width, one.type) for one in film.posters] == [(wide, kind) for wide in (640, 1280) for kind in kinds]
    for picture in film.posters:
        with Image.open(folder / picture.path) as image:
            assert image.size == (picture.width, picture.width * 9 // 16)
            assert image.get_format_mimetype() == picture.type
    with Image.open(folder / film.preview) as preview:
        assert (preview.format, preview.width) == ("JPEG", 1200)


def test_all_kinds_of_a_poster_show_the_same_colours(film, folder):
    shown = [Image.open(folder / picture.path).convert("RGB").resize((8, 8)) for picture in film.posters]
    for image in shown[1:]:
        pairs = zip(shown[0].tobytes(), image.tobytes(), strict=True)
        assert max(abs(one - other) for one, other in pairs) < 24


def test_each_thumbnail_lies_on_its_sheet(film, folder):
    text = (folder / film.sprite).read_text()
    places = re.findall(r"^(\S+)#xywh=(\d+),(\d+),(\d+),(\d+)$", text, re.MULTILINE)
    assert len(places) == text.count("-->") == SECONDS
    for sheet, *numbers in places:
        left, top, width, height = map(int, numbers)
        with Image.open(folder / "sprite" / sheet) as image:
            assert (width, height) == (160, 90)
            assert (left + width, top + height) <= image.size
            drawn = image.convert("RGB").crop((left, top, left + width, top + height))
            assert max(high - low for low, high in drawn.getextrema()) > 100
    assert text.rstrip().splitlines()[-2].endswith(f"00:00:{SECONDS:02}.000")


def test_the_manifest_names_every_file_and_no_path_of_this_machine(library_of_one, folder, film_file):
    manifest = library.read(library_of_one, "sochi")
    there = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and path.name[0] != "."}
    assert set(manifest.files) == there
    text = (folder.parent / "manifest.json").read_text()
    assert str(folder.parent) not in text
    assert film_file.name not in text


@pytest.mark.parametrize(
    ("options", "size", "shown"),
    [
        ({}, "320x180", (320, 180)),
        ({}, "321x181", (320, 180)),
        ({}, "180x320", (180, 320)),
        ({}, "1280x536", (1280, 536)),
        ({}, "320x240 -vf setsar=4/3", (426, 240)),
        ({"rate": "120"}, "320x180", (320, 180)),
        (
            {},
            "320x180 -pix_fmt yuv444p10le -color_trc smpte2084 -color_primaries bt2020 -colorspace bt2020nc",
            (320, 180),
        ),
        ({}, "320x180 -ac 6", (320, 180)),
    ],
)
def test_films_of_all_shapes_come_out_plain(make_film, renditions, options, size, shown):
    size, *more = size.split()
    name = f"{abs(hash((size, *more)))}.mkv"
    found = renditions(make_film(name, *more, size=size, seconds=1.5, **options))
    picture = found["video"]
    assert (picture["width"], picture["height"]) == shown
    assert picture.get("sample_aspect_ratio", "1:1") == "1:1"
    assert (picture["pix_fmt"], picture.get("field_order", "progressive")) == ("yuv420p", "progressive")
    assert Fraction(picture["r_frame_rate"]) == min(Fraction(options.get("rate", "24")), 60)
    assert found["audio"]["channels"] <= 2


@pytest.mark.parametrize(
    "size", ["540x1170", *(pytest.param(size, marks=pytest.mark.long) for size in ("1280x534", "1020x550", "700x700"))]
)
def test_a_film_that_is_not_16_to_9_is_imported_in_its_own_sizes(make_film, films, size):
    source = make_film(f"{size}.mp4", size=size, seconds=1.2)
    manifest = import_film(films, source, name="odd", texts=TrackFiles(), show=lambda *_: None)
    film, folder = library.load_film(films, "odd")
    assert manifest.notes == ()
    assert len(film.sources) == 3  # AV1, and two sizes of H.264
    for one in film.sources:
        picture = described(folder / one.path)["video"]
        assert (one.width, one.height) == (picture["width"], picture["height"])
        assert not one.media or int(re.findall(r"\d+", one.media)[0]) <= one.width
        assert one.width / one.height == pytest.approx(film.width / film.height, rel=0.01)


@pytest.mark.parametrize(
    "container", ["ts", *(pytest.param(name, marks=pytest.mark.long) for name in ("mp4", "mkv", "mov"))]
)
@pytest.mark.parametrize(
    ("picture", "sound", "note"),
    [
        (4, 2.5, "The sound ends 1.5 seconds before the picture; silence was added."),
        (2.5, 4, "The picture ends 1.5 seconds before the sound; the last frame is held."),
        (4, 3.9, None),
    ],
)
def test_sound_and_picture_of_different_lengths_are_imported_as_long_as_each_other(
    make_film, films, container, picture, sound, note
):
    ends = ["-vf", f"trim=0:{picture}", "-af", f"atrim=0:{sound}"]
    source = make_film(f"ends-{picture}-{sound}.{container}", *ends)
    manifest = import_film(films, source, name="ends", texts=TrackFiles(), show=lambda *_: None)
    assert [re.sub(r"1\.[456] s", "1.5 s", found) for found in manifest.notes] == ([note] if note else [])
    film, folder = library.load_film(films, "ends")
    for one in film.sources:
        streams = described(folder / one.path)
        for kind in ("video", "audio"):
            assert float(streams[kind]["duration"]) == pytest.approx(4, abs=0.15)


def test_captions_that_are_never_shown_whole_are_noted(film_file, library_of_one, tmp_path, films):
    captions = tmp_path / "late.srt"
    captions.write_text("1\n00:00:03,000 --> 00:00:09,000\nGold\n")
    shutil.copytree(library_of_one, films)  # the same film, so that nothing is encoded
    texts = TrackFiles({"en": captions})
    manifest = import_film(films, film_file, name="sochi", texts=texts, show=lambda *_: None)
    assert manifest.notes == ("late.srt, line 2: this caption was cut at the end of the film, 00:00:04.000.",)


def test_a_manifest_of_an_earlier_release_still_tells_the_widths(library_of_one, films):
    shutil.copytree(library_of_one, films)
    path = films / "sochi" / "manifest.json"
    path.write_text(re.sub(r',\s*"width": 854(?=\s*})', "", path.read_text()))
    assert [one.width for one in library.read(films, "sochi").film.sources] == [1280, 0, 1280]
    assert [one.width for one in library.load_film(films, "sochi")[0].sources] == [1280, 853, 1280]


def test_a_film_taken_upright_comes_out_upright(make_film, renditions, tmp_path):
    lying = make_film("lying.mp4", seconds=1.5)
    turned = tmp_path / "turned.mp4"
    ffmpeg("-i", str(lying), "-c", "copy", "-metadata:s:v", "rotate=90", str(turned))
    found = renditions(turned)
    assert (found["video"]["width"], found["video"]["height"]) == (180, 320)
    assert not [side for side in found["video"].get("side_data_list", []) if side.get("rotation")]


def test_interlaced_pictures_are_made_whole(make_film, renditions, tmp_path):
    upright_stripes = "geq=lum=if(lt(mod(X+N*8\\,80)\\,40)\\,235\\,16):cb=128:cr=128,interlace=lowpass=off"
    woven = ["-vf", upright_stripes, "-flags", "+ilme+ildct", "-x264opts", "tff=1"]
    renditions(make_film("interlaced.mkv", *woven, rate="48", seconds=1.5))
    shown = [
        "-i",
        str(tmp_path / "180p.mp4"),
        "-ss",
        "0.5",
        "-frames:v",
        "1",
        "-f",
        "rawvideo",
        "-pix_fmt",
        "gray",
        "-",
    ]
    grey = ffmpeg(*shown)
    unlike_the_row_below = [abs(one - below) for one, below in zip(grey, grey[320:], strict=False)]
    assert sum(unlike_the_row_below) / len(grey) < 5  # nearly forty where every other row is of another moment


def test_mono_stays_mono(film, folder):
    assert {described(folder / source.path)["audio"]["channels"] for source in film.sources} == {1}


def test_pictures_at_uneven_times_become_even(make_film, renditions):
    uneven = make_film("uneven.mkv", "-vf", "select=not(eq(mod(n\\,5)\\,0))", "-fps_mode", "vfr", seconds=2)
    picture = renditions(uneven)["video"]
    assert picture["r_frame_rate"] == picture["avg_frame_rate"]


def test_a_recording_without_its_length_is_read_to_its_end(make_film):
    live = make_film("live.mkv", "-live", "1", seconds=2)
    assert "duration" not in described(live)["format"]
    assert probe_file(live).seconds == pytest.approx(2, abs=0.1)


def test_a_film_is_found_whatever_its_file_is_called(make_film, tmp_path):
    source = make_film("plain.mp4", seconds=1.5)
    for name in ("-i", "concat:a|b", "%03d.mp4", "http:", "'; touch x;'", "a\nb.mp4"):
        path = tmp_path / name
        path.write_bytes(source.read_bytes())
        assert probe_file(path).seconds == pytest.approx(1.5, abs=0.1)


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        (["-an"], "no audio track; if it is meant to be silent, add a silent one: ffmpeg -i '"),
        (["-vn"], "has no video"),
        (["-t", "0.5"], "a still image or shorter than a second"),
    ],
)
def test_an_incomplete_film_is_refused_with_a_remedy(make_film, options, fault):
    with pytest.raises(FilmError, match=fault):
        probe_file(make_film(f"{options[0]}.mp4", *options, seconds=1.5))


def test_sound_with_a_cover_picture_is_no_film(make_film, tmp_path):
    song = make_film("song.m4a", "-map", "0:v", "-frames:v", "1", "-c:v", "mjpeg", "-disposition:v", "attached_pic")
    with pytest.raises(FilmError, match="has no video"):
        probe_file(song)


def test_the_remedy_for_a_silent_film_is_one(make_film, tmp_path):
    silent = make_film("silent.mp4", "-an", seconds=1.5)
    with pytest.raises(FilmError) as caught:
        probe_file(silent)
    words = str(caught.value).partition("ffmpeg ")[2].replace("'", "").split()
    ffmpeg(*[str(silent.parent / word) if word.endswith((".mp4", ".mkv")) else word for word in words])
    assert probe_file(silent.parent / "with-sound.mkv").channels == 2


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"only text\n" * 100,
        b"ffconcat version 1.0\nfile film.mp4\n",
        b"#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\nfilm.mp4\n#EXT-X-ENDLIST\n",
        b"RIFF\0\0\0\0AVI " + b"\0" * 100,
    ],
)
def test_a_file_that_is_not_a_film_is_refused(make_film, tmp_path, content):
    (tmp_path / "film.mp4").write_bytes(make_film("plain.mp4", seconds=1.5).read_bytes())
    (tmp_path / "no-film").write_bytes(content)
    with pytest.raises(FilmError, match=r"no-film (is not a readable film|has no video)"):
        probe_file(tmp_path / "no-film")


@pytest.mark.parametrize("options", ["film.mp4", "film.mp4 -movflags +faststart", "film.mkv"])
def test_a_film_that_was_not_copied_whole_is_refused(make_film, tmp_path, options):
    name, *more = options.split()
    whole = make_film(f"long-{len(more)}-{name}", *more, seconds=8).read_bytes()
    (tmp_path / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(FilmError, match=f"^{name} .*copied completely"):
        probe_file(tmp_path / name)
