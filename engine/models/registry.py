"""The registry of models that dream: one record each, and the pairs of generator and perceptor they make.

Whatever differs from model to model stands in its record; another size of generator is another record. Loads
nothing and knows no torch, so that whoever only asks about models may read it.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any

from engine.errors import BadRequest, ModelError
from engine.models import catalogue, folders
from engine.models.catalogue import MIB, RemoteModel
from engine.sentences import Key

if TYPE_CHECKING:
    import torch

POCKET = Path(__file__).parents[1] / "pocket" / "weights"

CLIPS = tuple(model.name for model in catalogue.CLIPS)  # what may judge beside a large generator
CLIPS_ALLOWED = f"one of {', '.join(CLIPS)}, or two of them joined by +"

# How perceptors are loaded, by their configuration's `model_type`: a function of folder, name and device.
_PERCEPTORS = {
    "clip": "engine.models.perceptor:load_clip",
    "pocket-clip": "engine.pocket.perceptor:load",
    "pocket-judge": "engine.pocket.judge:load",
}
# Likewise generators that are no BigGAN-deep as the package publishes them.
_GENERATORS = {"pocket-generator": "engine.pocket.generator:load"}

# What one dream of a large pair needs of a GPU's memory: weights, a step at 512 px, and cutouts in chunks.
GPU_NEED = 3584 * MIB  # bytes


@dataclass(frozen=True)
class Prior:
    """What dreams of a model take before this machine has dreamt any."""

    pair: str  # the model's name
    load_s: float  # seconds until it is loaded, once for each start of the engine
    start_s: float  # seconds beside loading and steps
    step_s: float  # seconds a step
    two: float  # how many times longer two panels take


@dataclass(frozen=True)
class Model:
    """What is known of a model that a dream can name: a generator and what judges its pictures."""

    name: str
    generator: str  # its title
    # Cutout evaluations by preset; "" is what a dream gets that asks for none.
    budgets: Mapping[str, int]
    judge: str  # what judges its dreams in an evaluation, one that no search of its own uses
    # Of memory: what the generator keeps of a picture for its backward pass, measured with random weights;
    # what a whole dream takes, where that was measured, else 0.
    picture_bytes: int
    dream_bytes: int
    state_bytes: int  # that a state takes inside of a picture
    png_bytes_a_pixel: float  # measured
    remote: RemoteModel | None = None  # what is fetched of it; None: it is part of Oneiro
    perceptor: str = ""  # the title of its own; "": CLIPs, by choice
    changes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # of the search, by recipe
    slow: Mapping[str, float | str] = field(default_factory=dict)  # of the default recipe, without a GPU
    weak_below: float = -inf  # score of a dream that hardly shows its words …
    weak_mixture_below: float = -inf  # … and of one being of two things, which no caption fits as well
    prior: Prior | None = None

    @property
    def checked(self) -> bool:
        """Whether its pictures are looked at for what is unsafe: what is part of Oneiro knows nothing so."""
        return self.remote is not None


def _large(remote: RemoteModel) -> Model:
    return Model(
        remote.name,
        remote.title,
        budgets={"quick": 3200, "": 16000, "normal": 16000, "thorough": 64000},
        judge="ViT-L/14",
        picture_bytes=remote.picture_bytes,
        dream_bytes=0,
        state_bytes=420_000,
        png_bytes_a_pixel=2.0,
        remote=remote,
        # An atlas of a large pair has thousands of pictures: minutes on a large GPU, up to hours elsewhere.
        slow={"start": "samples", "candidates": 24},
    )


EMBEDDED = Model(
    "pocket",
    "pocket BigGAN 256",
    budgets={"quick": 700, "": 1600, "normal": 1600, "thorough": 8000},
    judge="pocket",
    picture_bytes=0,  # among the others
    dream_bytes=360 * MIB,  # weights, picture, views and film: 199 to 567 MiB (free_memory)
    state_bytes=210_000,
    png_bytes_a_pixel=0.6,
    perceptor="pocket CLIP",
    # It sees 64 px and moves faster (see SEARCH.md).
    changes={"oneiro": {"learning_rate": 0.025, "cutouts": 24, "scene": "two"}},
    weak_below=33.0,  # the right ones end above 34 …
    weak_mixture_below=18.0,  # … beings of two from 20 on
    # Chosen to give README's times on two free processor cores (8 s, two things 11 s) and near those of
    # `quick`; loading is rounded up. A step of two panels takes 1.55 times the CPU time of one's.
    prior=Prior("pocket", load_s=6.0, start_s=1.0, step_s=0.11, two=1.5),
)
MODELS = (EMBEDDED, *map(_large, catalogue.BIGGANS))
BEST = MODELS[-1]  # what "auto" takes where there is room
NAMES = ("auto", *(model.name for model in MODELS))  # what a dream can name


def named(name: str) -> Model:
    """The record of this name. Raises `ModelError`."""
    found = next((model for model in MODELS if model.name == name), None)
    if found is None:
        raise ModelError(f"There is no model named {name!r}.")
    return found


def expected(name: str) -> Model:
    """The record of this name, or, of "auto" and what else is none, that of the best."""
    return next((model for model in MODELS if model.name == name), BEST)


def least(name: str) -> Model:
    """The record of this name, of "auto" that of the smallest model that it may mean."""
    return EMBEDDED if name == "auto" else expected(name)


def is_checked(name: str) -> bool:
    """Whether the pictures of a model are looked at for what is unsafe; "": of no model yet."""
    return name != "" and expected(name).checked


def clips(text: str) -> tuple[str, ...]:
    """The names in 'ViT-B/32+ViT-L/14', as `CLIPS` spells them. Raises `ValueError` for anything else."""
    known = {name.lower(): name for name in CLIPS}
    try:
        names = tuple(known[part.strip().lower()] for part in text.split("+"))
    except KeyError as error:
        raise ValueError(f"no CLIP is named {error}") from error
    if len(names) > 2 or len(set(names)) != len(names):
        raise ValueError("one CLIP, or two different ones")
    return names


@dataclass(frozen=True)
class Pair:
    """A generator and the perceptor, or two as one, that dream together: a model in its place."""

    model: Model
    generator: Path  # folder with config.json and weights
    perceptors: tuple[Path, ...]  # folders with config.json, weights and tokenizer
    perceptor_names: tuple[str, ...]
    clip: str = ""  # the perceptors as `clips` reads them; "" where there is no choice
    remote: tuple[RemoteModel, ...] = ()  # what can be fetched of it, generator first

    @property
    def name(self) -> str:
        """One of `NAMES` but "auto"."""
        return self.model.name

    @property
    def generator_name(self) -> str:
        """The generator's title."""
        return self.model.generator

    def present(self) -> bool:
        """Whether all folders hold a model, unread."""
        return all(folders.has_weights(folder) for folder in (self.generator, *self.perceptors))


