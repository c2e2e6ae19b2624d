"""The bot's settings, each with its range and help: one `Settings` value from the environment and `.env`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from bot.database.shards import ALL_SHARDS, Shards
from bot.objects.address import OBJECT_SETTINGS, ObjectsAddress
from engine.cluster.needs import CLUSTER_SETTINGS, Needs
from engine.data_dir import DATABASE, data_dir
from engine.errors import BadSetting
from engine.ranges import Whole, Written
from engine.settings import (
    DATA_DIR,
    DREAM_CLIP,
    DREAM_MODEL,
    MAX_STEPS,
    MODEL_MIRRORS,
    OFFLINE,
    Setting,
    choice,
    number,
    whole,
)

# What hosts and people write → the driver that SQLAlchemy needs.
_DRIVERS: dict[str, str] = {
    "sqlite": "sqlite+aiosqlite",
    "sqlite+aiosqlite": "sqlite+aiosqlite",
    "postgres": "postgresql+asyncpg",
    "postgresql": "postgresql+asyncpg",
    "postgresql+asyncpg": "postgresql+asyncpg",
}

# What may stand behind the ? of a server's address, as libpq, PostgreSQL's own library, knows it …
_SERVER_OPTIONS = frozenset(
    {"host", "port", "user", "password", "passfile", "sslmode", "sslrootcert", "sslcert", "sslkey", "sslcrl"}
    | {"sslpassword", "target_session_attrs", "application_name", "options"}
)
_SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
# … and what hosts append although it only concerns libpq or other programs' libraries.
_OTHERS_OPTIONS = ("channel_binding", "connect_timeout", "connection_limit", "gssencmode")
# What hosts append where a pooler that lends a connection for one transaction stands before the server.
POOLED = "pgbouncer"
_TRUTH = {"true": "true", "1": "true", "yes": "true", "on": "true", "false": "", "0": "", "no": "", "off": ""}
# Behind the name and the password: the server, the database, the options.
_PLACE = re.compile(r"[^@/?#]*(/[^@/?#]*)?(\?.*)?")
_ESCAPES = "please write %40 for @, %2F for /, %3A for :, %3F for ?, %23 for # and %25 for % in its password"


def _address(key: str, default: str, schemes: tuple[str, ...], help: str) -> Setting[str]:
    def fits(text: str) -> bool:
        parts = urlsplit(text)  # a ValueError for a broken one
        return parts.scheme in schemes and bool(parts.hostname)

    allowed = f"an address with {' or '.join(schemes)}"
    return Setting(key, default, help, Written(allowed, lambda text: text.rstrip("/"), fits))


@dataclass(frozen=True, slots=True)
class Listen:
    """Where a server of ours is reached; falsy: nowhere."""

    host: str = ""
    port: int = 0

    def __bool__(self) -> bool:
        return bool(self.port)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @classmethod
    def parse(cls, text: str) -> "Listen":
        """Raises `ValueError`."""
        parts = urlsplit(f"//{text}")
        return cls(parts.hostname or "", parts.port or 0)


def _listen(key: str, default: Listen, help: str) -> Setting[Listen]:
    allowed = "an address of this machine and a port, such as 127.0.0.1:8090 or 0.0.0.0:8090"
    return Setting(
        key, default, help, Written(allowed, Listen.parse, lambda value: bool(value.host and value.port))
    )


DISCORD_TOKEN = Setting(
    "DISCORD_TOKEN",
    "",
    "The bot's token, from https://discord.com/developers/applications (Bot, Reset Token).",
    Written(
        "the token that Discord shows under Bot, without spaces",
        str,
        lambda value: value.isascii() and value.isprintable() and " " not in value,
    ),
    secret=True,
)
DISCORD_API_URL = _address(
    "DISCORD_API_URL",
    "https://discord.com/api/v10",
    ("https", "http"),
    "Discord's REST address; another one for a proxy or a Discord-compatible server.",
)
DISCORD_GATEWAY_URL = _address(
    "DISCORD_GATEWAY_URL",
    "wss://gateway.discord.gg",
    ("wss", "ws"),
    "Discord's gateway address; another one for a proxy or a Discord-compatible server.",
)
DISCORD_CDN_URL = _address(
    "DISCORD_CDN_URL",
    "https://cdn.discordapp.com",
    ("https", "http"),
    "Where Discord keeps pictures; another one for a proxy or a Discord-compatible server.",
)
DATABASE_URL = Setting(
    "DATABASE_URL",
    "",
    "The database: sqlite:///… or postgres://…; blank: the file oneiro.db in DATA_DIR.",
    Written(
        "blank, or an address that begins with sqlite:/// or postgres://",
        str,
        lambda value: value.partition("://")[0] in _DRIVERS,
    ),
    secret=True,  # it may hold a password
)
_SHARDS = Whole(1, 16384)
SHARD_COUNT: Setting[int | None] = Setting(
    "SHARD_COUNT",
    None,
    "Shards in all, the same for every process; blank: as many as Discord recommends, all in this process.",
    Written(f"blank, or {_SHARDS.allowed}", int, lambda value: value is None or _SHARDS.fits(value)),
)


def _shard_ids(text: str) -> frozenset[int]:
    """Raises `ValueError`."""
    found: set[int] = set()
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        numbers = range(int(first), int(last if dash else first) + 1)
        if not numbers or not 0 <= numbers[0] <= numbers[-1] < _SHARDS.high:
            raise ValueError(part)
        found.update(numbers)
    return frozenset(found)


SHARD_IDS: Setting[frozenset[int] | None] = Setting(
    "SHARD_IDS",
    None,
    "Which of the shards this process has, such as 0-7; others have the others. Blank: all.",
    Written("blank, or numbers from 0 and spans of them, such as 0-7 or 0-3,8", _shard_ids),
)
_STEPS = Whole(1, MAX_STEPS)
DREAM_STEPS: Setting[int | None] = Setting(
    "DREAM_STEPS",
    None,
    "Steps of a dream that names none; blank: what suits the model.",
    Written(f"blank, or {_STEPS.allowed}", int, lambda value: value is None or _STEPS.fits(value)),
)
ENGINE = choice(
    "ENGINE",
    "local",
    ("local", "ray"),
    "Where dreams are dreamt: local, on this machine; ray, on a cluster (a blank ENGINE_WORKERS means auto).",
)
_WORKERS = Whole(0, 64)
ENGINE_WORKERS: Setting[int | None] = Setting(
    "ENGINE_WORKERS",
    1,
    "Dreams at the same time, each with a GPU or a share of the cores; auto: one a GPU; 0: others dream.",
    Written(
        f"auto, or {_WORKERS.allowed}",
        lambda text: None if text == "auto" else int(text),
        lambda value: value is None or _WORKERS.fits(value),
    ),
)
WAITING_PER_PERSON = whole(
    "WAITING_PER_PERSON", 3, 1, 100, "How many dreams one person may have waiting in line."
)
WAITING_IN_ALL = whole("WAITING_IN_ALL", 100, 1, 10000, "How many dreams may wait in line altogether.")
FRAME_PACE_S = number(
    "FRAME_PACE_S", 4, 1, 60, "Seconds between two pictures of a dream in the channel; Discord limits edits."
)
ENGINE_SILENCE_S = number(
    "ENGINE_SILENCE_S",
    300,
    5,
    3600,
    "Seconds without a sign of life after which the engine is taken to hang and is started anew.",
)
LEASE_S = number(
    "LEASE_S",
    60,
    5,
    3600,
    "Seconds after which another process may take over the dream of a process that vanished.",
)
KEEP_DAYS = whole(
    "KEEP_DAYS",
    30,
    1,
    3650,
    "Days for which one can go on from a dream and see its time-lapse; its picture: see KEEP_PICTURE_DAYS.",
)
_DAYS = Whole(1, 36500)
KEEP_PICTURE_DAYS: Setting[int | None] = Setting(
    "KEEP_PICTURE_DAYS",
    None,
    "Days for which pictures are kept, and those that people gave; blank: as long as KEEP_MB has room.",
    Written(f"blank, or {_DAYS.allowed}", int, lambda value: value is None or _DAYS.fits(value)),
)
KEEP_MB = whole(
    "KEEP_MB",
    20_000,
    10,
    100_000_000,
    "Megabytes kept in all, an object store's too; beyond, the oldest films and states go, then pictures.",
)
SPARE_MB = whole(
    "SPARE_MB",
    200,
    0,
    1_000_000,
    "Megabytes that stay free on the disk; with less, no new dreams are taken until there is room again.",
)
PAGE = choice(
    "PAGE",
    "auto",
    ("auto", "on", "off"),
    "The local channel, a page in this machine's browser: auto opens it where there is no DISCORD_TOKEN.",
)
_PORTS = Whole(1, 65535)
PORT: Setting[int | None] = Setting(
    "PORT",
    None,
    "The port of the local channel; blank: the first free one from 8320 on.",
    Written(f"blank, or {_PORTS.allowed}", int, lambda value: value is None or _PORTS.fits(value)),
)
PAGE_ADDRESS: Setting[str] = Setting(
    "PAGE_ADDRESS",
    "127.0.0.1",
    "The address where the local channel listens; 0.0.0.0 opens it to your network and needs PAGE_PASSWORD.",
    Written(
        "an address of this machine in numbers, such as 127.0.0.1, 192.168.1.5, 0.0.0.0 or ::",
        lambda text: str(ip_address(text)),
    ),
)
_PASSWORD_LENGTH = Whole(8, 200)  # characters
PAGE_PASSWORD = Setting(
    "PAGE_PASSWORD",
    "",
    "The password that people elsewhere need for the local channel; this machine itself needs none.",
    Written("blank, or 8 to 200 characters", str, lambda value: _PASSWORD_LENGTH.fits(len(value))),
    secret=True,
)
PAGE_URL = _address(
    "PAGE_URL",
    "",
    ("https", "http"),
    "The local channel's address in the web, where a proxy with TLS leads to it; blank: none.",
)
WALL_URL = _address(
    "WALL_URL",
    "",
    ("https", "http"),
    "The public wall's address in the web, as people type it; blank: no wall.",
)
WALL_LISTEN = _listen(
    "WALL_LISTEN",
    Listen("127.0.0.1", 8090),
    "Where the wall is served, for the proxy that WALL_URL leads to.",
)
STATUS_LISTEN = _listen(
    "STATUS_LISTEN",
    Listen(),
    "Where /healthz, /metrics and the status page are served; blank: nowhere.",
)
STATUS_ON_WALL = Setting(
    "STATUS_ON_WALL",
    False,
    "1: also serve /healthz, /metrics and the status page under WALL_URL, to everybody.",
    Written("blank, 1 or 0", lambda text: bool(("0", "1").index(text))),
)
LOG_FORMAT = choice(
    "LOG_FORMAT", "text", ("text", "json"), "How the log is written: for people, or one JSON object a line."
)
LOG_LEVEL = choice("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR"), "How much the log tells.")

SETTINGS: tuple[Setting[Any], ...] = (
    DISCORD_TOKEN,
    DREAM_MODEL,
    DREAM_CLIP,
    DREAM_STEPS,
    DATA_DIR,
    MODEL_MIRRORS,
    OFFLINE,
    DATABASE_URL,
    *OBJECT_SETTINGS,
    SHARD_COUNT,
    SHARD_IDS,
    ENGINE_WORKERS,
    ENGINE,
    *CLUSTER_SETTINGS,
    WAITING_PER_PERSON,
    WAITING_IN_ALL,
    FRAME_PACE_S,
    ENGINE_SILENCE_S,
    LEASE_S,
    KEEP_DAYS,
    KEEP_PICTURE_DAYS,
    KEEP_MB,
    SPARE_MB,
    PAGE,
    PORT,
    PAGE_ADDRESS,
    PAGE_PASSWORD,
    PAGE_URL,
    WALL_URL,
    WALL_LISTEN,
    STATUS_LISTEN,
    STATUS_ON_WALL,
    LOG_LEVEL,
    LOG_FORMAT,
    DISCORD_API_URL,
    DISCORD_GATEWAY_URL,
    DISCORD_CDN_URL,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Every setting of the bot, read and checked; the fields are the keys in lower case."""

    discord_token: str
    dream_model: str
    dream_clip: str  # read by the engine's process itself, as the next two are
    model_mirrors: tuple[str, ...]
    offline: bool
    dream_steps: int | None  # None: the model's own default
    data_dir: Path
    database_url: str  # as SQLAlchemy's asyncio engine wants it
    objects_url: str  # this and the next four are an object store's, see `objects`
    aws_endpoint_url: str
    aws_region: str
    aws_access_key_id: str
    aws_secret_access_key: str
    objects: ObjectsAddress  # falsy: there is none
    shard_count: int | None  # None: as many as Discord recommends
    shard_ids: frozenset[int] | None  # None: all
    shards: Shards  # what these two say
    engine_workers: int | None  # None: one a GPU
    engine: str
    ray_address: str  # this and the next two are a cluster's alone, see `needs`
    engine_gpus: float | None
    engine_cpus: int | None
    needs: Needs | None  # of the cluster's engines; None: there is no cluster
    waiting_per_person: int
    waiting_in_all: int
    frame_pace_s: float
    engine_silence_s: float
    lease_s: float
    keep_days: int
    keep_picture_days: int | None  # None: as long as there is room
    keep_mb: int
    spare_mb: int
    page: str
    port: int | None  # None: the first free one
    page_address: str
    page_password: str  # "": there is none
    page_url: str  # without a / at its end; "": there is no proxy
    wall_url: str  # without a / at its end; "": there is no wall
    wall_listen: Listen
    status_listen: Listen
    status_on_wall: bool
    log_level: str
    log_format: str
    discord_api_url: str
    discord_gateway_url: str
    discord_cdn_url: str

    @property
    def shows_page(self) -> bool:
        """Whether the local channel is opened."""
        return self.page == "on" or (self.page == "auto" and not self.discord_token)

    @property
    def opens_page(self) -> bool:
        """Whether others than this machine itself reach the local channel."""
        return bool(self.page_url) or not ip_address(self.page_address).is_loopback

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> "Settings":
        """All settings from a mapping such as `engine.settings.environment()`. Raises `BadSetting`."""
        values = {setting.key.lower(): setting.read(environ) for setting in SETTINGS}
        values["data_dir"] = data_dir(environ)
        values["database_url"] = _database(values["database_url"], values["data_dir"])
        values["objects"] = ObjectsAddress.read(environ)
        values["shards"] = _shards(values)
        values["needs"] = _needs(environ, values) if values["engine"] == "ray" else None
        settings = cls(**values)
        if settings.engine_workers == 0 and (settings.shards.are_all or settings.needs is not None):
            raise BadSetting(
                f"{ENGINE_WORKERS.key}=0 leaves all dreams to other processes, which have other shards; "
                f"please set {SHARD_IDS.key}, too, with {ENGINE.key}=local."
            )
        if settings.shows_page and settings.opens_page and not settings.page_password:
            key = PAGE_URL.key if settings.page_url else PAGE_ADDRESS.key
            raise BadSetting(f"{key} opens the local channel to others; please set {PAGE_PASSWORD.key}, too.")
        return settings

    def __repr__(self) -> str:
        return f"<Settings data_dir={str(self.data_dir)!r} dream_model={self.dream_model!r}>"  # no secrets


