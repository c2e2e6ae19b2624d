"""Settings: each has a default, a range and help; a bad value is named; `.env.example` shows them all."""

from pathlib import Path
from urllib.parse import quote

import pytest
from sqlalchemy.engine import make_url

from bot.database.shards import Shards
from bot.settings import SETTINGS, Settings, env_example
from engine.errors import BadSetting

ROOT = Path(__file__).parents[2]


def test_everything_has_a_default_but_there_is_no_token() -> None:
    settings = Settings.read({})
    assert settings.discord_token == ""
    assert settings.database_url == f"sqlite+aiosqlite:///{settings.data_dir}/oneiro.db"
    assert (settings.dream_model, settings.dream_steps) == ("auto", None)
    assert settings.discord_api_url == "https://discord.com/api/v10"


def test_every_default_is_in_its_own_range_and_every_help_is_a_sentence() -> None:
    for setting in SETTINGS:
        if str(setting.default or ""):
            assert setting.read({setting.key: str(setting.default)}) == setting.default, setting.key
        assert setting.help.endswith(".") and setting.allowed and "\n" not in setting.help


def test_env_example_is_what_the_settings_say() -> None:
    text = (ROOT / ".env.example").read_text()
    assert text == env_example()
    for setting in SETTINGS:
        assert f"{setting.key}=" in text and setting.help in text


def test_env_example_as_it_stands_means_the_defaults(tmp_path: Path) -> None:
    from dotenv import dotenv_values

    lines = (ROOT / ".env.example").read_text().replace("# D", "D").replace("# L", "L").replace("# W", "W")
    assignments = [line.removeprefix("# ") for line in lines.splitlines() if "=" in line.split(" ")[0]]
    (tmp_path / ".env").write_text("\n".join(assignments))
    values = {key: value or "" for key, value in dotenv_values(tmp_path / ".env").items()}
    assert Settings.read(values) == Settings.read({})


@pytest.mark.parametrize(
    ("key", "value", "allowed"),
    [
        ("FRAME_PACE_S", "0", "1 to 60"),
        ("FRAME_PACE_S", "soon", "1 to 60"),
        ("FRAME_PACE_S", "nan", "1 to 60"),
        ("DREAM_STEPS", "0", "1 to 5000"),
        ("DREAM_STEPS", "many", "1 to 5000"),
        ("DREAM_MODEL", "dall-e", "auto, pocket"),
        ("WAITING_PER_PERSON", "-1", "1 to 100"),
        ("ENGINE_WORKERS", "-1", "auto, or a whole number from 0 to 64"),
        ("ENGINE_WORKERS", "two", "auto, or a whole number from 0 to 64"),
        ("ENGINE_WORKERS", "1.5", "auto, or a whole number from 0 to 64"),
        ("DISCORD_API_URL", "discord.com", "https or http"),
        ("DISCORD_GATEWAY_URL", "https://discord.gg", "wss or ws"),
        ("DISCORD_API_URL", "http://[", "https or http"),
        ("DATABASE_URL", "mysql://localhost/x", "sqlite:/// or postgres://"),
        ("LOG_LEVEL", "loud", "DEBUG, INFO"),
        ("PAGE_ADDRESS", "my-machine", "in numbers"),
        ("PAGE_PASSWORD", "short", "8 to 200 characters"),
        ("PAGE_URL", "dreams.example", "https or http"),
    ],
)
def test_a_bad_value_is_named_with_key_and_range(key: str, value: str, allowed: str) -> None:
    with pytest.raises(BadSetting) as caught:
        Settings.read({key: value})
    assert key in str(caught.value) and allowed in str(caught.value)


@pytest.mark.parametrize(
    ("environ", "is_open"),
    [
        ({}, False),
        ({"PAGE_ADDRESS": "127.0.0.1", "PAGE_PASSWORD": "a password"}, False),
        ({"PAGE_ADDRESS": "0.0.0.0", "PAGE": "off"}, True),
        ({"PAGE_ADDRESS": "0.0.0.0", "PAGE_PASSWORD": "a password"}, True),
        ({"PAGE_ADDRESS": "::", "PAGE_PASSWORD": "a password"}, True),
        ({"PAGE_URL": "https://dreams.example/", "PAGE_PASSWORD": "a password"}, True),
    ],
)
def test_the_local_channel_is_open_to_others_where_somebody_said_so(
    environ: dict[str, str], is_open: bool
) -> None:
    assert Settings.read(environ).opens_page is is_open


