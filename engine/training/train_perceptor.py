"""Trains the small CLIP: resumable, on CPU or GPU, with snapshots of its averaged weights on the way."""

import argparse
import contextlib
import copy
import logging
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.pocket import lexicon
from engine.pocket.captions import Captions
from engine.pocket.clip import PocketClip, PocketClipConfig
from engine.pocket.tokens import load_tokenizer, write_tokenizer
from engine.training import loop, teacher, train_grounds, train_places, train_words
from engine.training.batches import USUAL_TOKENS, Batch, prefetched
from engine.training.material import Material
from engine.training.space import Space
from engine.training.train_places import name_vectors
from engine.training.train_words import encode_by_length

log = logging.getLogger(__name__)

TOKENIZER_FILES = ("vocab.json", "merges.txt", "tokenizer_config.json")
WARM_UP_STEPS, RATE_END = 150, 0.02  # of the highest rate
TEXTS_ALWAYS = 0.75  # share of the time from which on all steps have texts, for only these speak of colours
LESSONS = 160  # texts a step with texts of which only the teacher knows what they mean
LESSON_SCALE = 16.0
MAX_SCALE = 60.0  # CLIP's is 100; so few pictures are learnt by heart with it


def main(argv: list[str] | None = None) -> int:
    """The command `python -m engine.training train-perceptor`. Returns its exit code."""
    usual = {
        "minutes": 85.0,
        "batch": 96,
        "rate": 2e-3,
        "threads": 1,
        "device": "cpu",
        "seed": 0,
        "every": 8.0,
    }
    parser = loop.options("train-perceptor", __doc__, **usual)
    parser.add_argument(
        "--vocabulary", type=Path, help="CLIP's bpe_simple_vocab_16e6.txt.gz, for a new start"
    )
    parser.add_argument(
        "--texts-every",
        type=int,
        default=1,
        metavar="STEPS",
        help="steps without texts take half of the time, but forget colours (%(default)s: all have texts)",
    )
    parser.add_argument(
        "--everything-after",
        type=float,
        metavar="MINUTES",
        help="when the held-out concepts are let in (two thirds of the time)",
    )
    for name, steps, stage in (
        ("words", train_words.STEPS, "each stage of words"),
        ("places", train_places.STEPS, "the stage of places"),
        ("grounds", train_grounds.STEPS, "the stage of grounds"),
    ):
        parser.add_argument(f"--{name}", type=int, default=steps, help=f"steps of {stage} (%(default)s)")
    parser.add_argument("--name", default="perceptor", help="of checkpoint, log and export (%(default)s)")
    parser.add_argument("--start", type=Path, help="a checkpoint or export to begin with")
    options = parser.parse_args(argv)
    with loop.logged(options.data / f"{options.name}.log", options.threads):
        train(options)
    return 0


class Course(loop.Course):
    """A training with all that its checkpoint keeps."""

    PARTS: ClassVar = (*loop.Course.PARTS, "space")
    FACTS: ClassVar = (*loop.Course.FACTS, "everything", "done")
    model: PocketClip
    average: PocketClip

    def __init__(self, model: PocketClip, space: Space, rate: float) -> None:
        average = copy.deepcopy(model).eval().requires_grad_(False)
        super().__init__(model, average, loop.adam((model, space), rate))
        self.space = space
        self.everything = False  # whether the held-out concepts were let in
        self.done = False  # whether `average` went through the last stages


