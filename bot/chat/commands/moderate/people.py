"""`/moderate ban`, `unban`, `bans`, `role`: who may not dream, and who may moderate."""

from dataclasses import replace
from time import time

import discord
from discord import app_commands

from bot.chat.answers.answer import answer
from bot.chat.commands.moderate.group import (
    change,
    guild_id,
    moderate,
    within,
)
from bot.chat.language import personal
from bot.chat.parts import parts_of
from bot.sentences import ENGLISH
from bot.sentences.quoting import quoted

MAX_REASON = 300  # characters
MAX_HOURS = 24 * 365


@moderate.command(name="ban", description=ENGLISH.COMMAND_BAN)
@app_commands.describe(
    person=ENGLISH.COMMAND_BAN_PERSON, reason=ENGLISH.COMMAND_BAN_REASON, hours=ENGLISH.COMMAND_BAN_HOURS
)
async def ban(
    interaction: discord.Interaction,
    person: discord.User,
    reason: app_commands.Range[str, 1, MAX_REASON] = "",
    hours: app_commands.Range[int, 1, MAX_HOURS] | None = None,
) -> None:
    say = personal(interaction)
    if hours is not None and not 1 <= hours <= MAX_HOURS:
        await answer(interaction, say.out_of_range(1, MAX_HOURS))
        return
    until = None if hours is None else time() + hours * 3600
    withdrawn = await parts_of(interaction).server_line.ban(
        guild_id(interaction), person.id, by=interaction.user.id, until=until, reason=reason[:MAX_REASON]
    )
    await answer(interaction, say.is_banned(person.id, until, withdrawn))


@moderate.command(name="unban", description=ENGLISH.COMMAND_UNBAN)
@app_commands.describe(person=ENGLISH.COMMAND_BAN_PERSON)
async def unban(interaction: discord.Interaction, person: discord.User) -> None:
    say, moderation = personal(interaction), parts_of(interaction).moderation
    lifted = await moderation.lift_ban(guild_id(interaction), person.id, by=interaction.user.id)
    await answer(interaction, say.is_unbanned(person.id) if lifted else say.NOT_BANNED)


@moderate.command(name="bans", description=ENGLISH.COMMAND_BANS)
async def bans(interaction: discord.Interaction) -> None:
    say = personal(interaction)
    lines = [
        " · ".join(
            filter(
                None,
                (
                    f"- <@{ban.person}>",
                    say.until(ban.until) if ban.until is not None else "",
                    quoted(ban.reason, MAX_REASON),
                ),
            )
        )
        for ban in parts_of(interaction).moderation.bans(guild_id(interaction))
    ]
    await answer(interaction, within([f"**{say.BANS_TITLE}**", *lines]) if lines else say.NO_BANS)


@moderate.command(name="role", description=ENGLISH.COMMAND_ROLE)
@app_commands.describe(role=ENGLISH.COMMAND_ROLE_ROLE)
async def role(interaction: discord.Interaction, role: discord.Role | None = None) -> None:
    if not interaction.permissions.manage_guild:  # moderators by role do not choose who they are
        await answer(interaction, personal(interaction).ONLY_MANAGERS)
        return
    named = role.id if role is not None and not role.is_default() else None
    more = "" if named is None else personal(interaction).unhide(named)
    await change(interaction, lambda old: replace(old, moderator_role=named), more=more)
