"""Settings: every setting once, with its name, default and help."""

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import SplitResult, parse_qs, urlsplit

from email_validator import EmailNotValidError, validate_email
from limits import parse_many
from pydantic import AfterValidator, AliasChoices, BeforeValidator, Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from campaign.errors import ConfigError

ROOT = Path(__file__).resolve().parent.parent
MAIL_SCHEMES = ("file", "smtp", "smtps")
DATABASES = ("postgresql", "postgresql+psycopg", "sqlite", "sqlite+pysqlite")
SECRET_LENGTH = 32


def _choice(*allowed: str) -> BeforeValidator:
    def check(value: object) -> object:
        if value not in allowed:
            raise ValueError(f"{value!r} is not known; use {' or '.join(allowed)}")
        return value

    return BeforeValidator(check)


def _database_url(value: str) -> str:
    value = re.sub("^postgres://", "postgresql://", value)
    try:
        url = make_url(value or "sqlite:///default")
    except (ArgumentError, ValueError):  # the text of either may quote a password
        raise ValueError("this is no database address; use postgresql://… or sqlite:///…") from None
    if url.drivername not in DATABASES:
        raise ValueError(f"{url.drivername!r} is no database we know; use postgresql://… or sqlite:///…")
    if url.drivername.startswith("sqlite") and url.database in (None, "", ":memory:"):
        raise ValueError("a database in memory is lost at the end; use sqlite:///file, or leave it empty")
    return value


def _redis_url(value: str) -> str:
    if value and _split(value, "redis://host:6379/0").scheme not in ("redis", "rediss"):
        raise ValueError("this is no Redis address; use redis://host:6379/0, or leave it empty")
    return value


def _mail_url(value: str) -> str:
    parts = _split(value, "smtp://user:password@host:587")
    if parts.scheme not in MAIL_SCHEMES:
        raise ValueError(f"{parts.scheme!r} is no mail scheme; use file:, smtp:// or smtps://")
    if parts.scheme == "file" and (parts.netloc or parts.path):
        raise ValueError("mail files always go to <instance>/mail; use file: alone")
    if parts.scheme != "file" and not parts.hostname:
        raise ValueError("the mail server is missing; use smtp://user:password@host:587")
    for sender in parse_qs(parts.query, keep_blank_values=True).get("from", ()):
        _require_address(sender)
    return value


