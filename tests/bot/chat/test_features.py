"""Commands, buttons and listeners are found by where they stand."""

from bot.chat import features
from bot.chat.buttons.button import PersistentButton
from bot.chat.listeners.listener import Listener


def test_each_kind_of_button_does_something_and_no_two_have_the_same_ids() -> None:
    kinds = features.buttons()
    assert set(kinds) == set(PersistentButton.__subclasses__())
    assert all("on_click" in vars(kind) for kind in kinds)
    patterns = [kind.__discord_ui_compiled_template__.pattern for kind in kinds]
    assert len(set(patterns)) == len(kinds)


def test_each_listener_hears_something() -> None:
    kinds = features.listeners()
    assert set(kinds) == set(Listener.__subclasses__())
    assert all(kind.__cog_listeners__ for kind in kinds)


def test_a_command_within_a_group_comes_with_its_group_alone() -> None:
    names = [command.name for command in features.commands()]
    assert len(set(names)) == len(names)
    assert {"dream", "moderate", "contest"} <= set(names) and "pause" not in names
