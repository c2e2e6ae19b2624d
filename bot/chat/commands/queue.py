"""`/queue`: the line as one's own server sees it, why it is so, and where one stands."""

import discord
from discord import app_commands

from bot.chat.answers.answer import answer
from bot.chat.commands.moderate.group import within
from bot.chat.language import personal
from bot.chat.parts import parts_of
from bot.dreams.dream import Dream, DreamState
from bot.sentences import ENGLISH, Sentences
from bot.sentences.quoting import quoted

MOST = 15  # dreams that are listed
SHOWN_PROMPT = 60  # characters


@app_commands.command(name="queue", description=ENGLISH.COMMAND_QUEUE)
@app_commands.guild_only()
@app_commands.allowed_installs(guilds=True, users=False)
async def queue(interaction: discord.Interaction) -> None:
    """The line, for whoever asks."""
    parts, say = parts_of(interaction), personal(interaction)
    if interaction.guild_id is None:
        await answer(interaction, say.ONLY_IN_SERVERS)
        return
    states = (DreamState.QUEUED, DreamState.DREAMING)
    dreams = {dream.id: dream for dream in await parts.store.in_server(interaction.guild_id, states)}
    running = [dream for dream in dreams.values() if dream.state is DreamState.DREAMING]
    order = [dreams[id] for id in parts.worker.order_of(interaction.guild_id) if id in dreams]
    told = await parts.sight.listed(interaction, [*running, *order])
    seen = {id for id, showing in told.items() if showing.tells}
    hidden = len(running) + len(order) - len(seen)
    running = [dream for dream in running if dream.id in seen]
    listed = [dream for dream in order if dream.id in seen]
    if not seen and not hidden:
        await answer(interaction, say.LINE_EMPTY)
        return
    lines = [say.in_the_queue(None, dream.author_id, _words(dream)) for dream in running]
    for dream in listed[:MOST]:
        ready_at = parts.dream_messages.ready_at(dream.id)
        lines.append(say.in_the_queue(parts.worker.place(dream.id), dream.author_id, _words(dream), ready_at))
    if len(listed) > MOST:
        lines.append(say.more_in_line(len(listed) - MOST))
    if hidden:
        lines.append(say.elsewhere(hidden))
    elsewhere = parts.worker.elsewhere(interaction.guild_id)
    lines += ["", _why(say, elsewhere, paused=parts.moderation.settings(interaction.guild_id).paused)]
    places = [parts.worker.place(dream.id) for dream in order if dream.author_id == interaction.user.id]
    mine = [place for place in places if place is not None]
    if mine:
        lines.append(say.your_places(mine))
    await answer(interaction, embed=discord.Embed(title=say.QUEUE_TITLE, description=within(lines, 4000)))


def _words(dream: Dream) -> str:
    return "…" if dream.spoiler else quoted(dream.prompt, SHOWN_PROMPT)


def _why(say: Sentences, elsewhere: int, *, paused: bool) -> str:
    if paused:
        return say.LINE_PAUSED
    return say.why_so(elsewhere) if elsewhere else say.WHY_SO
