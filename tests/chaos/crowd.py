"""Eight people in four channels, of one server or two: they ask, steer, cancel, vote and enter a contest."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from random import Random

from simcord.backend.errors import BackendError, SetupError
from simcord.backend.models import Channel, Guild, Interaction, Message, User
from simcord.components import walk_components

from bot.sentences import ENGLISH as say
from bot.servers.settings import VOTE_EMOJI
from tests.discord_server import DiscordServer, NoAnswer
from tests.discord_server.server import words

PEOPLE, CHANNELS = 8, 4
MOST_DREAMS = 2  # of one person in a round, steered ones included
MOST_VOTES = 10  # of one person in a round, cast and taken back
MOST_CLICKS = 5  # of one person in a round, and other commands
REST_S = (0.05, 0.5)  # seconds between two things that somebody does
PATIENCE_S = 1.0  # that somebody waits for an answer before they do something else
_SAID = (say.LINE_PAUSED, *map(say.queued, (None, *range(1, 200))), *map(say.choice_queued, (2, 3, 4)))
_QUEUED = re.compile("|".join(map(re.escape, _SAID)))


@dataclass(frozen=True)
class Order:
    """Somebody asked for a dream of these words, which nobody else has."""

    prompt: str
    channel: Channel
    interaction: Interaction
    candidates: int | None


class Crowd:
    """Live until `rest`."""

    def __init__(self, server: DiscordServer, random: Random, guilds: Sequence[Guild]) -> None:
        """`guilds`: whose members they are; the server's own is the first."""
        self.server = server
        self.channels = [server.channel]
        for number in range(1, CHANNELS):
            guild = guilds[number % len(guilds)]
            self.channels.append(server.backend.create_channel(guild.id, f"dreams-{number + 1}"))
        self.people = [server.person(f"Person {number}") for number in range(1, PEOPLE + 1)]
        for guild in guilds[1:]:
            for person in self.people:
                server.backend.add_member(guild.id, person.id)
        self.moderator = server.backend.get_user(server.guild.owner_id)
        self.orders: list[Order] = []
        self.unanswered = 0
        self.votes = 0
        self._random = random
        self._asking = True
        self._resting = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def begin(self) -> None:
        """Everybody does things from now on."""
        for person in self.people:
            own = Random(self._random.getrandbits(64))
            self._tasks.append(asyncio.create_task(self._live(person, own)))

    def ask_no_more(self) -> None:
        """They only vote, cancel and decide from now on."""
        self._asking = False

    @property
    def promises(self) -> list[Order]:
        """The orders whose people read that they are in line, some perhaps after they looked away."""
        return [order for order in self.orders if self._is_promised(order)]

    def _is_promised(self, order: Order) -> bool:
        message_id = order.interaction.message_id
        answer = self.server.backend.messages[order.channel.id].get(message_id) if message_id else None
        return answer is not None and bool(_QUEUED.fullmatch(words(answer)))

    async def rest(self) -> None:
        """Nobody does anything any more."""
        self._resting.set()
        await asyncio.gather(*self._tasks)

    async def _live(self, person: User, random: Random) -> None:
        asked = voted = clicked = 0
        while not self._resting.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(random.uniform(*REST_S)):
                    await self._resting.wait()
                    return
            weight = 8 if asked < MOST_DREAMS and self._asking else 0
            vote, click = int(voted < MOST_VOTES), int(clicked < MOST_CLICKS)
            acts: list[tuple[Callable[[User, Random], Awaitable[None]], int]] = [
                (self._ask, weight),
                (self._steer, weight // 6),
                (self._vote, 5 * vote),
                (self._change_mind, 3 * vote),
                (self._cancel, click),
                (self._decide, click),
                (self._enter, click),
            ]
            if not any(weight for _, weight in acts):
                continue
            (act,) = random.choices([act for act, _ in acts], [weight for _, weight in acts])
            try:
                asked += act in (self._ask, self._steer)
                voted += act in (self._vote, self._change_mind)
                clicked += act in (self._cancel, self._decide, self._enter)
                await act(person, random)
            except NoAnswer:
                self.unanswered += 1
            except (SetupError, BackendError):
                pass  # what they wanted to press or take back is gone

    async def _ask(self, person: User, random: Random) -> None:
        await self._order(person, random, None)

    async def _steer(self, person: User, random: Random) -> None:
        await self._order(person, random, 2)

    async def _order(self, person: User, random: Random, candidates: int | None) -> None:
        prompt = f"a red fox number {len(self.orders) + 1}"
        channel = random.choice(self.channels)
        options = {} if candidates is None else {"candidates": candidates}
        steps = random.randint(3, 12) * (1 if candidates is None else 2)
        self.orders.append(
            Order(prompt, channel, Interaction(0, "", 2, channel.id, None, person.id), candidates)
        )
        at = len(self.orders) - 1
        try:
            answer = await self.server.slash(
                person, channel, "dream", prompt=prompt, steps=steps, timeout_s=PATIENCE_S, **options
            )
            interaction = answer.interaction
        except NoAnswer as error:
            self.unanswered += 1
            interaction = error.interaction
        self.orders[at] = replace(self.orders[at], interaction=interaction)

    async def _vote(self, person: User, random: Random) -> None:
        if message := self._some(random, _has_votes):
            self.server.react(person, message, random.choice(VOTE_EMOJI))
            self.votes += 1
        elif message := self._some(random, _is_voted_on):
            bot = self.server.backend.bot_user.id
            offered = [reaction.emoji for reaction in message.reactions if bot in reaction.user_ids]
            if offered:
                self.server.react(person, message, random.choice(offered))

    async def _change_mind(self, person: User, random: Random) -> None:
        """Take back a vote, and perhaps cast it once more, at once."""
        message = self._some(random, lambda message: person.id in _voters(message))
        if message is None:
            await self._vote(person, random)
            return
        emoji = next(r.emoji for r in message.reactions if person.id in r.user_ids)
        for _ in range(random.randint(1, 2)):
            self.server.unreact(person, message, emoji)
            if random.random() < 0.5:
                self.server.react(person, message, emoji)

    async def _cancel(self, person: User, random: Random) -> None:
        await self._press(person, random, r"dream:\d+:cancel", theirs=True)

    async def _decide(self, person: User, random: Random) -> None:
        await self._press(person, random, r"choice:\d+:decide", theirs=True)

    async def _enter(self, person: User, random: Random) -> None:
        await self.server.slash(person, random.choice(self.channels), "contest enter", timeout_s=PATIENCE_S)

    async def _press(self, person: User, random: Random, button: str, *, theirs: bool) -> None:
        mine = f"<@{person.id}>"
        if message := self._some(random, lambda one: mine in _text(one) and bool(_buttons(one, button))):
            await self.server.click(person, message, _buttons(message, button)[0], timeout_s=PATIENCE_S)

    async def decide_all(self) -> None:
        """End every vote that goes on, as those who asked for it would in the end."""
        for message in self._all():
            for button in _buttons(message, r"choice:\d+:decide"):
                with suppress(NoAnswer, SetupError, BackendError):
                    await self.server.click(self.moderator, message, button, timeout_s=PATIENCE_S)

    def _some(self, random: Random, fits: Callable[[Message], bool]) -> Message | None:
        fitting = [message for message in self._all() if fits(message)]
        return random.choice(fitting) if fitting else None

    def _all(self) -> list[Message]:
        backend = self.server.backend
        found = [m for channel in list(backend.messages) for m in backend.messages[channel].values()]
        return [m for m in found if not m.is_ephemeral and m.author_id == backend.bot_user.id]


def _text(message: Message) -> str:
    return "".join(embed.get("description") or "" for embed in message.embeds)


def _buttons(message: Message, pattern: str) -> list[str]:
    ids = [component.get("custom_id") or "" for component in walk_components(message.components)]
    return [id for id in ids if re.fullmatch(pattern, id)]


def _has_votes(message: Message) -> bool:
    """Whether it offers the vote emoji: a dream that is done, or its copy."""
    done = _buttons(message, r"dream:\d+:again") and message.attachments
    return bool(done) or (not message.components and bool(message.attachments))


def _is_voted_on(message: Message) -> bool:
    return bool(_buttons(message, r"choice:\d+:decide"))


def _voters(message: Message) -> set[int]:
    return {id for r in message.reactions if r.emoji in VOTE_EMOJI for id in r.user_ids}
