"""Chromium, Firefox and WebKit behind one small interface: each by its own WebDriver, with a fresh profile per tab.

Drivers and browsers are killed with the process that started them, however it ends.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from urllib.request import urlopen

from selenium import webdriver
from selenium.webdriver.common.options import ArgOptions
from selenium.webdriver.remote.client_config import ClientConfig
from selenium.webdriver.remote.remote_connection import RemoteConnection
from selenium.webdriver.remote.webdriver import WebDriver

from tests import services
from tests.browser.tab import Tab
from tests.live_server import wait_for

SCREEN = "2000x1400x24"
CHROMIUM_ARGUMENTS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
CHROMIUM_ARGUMENTS += ["--disable-component-update", "--hide-scrollbars"]
FIREFOX_PREFERENCES = {
    "app.normandy.enabled": False,
    "browser.chrome.site_icons": False,  # its complaint of an icon that it cannot sniff is not about the page
    "devtools.console.stdout.content": True,
    "ui.useOverlayScrollbars": 1,
}
WEBKIT_ARGUMENTS = ["--automation", "--javascript-can-open-windows-automatically=true"]


class Engine:
    """A browser engine, and the driver of it while `running`."""

    name: str
    why_not: Callable[[], str | None]
    # A window with a toolbar cannot be as narrow as a phone; one that a page opened can.
    opens_window = True

    @contextmanager
    def running(self) -> Iterator["Engine"]:
        """Run the driver, which starts a browser for each tab."""
        port = services.free_port()
        self._url = f"http://127.0.0.1:{port}"
        with self._program(f"--port={port}") as folder:
            self._log = folder / "log"
            yield self

    @contextmanager
    def tab(self, *, javascript: bool = True) -> Iterator[Tab]:
        """Open a tab in a browser of its own."""
        connection = RemoteConnection(client_config=ClientConfig(self._url, timeout=60))
        connection.add_command("getLog", "POST", "/session/$sessionId/se/log")
        driver = webdriver.Remote(connection, options=self._options(javascript=javascript))
        try:
            if self.opens_window:
                _into_new_window(driver)
            yield Tab(self.name, driver, self._complaints(driver))
        finally:
            driver.quit()

    def _program(self, port: str) -> AbstractContextManager[Path]:
        raise NotImplementedError

    def _options(self, *, javascript: bool) -> ArgOptions:
        raise NotImplementedError

    def _complaints(self, driver: WebDriver) -> Callable[[], list[str]]:
        raise NotImplementedError

    def _answers(self, _folder: Path) -> bool:
        try:
            with urlopen(f"{self._url}/status"):
                return True
        except OSError:
            return False


class Chromium(Engine):
    """Debian's Chromium, which as root needs to do without its sandbox."""

    name = "chromium"
    why_not = staticmethod(services.why_no_chromedriver)
    opens_window = False

    def _program(self, port: str) -> AbstractContextManager[Path]:
        return services.program(["chromedriver", port], self._answers)

    def _options(self, *, javascript: bool) -> ArgOptions:
        options = webdriver.ChromeOptions()
        options.binary_location = services.chromium_path() or ""
        options.set_capability("goog:loggingPrefs", {"browser": "SEVERE"})
        for argument in CHROMIUM_ARGUMENTS:
            options.add_argument(argument)
        if not javascript:
            options.add_experimental_option("prefs", {"profile.managed_default_content_settings.javascript": 2})
        return options

    def _complaints(self, driver: WebDriver) -> Callable[[], list[str]]:
        # The driver tells each once.
        told: list[str] = []

        def complaints() -> list[str]:
            told.extend(entry["message"] for entry in driver.execute("getLog", {"type": "browser"})["value"])
            return told

        return complaints


class Firefox(Engine):
    """Debian's Firefox."""

    name = "firefox"
    why_not = staticmethod(services.why_no_firefox)

    def _program(self, port: str) -> AbstractContextManager[Path]:
        # Else each Firefox wants port 9222, and one that does not get it ends in the middle of a test.
        websocket = f"--websocket-port={services.free_port()}"
        return services.program([services.geckodriver_path(), port, websocket], self._answers)

    def _options(self, *, javascript: bool) -> ArgOptions:
        options = webdriver.FirefoxOptions()
        options.binary_location = services.firefox_path() or ""
        options.add_argument("-headless")
        for name, value in {**FIREFOX_PREFERENCES, "javascript.enabled": javascript}.items():
            options.set_preference(name, value)
        return options

    def _complaints(self, _driver: WebDriver) -> Callable[[], list[str]]:
        start = self._log.stat().st_size
        wanted = ("console.error: ", "JavaScript error: http")
        return lambda: [line for line in self._log.read_text()[start:].splitlines() if line.startswith(wanted)]


class WebKit(Engine):
    """WebKitGTK's small browser. It needs a screen, so it gets one that nobody sees."""

    name = "webkit"
    why_not = staticmethod(services.why_no_webkit)

    @contextmanager
    def _program(self, port: str) -> Iterator[Path]:
        screen = ["sh", "-c", f"exec Xvfb -displayfd 3 -screen 0 {SCREEN} -nolisten tcp 3>display"]
        driver = ["dbus-run-session", "--", "WebKitWebDriver", port]
        with services.program(screen, lambda folder: _display(folder) != "") as folder:
            settings = {"DISPLAY": f":{_display(folder)}", "WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS": "1"}
            with services.program(driver, self._answers, **settings) as own_folder:
                yield own_folder

    def _options(self, *, javascript: bool) -> ArgOptions:
        options = webdriver.WebKitGTKOptions()
        for argument in [*WEBKIT_ARGUMENTS, f"--enable-javascript={javascript}".lower()]:
            options.add_argument(argument)
        return options

    def _complaints(self, _driver: WebDriver) -> Callable[[], list[str]]:
        return list


@contextmanager
def chromium_tab(*, javascript: bool = True) -> Iterator[Tab]:
    """A tab of Chromium. `javascript=False` switches off that of pages, while `evaluate` works, here as below."""
    with Chromium().running() as engine, engine.tab(javascript=javascript) as tab:
        yield tab


@contextmanager
def firefox_tab(*, javascript: bool = True) -> Iterator[Tab]:
    """A tab of Firefox."""
    with Firefox().running() as engine, engine.tab(javascript=javascript) as tab:
        yield tab


@contextmanager
def webkit_tab(*, javascript: bool = True) -> Iterator[Tab]:
    """A tab of WebKit. Its controls of films are JavaScript, and so do nothing without it."""
    with WebKit().running() as engine, engine.tab(javascript=javascript) as tab:
        yield tab


ENGINES: dict[str, type[Engine]] = {kind.name: kind for kind in (Chromium, Firefox, WebKit)}


def _into_new_window(driver: WebDriver) -> None:
    [old] = driver.window_handles
    driver.execute_script("open('about:blank', '_blank', 'popup,width=1280,height=800')")
    wait_for(lambda: len(driver.window_handles) == 2, "a new window")
    driver.switch_to.window(next(window for window in driver.window_handles if window != old))


def _display(folder: Path) -> str:
    """Return the number of the screen, once it is there."""
    told = folder / "display"
    return told.read_text().strip() if told.exists() else ""