def _require_address(text: str) -> None:
    try:
        validate_email(text, check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError:
        raise ValueError("the sender is no e-mail address; use ?from=name@example.org") from None


def _public_url(value: str) -> str:
    if not value:
        return f"http://127.0.0.1:{os.environ.get('PORT') or 8000}"
    parts = _split(value, "https://example.org")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("this is no web address; use one like https://example.org")
    if parts.path.strip("/") or parts.query or parts.fragment or parts.username:
        raise ValueError("an address without path or user is needed; use one like https://example.org")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname.encode("idna").decode()
    return f"{parts.scheme}://{host}{f':{parts.port}' if parts.port else ''}"


def _split(value: str, example: str) -> SplitResult:
    """Split an address, its port checked as well, which `urlsplit` leaves until it is read."""
    try:
        parts = urlsplit(value)
        is_wrong = parts.port == 0
        (parts.hostname or "").encode("idna")
    except ValueError:  # its text may quote a password
        is_wrong = True
    if is_wrong:
        raise ValueError(f"this is no address; use one like {example}")
    return parts


def _sign_limit(value: str) -> str:
    try:
        allowed = [item.amount for item in parse_many(value)] if value else [1]
    except ValueError:
        allowed = [0]
    if not all(allowed):
        raise ValueError("this is no limit; use '5 per minute;50 per day', or leave it empty for none")
    return value


def _secret(value: str) -> str:
    if value and len(value.strip()) < SECRET_LENGTH:
        raise ValueError(f"too short; use {SECRET_LENGTH} random characters or more, or leave it out")
    return value


def _folder(value: object) -> object:
    if value == "":
        raise ValueError("the folder has no name; name one, or leave the setting out")
    return value


def _hops(value: object) -> object:
    if not (isinstance(value, int) or (isinstance(value, str) and value.isdecimal())):
        raise ValueError("this is no number of proxies; use 0, 1, 2 …")
    return value


class _FileSource(PydanticBaseSettingsSource):
    """Reads setting NAME from the file that NAME_FILE points to, as container secrets do it."""

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:
        for name in setting_names(field_name):
            if name not in os.environ and (path := os.environ.get(f"{name}_FILE")):
                return _read(name, Path(path)), field_name, False
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        found = (self.get_field_value(field, name) for name, field in self.settings_cls.model_fields.items())
        return {name: value for value, name, _ in found if value is not None}


class Settings(BaseSettings):
    """What a deployer may set. Each is read from the environment, or from the file named in NAME_FILE."""

    model_config = SettingsConfigDict(
        env_prefix="CAMPAIGN_", hide_input_in_errors=True, frozen=True, populate_by_name=True, extra="ignore"
    )

    instance: Annotated[Path, BeforeValidator(_folder), AfterValidator(Path.absolute)] = Field(
        default=Path("instance"), description="Folder for the campaign's data."
    )
    database_url: Annotated[str, AfterValidator(_database_url)] = Field(
        default="",
        validation_alias=AliasChoices("CAMPAIGN_DATABASE_URL", "DATABASE_URL"),
        description="`postgresql://user:password@host/name`. Empty: SQLite in the instance folder.",
    )
    redis_url: Annotated[str, AfterValidator(_redis_url)] = Field(
        default="",
        validation_alias=AliasChoices("CAMPAIGN_REDIS_URL", "REDIS_URL"),
        description="`redis://host:port/0`, where several server processes share their limits. Empty: memory.",
    )
    mail_url: Annotated[str, AfterValidator(_mail_url)] = Field(
        default="file:",
        description="`file:` writes one `.eml` a message to `<instance>/mail`; `smtp://user:password@host:port` "
        "(STARTTLS required unless the host is loopback); `smtps://…`. Add `?from=name@example.org` for the sender.",
    )
    public_url: Annotated[str, AfterValidator(_public_url)] = Field(
        default="",
        validate_default=True,
        description="The address people see, used in mails and share links. Empty: `http://127.0.0.1:8000`.",
    )
    secret_key: Annotated[str, AfterValidator(_secret)] = Field(
        default="", description="The server's secret, 32 characters or more. Empty: made once in the instance folder."
    )
    proxies: Annotated[int, BeforeValidator(_hops)] = Field(
        default=0, description="How many proxies stand before the server and set X-Forwarded headers."
    )
    sign_limit: Annotated[str, AfterValidator(_sign_limit)] = Field(
        default="5 per minute;50 per day", description="Signatures accepted from one network address. Empty: no limit."
    )
    mail_worker: Annotated[Literal["embedded", "external"], _choice("embedded", "external")] = Field(
        default="embedded",
        description="`embedded` sends mail from within the server; `external` leaves it to `flask mail work`.",
    )
    log_format: Annotated[Literal["console", "json"], _choice("console", "json")] = Field(
        default="console", description="`console` for people, `json` for machines."
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let what is passed win over the environment, and that over files."""
        return init_settings, env_settings, _FileSource(settings_cls)

    @classmethod
    def load(cls, **values: Any) -> Self:
        """Read the settings. Raises `ConfigError` with one line: the setting, its fault, the remedy."""
        try:
            return cls(**values)
        except ValidationError as error:
            first = error.errors()[0]
            name = setting_names(str(first["loc"][0]))[0]
            raise ConfigError(f"{name}: {first['msg'].removeprefix('Value error, ')}") from None

    def database(self) -> str:
        """The database's address, with the default filled in."""
        return self.database_url or f"sqlite:///{self.instance / 'campaign.sqlite3'}"

    def mail_folder(self) -> Path:
        """Where `file:` puts messages."""
        return self.instance / "mail"


def setting_names(field: str) -> list[str]:
    """The environment names that set `field`, the preferred one first."""
    known = Settings.model_fields.get(field)
    if known is not None and isinstance(known.validation_alias, AliasChoices):
        return [str(choice) for choice in known.validation_alias.choices]
    return [field if field.startswith("CAMPAIGN_") or field.isupper() else f"CAMPAIGN_{field.upper()}"]


def unknown_settings(environment: Iterable[str]) -> list[str]:
    """The CAMPAIGN_ names in `environment` that set nothing, misspelt ones for instance."""
    known = {name for field in Settings.model_fields for name in setting_names(field)}
    known |= {f"{name}_FILE" for name in known}
    return sorted(name for name in environment if name.startswith("CAMPAIGN_") and name not in known)


def _read(name: str, path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigError(f"{name}_FILE: {path} cannot be read ({error.strerror}); name a readable file") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{name}_FILE: {path} is no UTF-8 text; name a text file") from None