def train(options: argparse.Namespace) -> None:
    """Train until `options.minutes` are used up, over as many runs as it takes."""
    config = PocketClipConfig()
    tokens = options.data / "tokenizer"
    if not tokens.exists():
        if options.vocabulary is None:
            raise SystemExit("Please give --vocabulary: the file that CLIP's Python packages carry.")
        write_tokenizer(options.vocabulary, tokens, config.max_tokens)
    tokenizer = load_tokenizer(tokens)
    material = Material.read(options.data)
    captions = material.captions
    lessons = teacher.read(options.data / teacher.FILE)
    checkpoint, exported = options.data / f"{options.name}.pt", options.data / "export" / options.name
    course, seen = _begun(options, config, material, lessons, tokenizer)
    if checkpoint.exists():
        course.read(checkpoint)
    total = options.minutes * 60
    if course.done and course.seconds >= total:
        log.info("nothing is left to do: %.1f min and the last stages are over", course.seconds / 60)
        return
    let_in = total * 2 / 3 if options.everything_after is None else options.everything_after * 60
    course.space.show(seen | course.everything)
    log.info(
        "start at step %d after %.1f min: %d pictures, %d concepts, %.2f M weights",
        course.step, course.seconds / 60, len(material.descriptions), len(seen),
        sum(p.numel() for p in course.model.parameters()) / 1e6,
    )  # fmt: skip
    seed = options.seed + 1 + course.step
    maker = material.maker(material.weights if course.everything else material.early, tokenizer, seed)
    school = teacher.Class(lessons, tokenizer, USUAL_TOKENS, seed)

    def keep() -> None:
        course.write(checkpoint)
        export(course.average, tokens, exported, captions, course.space)

    plan = loop.Plan("perceptor", total, keep=keep, every_s=options.every * 60)
    with contextlib.closing(prefetched(maker.make, options.batch)) as batches:

        def step(share: float) -> dict[str, float]:
            rate = loop.scheduled(share, course.step, WARM_UP_STEPS, RATE_END)
            course.set_rate(options.rate * rate)
            device, lesson = course.space.map.device, None
            if course.step % max(options.texts_every, 1) == 0 or share >= TEXTS_ALWAYS:
                lesson = tuple(part.to(device) for part in school.draw(LESSONS))
            batch = _to(next(batches), device)
            return course.learn(batch_losses(course.model.train(), course.space, batch, lesson))

        if not course.everything:
            loop.run(course, step, plan, until=lambda: course.seconds >= let_in)
        if not course.everything and course.seconds < total:
            learn_words(course, lessons, captions, tokenizer, options.seed, options.words)
            before = exported.with_name(f"{options.name}-before-everything")
            export(course.average, tokens, before, captions, course.space)
            course.write(checkpoint.with_name(f"{options.name}-before-everything.pt"))
            course.everything = True
            course.write(checkpoint)
            maker.weigh(material.weights)
            course.space.show(seen | True)
            log.info("step %d: the held-out concepts are let in", course.step)
        loop.run(course, step, plan)
    course.done = False  # a training that goes on ends anew
    course.write(checkpoint)
    learn_words(course, lessons, captions, tokenizer, options.seed + 1, options.words)
    finished = _settled(options, course, material, tokenizer)
    export(finished, tokens, exported, captions, course.space)
    course.done = True
    course.write(checkpoint)
    log.info("done at step %d after %.1f min", course.step, course.seconds / 60)


def _begun(
    options: argparse.Namespace, config: PocketClipConfig, material: Material, lessons: teacher.Lessons,
    tokenizer: Any,
) -> tuple[Course, Tensor]:  # fmt: skip
    """A course at its beginning, and which concepts [n] are not held out."""
    device, captions = torch.device(options.device), material.captions
    torch.manual_seed(options.seed)  # the weights' first values; all else has its own generators
    model = PocketClip(config).to(device)
    space = Space(lessons.concepts, config.dimension).to(device)
    seen = torch.ones(len(captions.slugs), dtype=torch.bool, device=device)
    seen[[i for i, slug in enumerate(captions.slugs) if slug in material.kept_out]] = False
    if options.start and not (options.data / f"{options.name}.pt").exists():
        if options.start.is_dir():
            begin_at_export(model, space, seen, options.start, captions, tokenizer)
        else:
            begin(model, space, options.start)
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # not in torch's stubs
    return Course(model, space, options.rate), seen


