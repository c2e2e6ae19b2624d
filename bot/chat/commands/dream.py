"""/dream, and the message command that dreams on from somebody's picture."""

from dataclasses import replace
from random import Random
from typing import Any

import discord
from discord import app_commands
from discord.app_commands import locale_str

from bot.chat.asking import order, usual
from bot.chat.attachments import first_picture
from bot.chat.buttons.forms import show_picture_form
from bot.chat.language import personal
from bot.chat.parts import parts_of
from bot.community.choices import MAX_CANDIDATES, MIN_CANDIDATES
from bot.dreams.suggestions import suggested
from bot.sentences import ENGLISH
from bot.sentences.quoting import plain
from engine.settings import MAX_PROMPT, MAX_SEED, MAX_STEPS, PRESETS, SIZES

MAX_CHOICE = 100  # characters of a suggestion, shown or taken (Discord reference, 2026-08)
MAX_CHOICES = 25

PRESET_CHOICES = [
    app_commands.Choice(name=locale_str(getattr(ENGLISH, f"PRESET_{preset.upper()}")), value=preset)
    for preset in PRESETS
]
SIZE_CHOICES = [app_commands.Choice(name=f"{size} × {size}", value=size) for size in SIZES]

Prompt = app_commands.Range[str, 1, MAX_PROMPT]
Seed = app_commands.Range[int, 0, MAX_SEED]
Steps = app_commands.Range[int, 1, MAX_STEPS]
Candidates = app_commands.Range[int, MIN_CANDIDATES, MAX_CANDIDATES]


async def suggest_prompts(interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
    """Of what is typed so far, without the suggestions that are longer than Discord allows.

    Half a prompt is another dream.
    """
    parts = parts_of(interaction)
    texts = await suggested(
        typed,
        interaction.user.id,
        store=parts.store,
        model=parts.asking.model,
        say=personal(interaction),
        chance=Random(interaction.id),
    )
    fitting = [text for text in texts if len(text) <= MAX_CHOICE]
    return [
        app_commands.Choice(name=shown, value=text) for text in fitting if (shown := plain(text, MAX_CHOICE))
    ][:MAX_CHOICES]


@app_commands.command(name="dream", description=locale_str(ENGLISH.COMMAND))
@app_commands.describe(
    prompt=ENGLISH.COMMAND_PROMPT,
    avoid=ENGLISH.COMMAND_AVOID,
    image=ENGLISH.COMMAND_IMAGE,
    seed=ENGLISH.COMMAND_SEED,
    size=ENGLISH.COMMAND_SIZE,
    preset=ENGLISH.COMMAND_PRESET,
    steps=ENGLISH.COMMAND_STEPS,
    candidates=ENGLISH.COMMAND_CANDIDATES,
    spoiler=ENGLISH.COMMAND_SPOILER,
)
@app_commands.choices(size=SIZE_CHOICES)
@app_commands.choices(preset=PRESET_CHOICES)
@app_commands.autocomplete(prompt=suggest_prompts)
@app_commands.allowed_installs(guilds=True, users=False)
@app_commands.allowed_contexts(guilds=True, dms=True, private_channels=False)  # a DM gets a sentence
async def dream(
    interaction: discord.Interaction,
    prompt: Prompt,
    avoid: Prompt | None = None,
    image: discord.Attachment | None = None,
    seed: Seed | None = None,
    size: int | None = None,
    preset: str | None = None,
    steps: Steps | None = None,
    candidates: Candidates | None = None,
    spoiler: bool | None = None,
) -> None:
    """Put a dream in line and say where it stands; its own message in the channel shows the rest."""
    given = {
        "avoid": avoid,
        "seed": seed,
        "size": size,
        "preset": preset,
        "steps": steps,
        "spoiler": spoiler,
    }
    chosen: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    await order(
        interaction, replace(usual(interaction, prompt), **chosen), attachment=image, candidates=candidates
    )


@app_commands.context_menu(name=locale_str(ENGLISH.MENU_DREAM_ON))
@app_commands.allowed_installs(guilds=True, users=False)
@app_commands.allowed_contexts(guilds=True, dms=False, private_channels=False)
async def dream_on(interaction: discord.Interaction, message: discord.Message) -> None:
    """Ask what shall become of the message's picture; the form's answer makes the dream."""
    await show_picture_form(interaction, first_picture(message))
