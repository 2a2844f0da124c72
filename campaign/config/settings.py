"""Settings: every setting once, with its name, default and help."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, AliasChoices, BeforeValidator, Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from campaign.config import validators
from campaign.errors import ConfigError

BACKGROUND_CONNECTIONS = 8  # for the mail worker, maintenance, and pages made in advance
SERVER_CONNECTIONS = 39  # of one server to PostgreSQL, which has 100 as installed, some of them for its operator
MIN_CONNECTIONS = 4  # of one process, whatever is set: `flask init` uses several
MAX_REMINDER_HOURS = 600  # of the 720 that a link lives


class _FileSource(PydanticBaseSettingsSource):
    """Reads setting NAME from the file that NAME_FILE points to, as container secrets do it."""

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:
        for name in setting_names(field_name):
            if name not in os.environ and (path := os.environ.get(f"{name}_FILE")):
                return _read(name, Path(path)), field_name, False
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        fields = (self.get_field_value(field, name) for name, field in self.settings_cls.model_fields.items())
        return {name: value for value, name, _ in fields if value is not None}


class Settings(BaseSettings):
    """What a deployer may set. Each is read from the environment, or from the file named in NAME_FILE."""

    model_config = SettingsConfigDict(
        env_prefix="CAMPAIGN_", hide_input_in_errors=True, frozen=True, populate_by_name=True, extra="ignore"
    )

    instance: Annotated[Path, BeforeValidator(validators.directory), AfterValidator(Path.absolute)] = Field(
        default=Path("instance"), description="Folder for the campaign's data."
    )
    database_url: Annotated[str, AfterValidator(validators.database_url)] = Field(
        default="",
        validation_alias=AliasChoices("CAMPAIGN_DATABASE_URL", "DATABASE_URL"),
        description="`postgresql://user:password@host/name`. Empty: SQLite in the instance folder.",
    )
    bind: Annotated[str, AfterValidator(validators.bind)] = Field(
        default="",
        validate_default=True,
        validation_alias=AliasChoices("CAMPAIGN_BIND", "PORT"),
        description="Where `campaign serve` listens: `127.0.0.1:8000`, `0.0.0.0:8000`, or a socket for a proxy on the "
        "same machine: `unix:/run/campaign/app.sock`.",
    )
    workers: Annotated[int, validators.whole_number("processes", most=64)] = Field(
        default=0,
        description="Number of server processes. 0: one for each processor if there is Redis, else a single one, since "
        "without Redis each counts towards the limits by itself.",
    )
    threads: Annotated[int, validators.whole_number("threads", least=1, most=128)] = Field(
        default=16, description="Requests that one server process works on at the same time."
    )
    database_pool: Annotated[int, validators.whole_number("connections", most=1000)] = Field(
        default=0,
        description="The most database connections of a server process. 0: 8 more than threads; on PostgreSQL, at most "
        "39 for all processes together, so that two servers stay below 80 of its usual 100.",
    )
    database_timeout: Annotated[int, validators.whole_number("seconds", least=1, most=600)] = Field(
        default=5,
        description="Seconds that a server waits for a statement of PostgreSQL before it asks visitors to try again.",
    )
    pgbouncer: Annotated[Literal["yes", "no"], validators.choice("yes", "no")] = Field(
        default="no",
        description="`yes` if PgBouncer, in transaction mode, is between the server and PostgreSQL.",
    )
    redis_url: Annotated[str, AfterValidator(validators.redis_url)] = Field(
        default="",
        validation_alias=AliasChoices("CAMPAIGN_REDIS_URL", "REDIS_URL"),
        description="`redis://host:port/0`, through which several server processes share their limits. Empty: memory.",
    )
    mail_url: Annotated[str, AfterValidator(validators.mail_url)] = Field(
        default="file:",
        description="`file:` writes one `.eml` file per message to `<instance>/mail`; `smtp://user:password@host:port` "
        "(STARTTLS required unless the host is loopback); `smtps://…`. Add `?from=name@example.org` for the sender.",
    )
    public_url: Annotated[str, AfterValidator(validators.public_url)] = Field(
        default="",
        validate_default=True,
        description="The public URL, used in emails and share links. Empty: `http://127.0.0.1:8000`.",
    )
    secret_key: Annotated[str, AfterValidator(validators.secret)] = Field(
        default="",
        description="The server's secret key, at least 32 characters. Empty: created in the instance folder.",
    )
    proxies: Annotated[int, validators.whole_number("proxies", most=9)] = Field(
        default=0, description="Number of proxies in front of the server that set X-Forwarded headers."
    )
    sign_limit: Annotated[str, AfterValidator(validators.sign_limit)] = Field(
        default="5 per minute;50 per day", description="Signatures accepted from one network address. Empty: no limit."
    )
    trusted_networks: Annotated[str, AfterValidator(validators.trusted_networks)] = Field(
        default="",
        description="Networks of schools or offices with their own limits: "
        "`203.0.113.0/24=500 per hour; 2001:db8::/32=1000 per hour`. The whole network counts as one.",
    )
    film: Annotated[str, AfterValidator(validators.film)] = Field(
        default="",
        description="The film: the name of an imported one (`flask film import`), `youtube:ID` or `vimeo:ID`. "
        "Empty: the default film.",
    )
    films_url: Annotated[str, AfterValidator(validators.films_url)] = Field(
        default="",
        description="Where browsers load the video files of an imported film from: a URL that has the content of "
        "`<instance>/films`, such as object storage or a CDN. Empty: from this server.",
    )
    mail_worker: Annotated[Literal["embedded", "external"], validators.choice("embedded", "external")] = Field(
        default="embedded",
        description="`embedded` sends email from the server process; `external` needs a separate `flask mail work`.",
    )
    reminder_hours: Annotated[int, validators.whole_number("hours", most=MAX_REMINDER_HOURS)] = Field(
        default=0,
        description="Hours to wait before sending one reminder to supporters who have not confirmed. 0: never. "
        "Until then their email addresses are stored, readable with the server's secret key.",
    )
    domain_limit: Annotated[int, validators.whole_number("emails", most=1_000_000)] = Field(
        default=500,
        description="Emails per day (UTC) to one mail domain; further ones wait "
        "until the next day. Large public providers have no limit. 0: no limit.",
    )
    access_log: Annotated[Literal["yes", "no"], validators.choice("yes", "no")] = Field(
        default="yes",
        description="`yes` logs each request but those for files and for pages from memory: endpoint, status and time "
        "in milliseconds, without addresses or tokens.",
    )
    metrics_token: Annotated[str, AfterValidator(validators.metrics_token)] = Field(
        default="",
        description="What Prometheus must send as bearer token to read `/metrics`, at least 16 characters. Empty: only "
        "programs on the same machine may read them.",
    )
    sentry_dsn: Annotated[str, AfterValidator(validators.sentry_dsn)] = Field(
        default="",
        description="The DSN of a project of Sentry that gets the kind of each error and its place in the code, and "
        "nothing about visitors. It needs the extra `sentry`. Empty: no reports.",
    )
    log_format: Annotated[Literal["console", "json"], validators.choice("console", "json")] = Field(
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
        """Return the sources by precedence: arguments, the environment, then files."""
        return init_settings, env_settings, _FileSource(settings_cls)

    @classmethod
    def load(cls, **values: Any) -> Self:
        """Read the settings. Raises `ConfigError` with one line: the setting, its fault, the remedy."""
        try:
            return cls(**values)
        except ValidationError as error:
            first = error.errors()[0]
            names = setting_names(str(first["loc"][0]))
            name = next((name for name in names if name in os.environ), names[0])
            raise ConfigError(f"{name}: {first['msg'].removeprefix('Value error, ')}") from None

    def database(self) -> str:
        """The database's address, with the default filled in."""
        return self.database_url or f"sqlite:///{self.instance / 'campaign.sqlite3'}"

    def worker_count(self) -> int:
        """How many server processes there are."""
        return self.workers or (len(os.sched_getaffinity(0)) if self.redis_url else 1)

    def connection_count(self) -> int:
        """How many database connections one server process may have."""
        wanted = self.threads + BACKGROUND_CONNECTIONS
        if self.database_pool or not self.database_url.startswith("postgresql"):
            return max(self.database_pool or wanted, MIN_CONNECTIONS)
        return max(min(wanted, SERVER_CONNECTIONS // self.worker_count()), MIN_CONNECTIONS)

    def films_folder(self) -> Path:
        """Where imported films are."""
        return self.instance / "films"

    def mail_folder(self) -> Path:
        """Where `file:` puts messages."""
        return self.instance / "mail"


def setting_names(field: str) -> list[str]:
    """The environment names that set `field`, the preferred one first."""
    for name, info in Settings.model_fields.items():
        if isinstance(info.validation_alias, AliasChoices):
            choices = [str(choice) for choice in info.validation_alias.choices]
            if field in (name, choices[0]):  # an error names the first choice instead of the field
                return choices
    return [field if field.startswith("CAMPAIGN_") or field.isupper() else f"CAMPAIGN_{field.upper()}"]


def unknown_settings(environment: Iterable[str]) -> list[str]:
    """The CAMPAIGN_ names in `environment` that set nothing, misspelt ones for instance."""
    names = {name for field in Settings.model_fields for name in setting_names(field)}
    names |= {f"{name}_FILE" for name in names}
    return sorted(name for name in environment if name.startswith("CAMPAIGN_") and name not in names)


def _read(name: str, path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigError(f"{name}_FILE: {path} cannot be read ({error.strerror}); choose a readable file") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{name}_FILE: {path} is not UTF-8 text; choose a text file") from None
