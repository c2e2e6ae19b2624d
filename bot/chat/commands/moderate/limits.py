"""`/moderate limits` and `cooldown`: how much may be dreamt, by whom."""

from dataclasses import replace

import discord
from discord import app_commands

from bot.chat.answers.answer import answer
from bot.chat.commands.moderate.group import (
    Guarded,
    change,
    moderate,
    settings,
    within,
)
from bot.chat.language import personal
from bot.sentences import ENGLISH, audit_log
from bot.servers.settings import (
    CHOICES,
    COOLDOWN_S,
    LIMITS,
    Allowance,
    ServerSettings,
    in_range,
)

COUNTS = ("waiting", "per_hour", "per_day")  # what can be counted for the whole server together
_HIGHEST = max(allowed.high for allowed in LIMITS.values())

limits = Guarded(name="limits", description=ENGLISH.COMMAND_LIMITS, parent=moderate)


@limits.command(name="show", description=ENGLISH.COMMAND_LIMITS_SHOW)
async def limits_show(interaction: discord.Interaction) -> None:
    say = personal(interaction)
    await answer(interaction, within(audit_log.limits(settings(interaction), say)) or say.NO_LIMITS)


@limits.command(name="set", description=ENGLISH.COMMAND_LIMITS_SET)
@app_commands.describe(
    limit=ENGLISH.COMMAND_LIMITS_LIMIT,
    value=ENGLISH.COMMAND_LIMITS_VALUE,
    who=ENGLISH.COMMAND_LIMITS_WHO,
    together=ENGLISH.COMMAND_LIMITS_TOGETHER,
)
@app_commands.choices(limit=[app_commands.Choice(name=ENGLISH.LIMITS[name], value=name) for name in LIMITS])
async def limits_set(
    interaction: discord.Interaction,
    limit: str,
    value: app_commands.Range[int, 0, _HIGHEST] | None = None,
    who: discord.Member | discord.User | discord.Role | None = None,
    together: bool = False,
) -> None:
    say = personal(interaction)
    if limit not in LIMITS:
        await answer(interaction, say.BAD_OPTION)
    elif value is not None and not in_range(limit, value):
        known = CHOICES.get(limit)
        await answer(interaction, say.none_of(known) if known else say.out_of_range(*LIMITS[limit].ends))
    elif together and (limit not in COUNTS or who is not None):
        await answer(interaction, say.ONLY_COUNTS)
    else:
        await change(interaction, lambda old: _with_limit(old, limit, value, who, together))


@moderate.command(name="cooldown", description=ENGLISH.COMMAND_COOLDOWN)
@app_commands.describe(seconds=ENGLISH.COMMAND_COOLDOWN_SECONDS)
async def cooldown(
    interaction: discord.Interaction, seconds: app_commands.Range[int, COOLDOWN_S.low, COOLDOWN_S.high]
) -> None:
    if COOLDOWN_S.fits(seconds):
        await change(interaction, lambda old: replace(old, cooldown_s=seconds))
    else:
        await answer(interaction, personal(interaction).out_of_range(*COOLDOWN_S.ends))


def _with_limit(
    old: ServerSettings,
    limit: str,
    value: int | None,
    who: discord.Member | discord.User | discord.Role | None,
    together: bool,
) -> ServerSettings:
    if together:
        return replace(old, together=replace(old.together, **{limit: value}))
    if who is None or (isinstance(who, discord.Role) and who.is_default()):
        return replace(old, everyone=replace(old.everyone, **{limit: value}))
    name = "roles" if isinstance(who, discord.Role) else "people"
    rules = dict(getattr(old, name))
    rules[who.id] = replace(rules.get(who.id, Allowance()), **{limit: value})
    kept = {key: rule for key, rule in rules.items() if rule.given()}
    return replace(old, roles=kept) if name == "roles" else replace(old, people=kept)
