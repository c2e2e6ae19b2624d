"""The command line of the embedded models' making; without a command it lists them."""

import importlib
import sys

COMMANDS = {
    "data": ("engine.pocket.data", "render the training pictures out of ordinary packages"),
    "teacher": ("engine.pocket.teacher", "write down what a large sentence model knows of words"),
    "dreamt": ("engine.pocket.dreamt", "render the small BigGAN's pictures for the small CLIP's training"),
    "train-perceptor": ("engine.pocket.train_perceptor", "train the small CLIP"),
    "train-pictures": ("engine.pocket.train_pictures", "show a finished small CLIP more pictures"),
    "train-grounds": ("engine.pocket.train_grounds", "teach a finished small CLIP the named grounds"),
    "train-generator": ("engine.pocket.train_generator", "train the small BigGAN"),
    "train-judge": ("engine.pocket.train_judge", "train the judge that measures dreams"),
    "evaluate-judge": (
        "engine.pocket.evaluate_judge",
        "measure the judge on real drawings that it never saw",
    ),
    "atlas": ("engine.pocket.atlas", "write down what the small CLIP sees in the small BigGAN's classes"),
    "sheet": ("engine.pocket.sheet", "dream a list of prompts and put the pictures on one sheet"),
    "evaluate": ("engine.pocket.evaluate", "measure the small CLIP on drawings that it never saw"),
}


def main(argv: list[str] | None = None) -> int:
    """Run one command with the rest of the arguments. Returns its exit code."""
    arguments = sys.argv[1:] if argv is None else argv
    if not arguments or arguments[0] not in COMMANDS:
        wanted_help = arguments[:1] in (["-h"], ["--help"])
        lines = [f"  {name:16} {sentence}" for name, (_, sentence) in COMMANDS.items()]
        print(
            "usage: python -m engine.pocket COMMAND [options]   (COMMAND --help explains its options)",
            *lines,
            sep="\n",
            file=sys.stdout if wanted_help else sys.stderr,
        )
        return 0 if wanted_help else 2
    module = importlib.import_module(COMMANDS[arguments[0]][0])
    return int(module.main(arguments[1:]) or 0)


if __name__ == "__main__":
    sys.exit(main())