@pytest.mark.parametrize(
    "environ", [{"PAGE_ADDRESS": "0.0.0.0"}, {"PAGE_ADDRESS": "::"}, {"PAGE_URL": "https://dreams.example"}]
)
def test_it_is_never_opened_without_a_password(environ: dict[str, str]) -> None:
    with pytest.raises(BadSetting, match="PAGE_PASSWORD"):
        Settings.read(environ)
    with pytest.raises(BadSetting, match="8 to 200 characters") as caught:
        Settings.read(environ | {"PAGE_PASSWORD": "hunter2"})
    assert "hunter2" not in str(caught.value)
    assert "hunter22" not in repr(Settings.read(environ | {"PAGE_PASSWORD": "hunter22"}))


@pytest.mark.parametrize("key", ["DISCORD_TOKEN", "DATABASE_URL"])
def test_a_secret_is_never_repeated(key: str) -> None:
    with pytest.raises(BadSetting) as caught:
        Settings.read({key: "secret with spaces"})
    assert "secret" not in str(caught.value)
    assert "hunter2" not in repr(Settings.read({"DISCORD_TOKEN": "hunter2"}))


@pytest.mark.parametrize(("written", "count"), [("", 1), ("4", 4), ("auto", None)])
def test_one_engine_dreams_unless_somebody_says_otherwise(written: str, count: int | None) -> None:
    assert Settings.read({"ENGINE_WORKERS": written}).engine_workers == count


