"""Asks the one rule (`bot.dreams.showing`) how to show a dream, in Discord's terms; makes the files to post.

A picture leaves the bot as an `Exhibit`, and an `Exhibit` takes a `Showing`: no poster can forget to ask.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import discord

from bot.chat.channels import Venues
from bot.chat.messages.uploads import Upload
from bot.database.shards import ALL_SHARDS, Shards
from bot.dreams.dream import Dream, Gone, Picture
from bot.dreams.showing import (
    Occasion,
    Showing,
    Venue,
    Visibility,
    may_tell,
    picture_visibility,
    showing,
    visibility,
)
from bot.sentences.quoting import ALT_TEXT, plain
from bot.servers.settings import NsfwPolicy, ServerSettings

__all__ = ["Exhibit", "Occasion", "Sight", "Visibility", "exhibit", "visibility"]

DIRECT = Venue(guild_id=None, channel_id=0)  # a direct message


@dataclass(frozen=True, slots=True)
class Exhibit:
    """A picture as it may be shown. Made by `exhibit` alone."""

    picture: Picture
    filename: str
    alt_text: str
    visibility: Visibility

    def file(self) -> discord.File:
        """Fresh each time: a `File` can be sent only once."""
        content = Upload(self.picture.content)
        return discord.File(content, filename=self.filename, description=self.alt_text)

    def hang_in(self, embed: discord.Embed, *, small: bool = False) -> None:
        """Show it inside the embed, where that may be: Discord hides no picture there."""
        if self.visibility is Visibility.OPEN:
            put = embed.set_thumbnail if small else embed.set_image
            put(url=f"attachment://{self.filename}")


def exhibit(picture: Picture | None, allowed: Showing, *, stem: str, alt_text: str) -> Exhibit | None:
    """The picture as it may be shown; None when there is none, or it may not. `stem`: of the file's name."""
    if picture is None or allowed.visibility is Visibility.WITHHELD:
        return None
    filename = allowed.filename(stem, picture.kind)
    return Exhibit(picture, filename, plain(alt_text, ALT_TEXT), allowed.visibility)


class Sight:
    """How dreams may be shown, now, to whom. `showing` finds out about archived threads, `judged` cannot."""

    def __init__(
        self,
        *,
        client: discord.Client,
        settings: Callable[[int | None], ServerSettings],
        shards: Shards = ALL_SHARDS,
    ) -> None:
        """`settings`: a server's, by its id; `shards`: whose servers the client hears of."""
        self.venues = Venues(client, shards=shards)
        self._settings = settings

    async def showing(
        self,
        dream: Dream,
        occasion: Occasion,
        *,
        channel_id: int | None = None,
        flagged: str | None = None,
    ) -> Showing:
        """In a channel of the dream's server, by default its own; SENT: in a direct message."""
        channels = [dream.channel_id] if channel_id is None else [dream.channel_id, channel_id]
        await self.venues.learn(dream.guild_id, channels)
        return self.judged(dream, occasion, channel_id=channel_id, flagged=flagged)

    def judged(
        self,
        dream: Dream,
        occasion: Occasion,
        *,
        channel_id: int | None = None,
        flagged: str | None = None,
    ) -> Showing:
        """As `showing`, by what is known already."""
        home = self.venues.venue(dream.guild_id, dream.channel_id)
        here = home if channel_id is None else self.venues.venue(dream.guild_id, channel_id)
        return showing(
            dream,
            home=home,
            here=DIRECT if occasion is Occasion.SENT else here,
            occasion=occasion,
            policies=self._policies(dream.guild_id),
            flagged=flagged,
        )

    async def hides(self, dream: Dream, channel_id: int) -> bool:
        """Whether what is exhibited in a channel may be no more, as far as its home is known just now."""
        allowed = await self.showing(dream, Occasion.EXHIBITED, channel_id=channel_id)
        over = dream.erased or dream.gone is Gone.DELETED
        known = over or self.venues.venue(dream.guild_id, dream.channel_id).known
        return known and allowed.visibility is Visibility.WITHHELD

    async def asked(self, interaction: discord.Interaction, dream: Dream) -> Showing:
        """To whoever uses the interaction, alone, when they name this very dream."""
        return (await self.listed(interaction, [dream], Occasion.LOOKED_UP))[dream.id]

    async def listed(
        self,
        interaction: discord.Interaction,
        dreams: Iterable[Dream],
        occasion: Occasion = Occasion.LISTED,
    ) -> dict[int, Showing]:
        """Dreams to whoever uses the interaction, alone; their own are their own. By the dreams' ids."""
        dreams = list(dreams)
        here = self.venues.here(interaction)
        local = {dream.channel_id for dream in dreams if dream.guild_id == here.guild_id}
        read = await self.venues.read_by(interaction, local)
        found = {}
        for dream in dreams:
            found[dream.id] = showing(
                dream,
                home=self.venues.venue(dream.guild_id, dream.channel_id),
                here=here,
                occasion=Occasion.OWN if dream.author_id == interaction.user.id else occasion,
                policies=self._policies(dream.guild_id, here.guild_id),
                reads=dream.guild_id == here.guild_id and dream.channel_id in read,
            )
        return found

    async def listable(self, interaction: discord.Interaction, channels: set[int]) -> set[int]:
        """Those of this server's channels whose dreams whoever asks may see listed here."""
        read = await self.venues.read_by(interaction, channels)
        here = self.venues.here(interaction)
        homes = [self.venues.venue(interaction.guild_id, channel) for channel in read]
        return {home.channel_id for home in homes if may_tell(home, here, Occasion.LISTED, reads=True)}

    def lists_unsafe(self, interaction: discord.Interaction) -> bool:
        """Whether dreams in whose pictures the safety check found something are listed here by a picture."""
        policies = self._policies(interaction.guild_id)
        adults = self.venues.here(interaction).adults
        return (
            picture_visibility("unsafe", Occasion.LISTED, policies, adults=adults) is not Visibility.WITHHELD
        )

    def names(self, reader: Dream, other: Dream) -> bool:
        """Whether the message of one waiting dream may say who waits with another one."""
        if reader.guild_id is None or reader.guild_id != other.guild_id:
            return False
        home = self.venues.venue(other.guild_id, other.channel_id)
        return may_tell(home, self.venues.venue(reader.guild_id, reader.channel_id), Occasion.EXHIBITED)

    def _policies(self, *servers: int | None) -> set[NsfwPolicy]:
        """The servers'; where there is none, what every server begins with."""
        found = {self._settings(server).nsfw for server in servers if server is not None}
        return found or {self._settings(None).nsfw}
