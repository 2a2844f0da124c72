"""Make the icons that browsers and phones ask for from static/icons/icon.svg (needs chromium and `make install`)."""

import io
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from tests.services import chromium_path

ICONS = Path(__file__).parent.parent / "static" / "icons"
COLOURS = 64
SAFE_ZONE = 0.82  # of a maskable icon; Android cuts it to a circle of 80% (W3C, Web App Manifest)


def main() -> None:
    """Write a PNG for each purpose, and an ICO in three sizes."""
    rounded = (ICONS / "icon.svg").read_text()
    square = rounded.replace(' rx="7"', "")  # phones round the corners themselves
    scale = f"translate(16 16) scale({SAFE_ZONE}) translate(-16 -16)"
    maskable = square.replace("<path", f'<g transform="{scale}"><path', 1).replace("</svg>", "</g></svg>")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=["--no-sandbox", "--disable-gpu"])
        _save(_render(browser, square, 180), "apple-touch-icon.png")
        _save(_render(browser, rounded, 192), "icon-192.png")
        _save(_render(browser, rounded, 512), "icon-512.png")
        _save(_render(browser, maskable, 512), "icon-maskable-512.png")
        large, *others = (_render(browser, rounded, size) for size in (48, 32, 16))
        large.save(ICONS / "favicon.ico", sizes=[(16, 16), (32, 32), (48, 48)], append_images=others)
        browser.close()


def _render(browser: Browser, svg: str, size: int) -> Image.Image:
    page = browser.new_page(viewport={"width": size, "height": size})
    page.set_content(f"<style>* {{ margin: 0 }} svg {{ display: block; inline-size: {size}px }}</style>{svg}")
    image = Image.open(io.BytesIO(page.screenshot(omit_background=True))).convert("RGBA")
    page.close()
    return image


def _save(image: Image.Image, name: str) -> None:
    is_opaque = image.getchannel("A").getextrema()[0] == 255
    flat = image.convert("RGB") if is_opaque else image
    flat.quantize(COLOURS, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(ICONS / name, optimize=True)


if __name__ == "__main__":
    main()
