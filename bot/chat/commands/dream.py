"""/dream, and the message command that dreams on from somebody's picture."""

import asyncio
import logging
from collections.abc import Sequence
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
from bot.database.connection import StoreError
from bot.dreams.dream import Dream
from bot.sentences import ENGLISH, Sentences
from bot.sentences.quoting import plain
from engine import EMBEDDED, Recipe, completions, liked_things, without_article
from engine.settings import MAX_PROMPT, MAX_SEED, MAX_STEPS, PRESETS, SIZES

log = logging.getLogger(__name__)

MAX_CHOICE = 100  # characters of a suggestion, shown or taken (Discord reference, 2026-08)
MAX_CHOICES = 25
RECENT = 50  # dreams that are looked through for suggestions
MOST_RECENT = 10  # of which so many are suggested
OFFERED = 12  # known things, likewise
SUGGEST_S = 2.0  # seconds; an answer after 3 is not shown

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
    """One's own recent prompts that hold what is typed; things that it may become; what can be done to it.

    Prompts longer than a suggestion may be are left out: half a prompt is another dream.
    """
    parts = parts_of(interaction)
    try:
        async with asyncio.timeout(SUGGEST_S):
            dreams = await parts.store.by(interaction.user.id, most=RECENT)
    except (StoreError, TimeoutError) as error:
        log.info("interaction %d: no suggestions: %r", interaction.id, error)
        dreams = []
    begun = " ".join(typed.split())
    recent = [dream.prompt for dream in dreams if begun.lower() in dream.prompt.lower()]
    say = personal(interaction)
    if _is_large(parts.asking.model, dreams):
        offered = [f"{begun}, {style}" for style in say.STYLES if begun]
    else:
        offered = offers(begun, say, Random(interaction.id))
    texts = dict.fromkeys([*recent[:MOST_RECENT], *offered])
    fitting = [text for text in texts if len(text) <= MAX_CHOICE]
    return [
        app_commands.Choice(name=shown, value=text) for text in fitting if (shown := plain(text, MAX_CHOICE))
    ][:MAX_CHOICES]


def offers(begun: str, say: Sentences, chance: Random) -> list[str]:
    """What the embedded models can dream of these words: what they may become, or where the thing may be.

    Of no words at all some of the known things, chosen by `chance`, the last of them on grounds.
    """
    if not begun:
        some = chance.sample(liked_things(say.CODE), OFFERED)
        grounds = chance.sample(say.GROUNDS, OFFERED // 4)
        alone = some[: OFFERED - len(grounds)]
        return alone + [
            f"{thing} {ground}" for thing, ground in zip(some[len(alone) :], grounds, strict=True)
        ]
    things = completions(begun, say.CODE)[:OFFERED]
    is_whole = not things or any(
        begun.lower() in (thing.lower(), without_article(thing.lower())) for thing in things
    )
    is_placed = any(begun.lower().endswith(ground) for ground in say.GROUNDS)
    return things + [f"{begun} {ground}" for ground in say.GROUNDS if is_whole and not is_placed]


def _is_large(model: str, newest: Sequence[Dream]) -> bool:
    """Whether a large pair dreams here, as the setting or else one's newest dream tells."""
    if model == "auto":
        model = next(
            (Recipe.from_json(dream.recipe).model for dream in newest if dream.recipe), EMBEDDED.name
        )
    return model != EMBEDDED.name


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
