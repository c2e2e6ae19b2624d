"""The local channel that is open to others: the password, what guests may, who is here and who elsewhere.

Over real sockets. People elsewhere ask by this machine's address in its network, as its neighbours do.
"""

import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession
from yarl import URL

from bot.dreams.dream import Dream, DreamState
from bot.dreams.local import GUILD_ID
from bot.heart import Heart, build_heart
from bot.servers.settings import GUESTS
from bot.settings import Settings
from bot.web.guards.password import FORGET_S, LONGEST_PAUSE_S, PASS_S, Gate, Tries
from bot.web.server import ADDRESS, AddressTaken, LocalChannel, PortTaken, own_address
from engine import EMBEDDED
from tests.bot.scripted import ScriptedEngine, picture, until
from tests.bot.web.conftest import Visitor

PASSWORD = "a bowl of cherries"
NETWORK = own_address(socket.AF_INET) or "127.0.0.2"


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """With SQLite alone: what a database does is tried elsewhere."""
    return f"sqlite:///{tmp_path}/oneiro.db"


def free_port() -> int:
    with socket.create_server((ADDRESS, 0)) as server:
        port: int = server.getsockname()[1]
    return port


class Guest(Visitor):
    """Somebody who meets the form before anything else."""

    async def knock(self, password: str, *, to: str = "/", **headers: str) -> tuple[int, str]:
        """Fill in the form; gives the answer's status, and where it leads or what it says."""
        async with self.client.get(to, headers=headers) as page:
            self.token = (await page.text()).partition('name="token" content="')[2].partition('"')[0]
        given = {"password": password, "to": to}
        async with await self.post("/password", given, Accept="text/html", **headers) as answer:
            return answer.status, answer.headers.get("Location") or await answer.text()


class OpenChannel:
    """One process with the local channel, open to its network unless its settings say something else."""

    def __init__(self, settings: Settings) -> None:
        self.engine = ScriptedEngine()
        self.heart: Heart = build_heart(settings, engines=[self.engine])
        self.channel = LocalChannel(self.heart, settings)
        self._visitors: list[Visitor] = []

    async def open(self) -> "OpenChannel":
        await self.heart.database.open()
        await self.heart.begin()
        await self.channel.open()
        return self

    async def close(self) -> None:
        for visitor in self._visitors:
            await visitor.client.close()
        await self.heart.end()
        await self.channel.close()
        await self.heart.database.close()

    def elsewhere(self) -> URL:
        return URL(self.channel.address).with_host(NETWORK)

    async def here(self, name: str) -> Visitor:
        """A browser on this machine."""
        visitor = Visitor(URL(self.channel.address))
        self._visitors.append(visitor)
        await visitor.come_in(name)
        return visitor

    def stranger(self) -> Guest:
        guest = Guest(self.elsewhere())
        self._visitors.append(guest)
        return guest

    async def guest(self, name: str) -> Guest:
        """Somebody elsewhere who knew the password."""
        guest = self.stranger()
        assert await guest.knock(PASSWORD) == (303, "/")
        await guest.come_in(name)
        return guest

    async def dreams(self) -> list[Dream]:
        return await self.heart.store.in_server(GUILD_ID, tuple(DreamState))

    async def finish(self, dream_id: int, **finished: Any) -> None:
        await self.engine.dreams(dream_id)
        self.engine.start()
        self.engine.step(preview=picture("JPEG"))
        self.engine.finish(**finished)

        async def done() -> bool:
            return any(one.id == dream_id and one.state.is_over for one in await self.dreams())

        await until(done)


@pytest.fixture
def open_settings(prepared: Settings) -> Settings:
    return replace(prepared, page_address="0.0.0.0", page_password=PASSWORD, port=free_port())


@pytest.fixture
async def opened(open_settings: Settings) -> AsyncIterator[OpenChannel]:
    opened = await OpenChannel(open_settings).open()
    yield opened
    await opened.close()


# ------------------------------------------------------------------ the password