def _settled(options: argparse.Namespace, course: Course, material: Material, tokenizer: Any) -> PocketClip:
    """The averaged weights after the last two stages, of places and of grounds; on the CPU."""
    average = course.average.to("cpu")
    drawn = material.weights if course.everything else material.early
    if options.places:
        fresh = material.maker(drawn, tokenizer, options.seed)
        names = by_heart(material.captions, course.space)
        words = name_vectors(average, material.captions, tokenizer, names)
        train_places.settle(average, fresh, words, options.seed, train_places.BATCHES, options.places)
    if not options.grounds:
        return average
    fresh = material.maker(drawn, tokenizer, options.seed)
    return train_grounds.settled(average, fresh, options.seed, train_grounds.BATCHES, options.grounds)


def learn_words(
    course: Course, lessons: teacher.Lessons, captions: Captions, tokenizer: Any, seed: int, steps: int
) -> None:
    """The stage of words alone for the averaged weights, whose text tower the others take over.

    A concept whose drawings are held out gets a place by its words alone, and its name goes there.
    """
    if not steps:
        return
    average, space, device = course.average.to("cpu"), course.space.to("cpu"), course.space.map.device
    if not bool(space.seen.all()):
        space.guess(train_words.heard(average, captions, tokenizer))
        space.show(torch.ones_like(space.seen))
    school = teacher.Class(lessons, tokenizer, USUAL_TOKENS, seed, train_words.SHARES)
    train_words.settle(average, space, school, captions, tokenizer, seed, steps)
    average.to(device)
    space.to(device)
    texts = {name: value for name, value in average.state_dict().items() if train_words.is_of_texts(name)}
    course.model.load_state_dict(texts, strict=False)


def begin(model: PocketClip, space: Space, checkpoint: Path) -> None:
    """Take over what fits from a checkpoint: towers, and where its concepts (the same ones) lie."""
    state = torch.load(checkpoint, map_location=space.map.device, weights_only=True)
    missing = model.load_state_dict(state["average"], strict=False)
    if missing.unexpected_keys:
        raise SystemExit(f"{checkpoint} holds another kind of model.")
    space.load_state_dict({**state["space"], "teacher": space.teacher})  # as the lessons have it today


def begin_at_export(
    model: PocketClip, space: Space, seen: Tensor, folder: Path, captions: Captions, tokenizer: Any
) -> None:
    """Take over an export's weights; concepts begin where it has their names."""
    found = PocketClip.load(folder).state_dict()
    model.load_state_dict({name: found[name] for name in model.state_dict()})  # a head of grounds comes last
    space.begin_at(name_vectors(model, captions, tokenizer), seen)


def batch_losses(
    model: PocketClip, space: Space, batch: Batch, lesson: tuple[Tensor, ...] | None = None
) -> dict[str, Tensor]:
    """The parts of the loss, each a scalar: `picture_losses`, and with a `lesson` `text_losses` too."""
    with torch.autocast(batch.pictures.device.type, torch.bfloat16):
        pictures = model.encode_image(batch.pictures.contiguous(memory_format=torch.channels_last))
        vectors, from_words = space.vectors()  # [concepts + 1, dimension]
    losses = picture_losses(space, pictures, batch.picture_target, vectors, from_words)
    if lesson is not None:
        losses |= text_losses(model, space, batch, pictures, vectors, lesson)
    return losses