def pair(name: str, data_dir: Path, clip: str = "") -> Pair:
    """The pair of this name; `clip`: its perceptors, as `clips` reads them.

    Raises `ModelError` for a name that is none of `NAMES`, `BadRequest` for such a clip.
    """
    model = named(name)
    if model.remote is None:
        return Pair(model, POCKET / "generator", (POCKET / "perceptor",), (model.perceptor,))
    try:
        names = clips(clip or CLIPS[0])
    except ValueError as error:
        raise BadRequest(Key.CLIP_UNKNOWN, clip=clip[:80], allowed=CLIPS_ALLOWED) from error
    judges = [catalogue.named(one) for one in names]
    models = data_dir / "models"
    return Pair(
        model,
        models / model.remote.folder,
        tuple(models / one.folder for one in judges),
        tuple(one.title for one in judges),
        "+".join(names),
        (model.remote, *judges),
    )


def resolve(name: str, data_dir: Path, device: "torch.device", clip: str = "", fetch: bool = False) -> Pair:
    """The pair that a request's model means on this machine; it may have to be fetched first.

    "auto" is `BEST` on a GPU with `GPU_NEED` bytes free, if its files are there or `fetch` says that they may
    be fetched; else `EMBEDDED`. Raises as `pair` does.
    """
    if name != "auto":
        return pair(name, data_dir, clip)
    large = pair(BEST.name, data_dir, clip)
    is_large = _has_room(device) and (fetch or large.present())
    return large if is_large else pair(EMBEDDED.name, data_dir)


def _has_room(device: "torch.device") -> bool:
    if device.type == "cuda":
        import torch  # here: see the module's docstring

        free, _ = torch.cuda.mem_get_info(device)
        return free >= GPU_NEED
    return device.type != "cpu"  # Apple's GPUs share the machine's memory


def judge_folder(name: str, data_dir: Path) -> Path:
    """Where the perceptor lies that judges an evaluation: the embedded one's, a CLIP's, or a folder."""
    if name == EMBEDDED.judge:
        return POCKET / "judge"
    return data_dir / "models" / catalogue.named(name).folder if name in CLIPS else Path(name)


def fingerprint(chosen: Pair) -> str:
    """A SHA-256 over all models' weights and learnt names, in hex: the same only for the very same models."""
    digest = hashlib.sha256()
    for folder in (chosen.generator, *chosen.perceptors):
        weights = (folder / name for name in (folders.SAFETENSORS, folders.PYTORCH))
        path = next(path for path in weights if path.is_file())
        for each in (path, folder / folders.NAMES):
            if each.is_file():
                with each.open("rb") as file:
                    digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def perceptor_loader(kind: str) -> Callable[..., Any] | None:
    """What loads a perceptor from its folder, name and device, by its kind; None for an unknown one."""
    place = _PERCEPTORS.get(kind)
    return resolve_name(place) if place else None


def generator_loader(kind: str) -> Callable[..., Any] | None:
    """Likewise what loads a generator; None for an unknown kind."""
    place = _GENERATORS.get(kind)
    return resolve_name(place) if place else None
