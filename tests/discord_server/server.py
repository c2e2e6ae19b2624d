"""The server as a test sees it: a small world of people and channels, what they do, what the bot did."""

import asyncio
import copy
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, TypeVar

import discord
from aiohttp import web
from simcord import interactions
from simcord.backend import Backend, serializers
from simcord.backend.command_access import command_access
from simcord.backend.errors import SetupError
from simcord.backend.models import Channel, Guild, Interaction, Message, Overwrite, User
from simcord.components import walk_components
from simcord.enums import InteractionType, OverwriteType

from tests.discord_server.answers import Answer, NoAnswer, Version
from tests.discord_server.answers import words as words
from tests.discord_server.clock import MovableClock
from tests.discord_server.faults import Fault
from tests.discord_server.gateway import Gateway
from tests.discord_server.interactions import ANSWER_WITHIN_S
from tests.discord_server.limits import RateLimits
from tests.discord_server.messages import as_shown
from tests.discord_server.requests import Call
from tests.discord_server.rest import API, CDN, LocalCdn, Rest

MAX_UPLOAD = 10 * 1024 * 1024  # bytes of one file, without boosts (Discord's reference, 2025-01)
DELIVERED_WITHIN_S = 20.0  # by a client that comes back; it is not counted against its answer
T = TypeVar("T")