def _shards(values: Mapping[str, Any]) -> Shards:
    """Raises `BadSetting`."""
    count, ids = values["shard_count"], values["shard_ids"]
    if ids is None:
        return ALL_SHARDS if count is None else Shards(count, frozenset(range(count)))
    if count is None:
        raise BadSetting(f"{SHARD_IDS.key} needs {SHARD_COUNT.key}, too: how many shards there are in all.")
    if max(ids) >= count:
        last = f"{SHARD_COUNT.key}={count} makes {count - 1} the last one"
        raise BadSetting(f"{SHARD_IDS.key} names shard {max(ids)}, but {last}.")
    shards = Shards(count, ids)
    if not shards.are_all and make_url(values["database_url"]).get_backend_name() == "sqlite":
        raise BadSetting(
            f"{SHARD_IDS.key} leaves shards to other processes, which need one PostgreSQL database "
            f"together; please set {DATABASE_URL.key}."
        )
    return shards


def _needs(environ: Mapping[str, str], values: Mapping[str, Any]) -> Needs:
    """Of a cluster's engines. A cluster is there to be used: who names no number gets all of it."""
    named = bool(environ.get(ENGINE_WORKERS.key, "").strip())
    most = values["engine_workers"] if named else None
    return Needs.read(environ, most=most, silence_s=values["engine_silence_s"])