def picture_losses(
    space: Space, pictures: Tensor, target: Tensor, vectors: Tensor, from_words: Tensor
) -> dict[str, Tensor]:
    """What pictures [n, dimension] of concepts `target` [n, concepts] learn without any text.

    picture: cross-entropy to the concepts, which lie at `vectors` [concepts + 1, dimension]. words: to where
    the concepts' words alone lie, `from_words`.
    """
    unseen = F.pad(~space.seen, (0, 1))  # [concepts + 1]
    wanted = F.pad(space.soft(target), (0, 1))
    with torch.autocast(pictures.device.type, torch.bfloat16):
        by_place, by_words = (pictures @ places.T for places in (vectors, from_words))
    by_place = space.class_scale.exp().clamp(max=MAX_SCALE) * by_place.float()
    by_words = space.word_scale.exp().clamp(max=MAX_SCALE) * by_words.float()
    return {
        "picture": F.cross_entropy(by_place.masked_fill(unseen, -1e4), wanted),
        "words": 1.5 * F.cross_entropy(by_words.masked_fill(unseen, -1e4), wanted),
    }


def text_losses(
    model: PocketClip,
    space: Space,
    batch: Batch,
    pictures: Tensor,
    vectors: Tensor,
    lesson: tuple[Tensor, ...],
) -> dict[str, Tensor]:
    """What texts learn, and `pictures` [n, dimension] from them; the concepts lie at `vectors`.

    pair: CLIP's loss within the batch, without punishing texts that fit. text: cross-entropy to the concepts.
    wrong: a picture prefers its own text to the same with places or colours swapped, or with another colour
    or thing. lesson: texts (ids, mask, the teacher's vectors, nearness) go where the teacher has them, and
    to nothing as far as they mean nothing here.
    """
    ids, mask, meant, nearness = lesson
    n, of_batch = len(pictures), len(batch.ids)
    texts = encode_by_length(model, _stacked(batch.ids, ids), _stacked(batch.mask, mask))
    own, wrong, said = texts[:n], texts[n:of_batch], texts[of_batch:]
    scale = space.pair_scale.exp().clamp(max=MAX_SCALE)
    logits = scale * pictures @ own.T  # [n, n]
    logits = logits.masked_fill(batch.excused, float("-inf"))
    target = torch.arange(n, device=logits.device)
    text = F.cross_entropy(
        space.class_scale.exp().clamp(max=MAX_SCALE) * own @ vectors.T,
        F.pad(batch.text_target, (0, 1)),
        label_smoothing=0.05,
    )
    margin = scale * (pictures[batch.wrong_for] * (own[batch.wrong_for] - wrong)).sum(1)
    place = space.lesson(meant, nearness, vectors)
    like = (LESSON_SCALE * place @ place.T).softmax(1)  # how the texts lie to one another
    return {
        "pair": (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2,
        "text": 0.6 * text,
        "wrong": 0.7 * F.softplus(-margin).mean(),
        "lesson": 2 * (1 - (said * place).sum(1)).mean()
        + 0.3 * F.cross_entropy(LESSON_SCALE * said @ place.T, like),
    }


def _stacked(one: Tensor, two: Tensor) -> Tensor:
    """Two [_, m] above each other, the narrower one filled up with zeros."""
    width = max(one.shape[1], two.shape[1])
    return torch.cat([F.pad(part, (0, width - part.shape[1])) for part in (one, two)])


def export(average: PocketClip, tokenizer: Path, folder: Path, captions: Captions, space: Space) -> None:
    """Write a perceptor's folder: config, weights, names, tokenizer; each file appears whole."""
    fresh = folder.with_name(folder.name + ".new")
    average.save(fresh)
    by_heart(captions, space).write(fresh)
    for name in TOKENIZER_FILES:
        shutil.copy(tokenizer / name, fresh / name)
    folder.mkdir(parents=True, exist_ok=True)
    for path in fresh.iterdir():
        path.replace(folder / path.name)
    fresh.rmdir()


@torch.no_grad()
def by_heart(captions: Captions, space: Space) -> lexicon.Lexicon:
    """The names of the concepts where they lie today, on the CPU."""
    return lexicon.of(captions, space.vectors()[0][:-1].cpu())


def _to(batch: Batch, device: torch.device) -> Batch:
    moved: dict[str, Any] = {n: v.to(device) for n, v in vars(batch).items() if isinstance(v, Tensor)}
    return replace(batch, **moved)