class DiscordServer:
    """An async context manager: inside it, `environment()` says where a bot finds it.

    `problems` holds what the bot did that this server cannot judge, or that Discord punishes, such as
    requests that are not as Discord describes them. The context's end raises them, for a test that ends
    with problems has proved nothing; a test that is about one clears them.
    """

    def __init__(
        self,
        *,
        token: str = "loopback.token",
        heartbeat_interval_s: float = 41.25,
        upload_limit: int = MAX_UPLOAD,
        rate_limits: bool = True,
        answer_within_s: float = ANSWER_WITHIN_S,
    ) -> None:
        """`upload_limit`: bytes of one file, without boosts; `answer_within_s`: more than Discord gives
        suits machines that are busy with something else.
        """
        self.token = token
        self.problems: list[str] = []
        self.clock = MovableClock()
        self.backend = Backend(clock=self.clock)
        self.backend.cdn = LocalCdn()
        self.guild: Guild = self.backend.create_guild("Dreamers")
        self.channel: Channel = self.backend.create_channel(self.guild.id, "dreams")
        self.gateway = Gateway(
            backend=self.backend,
            clock=self.clock,
            token=token,
            heartbeat_interval_s=heartbeat_interval_s,
            notify=self._notify,
            complain=self.problems.append,
        )
        self.rest = Rest(
            backend=self.backend,
            clock=self.clock,
            token=token,
            upload_limit=upload_limit,
            limits=RateLimits() if rate_limits else None,
            gateway=self.gateway.address,
            notify=self._notify,
            complain=self.problems.append,
        )
        self.rest.tokens.answer_within_s = answer_within_s
        self.gateway.delivered = self.rest.tokens.sent
        self.gateway.tiers = self.rest.tiers
        self.versions: dict[int, list[Version]] = {}  # message -> how it looked, in order; ephemeral ones not
        self.backend.subscribers.append(self._remember)
        self._waiting: set[asyncio.Event] = set()
        self._runner: web.AppRunner | None = None
        self.url = ""

    async def __aenter__(self) -> "DiscordServer":
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_get("/", self.gateway.handle)
        app.router.add_get(CDN + "/{path:.*}", self.rest.file)
        app.router.add_route("*", API + "/{path:.*}", self.rest.handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        port = self._runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{port}"
        self.gateway.url = f"ws://127.0.0.1:{port}"
        self.backend.cdn.base = self.url + CDN  # type: ignore[attr-defined]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for fault in self.rest.faults:
            fault.stop()
        self.gateway.drop()
        if self._runner is not None:
            await self._runner.cleanup()
        if self.problems and error is None:
            raise AssertionError("The bot did what Discord forbids:\n" + "\n".join(self.problems))

    def environment(self) -> dict[str, str]:
        """The settings that lead a bot here."""
        return {
            "DISCORD_TOKEN": self.token,
            "DISCORD_API_URL": self.url + API,
            "DISCORD_GATEWAY_URL": self.gateway.url,
            "DISCORD_CDN_URL": self.url + CDN,
        }

    # The world.

    def person(self, name: str) -> User:
        """A new member of the guild."""
        user = self.backend.make_user(name)
        self.backend.add_member(self.guild.id, user.id)
        return user

    def forbid(self, *permissions: str, channel: Channel | None = None) -> None:
        """Take these permissions (names as in `discord.Permissions`) from the bot in a channel."""
        deny = discord.Permissions(**dict.fromkeys(permissions, True)).value
        overwrite = Overwrite(self.backend.bot_user.id, OverwriteType.MEMBER, deny=deny)
        self.backend.set_overwrite((channel or self.channel).id, overwrite)

    def boost(self, tier: int) -> None:
        """Let people boost the guild up to a tier, 0..3: it may upload more."""
        self.rest.tiers[self.guild.id] = tier
        self.backend.emit("GUILD_UPDATE", serializers.guild_create_payload(self.backend, self.guild))

    def move_clock(self, seconds: float) -> None:
        """Let time go by: nonces are forgotten, tokens and sessions end, messages grow old."""
        self.backend.advance_clock(seconds)

    def fault(self, method: str, path: str, **how: Any) -> Fault:
        """Interfere from now on, see `Fault`; the newest of several that match acts."""
        fault = Fault(method, path, **how)
        self.rest.faults.insert(0, fault)
        return fault

    # What people do.

    async def slash(
        self,
        user: User,
        channel: Channel,
        command: str,
        /,
        *,
        timeout_s: float | None = None,
        **options: Any,
    ) -> Answer:
        """Use a slash command ("dream", or "group sub") with options; raises `NoAnswer`.

        `timeout_s`: seconds to wait from the delivery on, if not as long as the token lives.
        `SetupError` when a person could not do this: no such command, not visible here, an option that
        Discord itself would refuse.
        """
        root_name, *path = command.split()
        root = self.backend.find_command(root_name, channel.guild_id)
        if root is None:
            raise SetupError(f"There is no command /{root_name}")
        access = command_access(self.backend, root, user_id=user.id, channel_id=channel.id)
        if not access.allowed:
            raise SetupError(f"/{root_name} is not visible to {user.name} here: {access.reason}")
        leaf, nesting = interactions.walk_to_subcommand(root, path)
        accepted = interactions.check_options(command, leaf, options)
        types = {option["name"]: option["type"] for option in leaf.get("options") or []}
        given = [{"name": name, "type": types[name], "value": value} for name, value in accepted.items()]
        data = {
            "id": root["id"],
            "name": root["name"],
            "type": 1,
            "options": interactions.nest_options(root, nesting, given),
        }
        return await self._interact(InteractionType.APPLICATION_COMMAND, user, channel, data, timeout_s)

    async def click(
        self, user: User, message: Message, custom_id: str, *, timeout_s: float | None = None
    ) -> Answer:
        """Press a button; raises `NoAnswer`, and `SetupError` if the button is missing or disabled."""
        stored = self.backend.get_message(message.channel_id, message.id)
        found = [c for c in walk_components(stored.components) if c.get("custom_id") == custom_id]
        if not found or found[0].get("disabled"):
            raise SetupError(f"There is no button {custom_id!r} to press")
        data = {"custom_id": custom_id, "component_type": 2, "id": found[0].get("id", 0)}
        channel = self.backend.get_channel(message.channel_id)
        return await self._interact(
            InteractionType.MESSAGE_COMPONENT, user, channel, data, timeout_s, source=stored
        )

    def react(self, user: User, message: Message, emoji: str) -> None:
        """Put a reaction under a message."""
        self.backend.add_reaction(message.channel_id, message.id, emoji, user.id)

    def unreact(self, user: User, message: Message, emoji: str) -> None:
        """Take a reaction back."""
        self.backend.remove_reaction(message.channel_id, message.id, emoji, user.id)

    def delete(self, message: Message) -> None:
        """Delete a message, as a moderator does."""
        self.backend.delete_message(message.channel_id, message.id)

    def expire(self, interaction: Interaction) -> None:
        """Let the interaction's three seconds, or its fifteen minutes when it is answered, be over."""
        self.rest.tokens.expire(interaction)

    # What is to be seen.

    def messages(self, channel: Channel | None = None) -> list[Message]:
        """The channel's messages that everybody sees, oldest first."""
        stored = self.backend.messages[(channel or self.channel).id].values()
        return sorted((m for m in stored if not m.is_ephemeral), key=lambda m: m.id)

    def files(self, message: Message | Version) -> list[bytes]:
        """The attachments' bytes, in order."""
        found = [self.backend.cdn.get(attachment["url"]) for attachment in message.attachments]
        return [data for data in found if data is not None]

    def commands(self) -> set[str]:
        """The names of all registered commands, global and of the guild."""
        return {name for scope in (None, self.guild.id) for name, _ in self.backend.commands.get(scope, {})}

    def calls(self, method: str, part: str = "") -> list[Call]:
        """The requests with this method whose path contains `part`."""
        return [c for c in self.rest.calls if c.method == method and part in c.path]

    async def wait(self, condition: Callable[[], T], what: str, *, timeout_s: float = 10.0) -> T:
        """The first true value of `condition`, asked again after every request, event and connection.

        Raises `AssertionError` that says `what` did not happen in time.
        """
        changed = asyncio.Event()
        self._waiting.add(changed)
        try:
            async with asyncio.timeout(timeout_s):
                while not (value := condition()):
                    changed.clear()
                    await changed.wait()
            return value
        except TimeoutError:
            raise AssertionError(f"{what}: not within {timeout_s:g} s") from None
        finally:
            self._waiting.discard(changed)

    async def _interact(
        self,
        kind: InteractionType,
        user: User,
        channel: Channel,
        data: dict[str, Any],
        timeout_s: float | None,
        source: Message | None = None,
    ) -> Answer:
        record, payload = interactions.base_payload(
            self.backend,
            type=kind,
            channel_id=channel.id,
            guild_id=channel.guild_id,
            user_id=user.id,
            data=data,
        )
        record.initial_response_deadline = None  # `Tokens` counts it
        payload["attachment_size_limit"] = self.rest.upload_limit_of(channel.guild_id)
        if source is not None:
            record.source_message_id = source.id
            payload["message"] = as_shown(serializers.message_payload(self.backend, source))
        tokens = self.rest.tokens
        self.backend.emit("INTERACTION_CREATE", payload)
        try:
            await self.wait(
                lambda: record.id in tokens.delivered, "its delivery", timeout_s=DELIVERED_WITHIN_S
            )
            within_s = tokens.answer_within_s if timeout_s is None else timeout_s
            await self.wait(lambda: record.id in tokens.answered, "an answer", timeout_s=within_s)
        except AssertionError:
            raise NoAnswer(record) from None
        message = None
        if record.message_id is not None:
            message = self.backend.messages[channel.id].get(record.message_id)
        assert record.response_kind is not None
        latency_s = tokens.answered[record.id] - tokens.delivered[record.id]
        return Answer(record.response_kind, latency_s, message, record)

    def _remember(self, event: str, payload: Any) -> None:
        if event in ("MESSAGE_CREATE", "MESSAGE_UPDATE"):
            parts = {
                key: copy.deepcopy(payload[key]) for key in ("content", "embeds", "attachments", "components")
            }
            self.versions.setdefault(int(payload["id"]), []).append(Version(time.monotonic(), **parts))

    def _notify(self) -> None:
        for changed in self._waiting:
            changed.set()
