"""`dream models`: lists the large models, fetches them ahead, checks them, takes in a user's own files."""

from collections.abc import Sequence
from pathlib import Path

from engine import given_file
from engine.command_line.console import FetchBar, Interrupts
from engine.command_line.parsing import Parser
from engine.data_dir import MODELS, data_dir
from engine.errors import BadRequest
from engine.models import catalogue
from engine.models.catalogue import RemoteModel
from engine.models.download import steps
from engine.models.registry import EMBEDDED
from engine.models.shop import Shop
from engine.settings import environment

EPILOG = """\
examples:
  dream models                              what there is, and what is here
  dream models fetch biggan-deep-512 ViT-B/32
  dream models verify                       checks every model that is here
  dream models import ~/biggan-deep-512-pytorch_model.bin

environment (also from the file .env in the working directory):
  DATA_DIR        the models lie in DATA_DIR/models
  MODEL_MIRRORS   addresses that are tried before the published ones
  OFFLINE         1: nothing is fetched
  HTTPS_PROXY     the proxy, if there is one
"""


def run(_name: str, arguments: Sequence[str], _interrupts: Interrupts) -> int:
    """Do what the arguments say. Returns 0; raises `DreamError` or `BadSetting` with a sentence."""
    parser = Parser("dream models", "List the large models, fetch them, check them, import them.", EPILOG)
    parser.add_argument("action", nargs="?", default="list", choices=("list", "fetch", "verify", "import"))
    parser.add_argument("what", nargs="*", metavar="NAME or FILE", help="models for fetch and verify, "
        "files or folders for import")  # fmt: skip
    given = parser.parse_args(arguments)
    environ = environment()
    models = data_dir(environ) / MODELS
    match given.action:
        case "fetch":
            if not given.what:
                raise BadRequest(f"Please name what to fetch: {_names()}.")
            for model in [_named(name) for name in given.what]:
                fetch(model, models, Shop.read(environ))
        case "verify":
            verify([_named(name) for name in given.what], models)
        case "import":
            if not given.what:
                raise BadRequest("Please name the file to import.")
            take_in([Path(name) for name in given.what], models)
        case _:
            if given.what:
                raise BadRequest("dream models list takes no names.")
            show(models)
    return 0


def show(models: Path) -> None:
    """Print every model: its size, where it lies, whether it is there, its licence."""
    from engine.models.installed import (
        here,
    )  # here and below: it imports torch, which --help need not wait for

    rows = [(EMBEDDED.name, "33 MB", "inside Oneiro", "always here", "see engine/pocket/README.md")]
    for model in catalogue.ALL:
        state = "here" if here(model, models) else "not here"
        rows.append((model.name, f"{model.megabytes} MB", str(models / model.folder), state, model.licence))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for row in rows:
        print("  ".join([*(text.ljust(width) for text, width in zip(row, widths, strict=False)), row[4]]))
    print("\ndream models fetch NAME fetches one; dream models verify checks those that are here.")


def fetch(model: RemoteModel, models: Path, shop: Shop) -> None:
    """Fetch one model with a progress bar, and all of it that `verify` rejects anew. Raises `DreamError`."""

    def proof(folder: Path) -> None:
        from engine.models.installed import prove

        prove(model, folder)

    with FetchBar() as bar:
        for arrived in steps(model, models, shop, lambda: False, proof, doubt=True):
            bar.show(arrived.file, arrived.done, arrived.total)
    print(f"{model.name} is in {models / model.folder}")


def verify(wanted: Sequence[RemoteModel], models: Path) -> None:
    """Check these models, or all that are here. Raises `ModelError` at the first that is not sound."""
    from engine.models.installed import here
    from engine.models.installed import verify as verdicts

    chosen = list(wanted) or [model for model in catalogue.ALL if here(model, models)]
    if not chosen:
        print("No large model is here; the embedded one is part of Oneiro.")
    for model in chosen:
        for verdict in verdicts(model, models):
            print(f"{verdict.file}: {verdict.soundness}")
        print(f"{model.name} loads: every tensor's name and shape is right")


def take_in(paths: Sequence[Path], models: Path) -> None:
    """Import files or folders one after the other. Raises `DreamError`."""
    from engine.models.installed import take_in as one

    for path in paths:
        given_file.check(path, "model", folder=True)
        model = one(path, models)
        print(f"{path} is {model.name}; it loads, and lies in {models / model.folder} now")


def _named(name: str) -> RemoteModel:
    try:
        return catalogue.named(name)
    except KeyError as error:
        raise BadRequest(f"There is no model named {name[:80]!r}; there are {_names()}.") from error


def _names() -> str:
    return ", ".join(model.name for model in catalogue.ALL)
