"""A dream whose picture is kept no longer: it is told of everywhere, and can be dreamt again."""

from sqlalchemy import delete

from bot.database.tables import pictures
from bot.dreams.dream import DreamState
from bot.sentences import ENGLISH
from tests.bot.chat.conftest import World, labels
from tests.bot.chat.moderator import read


async def let_go(world: World) -> None:
    """A finished dream with a vote, of which the words are left."""
    await world.dream(world.alice, seed=5)
    await world.engine.dreams(1)
    world.engine.finish()
    await world.until_state(1, DreamState.DONE)
    dream = await world.until_delivered(1)
    await world.bob.react(world.messages()[0], "⭐")
    async with world.parts.database.transaction() as connection:
        await connection.execute(delete(pictures).where(pictures.c.dream_id == dream.id))


async def test_it_is_shown_with_a_sentence_and_a_button_that_dreams_it_again(world: World) -> None:
    await let_go(world)
    answer = await world.alice.slash(world.channel, "dreams show", dream=1)
    assert ENGLISH.PICTURE_LET_GO in read(answer)
    assert answer.response is not None
    assert labels(answer.response.message)[:2] == [ENGLISH.REPEAT, ENGLISH.AGAIN]
    await world.alice.click(answer.response, label=ENGLISH.REPEAT)
    again = await world.stored(2)
    assert (again.prompt, again.seed, again.steps) == ("a bowl of cherries", 5, 10)


async def test_the_best_dreams_keep_their_places(world: World) -> None:
    await let_go(world)
    said = read(await world.alice.slash(world.channel, "top"))
    assert "a bowl of cherries" in said and ENGLISH.PICTURE_LET_GO in said
