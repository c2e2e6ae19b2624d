"""HTTPS_PROXY and its kin: read as curl reads them, and used by whatever asks the web, with a real proxy."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.command_line.links import fetched
from engine.errors import BadRequest, BadSetting
from engine.models.download import FetchError
from engine.models.shop import Shop
from engine.proxies import check_proxies, proxy_for
from engine.settings import environment
from tests.engine.connect_proxy import ConnectProxy, proxying
from tests.engine.mirror import Mirror, serving
from tests.engine.models.test_download import get, model, weights

KEYS = [name for key in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY") for name in (key, key.lower())]


@pytest.fixture(autouse=True)
def no_other_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for key in KEYS:
        monkeypatch.delenv(key, raising=False)


@pytest.fixture
def proxy() -> Iterator[ConnectProxy]:
    with proxying("me:p@ss/word") as proxy:
        yield proxy


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[Mirror]:
    folder = tmp_path / "served"
    (folder / "toy").mkdir(parents=True)
    (folder / "toy" / "config.json").write_bytes(b"{}")
    (folder / "toy" / "model.safetensors").write_bytes(weights(10))
    with serving(folder) as mirror:
        yield mirror


def with_credentials(proxy: ConnectProxy) -> str:
    return f"http://me:p%40ss%2Fword@127.0.0.1:{proxy.port}"


@pytest.mark.parametrize(
    ("environ", "url", "expected"),
    [
        ({}, "https://a.example", None),
        ({"HTTPS_PROXY": "http://proxy:3128"}, "https://a.example", "http://proxy:3128"),
        ({"HTTPS_PROXY": "http://proxy:3128"}, "wss://a.example", "http://proxy:3128"),
        ({"HTTPS_PROXY": "http://proxy:3128"}, "http://a.example", None),
        ({"https_proxy": "proxy:3128"}, "https://a.example", "http://proxy:3128"),
        ({"https_proxy": "http://low", "HTTPS_PROXY": "http://high"}, "https://a.example", "http://low:80"),
        ({"http_proxy": "https://me:pw@proxy"}, "ws://a.example", "https://proxy:443"),
        ({"ALL_PROXY": "http://[::1]:8080/"}, "https://a.example", "http://[::1]:8080"),
        ({"ALL_PROXY": "http://p", "NO_PROXY": "*"}, "https://a.example", None),
        ({"ALL_PROXY": "http://p", "NO_PROXY": "b.example, .example"}, "https://a.example", None),
        ({"ALL_PROXY": "http://p", "no_proxy": "example"}, "https://a.example", None),
        ({"ALL_PROXY": "http://p", "no_proxy": "ample"}, "https://a.example", "http://p:80"),
        ({"ALL_PROXY": "http://p", "NO_PROXY": "a.example:8443"}, "https://a.example:8443", None),
        ({"ALL_PROXY": "http://p", "NO_PROXY": "a.example:8443"}, "https://a.example", "http://p:80"),
        ({"ALL_PROXY": "http://p", "NO_PROXY": "127.0.0.0/8,::1"}, "http://127.0.0.1:8000", None),
        ({"ALL_PROXY": "http://p", "NO_PROXY": "localhost,::1"}, "ws://[::1]:8000", None),
        ({"ALL_PROXY": "http://p", "NO_PROXY": "localhost"}, "ws://localhost:8000", None),
        ({"ALL_PROXY": "http://p", "NO_PROXY": "10.0.0.0/8"}, "http://127.0.0.1", "http://p:80"),
    ],
)
def test_an_address_has_the_proxy_that_the_environment_names(
    environ: dict[str, str], url: str, expected: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key, value in environ.items():
        monkeypatch.setenv(key, value)
    found = proxy_for(url)
    assert (found and found.address) == expected


@pytest.mark.parametrize(
    "address",
    ["socks5://me:hunter2@p", "http://", "http://me:hunter2@p:port", "http://me:hunter2@p:0", "ftp://p", "http://a/b",
     "http://me:hunter2/@p", "http://[::1", "http://" + "a" * 70],
)  # fmt: skip
def test_a_bad_address_of_a_proxy_is_a_sentence(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", address)
    for ask in (check_proxies, lambda: proxy_for("https://a.example"), lambda: Shop.read({})):
        with pytest.raises(
            BadSetting, match=r"^The address of the proxy is not valid; HTTPS_PROXY"
        ) as caught:
            ask()
        assert "hunter2" not in str(caught.value)


def test_its_name_and_password_are_read_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://m%40e:p%2Fw@proxy:1")
    found = proxy_for("https://a.example")
    assert found is not None and (found.name, found.password) == ("m@e", "p/w")
    assert "p/w" not in repr(found) + found.address


def test_a_proxy_in_the_settings_file_holds_for_every_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://outside")
    (tmp_path / ".env").write_text("HTTPS_PROXY=http://inside\nhttp_proxy=http://inside\n")
    monkeypatch.setattr(os, "environ", os.environ.copy())
    environment(tmp_path)
    assert {key: os.environ[key] for key in KEYS if key in os.environ} == {
        "HTTPS_PROXY": "http://inside",
        "HTTP_PROXY": "http://outside",
    }


def test_models_come_through_the_proxy(
    proxy: ConnectProxy, mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = Shop((mirror.url,), pause_s=0.0)
    monkeypatch.setenv("http_proxy", proxy.url)
    with pytest.raises(FetchError, match="answered 407"):
        get(model(), tmp_path / "models", shop)
    monkeypatch.setenv("http_proxy", with_credentials(proxy))
    get(model(), tmp_path / "models", shop)
    assert proxy.asked[-1] == f"GET {mirror.url}/toy/model.safetensors"
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    proxy.asked.clear()
    get(model(), tmp_path / "others", shop)
    assert proxy.asked == []


def test_a_picture_comes_through_the_proxy_which_finds_the_name(
    proxy: ConnectProxy, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = int(mirror.url.rpartition(":")[2])
    proxy.leads["pictures.example"] = ("127.0.0.1", port)
    monkeypatch.setenv("HTTP_PROXY", with_credentials(proxy))
    assert fetched("http://pictures.example/toy/config.json?a=1") == b"{}"
    assert proxy.asked == ["GET http://pictures.example/toy/config.json?a=1"]


def test_a_picture_by_https_asks_the_proxy_to_connect(
    proxy: ConnectProxy, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", with_credentials(proxy))
    proxy.leads["pictures.example"] = ("127.0.0.1", int(mirror.url.rpartition(":")[2]))
    with pytest.raises(BadRequest, match=r"cannot be fetched from pictures\.example"):
        fetched("https://pictures.example/x.png")  # the mirror speaks no TLS
    assert proxy.asked == ["CONNECT pictures.example:443"]
    proxy.leads["pictures.example"] = ("127.0.0.1", 9)
    with pytest.raises(BadRequest, match=rf"{proxy.url} does not connect to .*: it answered 502"):
        fetched("https://pictures.example/x.png")
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    with pytest.raises(BadRequest, match="it answered 407"):
        fetched("https://pictures.example/x.png")


def test_a_proxy_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://me:hunter2@127.0.0.1:9")
    with pytest.raises(BadRequest, match=r"^The proxy http://127\.0\.0\.1:9 cannot be reached\.$"):
        fetched("https://pictures.example/x.png")
    monkeypatch.setenv("HTTPS_PROXY", "https://127.0.0.1:9")
    with pytest.raises(BadRequest, match=r"^The proxy https://127\.0\.0\.1:9 cannot be reached\.$"):
        fetched("https://pictures.example/x.png")
    monkeypatch.setenv("HTTPS_PROXY", "nonsense://x")
    with pytest.raises(BadSetting, match="address of the proxy is not valid"):
        fetched("https://pictures.example/x.png")