async def test_nobody_elsewhere_gets_further_than_to_the_form(opened: OpenChannel) -> None:
    ada = await opened.here("Ada")
    await ada.say("a bowl of cherries")
    stranger = opened.stranger()
    page = await stranger.html()
    assert 'type="password"' in page and "cherries" not in page and "What may I call you?" not in page
    for path in (
        "/",
        "/cards",
        "/events",
        "/surprise",
        "/dreams/1/picture",
        "/moderate",
        "/moderator/x",
        "/x",
    ):
        assert (await stranger.get(path)).status == 401, path
    for path in ("/say", "/name", "/dreams/1/cancel", "/moderate/pause", "/moderator/x"):
        assert (await stranger.post(path, {"name": "Eve", "text": "a house"})).status == 401, path
    style = page.partition('rel="stylesheet" href="')[2].partition('"')[0]
    assert (await stranger.get(style)).status == 200
    assert len(await opened.dreams()) == 1


async def test_the_password_opens_with_a_cookie_that_no_script_and_no_other_site_has(
    opened: OpenChannel,
) -> None:
    stranger = opened.stranger()
    status, page = await stranger.knock("a bowl of lemons")
    assert status == 403 and "That is not the password." in page and "lemons" not in page
    assert (await stranger.get("/")).status == 401
    await stranger.html()
    async with await stranger.post("/password", {"password": PASSWORD, "to": "/cards"}) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, "/cards")
        given = next(one for one in answer.headers.getall("Set-Cookie") if "oneiro_pass" in one)
    assert "HttpOnly" in given and "SameSite=Strict" in given and PASSWORD not in given
    assert "What may I call you?" in await stranger.html()


@pytest.mark.parametrize("to", ["//evil.example", "https://evil.example", "/\\evil.example", "", "/\r\nx: y"])
async def test_the_password_leads_to_nobody_else(opened: OpenChannel, to: str) -> None:
    stranger = opened.stranger()
    await stranger.html()
    async with await stranger.post("/password", {"password": PASSWORD, "to": to}) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, "/")


async def test_wrong_passwords_cost_a_pause_for_their_address_alone(opened: OpenChannel) -> None:
    stranger = opened.stranger()
    answers = [await stranger.knock(f"guess {number}") for number in range(4)]
    assert [status for status, _ in answers] == [403, 403, 403, 429]
    assert "too many wrong passwords" in answers[-1][1]
    status, _ = await stranger.knock(PASSWORD)
    assert status == 429, "the right one has to wait as well"
    assert (await opened.here("Ada")).client is not None, "this machine needs none"


def test_pauses_grow_and_are_forgotten_and_an_address_is_a_household() -> None:
    now = [1000.0]
    tries = Tries(clock=lambda: now[0])
    pauses = []
    for _ in range(20):
        tries.wrong("192.0.2.7")
        pauses.append(tries.wait_s("192.0.2.7"))
        now[0] += pauses[-1]
    assert pauses[:6] == [0, 0, 10, 20, 40, 80] and pauses[-1] == LONGEST_PAUSE_S
    assert tries.wait_s("192.0.2.8") == 0
    tries.wrong("192.0.2.7")
    tries.right("192.0.2.7")
    assert tries.wait_s("192.0.2.7") == 0
    for _ in range(3):
        tries.wrong("2001:db8:1:2::1")
    assert tries.wait_s("2001:db8:1:2:ffff::2") == 10 and tries.wait_s("2001:db8:1:3::1") == 0
    now[0] += FORGET_S + 1
    tries.wrong("2001:db8:1:2::1")
    assert tries.wait_s("2001:db8:1:2::1") == 0


def test_a_pass_is_of_one_password_and_not_for_ever() -> None:
    now = [1_000_000.0]
    gate, other = Gate(PASSWORD, clock=lambda: now[0]), Gate("another password", clock=lambda: now[0])
    given = gate.new_pass()
    assert gate.admits(given) and Gate(PASSWORD, clock=lambda: now[0]).admits(given), "after a restart, too"
    assert not other.admits(given)
    at, name, mac = given.split(".")
    for forged in ("", ".", "..", f"{int(at) + 9}.{name}.{mac}", f"{at}.{name}.{mac}0", "ü.ü.ü", given[:-1]):
        assert not gate.admits(forged)
    now[0] -= 10 * PASS_S  # a clock that jumps back
    assert gate.admits(given)
    now[0] += 11 * PASS_S + 1
    assert not gate.admits(given)


async def test_a_new_password_sends_everybody_elsewhere_back_to_the_form(open_settings: Settings) -> None:
    first = await OpenChannel(open_settings).open()
    bo = await first.guest("Bo")
    jar = bo.client.cookie_jar
    await first.heart.end()
    await first.channel.close()
    await first.heart.database.close()
    for password, status in ((PASSWORD, 200), ("a bowl of lemons", 401)):
        again = await OpenChannel(replace(open_settings, page_password=password)).open()
        async with ClientSession(again.elsewhere(), cookie_jar=jar) as browser, browser.get("/") as page:
            assert page.status == status
            assert ("Bo" in await page.text()) == (status == 200)
        await again.close()
    await bo.client.close()