@pytest.mark.parametrize(("written", "most"), [("", None), ("auto", None), ("3", 3)])
def test_of_a_cluster_all_is_used_unless_somebody_says_otherwise(
    written: str, most: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Settings.read({"RAY_ADDRESS": "head:6379"}).needs is None
    monkeypatch.setattr("engine.cluster.needs.find_spec", lambda name: object())
    environ = {"ENGINE": "ray", "RAY_ADDRESS": "head:6379", "ENGINE_WORKERS": written}
    needs = Settings.read(environ | {"ENGINE_SILENCE_S": "60"}).needs
    assert needs is not None
    assert (needs.address, needs.most, needs.silence_s) == ("head:6379", most, 60)


def test_blank_means_the_default() -> None:
    assert Settings.read({"FRAME_PACE_S": "  ", "DREAM_STEPS": ""}) == Settings.read({})


def test_sqlite_may_be_written_as_hosts_do(tmp_path: Path) -> None:
    settings = Settings.read({"DATABASE_URL": f"sqlite:///{tmp_path}/x.db"})
    assert settings.database_url == f"sqlite+aiosqlite:///{tmp_path}/x.db"


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+asyncpg"])
def test_postgres_as_hosts_write_it_gets_its_driver(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.settings.find_spec", lambda name: object())
    # What Neon appends; asyncpg knows nothing of channel binding.
    tail = "sslmode=require&channel_binding=require"
    settings = Settings.read({"DATABASE_URL": f"{scheme}://u:p@db.example:5432/x?{tail}"})
    assert settings.database_url == "postgresql+asyncpg://u:p@db.example:5432/x?sslmode=require"


@pytest.mark.parametrize("tail", ["sslmode=hunter2", "ssl_mode=require", "hunter2=1"])
def test_what_stands_behind_an_address_is_checked(tail: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.settings.find_spec", lambda name: object())
    with pytest.raises(BadSetting, match="sslmode") as caught:
        Settings.read({"DATABASE_URL": f"postgres://u:p@db.example/x?{tail}"})
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "password",
    [
        "a/b",
        "a@b",
        "@",
        "a:b",
        "a#b",
        "a?b",
        "a%b",
        "100%",
        "%zz",
        "/@:#?%",
        "a b",
        "ä€",
        "a&b=c",
        "[x]",
        "a\\b",
        "+",
    ],
)
@pytest.mark.parametrize(
    "place", ["db.example:5432/x", "db.example/x?sslmode=require", "db.example", "/x?host=/run"]
)
def test_a_password_may_be_written_as_it_is(password: str, place: str) -> None:
    pytest.importorskip("asyncpg")
    for written in (password, quote(password, safe="")):
        url = make_url(Settings.read({"DATABASE_URL": f"postgres://me:{written}@{place}"}).database_url)
        assert (url.username, url.password) == ("me", password)
        assert url.host == ("db.example" if place.startswith("db") else None)


@pytest.mark.parametrize("rest", ["me:hunter2@db?x@db.example/x", "me:hunter2@/x?host=a@b"])
def test_what_can_be_read_in_two_ways_is_asked_for_anew_without_being_shown(rest: str) -> None:
    with pytest.raises(BadSetting, match="more than one way; please write %40 for @, %2F for /") as caught:
        Settings.read({"DATABASE_URL": f"postgres://{rest}"})
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("rest", ["me:hunter2@db:port/x", "me:hunter2@db/x/y", "me:hunter2@db/x#y"])
def test_an_address_that_is_none_says_how_to_write_a_password(rest: str) -> None:
    with pytest.raises(BadSetting, match="%2F for /") as caught:
        Settings.read({"DATABASE_URL": f"postgres://{rest}"})
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("said", "kept"), [("true", True), ("1", True), ("YES", True), ("false", False), ("0", False)]
)
def test_a_pooler_before_the_server_is_said_by_the_address(said: str, kept: bool) -> None:
    pytest.importorskip("asyncpg")
    url = Settings.read({"DATABASE_URL": f"postgres://u:p@db.example/x?pgbouncer={said}"}).database_url
    assert url.endswith("/x?pgbouncer=true" if kept else "/x")
    with pytest.raises(BadSetting, match="pgbouncer in DATABASE_URL must be true or false"):
        Settings.read({"DATABASE_URL": "postgres://u:p@db.example/x?pgbouncer=perhaps"})


def test_postgres_without_its_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.settings.find_spec", lambda name: None)
    with pytest.raises(BadSetting, match="pip install asyncpg"):
        Settings.read({"DATABASE_URL": "postgres://u:hunter2@db.example/x"})


POSTGRES = {"DATABASE_URL": "postgres://u@db.example/x"}


@pytest.mark.parametrize(
    ("ids", "found"),
    [("0-7", set(range(8))), ("0-3,8", {0, 1, 2, 3, 8}), (" 5 , 2-2", {2, 5}), ("15", {15})],
)
def test_shards_are_spread_by_numbers_and_spans(ids: str, found: set[int]) -> None:
    pytest.importorskip("asyncpg")
    settings = Settings.read({**POSTGRES, "SHARD_COUNT": "16", "SHARD_IDS": ids})
    assert settings.shards == Shards(16, frozenset(found)) and not settings.shards.are_all


def test_without_a_word_on_shards_one_process_has_them_all() -> None:
    assert Settings.read({}).shards.are_all and Settings.read({}).shard_count is None
    assert Settings.read({"SHARD_COUNT": "4"}).shards == Shards(4, frozenset(range(4)))
    assert Settings.read({"SHARD_COUNT": "4", "SHARD_IDS": "0-3"}).shards.are_all


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"SHARD_IDS": "0-7"}, "SHARD_IDS needs SHARD_COUNT"),
        ({"SHARD_COUNT": "8", "SHARD_IDS": "0-8"}, "names shard 8, but SHARD_COUNT=8 makes 7 the last one"),
        ({"SHARD_COUNT": "8", "SHARD_IDS": "7-0"}, "such as 0-7 or 0-3,8"),
        ({"SHARD_COUNT": "8", "SHARD_IDS": "-1"}, "such as 0-7 or 0-3,8"),
        ({"SHARD_COUNT": "8", "SHARD_IDS": "0-999999999999"}, "such as 0-7 or 0-3,8"),
        ({"SHARD_COUNT": "8", "SHARD_IDS": "all"}, "such as 0-7 or 0-3,8"),
        ({"SHARD_COUNT": "0"}, "a whole number from 1 to 16384"),
        (
            {"SHARD_COUNT": "8", "SHARD_IDS": "0-3"},
            "one PostgreSQL database together",
        ),
        ({"ENGINE_WORKERS": "0"}, "ENGINE_WORKERS=0 leaves all dreams to other processes"),
    ],
)
def test_shards_that_do_not_fit_are_told_in_a_sentence(said: dict[str, str], sentence: str) -> None:
    with pytest.raises(BadSetting, match=sentence):
        Settings.read(said)
