"""/preferences: what one's own dreams are when the command says nothing else."""

from dataclasses import replace

import discord
from discord import app_commands
from discord.app_commands import Choice, locale_str

from bot.chat.answers.answer import answer
from bot.chat.commands.dream import PRESET_CHOICES, SIZE_CHOICES
from bot.chat.language import personal
from bot.chat.parts import parts_of
from bot.dreams.notices import NOTICES
from bot.dreams.preferences import NONE
from bot.sentences import ENGLISH, LANGUAGES
from bot.sentences.telling import preset_name, size_name
from engine.settings import PRESETS, SIZES

_MODELS_OWN = "model"  # what a choice says that takes a preset back
_DISCORDS = "discord"
_NO_SIZE = 0


@app_commands.command(name="preferences", description=ENGLISH.COMMAND_PREFERENCES)
@app_commands.describe(
    preset=ENGLISH.COMMAND_PRESET,
    size=ENGLISH.COMMAND_SIZE,
    spoiler=ENGLISH.COMMAND_SPOILER,
    language=ENGLISH.COMMAND_OWN_LANGUAGE,
    notice=ENGLISH.COMMAND_NOTICE,
    reset=ENGLISH.COMMAND_RESET,
)
@app_commands.choices(
    preset=[*PRESET_CHOICES, Choice(name=locale_str(ENGLISH.MODELS_OWN), value=_MODELS_OWN)]
)
@app_commands.choices(size=[*SIZE_CHOICES, Choice(name=locale_str(ENGLISH.MODELS_OWN), value=_NO_SIZE)])
@app_commands.choices(
    language=[
        *(Choice(name=say.LANGUAGE, value=code) for code, say in LANGUAGES.items()),
        Choice(name=locale_str(ENGLISH.DISCORDS_OWN), value=_DISCORDS),
    ]
)
@app_commands.choices(
    notice=[Choice(name=locale_str(ENGLISH.NOTICES[notice]), value=notice) for notice in NOTICES]
)
@app_commands.allowed_installs(guilds=True, users=False)
@app_commands.allowed_contexts(guilds=True, dms=True, private_channels=False)
async def preferences(
    interaction: discord.Interaction,
    preset: str | None = None,
    size: int | None = None,
    spoiler: bool | None = None,
    language: str | None = None,
    notice: str | None = None,
    reset: bool = False,
) -> None:
    """Change what was given, and say how everything is now."""
    parts = parts_of(interaction)
    before = NONE if reset else parts.preferences.of(interaction.user.id)
    wanted = before
    if preset is not None:
        wanted = replace(wanted, preset=preset if preset in PRESETS else "")
    if size is not None:
        wanted = replace(wanted, size=size if size in SIZES else None)
    if spoiler is not None:
        wanted = replace(wanted, spoiler=spoiler)
    if language is not None:
        wanted = replace(wanted, language=language if language in LANGUAGES else "")
    if notice is not None:
        wanted = replace(wanted, notice=notice if notice in NOTICES else NONE.notice)
    if wanted != parts.preferences.of(interaction.user.id):
        await parts.preferences.put(interaction.user.id, wanted)
    say = personal(interaction)  # in the language that was just chosen
    await answer(
        interaction,
        say.preferences(
            preset=preset_name(wanted.preset, say),
            size=size_name(wanted.size, say),
            spoiler=wanted.spoiler,
            language=LANGUAGES[wanted.language].LANGUAGE if wanted.language else say.DISCORDS_OWN,
            notice=say.NOTICES[wanted.notice],
        ),
    )
