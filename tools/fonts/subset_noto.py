"""Makes the Noto faces in `campaign/fonts` from Debian's packages:  python tools/fonts/subset_noto.py FOLDER.

FOLDER holds the packages `fonts-noto-core`, `fonts-noto-extra` and `fonts-noto-cjk`, unpacked with `dpkg -x`. The faces
keep all characters and all shaping rules; hinting, which is for low-resolution screens, is removed. Of the Chinese,
Japanese and Korean face only those characters are taken that no other face of the campaign has.
"""

import sys
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTCollection, TTFont

FONTS = Path(__file__).parents[2] / "campaign" / "fonts"
SANS = """
    Adlam Armenian Balinese Bamum BassaVah Batak Bengali Buginese Buhid CanadianAboriginal Chakma Cham Cherokee Coptic
    Deseret Devanagari Ethiopic Georgian Glagolitic Gujarati GunjalaGondi Gurmukhi HanifiRohingya Hanunoo Hebrew
    Javanese Kannada KayahLi Khmer Lao Lepcha Limbu Lisu Malayalam Mandaic MasaramGondi Medefaidrin MeeteiMayek
    MendeKikakui Miao Mongolian Mro Myanmar NKo NewTaiLue Newa OlChiki Oriya Osage Osmanya PahawhHmong PauCinHau Rejang
    Samaritan Saurashtra Sinhala SoraSompeng Sundanese SylotiNagri Syriac Tagalog Tagbanwa TaiLe TaiTham TaiViet Tamil
    TamilSupplement Telugu Thaana Thai Tifinagh Vai Wancho WarangCiti Yi
""".split()
FACES = [
    "NotoSans-Regular.ttf",
    *(f"NotoSans{script}-Regular.ttf" for script in SANS),
    "NotoSerifNyiakengPuachueHmong-Regular.ttf",
    "NotoSerifTibetan-Regular.ttf",
]
CJK = "NotoSansCJK-Regular.ttc"
JAPANESE = 0  # the place of Noto Sans CJK JP in it


def main(packages: Path) -> None:
    """Write the faces."""
    for name in FACES:
        _write(TTFont(_found(packages, name)), FONTS / "noto-sans" / name)
    for weight in ("Regular", "Medium"):
        name = f"NotoNaskhArabic-{weight}.ttf"
        _write(TTFont(_found(packages, name)), FONTS / "noto-naskh-arabic" / name)
    others = {code for path in FONTS.rglob("*.ttf") for code in TTFont(path, lazy=True).getBestCmap()}
    face = TTCollection(_found(packages, CJK)).fonts[JAPANESE]
    extra = {code for code in face.getBestCmap() if code not in others and chr(code).isalpha()}
    _write(face, FONTS / "noto-sans-cjk" / "NotoSansCJK-Extra.otf", extra)


def _write(face: TTFont, path: Path, codes: set[int] | None = None) -> None:
    options = Options(hinting=False, layout_features=["*"] if codes is None else [], notdef_outline=True)
    options.drop_tables += ["vhea", "vmtx", "VORG"]
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=codes or set(face.getBestCmap()))
    subsetter.subset(face)
    path.parent.mkdir(exist_ok=True)
    face.flavor = None
    face["head"].modified = face["head"].created  # so that the same input gives the same bytes
    face.recalcTimestamp = False
    face.save(path)
    print(path.name, path.stat().st_size, "bytes")


def _found(packages: Path, name: str) -> Path:
    return next(packages.rglob(name))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
