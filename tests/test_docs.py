"""The documents name only commands, options, settings and files that exist, and their commands work."""

import re
import shlex
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from sqlalchemy import delete, insert

from campaign.app import create_app
from campaign.cli import serve
from campaign.config.settings import Settings
from campaign.core.database import db, transaction, utcnow
from campaign.models import Organiser
from tests.conftest import dispose
from tests.documents import DOCUMENTS, ROOT, Block, code_spans, other_code, shell_blocks

BLOCKS = [block for path in DOCUMENTS for block in shell_blocks(path)]
RUNNABLE = [block for block in BLOCKS if not block.elsewhere]
PROGRAMS = ("flask", "campaign")
# How an operator's shell begins: settings for one command, sudo, and Python with the module's name
_BEFORE = re.compile(r"^(?:\w+=\S* |sudo |(?:\.venv/bin/)?python -m )*")
# Other programs that the documents name: no test can check their options
_PATHS = re.compile(r"(?<![\w/])(?:campaign|templates|static|tests|benchmarks|deploy|docs|tools)/[\w./@*-]+")
SECONDS = 120


class NoSuchCommand(Exception):
    """A document names a command or an option that does not exist."""


@pytest.fixture(scope="module")
def cli(tmp_path_factory: pytest.TempPathFactory) -> Iterator[click.Group]:
    app = create_app(Settings.load(instance=tmp_path_factory.mktemp("docs")))
    app.cli.add_command(serve.serve)
    yield app.cli
    dispose(app)


def check_command(cli: click.Group, words: list[str], *, whole: bool) -> None:
    """Check a command with click's own parser. Unless it is `whole`, values may be missing. Raises `NoSuchCommand`."""
    command, path, rest = _find(cli, words)
    if isinstance(command, click.Group):
        if whole:
            raise NoSuchCommand(f"{path} needs a command")
        return
    try:
        command.make_context(path, list(rest))
    except (click.MissingParameter, click.BadOptionUsage) as error:
        # A sentence names a command or an option, and gives no value.
        if whole:
            raise NoSuchCommand(f"{path}: {error.format_message()}") from None
    except click.BadParameter as error:
        # The values of a document are examples: their files need not exist. Choices must.
        if error.param and isinstance(error.param.type, click.Choice):
            raise NoSuchCommand(f"{path}: {error.format_message()}") from None
    except click.UsageError as error:
        raise NoSuchCommand(f"{path}: {error.format_message()}") from None


def _find(cli: click.Group, words: list[str]) -> tuple[click.Command, str, list[str]]:
    """Return the command that words name, its whole name, and the words after it."""
    command: click.Command = cli
    path, rest = words[0], words[1:]
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        found = command.get_command(click.Context(command), rest[0])
        if found is None:
            raise NoSuchCommand(f"{path} has no command {rest[0]}")
        path, command, rest = f"{path} {rest[0]}", found, rest[1:]
    return command, path, rest


def commands_in(text: str) -> Iterator[str]:
    """Yield the commands of a shell block, one by one, without what starts them."""
    for line in text.replace("\\\n", " ").splitlines():
        command = re.sub(r"(?:^|\s)#.*", "", line)
        for part in re.split(r"&&|\|\||[;|]", command) if not re.search("['\"]", command) else [command]:
            yield _BEFORE.sub("", part.strip())


def targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def check_line(cli: click.Group, line: str, *, whole: bool) -> None:
    words = shlex.split(line.split(" <", maxsplit=1)[0].split(" >", maxsplit=1)[0])
    if not words:
        return
    if words[0] in PROGRAMS:
        check_command(cli, words, whole=whole)
    elif words[0] == "make" and len(words) > 1:
        unknown = {word for word in words[1:] if "=" not in word} - targets()
        if unknown:
            raise NoSuchCommand(f"make has no target {', '.join(sorted(unknown))}")


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.name)
def test_the_commands_and_options_of_a_block_exist(cli: click.Group, block: Block) -> None:
    for line in commands_in(block.text):
        check_line(cli, line, whole=True)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_the_commands_named_in_sentences_exist(cli: click.Group, path: Path) -> None:
    for number, text in code_spans(path):
        line = _BEFORE.sub("", text)
        if re.match(r"(flask|campaign|make) [a-z-]", line):
            words = line.replace("…", "").rstrip()
            try:
                check_line(cli, words, whole=False)
            except NoSuchCommand as error:
                pytest.fail(f"{path.name}:{number}: `{text}`: {error}")


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_commands_stand_in_shell_blocks(path: Path) -> None:
    """Where they are checked; an indented block is for what is not typed."""
    for number, text in other_code(path):
        found = re.search(
            r"^\s*(?:sudo )?(?:flask|campaign|make|apt|apt-get|systemctl|\.venv/\S+) ", text, re.MULTILINE
        )
        assert not found, f"{path.name}:{number}: put this into a block that begins with ```sh: {text}"


