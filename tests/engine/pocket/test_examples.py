"""The examples that people are given to try: the embedded models know them, and their options exist."""

import re
from collections.abc import Iterator
from pathlib import Path

import discord
import pytest
from torch import Tensor

from bot.chat.commands.dream import dream
from bot.chat.commands.dreams import dreams
from bot.chat.language import Translator
from bot.sentences import LANGUAGES, Sentences
from engine.models.generator import Generator
from engine.pocket import grounds
from engine.pocket.perceptor import PocketPerceptor
from engine.prompt import phrases
from engine.words import vocabulary

Embedded = tuple[Generator, PocketPerceptor, Tensor]
ROOT = Path(__file__).parents[3]
KNOWN = 0.6  # cosine to the nearest class: of a thing that is another's kind it is lower
CODE = re.compile(r"`([^`]+)`")
OPTION = re.compile(r"(?:^|\s)([a-z]+):(?=\S)")
TYPED = re.compile(r'"([^"]+)"')


def commands(say: Sentences) -> Iterator[tuple[str, dict[str, str]]]:
    """The commands of /help and the welcome, with what stands behind their options' names."""
    for code in CODE.findall(say.help_text(moderates=True) + say.WELCOME):
        found = re.match(r"/(dreams \w+|\w+)(?: (.+))?$", code)
        if found is None or found[2] is None:
            continue
        parts = OPTION.split(" " + found[2])
        given = dict(zip(parts[1::2], (part.strip() for part in parts[2::2]), strict=True))
        yield found[1], given or {"prompt": found[2]}


def examples(say: Sentences) -> list[str]:
    """Every text that people are told to dream of, or to avoid."""
    found = [
        text
        for _, given in commands(say)
        for name, text in given.items()
        if name in ("prompt", "avoid", "chapters")
    ]
    found += [code for code in CODE.findall(say.help_text(moderates=True)) if "|" in code and code[0] != "/"]
    found += [
        re.split(r": |e\.g\. ", text)[-1].rstrip(".")
        for text in (say.COMMAND_PROMPT, say.COMMAND_AVOID, say.COMMAND_STORY_CHAPTERS, say.story_length(6))
    ]
    return found


def things(text: str) -> list[str]:
    """The phrases of an example, each without its ground."""
    return [grounds.read(phrase.words)[0] for phrase in phrases(f"{text} | x:9") if phrase.words != "x"]


def unknown(embedded: Embedded, texts: list[str]) -> dict[str, str]:
    """Those that the models do not know, and what they take them for."""
    _, perceive, ranks = embedded
    near, place = (perceive.encode_texts(texts).cpu() @ ranks.t()).max(1)
    return {
        text: vocabulary.named(int(at), "en")
        for text, cosine, at in zip(texts, near.tolist(), place.tolist(), strict=True)
        if cosine < KNOWN
    }


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_the_models_know_what_people_are_told_to_dream(embedded: Embedded, language: str) -> None:
    texts = examples(LANGUAGES[language])
    assert len(texts) >= 10
    assert unknown(embedded, [thing for text in texts for thing in things(text)]) == {}


def test_the_models_know_what_the_terminal_s_help_names(embedded: Embedded) -> None:
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "engine" / "command_line").glob("*.py")]
    lines = [line for text in sources for line in text.splitlines() if line.startswith("  dream ")]
    texts = [thing for line in lines for text in TYPED.findall(line) for thing in things(text)]
    assert len(texts) >= 10 and unknown(embedded, texts) == {}


def test_words_that_the_models_do_not_know_would_be_found(embedded: Embedded) -> None:
    for text in ("people", "the economy", "una cascata", "una volpe rossa", "a red fox"):
        assert unknown(embedded, [text])


@pytest.mark.parametrize("language", sorted(LANGUAGES))
async def test_the_options_of_an_example_exist_as_they_are_spelt(language: str) -> None:
    say = LANGUAGES[language]
    known = {"dream": dream, **{f"dreams {each.name}": each for each in dreams.commands}}
    seen = 0
    for name, given in commands(say):
        command = known[name]
        assert isinstance(command, discord.app_commands.Command)
        for option, value in given.items():
            parameter = command.get_parameter(option)
            assert parameter is not None, f"/{name} has no option {option}"
            if parameter.choices:
                shown = [await shown_as(choice, language) for choice in parameter.choices]
                assert value in shown, f"{value} is not among {shown}"
            seen += 1
    assert seen >= 6


async def shown_as(choice: discord.app_commands.Choice[str], language: str) -> str:
    """What a choice is called in Discord in this language."""
    string = choice._locale_name or discord.app_commands.locale_str(choice.name)
    context = discord.app_commands.TranslationContext(
        discord.app_commands.TranslationContextLocation.choice_name, choice
    )
    locale = discord.Locale("it" if language == "it" else "en-GB")
    return await Translator().translate(string, locale, context) or choice.name


def test_the_italian_examples_are_as_many_as_the_english_ones() -> None:
    assert len({len(examples(say)) for say in LANGUAGES.values()}) == 1


def test_the_make_file_s_example_is_the_same(embedded: Embedded) -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    (prompt,) = re.findall(r"^PROMPT \?= (.+)$", text, re.MULTILINE)
    assert unknown(embedded, [prompt]) == {}