# ------------------------------------------------------------------ guests


async def test_a_guest_never_moderates_and_the_machine_itself_does(opened: OpenChannel) -> None:
    bo = await opened.guest("Bo")  # the first one of all
    assert "/moderate" not in await bo.html() and (await bo.get("/moderate")).status == 403
    ada = await opened.here("Ada")
    assert (await ada.get("/moderate")).status == 200
    assert (await (await opened.here("Cy")).get("/moderate")).status == 403


async def test_a_guest_has_the_smallest_limits_and_the_embedded_model(opened: OpenChannel) -> None:
    ada, bo = await opened.here("Ada"), await opened.guest("Bo")
    await ada.say("/dream a castle steps:200 size:512")
    await ada.say("a house")
    assert "at most 256 pixels" in await bo.say("/dream a castle size:512")
    assert "at most 70 steps" in await bo.say("/dream a castle steps:200")
    assert "at most 2 candidates" in await bo.say("/dream a castle candidates:3")
    assert "Your dream" in await bo.say("a castle")
    assert "one dream" in await bo.say("a house") or "already" in await bo.say("a house")
    by_ada, _, by_bo = await opened.dreams()
    assert (by_ada.model, by_ada.size) == ("auto", 512)
    assert (by_bo.model, by_bo.most_steps, by_bo.most_size) == (EMBEDDED.name, 70, 256)


async def test_moderators_say_what_guests_may_and_everybody_s_limits_hold_for_them_too(
    opened: OpenChannel,
) -> None:
    ada, bo = await opened.here("Ada"), await opened.guest("Bo")
    page = await ada.html("/moderate")
    assert 'name="guests-steps"' in page and f'value="{GUESTS.steps}"' in page
    fields = {"guests-waiting": "2", "guests-steps": "90", "everyone-steps": "80"}
    async with await ada.post("/moderate/limits", fields) as answer:
        assert "limits of guests" in await answer.text()
    assert "at most 80 steps" in await bo.say("/dream a castle steps:85")
    for _ in range(2):
        assert "Your dream" in await bo.say("a castle")
    what = [entry.what for entry in await opened.heart.moderation.audit(GUILD_ID, most=9)]
    assert "guests" in what and (await bo.post("/moderate/limits", fields)).status == 403


async def test_a_guest_goes_on_only_from_what_the_embedded_model_dreamt(opened: OpenChannel) -> None:
    ada, bo = await opened.here("Ada"), await opened.guest("Bo")
    await ada.say("a castle")
    await opened.finish(1, model="biggan-deep-512+ViT-B/32")
    for action in ("continue", "vary"):
        assert "this dream is from a larger one" in await bo.said(f"/dreams/1/{action}")
    assert "Your dream" in await bo.said("/dreams/1/again")
    assert "Your dream" in await ada.said("/dreams/1/vary")
    await opened.finish(2)
    await opened.finish(3)
    assert "Your dream" in await bo.said("/dreams/2/vary")
    assert "larger" in await bo.say("/dreams blend first:2 second:1")
    assert [one.model for one in await opened.dreams()] == ["auto", EMBEDDED.name, "auto", EMBEDDED.name]


async def test_the_printed_link_makes_a_moderator_of_whoever_started_it_elsewhere(
    opened: OpenChannel,
) -> None:
    link = URL(opened.channel.moderator_address).path
    bo = opened.stranger()
    assert await bo.knock(PASSWORD, to=link) == (303, link)
    await bo.come_in("Bo")
    assert (await bo.get("/moderate")).status == 403
    assert (await bo.post(link)).status == 303
    assert (await bo.get("/moderate")).status == 200
    assert "Your dream" in await bo.say("/dream a castle size:512"), "no guest any more"
    assert (await (await opened.guest("Cy")).post(link)).status == 404


async def test_one_address_elsewhere_does_not_become_a_hundred_people(opened: OpenChannel) -> None:
    for number in range(10):
        await opened.guest(f"Bo {number}")
    another = opened.stranger()
    await another.knock(PASSWORD)
    await another.html()
    async with await another.post("/name", {"name": "Eve"}) as answer:
        assert answer.status == 429 and int(answer.headers["Retry-After"]) > 60
    await opened.here("Ada")


