"""A moderator's `/moderate …` in the simulated Discord, from an honest client and from a changed one."""

from typing import Any

from simcord.actors import MemberActor, _dispatch_actor_interaction
from simcord.enums import InteractionType, OptionType
from simcord.results import InteractionResult

from bot.chat.access import NotAModerator
from bot.servers.settings import ServerSettings
from tests.bot.chat.conftest import World

SUB = OptionType.SUBCOMMAND
Options = list[dict[str, Any]]


async def use(world: World, member: MemberActor, command: str, **options: Any) -> str:
    """What the person reads after `/moderate …`; it must be for them alone."""
    answer = await member.slash(world.channel, f"moderate {command}", **options)
    return read(answer)


def read(answer: InteractionResult) -> str:
    assert answer.response is not None and answer.response.ephemeral
    embeds = [f"{e.title}\n{e.description}" for e in answer.response.embeds]
    return "\n".join([answer.response.content, *embeds])


async def force(
    world: World, member: MemberActor, options: Options, *, complete: bool = False
) -> InteractionResult:
    """`/moderate` from a changed client: Discord's own checks have no say."""
    root = world.env.backend.find_command("moderate", world.guild.id, type=1)
    assert root is not None
    kind = (
        InteractionType.APPLICATION_COMMAND_AUTOCOMPLETE if complete else InteractionType.APPLICATION_COMMAND
    )
    data = {"id": root["id"], "name": "moderate", "type": 1, "options": options}
    return await _dispatch_actor_interaction(member, kind, world.channel, data)


async def refused(world: World, member: MemberActor, options: Options) -> str:
    """What somebody reads whose changed client used a command that is not theirs."""
    said = read(await force(world, member, options)).strip()
    assert isinstance(world.env.errors[-1], NotAModerator)
    return said


def settings(world: World) -> ServerSettings:
    return world.parts.moderation.settings(world.guild.id)


async def trail(world: World) -> list[tuple[int, str, str, str, str]]:
    """The audit log, newest first."""
    entries = await world.parts.moderation.audit(world.guild.id, most=50)
    return [(e.by, e.what, e.target, e.old, e.new) for e in entries]


def nested(path: list[str], options: Options | None = None) -> Options:
    inner: Options = [{"name": path[-1], "type": SUB, "options": options or []}]
    return [{"name": path[0], "type": SUB + 1, "options": inner}] if len(path) == 2 else inner
