"""/privacy: what is kept of oneself, as a file, deleted for good; and one's dreams on the public wall."""

import io
import logging
import re
from contextlib import aclosing
from dataclasses import asdict
from typing import Self

import aiohttp
import discord
from discord import app_commands

from bot.chat.answers.answer import answer, answering, think
from bot.chat.buttons.button import PersistentButton
from bot.chat.buttons.click import clicked
from bot.chat.language import personal
from bot.chat.parts import Parts, parts_of
from bot.community.privacy import MAX_NAME
from bot.dreams.dream import Dream
from bot.dreams.showing import Occasion, Visibility
from bot.keeping.exporting import Part, zips
from bot.queue.limits import are_allowed
from bot.sentences import ENGLISH, Sentences
from bot.sentences.quoting import quoted

log = logging.getLogger(__name__)

_NO_NAME = "-"
MOST_PARTS = 10  # files of one export
HEADROOM = 64 * 1024  # bytes of an upload that are not the file

privacy = app_commands.Group(
    name="privacy",
    description=ENGLISH.COMMAND_PRIVACY,
    allowed_installs=app_commands.AppInstallationType(guild=True, user=False),
    allowed_contexts=app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=False),
)


@privacy.command(name="wall", description=ENGLISH.COMMAND_PRIVACY_WALL)
@app_commands.describe(on=ENGLISH.COMMAND_PRIVACY_ON, name=ENGLISH.COMMAND_PRIVACY_NAME)
async def wall(
    interaction: discord.Interaction,
    on: bool | None = None,
    name: app_commands.Range[str, 1, MAX_NAME] | None = None,
) -> None:
    """Change what was given, for old dreams too, and say how everything is now. Raises `StoreError`."""
    parts, say = parts_of(interaction), personal(interaction)
    wanted = "" if name is not None and name.strip() == _NO_NAME else name
    if wanted and not are_allowed(parts.moderation.settings(interaction.guild_id), wanted):
        await answer(interaction, say.BAD_NAME)
        return
    chosen = await parts.privacy.choose(interaction.user.id, wall=on, name=wanted)
    said = say.privacy(wall=chosen.wall, name=quoted(chosen.name, MAX_NAME) if chosen.name else "")
    await answer(interaction, said if parts.has_wall else f"{said}\n{say.NO_WALL}")


@privacy.command(name="show", description=ENGLISH.COMMAND_PRIVACY_SHOW)
async def show(interaction: discord.Interaction) -> None:
    """Counts, where, how long, and where all of it is told."""
    await answering(interaction, _show(interaction))


async def _show(interaction: discord.Interaction) -> None:
    await think(interaction)
    parts, say = parts_of(interaction), personal(interaction)
    held = await parts.holdings.of(interaction.user.id)
    said = [
        say.privacy_held(held),
        say.PRIVACY_TEXTS["where"],
        say.privacy_how_long(**asdict(parts.retention.limits)),
    ]
    said.append(say.PRIVACY_TEXTS["rights"])
    if parts.wall_url:
        said.append(say.privacy_page(f"{parts.wall_url}/privacy"))
    await answer(interaction, embed=discord.Embed(title=say.PRIVACY_YOURS, description="\n\n".join(said)))


@privacy.command(name="export", description=ENGLISH.COMMAND_PRIVACY_EXPORT)
async def export(interaction: discord.Interaction) -> None:
    """By direct message; where there can be none, here, for their eyes only."""
    await answering(interaction, _export(interaction))


@privacy.command(name="forget", description=ENGLISH.COMMAND_PRIVACY_FORGET)
async def forget(interaction: discord.Interaction) -> None:
    """Ask once, and tell what will go."""
    await answering(interaction, _forget(interaction))


async def _forget(interaction: discord.Interaction) -> None:
    await think(interaction)
    say, person = personal(interaction), interaction.user.id
    held = await parts_of(interaction).holdings.of(person)
    view = discord.ui.View(timeout=None).add_item(ForgetButton(person, say.FORGET_SURELY))
    await answer(interaction, say.privacy_question(held), view=view)


class ForgetButton(PersistentButton, template=r"privacy:forget:(?P<person>[0-9]{1,20})"):
    """Has whoever it was shown to forgotten."""

    def __init__(self, person: int, label: str = "…") -> None:
        super().__init__(f"privacy:forget:{person}", label, style=discord.ButtonStyle.danger)
        self.person = person

    @classmethod
    def of(cls, match: re.Match[str]) -> Self:
        return cls(int(match["person"]))


@clicked(ForgetButton)
async def forget_surely(button: ForgetButton, interaction: discord.Interaction, say: Sentences) -> str:
    """Recorded now, done from now on."""
    if button.person != interaction.user.id:
        return say.NOT_YOUR_BUTTON
    await parts_of(interaction).forgetter.person(button.person)
    return say.FORGETTING


# ------------------------------------------------------------------ the file


async def _export(interaction: discord.Interaction) -> None:
    await think(interaction)
    parts, say, person = parts_of(interaction), personal(interaction), interaction.user.id
    async with parts.outlet.turn(person):
        try:
            channel = await interaction.user.create_dm()
            limit = discord.utils.DEFAULT_FILE_SIZE_LIMIT_BYTES - HEADROOM
            sent, left = await _send(parts, person, channel, say, limit=limit)
            said = say.EXPORT_SENT
        except discord.Forbidden as error:
            log.info("interaction %d: the person takes no messages: %s", interaction.id, error)
            sent, left = await _send(
                parts, person, interaction.followup, say, limit=interaction.filesize_limit - HEADROOM
            )
            said = say.EXPORT_HERE
    more = f"\n{say.export_left_out(left)}" if left else ""
    await answer(interaction, said + more if sent else say.EXPORT_FAILED)


async def _send(
    parts: Parts,
    person: int,
    to: discord.abc.Messageable | discord.Webhook,
    say: Sentences,
    *,
    limit: int,
) -> tuple[int, int]:
    """Send the files one after the other. Gives how many arrived, and how many pictures had no room.

    Raises `discord.Forbidden` when the person takes none.
    """

    async def may_have(dream: Dream) -> bool:
        return (await parts.sight.showing(dream, Occasion.SENT)).visibility is not Visibility.WITHHELD

    sent = pictures = left = 0
    async with aclosing(zips(parts.exports.of(person, may_have), limit=limit)) as made:
        async for part in made:
            if sent >= MOST_PARTS:
                left += part.pictures
                continue
            if not await _sent(part, sent + 1, to, say):
                break
            sent, pictures, left = sent + 1, pictures + part.pictures, left + part.left_out
    return sent, left


async def _sent(
    part: Part, number: int, to: discord.abc.Messageable | discord.Webhook, say: Sentences
) -> bool:
    file = discord.File(io.BytesIO(part.content), f"oneiro-{number}.zip")
    try:
        if isinstance(to, discord.Webhook):
            await to.send(file=file, ephemeral=True)
        else:
            await to.send(say.EXPORT_DM if number == 1 else None, file=file)
    except discord.Forbidden:
        raise
    except (discord.HTTPException, aiohttp.ClientError, TimeoutError, OSError) as error:
        log.info("A file with what is stored of somebody did not arrive: %s", error)
        return False
    return True
