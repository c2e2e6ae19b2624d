"""/moderate wall and /privacy wall: what hangs on the public wall, as servers and people want it."""

from dataclasses import replace

from simcord.actors import MemberActor

from bot.dreams.dream import DreamState
from bot.sentences import ENGLISH
from tests.bot.chat.conftest import World
from tests.bot.chat.moderator import settings, use


async def test_a_server_s_dreams_hang_as_its_moderators_and_dreamers_want(
    world: World, admin: MemberActor
) -> None:
    await world.dream(world.alice)
    await world.engine.dreams(1)
    world.engine.finish()
    await world.until_state(1, DreamState.DONE)
    dream = await world.until_delivered(1)
    wall = world.parts.wall
    assert await wall.shows(dream.id) is None
    said = await use(world, admin, "wall", on=True)
    assert ENGLISH.NO_WALL in said and "dreams on the public wall" in said
    found = await wall.shows(dream.id)
    assert found is not None and found.link == "" and found.name == ""
    await use(world, admin, "wall", on=True, links=True)
    found = await wall.shows(dream.id)
    assert found is not None and found.link.endswith(f"/{dream.message_id}")
    answer = await world.alice.slash(world.channel, "privacy wall", name="Ada *L*")
    assert answer.response is not None and answer.response.ephemeral
    assert ENGLISH.privacy(wall=True, name=r"Ada \*L\*") in answer.response.content
    found = await wall.shows(dream.id)
    assert found is not None and found.name == "Ada *L*"
    await world.alice.slash(world.channel, "privacy wall", on=False)
    assert await wall.shows(dream.id) is None
    await world.alice.slash(world.channel, "privacy wall", on=True, name="-")
    found = await wall.shows(dream.id)
    assert found is not None and found.name == ""
    await use(world, admin, "wall", on=False)
    assert await wall.shows(dream.id) is None and not settings(world).wall_links


async def test_a_name_follows_the_server_s_rules(world: World, admin: MemberActor) -> None:
    await world.parts.moderation.change(
        world.guild.id, by=1, change=lambda old: replace(old, words=("blood",))
    )
    answer = await world.alice.slash(world.channel, "privacy wall", name="Blood")
    assert answer.response is not None and answer.response.content == ENGLISH.BAD_NAME
    assert (await world.parts.privacy.of(world.alice.id)).name == ""