def env_example() -> str:
    """The text of `.env.example`: each setting's help, range and default; a test holds the file to it."""
    blocks = [
        "# Copy this file to .env and change what you need. Variables of the environment win over it.\n"
        "# Every line is optional; the value shown is the default.\n"
    ]
    for setting in SETTINGS:
        mark = "" if setting is DISCORD_TOKEN else "# "
        blocks.append(
            f"# {setting.help}\n# Allowed: {setting.allowed}.\n{mark}{setting.key}={setting.shown}".rstrip()
            + "\n"
        )
    return "\n".join(blocks)


def _database(text: str, data_dir: Path) -> str:
    """The address with the driver's name; the default lies in `data_dir`. Raises `BadSetting`."""
    if not text:
        return f"sqlite+aiosqlite:///{data_dir / DATABASE}"
    scheme, _, rest = text.partition("://")
    driver = _DRIVERS[scheme]
    is_server = driver == "postgresql+asyncpg"
    try:
        url = make_url(f"{driver}://{_escaped(rest) if is_server else rest}")
    except BadSetting:
        raise
    except (ArgumentError, ValueError) as error:
        more = f"; {_ESCAPES}" if is_server and "@" in rest else ""
        raise BadSetting(f"DATABASE_URL is not valid; it must be {DATABASE_URL.allowed}{more}.") from error
    if is_server:
        if find_spec("asyncpg") is None:
            raise BadSetting(
                "DATABASE_URL names a PostgreSQL database; please pip install asyncpg, which it needs."
            )
        url = _pooled(url.difference_update_query(_OTHERS_OPTIONS))
        if url.query.keys() - _SERVER_OPTIONS - {POOLED}:
            known = ", ".join(sorted(_SERVER_OPTIONS | {POOLED}))
            raise BadSetting(f"DATABASE_URL is not valid; behind its ? there may be: {known}.")
        if url.query.get("sslmode", "prefer") not in _SSL_MODES:
            raise BadSetting(f"sslmode in DATABASE_URL must be one of {', '.join(_SSL_MODES)}.")
    return url.render_as_string(hide_password=False)


def _escaped(rest: str) -> str:
    """What follows :// with every character of its name and password escaped that must be.

    Hosts and people write passwords as they are. Raises `BadSetting` where that can be read in several ways.
    """
    ends = [index for index, character in enumerate(rest) if character == "@"]
    fitting = [end for end in ends if _PLACE.fullmatch(rest, end + 1)]
    if len(fitting) > 1:
        raise BadSetting(f"DATABASE_URL can be read in more than one way; {_ESCAPES}.")
    if not fitting:
        if ends:
            raise ValueError("no place behind the password")
        return rest
    (end,) = fitting
    name, colon, password = rest[:end].partition(":")
    return "".join((quote(unquote(name), safe=""), colon, quote(unquote(password), safe=""), rest[end:]))


def _pooled(url: URL) -> URL:
    """With `POOLED` at most once and true, else without it. Raises `BadSetting`."""
    said = url.query.get(POOLED)
    url = url.difference_update_query((POOLED,))
    if said is None:
        return url
    truth = _TRUTH.get(str(said).lower())
    if truth is None:
        raise BadSetting(f"{POOLED} in DATABASE_URL must be true or false.")
    return url.update_query_dict({POOLED: truth}) if truth else url
