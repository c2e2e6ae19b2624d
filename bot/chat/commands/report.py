"""'Report this dream': whoever sees it tells the moderators, who get a link and what they can do about it."""

import discord
from discord import app_commands

from bot.chat.answers.answer import answer
from bot.chat.buttons.click import Click, action
from bot.chat.buttons.dream import DreamButton
from bot.chat.commands.moderate.group import (
    check,
    guild_id,
)
from bot.chat.language import personal
from bot.chat.messages.language import of_guild
from bot.chat.parts import parts_of
from bot.dreams.dream import Dream
from bot.dreams.showing import Occasion
from bot.sentences import ENGLISH, Sentences
from bot.sentences.quoting import quoted

_SHOWN_PROMPT = 1000  # characters


@app_commands.context_menu(name=ENGLISH.REPORT_COMMAND)
@app_commands.guild_only()
@app_commands.allowed_installs(guilds=True, users=False)
async def report(interaction: discord.Interaction, message: discord.Message) -> None:
    """Tell the moderators of a dream, once for each person and dream. Raises `StoreError`."""
    parts, say = parts_of(interaction), personal(interaction)
    dream = await parts.store.shown_by(message.id)
    if dream is None or dream.guild_id != interaction.guild_id:
        await answer(interaction, say.NOT_A_DREAM)
    elif parts.moderation.settings(interaction.guild_id).log_channel is None:
        await answer(interaction, say.NO_REPORTS)
    elif not await parts.moderation.report(dream.id, interaction.user.id):
        await answer(interaction, say.REPORTED_BEFORE)
    elif await _tell(interaction, dream, message.jump_url):
        await answer(interaction, say.REPORTED)
    else:
        await parts.moderation.withdraw_report(dream.id, interaction.user.id)
        await answer(interaction, say.NO_REPORTS)


async def _tell(interaction: discord.Interaction, dream: Dream, link: str) -> bool:
    """Put it into the log channel. Whether it is there."""
    parts = parts_of(interaction)
    say = of_guild(interaction.guild, parts.moderation.settings(interaction.guild_id))
    log_channel = parts.moderation.settings(interaction.guild_id).log_channel
    allowed = await parts.sight.showing(dream, Occasion.REPORTED, channel_id=log_channel)
    words = quoted(dream.prompt, _SHOWN_PROMPT) if allowed.tells else "…"
    text = say.report(dream.author_id, interaction.user.id, words, link)
    embed = discord.Embed(title=say.REPORT_TITLE, description=text)
    return await parts.moderation_log.send(guild_id(interaction), embed, _buttons(dream, say))


def _buttons(dream: Dream, say: Sentences) -> discord.ui.View:
    view = discord.ui.View(timeout=None)
    danger = discord.ButtonStyle.danger
    view.add_item(DreamButton(dream.id, "delete", say.DELETE_IT, style=danger))
    view.add_item(DreamButton(dream.id, "banauthor", say.BAN_AUTHOR, style=danger))
    return view


@action("banauthor")
async def ban_author(click: Click) -> None:
    """Forbid the dream's author to dream in this server."""
    check(click.interaction)
    person, server = click.dream.author_id, guild_id(click.interaction)
    if click.dream.guild_id != server:
        await click.answer(click.say.UNKNOWN_DREAM)
        return
    withdrawn = await click.parts.server_line.ban(server, person, by=click.interaction.user.id)
    await click.answer(click.say.is_banned(person, None, withdrawn))