@pytest.mark.parametrize(
    "line",
    [
        "flask signatures export --no-such-option",
        "flask signatures exports",
        "flask signatures export --purpose everything",
        "campaign backup",
        "campaign backup one two",
        "flask keys rotate --recovery-key-out",
        "make tset",
    ],
)
def test_a_command_that_does_not_exist_is_found(cli: click.Group, line: str) -> None:
    with pytest.raises(NoSuchCommand):
        check_line(cli, line, whole=True)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_settings_named_in_a_document_exist(path: Path) -> None:
    known = set(re.findall(r"^\| `(CAMPAIGN_\w+)` \|", (ROOT / "README.md").read_text(), re.MULTILINE))
    assert "CAMPAIGN_MAIL_URL" in known
    named = {name.removesuffix("_FILE") for name in re.findall(r"CAMPAIGN_[A-Z_]+[A-Z]", path.read_text())}
    assert named <= known


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_files_and_tests_named_in_a_document_exist(path: Path) -> None:
    missing = []
    for number, text in code_spans(path):
        for name in _PATHS.findall(text.split("::")[0]):
            missing += [f"{path.name}:{number}: {name}"] * (not any(ROOT.glob(name.rstrip("/."))))
        if match := re.fullmatch(r"(tests/[\w/]+\.py)::(\w+)", text):
            file = ROOT / match[1]
            if not file.is_file() or f"def {match[2]}(" not in file.read_text():
                missing.append(f"{path.name}:{number}: {text}")
    assert not missing


def test_the_assessment_counts_its_rows_and_names_each_requirement_once() -> None:
    text = (ROOT / "docs/asvs.md").read_text()
    rows = re.findall(r"^\| (\d+\.\d+\.\d+[\d., ]*) \| [12] \| .+? \| (.+?) \| (.*) \|$", text, re.MULTILINE)
    states: Counter[str] = Counter()
    for numbers, state, _ in rows:
        states[state.strip("*")] += len(numbers.split(", "))
    named = [number for numbers, _, _ in rows for number in numbers.split(", ")]
    assert len(named) == len(set(named)) == 253  # of levels 1 and 2 in version 5.0.0
    stated = re.findall(r"^\| (met|not applicable|not met|not checked).*? \| (\d+) \|$", text, re.MULTILINE)
    assert {state: int(number) for state, number in stated} == states
    assert not [numbers for numbers, state, evidence in rows if state != "not checked" and not evidence.strip()]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_to_a_file_and_a_heading(path: Path) -> None:
    for target in re.findall(r"\]\((?!https?:|mailto:)([^)]+)\)", path.read_text().replace("\n", " ")):
        name, _, anchor = target.replace(" ", "").partition("#")
        file = path.parent / name if name else path
        assert file.exists(), f"{path.name}: {target}"
        if anchor:
            headings = re.findall(r"^#+ (.+)$", file.read_text(), re.MULTILINE)
            anchors = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
            assert anchor in anchors, f"{path.name}: {target}"


@pytest.mark.slow
@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.name)
def test_a_block_is_shell(block: Block) -> None:
    text = re.sub(r"<[a-z ]+>", "placeholder", block.text)
    done = subprocess.run(["bash", "-n"], input=text, capture_output=True, text=True, check=False)
    assert not done.stderr, block.text


class Scratch:
    """A folder with a campaign of its own, in which a reader types the commands of a document."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.answers = folder / "answers"
        self.answers.write_text("")
        for program in (".venv/bin/python", "bin/campaign", "bin/flask"):
            module = "" if program.endswith("python") else f"-m {Path(program).name} "
            file = folder / program
            file.parent.mkdir(parents=True, exist_ok=True)
            # Each command reads the recovery key from the start, as from somebody who types it when asked.
            file.write_text(f'#!/bin/sh\nexec "{sys.executable}" {module}"$@" <"{self.answers}"\n')
            file.chmod(0o755)
        (folder / ".flaskenv").write_text((ROOT / ".flaskenv").read_text())

    def run(self, script: str) -> "subprocess.CompletedProcess[str]":
        """Run the commands of a block; the first that fails ends it."""
        environment = {
            "PATH": f"{self.folder}/bin:/usr/bin:/bin",
            "HOME": str(self.folder),
            "LANG": "C.UTF-8",
            "PYTHONPATH": str(ROOT),
            "CAMPAIGN_INSTANCE": str(self.folder / "instance"),
        }
        return subprocess.run(
            ["bash", "-e", "-c", script],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
            start_new_session=True,  # without a terminal to ask at
        )


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Scratch:
    scratch = Scratch(tmp_path_factory.mktemp("scratch"))
    done = scratch.run("campaign init --recovery-key-out recovery.key && campaign signatures seed 5")
    assert done.returncode == 0, done.stderr
    scratch.answers.write_text((scratch.folder / "recovery.key").read_text())
    return scratch


@pytest.fixture
def grace(scratch: Scratch) -> None:
    """Register Grace, whom some blocks remove."""
    app = create_app(Settings.load(instance=scratch.folder / "instance"))
    with app.app_context(), transaction(db.session):
        db.session.execute(delete(Organiser))
        grace = {"email": "grace@example.org", "role": "organiser", "password_hash": "", "activated_at": utcnow()}
        db.session.execute(insert(Organiser).values(grace))
    dispose(app)


@pytest.mark.slow
@pytest.mark.usefixtures("grace")
@pytest.mark.xdist_group("docs")
@pytest.mark.parametrize("block", RUNNABLE, ids=lambda block: block.name)
def test_a_block_runs_as_it_is_written(scratch: Scratch, block: Block) -> None:
    for leftover in scratch.folder.glob("signatures.*"):
        leftover.unlink()
    done = scratch.run(block.text)
    assert done.returncode == 0, f"{block.name}\n{block.text}\n{done.stdout}\n{done.stderr}"


@pytest.mark.slow
def test_a_block_with_a_wrong_option_fails(scratch: Scratch) -> None:
    assert scratch.run("flask signatures count --no-such-option").returncode
