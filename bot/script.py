"""The console script `oneiro-bot`: hears that it shall stop before it loads the bot."""

from bot.stopping import listen


def run() -> int:
    """As `python -m bot`; gives its exit code."""
    listen()
    from bot.__main__ import main  # slow

    return main()
