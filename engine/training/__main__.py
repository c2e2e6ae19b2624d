"""The command line of the embedded models' making; without a command it lists them."""

import importlib
import sys

from engine.process.streams import unbreakable

# What a module of `engine.training` does; train-judge is its train_judge.
COMMANDS = {
    "data": "render the training pictures out of ordinary packages",
    "teacher": "write down what a large sentence model knows of words",
    "dreamt": "render the small BigGAN's pictures for the small CLIP's training",
    "train-perceptor": "train the small CLIP",
    "train-pictures": "show a finished small CLIP more pictures",
    "train-grounds": "teach a finished small CLIP the named grounds",
    "train-generator": "train the small BigGAN",
    "train-judge": "train the judge that measures dreams",
    "evaluate-judge": "measure the judge on real drawings that it never saw",
    "associations": "write down what English words bring to mind",
    "atlas": "write down what the small CLIP sees in the small BigGAN's classes",
    "measure": "measure how well the generator redraws the drawings that it learnt",
    "sheet": "dream a list of prompts and put the pictures on one sheet",
    "evaluate": "measure the small CLIP on drawings that it never saw",
}

EXIT_MISSING = 3  # a file or a package that a command works with, as for `dream`
DATA = (
    "It is made, not shipped: drawings of packages that engine/training/README.md names, rendered into "
    ".training or the folder that --data names."
)


def main(argv: list[str] | None = None) -> int:
    """Run one command with the rest of the arguments. Returns its exit code."""
    with unbreakable():
        return _main(argv)


def _main(argv: list[str] | None) -> int:
    arguments = sys.argv[1:] if argv is None else argv
    if not arguments or arguments[0] not in COMMANDS:
        wanted_help = arguments[:1] in (["-h"], ["--help"])
        lines = [f"  {name:16} {sentence}" for name, sentence in COMMANDS.items()]
        print(
            "usage: python -m engine.training COMMAND [options]   (COMMAND --help explains its options)",
            *lines,
            sep="\n",
            file=sys.stdout if wanted_help else sys.stderr,
        )
        return 0 if wanted_help else 2
    try:
        module = importlib.import_module(f"engine.training.{arguments[0].replace('-', '_')}")
        return int(module.main(arguments[1:]) or 0)
    except FileNotFoundError as error:
        missing = f"{error.filename} is not there." if error.filename else str(error)
        print(f"{missing} {DATA}", file=sys.stderr)
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] in ("engine", ""):
            raise
        print(f"This needs the package {error.name}: pip install 'oneiro[pocket]'.", file=sys.stderr)
    return EXIT_MISSING


if __name__ == "__main__":
    sys.exit(main())
