"""A tab of any engine, by what a visitor does with it."""

from collections.abc import Callable
from typing import Any

from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.select import Select

from tests.live_server import wait_for

LOADED_WITHIN = 20  # seconds


class Tab:
    """A tab of any engine, by what a visitor does with it; places are named by CSS selectors."""

    def __init__(self, engine: str, driver: WebDriver, complaints: Callable[[], list[str]]) -> None:
        self.engine = engine
        self.complaints = complaints
        """What the console says went wrong in this tab: Chromium tells all, Firefox scripts alone, WebKit nothing."""
        self._driver = driver
        driver.set_page_load_timeout(LOADED_WITHIN)

    @property
    def url(self) -> str:
        """The address that is shown."""
        return self._driver.current_url

    def open(self, url: str) -> None:
        """Go to `url`; returns once the page is loaded."""
        self._driver.get(url)

    def evaluate(self, expression: str, *arguments: object) -> Any:
        """Return the JSON value of a JavaScript expression, or of a function called with `arguments`."""
        script = f"const it = ({expression}); return typeof it === 'function' ? it(...arguments) : it;"
        return self._driver.execute_script(script, *arguments)

    def wait_for(self, condition: str, *arguments: object) -> None:
        """Return once a JavaScript `condition` holds; asked from outside, so JavaScript may be off in the page."""
        wait_for(lambda: self.evaluate(condition, *arguments), f"in {self.engine}: {condition}")

    def click(self, css: str) -> None:
        """Click in the middle, as a person: media may play after it."""
        self._find(css).click()

    def press(self, css: str, keys: str) -> None:
        """Press keys (`selenium.webdriver.common.keys.Keys` or letters) with the focus there."""
        self._find(css).send_keys(keys)

    def fill(self, css: str, value: str) -> None:
        """Replace the value of a field, or select `value` in a list."""
        field = self._find(css)
        if field.tag_name == "select":
            Select(field).select_by_value(value)
        else:
            field.send_keys(Keys.CONTROL + "a")  # not `clear`, which WebKit refuses
            field.send_keys(value or Keys.DELETE)

    def text(self, css: str) -> str:
        """Return the text that is seen there."""
        return self._find(css).text

    def resize(self, width: int, height: int) -> None:
        """Resize the page to `width` × `height` CSS pixels."""
        wait_for(lambda: self._fits(width, height), f"{width} by {height} pixels in {self.engine}")

    def screenshot(self) -> bytes:
        """Return a PNG of the visible part of the page."""
        return self._driver.get_screenshot_as_png()

    def _fits(self, width: int, height: int) -> bool:
        """Return whether the page has that size; if not, enlarge its window by the difference."""
        inner = self.evaluate("[innerWidth, innerHeight]")
        if inner == [width, height]:
            return True
        window = self._driver.get_window_size()
        self._driver.set_window_size(window["width"] + width - inner[0], window["height"] + height - inner[1])
        return False

    def _find(self, css: str) -> WebElement:
        found = self._driver.find_element(By.CSS_SELECTOR, css)
        # WebKit's driver treats elements that need scrolling as unreachable.
        self._driver.execute_script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", found)
        return found
