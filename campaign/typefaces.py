"""The letters that pictures and documents are set in, by script: what ships, so that they look alike everywhere."""

from pathlib import Path

_FOLDER = Path(__file__).parent / "fonts"
LATIN = _FOLDER / "eb-garamond" / "EBGaramond-Medium.ttf"  # Cyrillic and Greek as well
ARABIC = _FOLDER / "noto-naskh-arabic" / "NotoNaskhArabic-SemiBold.ttf"
KOREAN = _FOLDER / "nanum-gothic" / "NanumGothic.ttf"
HAN = _FOLDER / "droid-sans-fallback" / "DroidSansFallbackFull.ttf"  # Chinese and Japanese
OTHERS = sorted((_FOLDER / "noto-sans").glob("*.ttf"))
EVERY = (LATIN, ARABIC, KOREAN, HAN, *OTHERS)
