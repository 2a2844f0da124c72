"""Real browsers, and a real server for them."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserType, Page, Route

from tests import services
from tests.browser.engines import ENGINES, Engine
from tests.browser.tab import Tab
from tests.conftest import Ready
from tests.live_server import Site
from tests.matrix import DATABASES


@pytest.fixture(params=DATABASES)
def backend(request: pytest.FixtureRequest) -> str:
    """SQLite, and PostgreSQL in `make long`: what the statements do is tested on both where they are made."""
    return request.param


@pytest.fixture
def site(ready: Ready, backend: str, tmp_path: Path) -> Iterator[Site]:
    """A campaign that is served."""
    with ready.site(tmp_path, backend).served() as site:
        yield site


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, object]) -> dict[str, object]:
    """Debian's chromium, which as root needs to do without its sandbox."""
    if reason := services.why_no_chromium():
        pytest.skip(reason)
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
    return {**browser_type_launch_args, "executable_path": services.headless_chromium_path(), "args": arguments}


@pytest.fixture(scope="session")
def whole_browser(browser_type: BrowserType, browser_type_launch_args: dict[str, Any]) -> Iterator[Browser]:
    """A Chromium with its window: the one without knows no Brotli, and shows tests no request of a pop-up."""
    browser = browser_type.launch(**browser_type_launch_args | {"executable_path": services.chromium_path()})
    yield browser
    browser.close()


@pytest.fixture(params=["with JavaScript", "without JavaScript"])
def any_page(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    """A tab, once with JavaScript and once without; the browser must have nothing to complain about."""
    context = browser.new_context(java_script_enabled=request.param == "with JavaScript")
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    assert complaints == []


@pytest.fixture
def hold(page: Page) -> Callable[[str], list[Route]]:
    """Holds back the requests to addresses of a pattern, and returns the list into which they go."""

    def holding(pattern: str) -> list[Route]:
        held: list[Route] = []

        def keep(route: Route) -> None:  # a list's own method would fail: Playwright marks the functions it calls
            held.append(route)

        page.route(pattern, keep)
        return held

    return holding


@pytest.fixture(scope="session", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """Each browser engine in turn."""
    kind = ENGINES[request.param]
    if reason := kind.why_not():
        pytest.skip(reason)
    with kind().running() as engine:
        yield engine


@pytest.fixture
def tab(engine: Engine) -> Iterator[Tab]:
    """A tab of each engine, in a fresh browser."""
    with engine.tab() as tab:
        yield tab


@pytest.fixture
def plain_tab(engine: Engine) -> Iterator[Tab]:
    """A tab of each engine in which pages cannot use JavaScript."""
    with engine.tab(javascript=False) as tab:
        yield tab


@pytest.fixture(scope="session")
def open_site(ready: Ready, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A campaign that is served to all tests of this process, with no limit to signing."""
    with ready.site(tmp_path_factory.mktemp("open"), CAMPAIGN_SIGN_LIMIT="").served() as site:
        yield site


@pytest.fixture(scope="session")
def long_film(ready: Ready, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A campaign that shows an imported film, long enough to adapt to the connection."""
    if reason := services.why_no_ffmpeg():
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("long")
    source = folder / "source.mp4"
    inputs = ["-f", "lavfi", "-i", "testsrc2=s=320x180:r=12:d=92", "-f", "lavfi", "-i", "sine=f=330:d=92"]
    subprocess.run(
        ["ffmpeg", "-v", "error", *inputs, "-preset", "ultrafast", "-pix_fmt", "yuv420p", source], check=True
    )
    site = ready.site(folder, CAMPAIGN_FILM="sochi")
    site.flask("film", "import", str(source), "--name", "sochi")
    with site.served():
        yield site


@pytest.fixture(scope="session")
def private(ready: Ready, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A campaign with the links of one who has not confirmed, and of one who has."""
    with ready.site(tmp_path_factory.mktemp("private"), CAMPAIGN_SIGN_LIMIT="").served() as site:
        for number, name in enumerate(("ada", "olga"), start=1):
            site.sign({"given_name": name, "email": f"{name}@example.org", "country": "GB", "show_name": "1"})
            site.mails(number)
        yield site


@pytest.fixture(scope="session")
def full_site(ready: Ready, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A campaign with the longest plausible content in every field; known by a name, since passkeys belong to names."""
    site = ready.site(tmp_path_factory.mktemp("full"), CAMPAIGN_SIGN_LIMIT="").known_by_name()
    with site.served():
        yield site
