"""What is told of a dream or a choice, in words, wherever it is shown: its status, its recipe, its end.

Knows no front end: each puts these sentences where it has room for them.
"""

import json
from collections.abc import Sequence

from bot.community.choices import Choice, ChoiceState, Decision, came_out
from bot.dreams.dream import Dream, DreamState
from bot.queue.positions import QueuePosition
from bot.sentences import Sentences
from bot.sentences.numbers import duration
from bot.sentences.quoting import quoted
from engine import Fetching, Progress, Recipe
from engine.match import is_weak
from engine.sentences import Saying

SHOWN_SETTINGS = 1000  # characters; a field holds 1024 (Discord reference, 2026-08)
SHOWN_AVOID = 500  # characters; escaping may double them

Field = tuple[str, str]  # what it is, and its value


def status(
    dream: Dream,
    say: Sentences,
    *,
    has_picture: bool,
    progress: Progress | None,
    fetching: Fetching | None,
    position: QueuePosition,
    held: bool,
    paused: bool = False,
) -> str:
    """Where it stands. `held`: moderators have paused its server; `paused`: the bot is about to restart."""
    if paused and not dream.state.is_over:
        return say.PAUSED
    match dream.state:
        case DreamState.QUEUED:
            if held:
                return say.PAUSED_BY_MODERATORS
            at = position
            return say.waiting(at.place, before=at.before, others=at.others, ready_at=at.ready_at)
        case DreamState.DREAMING if progress is None and fetching is not None:
            return say.fetching(fetching.model, fetching.done, fetching.total)
        case DreamState.DREAMING if progress is None:
            return say.LOADING if dream.attempts <= 1 else say.LOADING_AGAIN
        case DreamState.DREAMING:
            assert progress is not None
            return say.dreaming(
                step=progress.step,
                steps=progress.steps,
                score=progress.score,
                seconds_left=progress.seconds_left,
            )
        case DreamState.CANCELLED:
            return say.cancelled(has_picture=has_picture)
        case DreamState.FAILED:
            return quoted(say.failed(dream.failure, Saying.from_json(dream.failure_detail)), 1000)
    return ""


def notice(dream: Dream, say: Sentences) -> str:
    """What the engine said as it began, or ''."""
    return quoted(say.engine(Saying.from_json(dream.notice)), 300) if dream.notice else ""


def steered(dream: Dream, say: Sentences) -> str:
    """Why this beginning goes on, or ''."""
    return say.steered(Decision.from_json(dream.decision)) if dream.decision else ""


def winner(choice: Choice) -> int | None:
    """The number of the beginning that goes on, once that is decided."""
    return Decision.from_json(choice.decision).winner if choice.decision else None


def nearest(dream: Dream, say: Sentences) -> str:
    """Under a weak match, what the models know that is nearest to its words; '' under a good one."""
    if dream.nearest:
        names: dict[str, list[str]] = json.loads(dream.nearest)
        return say.nearest([quoted(name, 60) for name in names.get(say.CODE, ())])
    if dream.state is not DreamState.DONE or not (dream.prompt and dream.recipe) or dream.score is None:
        return ""
    return say.nearest(()) if is_weak(Recipe.from_json(dream.recipe).model, dream.score, dream.prompt) else ""


def let_go(dream: Dream, say: Sentences, *, has_picture: bool) -> str:
    """That a finished dream's picture is kept no longer, or ''."""
    return say.PICTURE_LET_GO if is_let_go(dream, has_picture=has_picture) else ""


def is_let_go(dream: Dream, *, has_picture: bool) -> bool:
    """Whether a dream had a picture, and what is stored of it is its words (`bot.keeping.retention`)."""
    return dream.state.is_over and bool(dream.recipe) and not has_picture and not dream.erased


def end_fields(dream: Dream, say: Sentences) -> list[Field]:
    """What stands under a finished picture."""
    if not dream.recipe or dream.score is None or dream.seconds is None:
        return []
    recipe = Recipe.from_json(dream.recipe)
    models = say.models(pair=recipe.model, generator=recipe.generator, perceptor=recipe.perceptor)
    return [
        (say.SEED, str(dream.seed)),
        (say.STEPS, str(recipe.steps)),  # what repeats the picture, also a stopped dream's
        (say.SCORE, say.end_score(dream.score, weak=is_weak(recipe.model, dream.score, dream.prompt))),
        (say.TIME, duration(dream.seconds)),
        (say.MODELS, models),
    ]


def recipe_fields(dream: Dream, say: Sentences) -> list[Field]:
    """All that repeats a picture: seed, settings, models and version."""
    recipe = Recipe.from_json(dream.recipe)
    settings = {name: _shown(value) for name, value in sorted(recipe.settings.items())}
    size = settings.pop("size", "")  # as it was wished, or as a limit made it
    listed = ", ".join(f"{name} {value}" for name, value in settings.items())
    fields = [
        (say.AVOID_LABEL, quoted(dream.avoid, SHOWN_AVOID)),
        (say.SEED, str(recipe.seed)),
        (say.STEPS, str(recipe.steps)),
        (say.PRESET_LABEL, dream.preset),
        (say.SIZE_LABEL, size),
        (say.MODELS, say.models(pair=recipe.model, generator=recipe.generator, perceptor=recipe.perceptor)),
        (say.VERSION, recipe.version),
        (say.SETTINGS, quoted(listed, SHOWN_SETTINGS // 2)),
    ]
    return [(name, value) for name, value in fields if value]


def choice_status(choice: Choice, candidates: Sequence[Dream], say: Sentences) -> str:
    """Where a choice between beginnings stands."""
    match choice.state:
        case ChoiceState.DREAMING:
            return say.beginnings(sum(dream.state.is_over for dream in candidates), len(candidates))
        case ChoiceState.VOTING:
            assert choice.ends_at is not None
            return say.voting(round(choice.ends_at), len(came_out(list(candidates))))
        case ChoiceState.DECIDED:
            return say.decided(Decision.from_json(choice.decision))
    failed = all(dream.failure is not None for dream in candidates)
    return say.NO_BEGINNING if failed else say.cancelled(has_picture=False)


def _shown(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def preset_name(preset: str, say: Sentences) -> str:
    """What a preset is called; '': the model's own settings."""
    return getattr(say, f"PRESET_{preset.upper()}") if preset else say.MODELS_OWN


def size_name(size: int | None, say: Sentences) -> str:
    """A picture's size; None: the model's own."""
    return f"{size} × {size}" if size else say.MODELS_OWN