# ------------------------------------------------------------------ here and elsewhere


@pytest.mark.parametrize(
    "header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via", "X-Forwarded-Proto", "X-Forwarded-Host"]
)
async def test_whoever_comes_through_a_proxy_is_not_here(opened: OpenChannel, header: str) -> None:
    async with ClientSession(opened.channel.address) as browser:
        async with browser.get("/", headers={header: "127.0.0.1"}) as page:
            assert page.status == 401
        async with browser.get(
            "/", headers={"Host": f"{NETWORK}:{URL(opened.channel.address).port}"}
        ) as page:
            assert page.status == 401, "by the address of the network, too"
        async with browser.get("/") as page:
            assert page.status == 200


async def test_only_addresses_and_our_own_names_are_answered(opened: OpenChannel) -> None:
    name = socket.gethostname().lower().removesuffix(".local")
    port = URL(opened.channel.address).port
    async with ClientSession(opened.elsewhere()) as browser:
        for host, status in {
            f"{NETWORK}:{port}": 401,
            f"[fd00::2]:{port}": 401,
            f"{name}:{port}": 401,
            f"{name}.local": 401,
            "evil.example": 421,
            f"{NETWORK}.evil.example": 421,
            f"{name}.evil.example": 421,
        }.items():
            async with browser.get("/", headers={"Host": host}) as page:
                assert page.status == status, host


async def test_a_proxy_with_tls_leads_to_it_by_the_name_that_was_set(prepared: Settings) -> None:
    settings = replace(prepared, page_password=PASSWORD, page_url="https://dreams.example", port=free_port())
    opened = await OpenChannel(settings).open()
    try:
        assert opened.channel.moderator_address.startswith("https://dreams.example/moderator/")
        told = {"Host": "dreams.example", "X-Forwarded-For": "203.0.113.5"}
        bo = Guest(URL(opened.channel.address))
        opened._visitors.append(bo)
        for guess in range(3):
            assert (await bo.knock(f"guess {guess}", Origin="https://dreams.example", **told))[0] == 403
        assert (await bo.knock(PASSWORD, Origin="https://dreams.example", **told))[0] == 429
        told["X-Forwarded-For"] = "203.0.113.6"  # somebody else, through the same proxy
        assert await bo.knock(PASSWORD, Origin="https://dreams.example", **told) == (303, "/")
        by_tls = told | {"X-Forwarded-Proto": "https"}
        async with ClientSession(opened.channel.address) as other, other.get("/", headers=by_tls) as page:
            assert "; Secure" in page.headers["Set-Cookie"]
        async with bo.client.get("/", headers=told | {"Host": "evil.example"}) as page:
            assert page.status == 421
    finally:
        await opened.close()


# ------------------------------------------------------------------ ports and addresses


async def test_the_next_port_is_tried_where_none_was_asked_for_and_a_taken_one_is_named(
    prepared: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server((ADDRESS, 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setattr("bot.web.server.FIRST_PORT", port)
        opened = await OpenChannel(replace(prepared, port=None)).open()
        assert URL(opened.channel.address).port in range(port + 1, port + 20)
        await opened.close()
        monkeypatch.setattr("bot.web.server.PORTS", 1)
        for settings in (replace(prepared, port=None), replace(prepared, port=port)):
            refused = OpenChannel(settings)
            with pytest.raises(PortTaken, match=f"Port {port} is taken by another program"):
                await refused.open()
            await refused.close()


async def test_an_address_that_is_none_of_this_machine_s_is_named(prepared: Settings) -> None:
    elsewhere = replace(prepared, page_address="203.0.113.9", page_password=PASSWORD, port=free_port())
    refused = OpenChannel(elsewhere)
    with pytest.raises(AddressTaken, match=r"203\.0\.113\.9:\d+\. Please set PAGE_ADDRESS"):
        await refused.open()
    await refused.close()


async def test_the_machine_itself_comes_in_whichever_address_is_open(prepared: Settings) -> None:
    opened = await OpenChannel(
        replace(prepared, page_address=NETWORK, page_password=PASSWORD, port=free_port())
    ).open()
    try:
        assert (await (await opened.here("Ada")).get("/moderate")).status == 200
        assert (await opened.stranger().get("/")).status == 401
        assert opened.channel.address_elsewhere == f"{opened.elsewhere()}"
    finally:
        await opened.close()
