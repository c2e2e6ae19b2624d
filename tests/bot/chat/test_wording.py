"""Names in the place of mentions: those that come with the command first, then those of the server."""

from unittest.mock import create_autospec

import discord
import pytest

from bot.chat.wording import worded


@pytest.fixture
def interaction() -> discord.Interaction:
    told = create_autospec(discord.Interaction, instance=True)
    told.data = {
        "resolved": {
            "users": {
                "1": {"username": "ada_l", "global_name": "Ada"},
                "2": {"username": "bob", "global_name": None},
            },
            "members": {"1": {"nick": "Lady | Ada:2"}, "2": {"nick": None}},
            "roles": {"3": {"name": "Painters"}},
            "channels": {"4": {"name": "sea-side"}},
        }
    }
    told.guild = None
    told.user = create_autospec(discord.Member, instance=True)
    told.user.id, told.user.display_name = 9, "Mo"
    told.client = create_autospec(discord.Client, instance=True)
    told.client.get_user.return_value = None
    return told


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a cat", "a cat"),
        ("a  cat\n", "a  cat\n"),  # nothing to do, nothing done
        ("<@1> on a horse", "Lady Ada 2 on a horse"),  # a name parts no prompt and weighs nothing
        ("<@!2> | <@&3>:0.5", "bob | Painters :0.5"),
        ("<#4> at dawn", "sea-side at dawn"),
        ("<@9>", "Mo"),
        ("a horse of <@8>", "a horse of"),
        ("<:pepe_Hands:5> <a:x:6>", "pepe Hands x"),
    ],
)
def test_what_people_wrote_as_words(interaction: discord.Interaction, text: str, words: str) -> None:
    assert worded(interaction, text) == words


def test_broken_data_of_a_changed_client_names_nobody(interaction: discord.Interaction) -> None:
    interaction.data = {"resolved": None}  # type: ignore[assignment, typeddict-item]  # as a client may send it
    assert worded(interaction, "<@1> sails") == "sails"
