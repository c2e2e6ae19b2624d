"""What moderators read: their commands, what they changed, the audit log."""

from collections.abc import Sequence
from typing import ClassVar

from bot.sentences.numbers import listed, moment


class Moderation:
    COMMAND_MODERATE = "For moderators: limits, the line, people, words and channels."
    COMMAND_SHOW = "All settings of this server."
    COMMAND_LIMITS = "How much people may dream."
    COMMAND_LIMITS_SHOW = "The limits of everyone, of roles, of people and of the server."
    COMMAND_LIMITS_SET = "Set a limit for everyone, a role, a person or the whole server."
    COMMAND_LIMITS_LIMIT = "What to limit."
    COMMAND_LIMITS_VALUE = "How much is allowed; leave it out to take this limit away."
    COMMAND_LIMITS_WHO = "A role or a person; leave it out for everyone."
    COMMAND_LIMITS_TOGETHER = "Count the dreams of the whole server together."
    COMMAND_COOLDOWN = "The pause between two dreams of one person."
    COMMAND_COOLDOWN_SECONDS = "Seconds; 0 for none."
    COMMAND_PAUSE = "Stop dreaming in this server; the line stays and can still be joined."
    COMMAND_DRAIN = "Take no new dreams; those in line are still dreamt."
    COMMAND_RESUME = "Dream again after a pause, and take new dreams."
    COMMAND_CLEAR = "Take all waiting dreams out of the line, after asking once more."
    COMMAND_CLEAR_PERSON = "Only this person's."
    COMMAND_CANCEL = "End somebody's dream, waiting or running."
    COMMAND_FRONT = "Make a waiting dream this server's next one."
    COMMAND_DREAM_ID = "Which dream: its number, shown below its picture."
    COMMAND_BAN = "Ban a person from dreaming in this server, and withdraw their waiting dreams."
    COMMAND_BAN_PERSON = "The person."
    COMMAND_BAN_REASON = "The reason; they can read it."
    COMMAND_BAN_HOURS = "For how many hours; leave it out for a ban without an end."
    COMMAND_UNBAN = "Let a person dream again."
    COMMAND_BANS = "Who is banned from dreaming in this server."
    COMMAND_ROLE = "A role that may use these commands; only with Manage Server."
    COMMAND_ROLE_ROLE = "The role; leave it out for none."
    COMMAND_WORDS = "Words that prompts may not contain."
    COMMAND_WORDS_ADD = "Ban a word or a pattern in prompts."
    COMMAND_WORDS_REMOVE = "Allow a banned word or pattern again."
    COMMAND_WORDS_LIST = "All banned words and patterns."
    COMMAND_WORDS_TEST = "Would these words be allowed?"
    COMMAND_WORDS_TEXT = "The word; a * at its end or beginning stands for more letters."
    COMMAND_WORDS_PATTERN = "It is a pattern (an RE2 regular expression)."
    COMMAND_WORDS_PROMPT = "The words to test."
    COMMAND_CHANNELS = "Where people may dream."
    COMMAND_CHANNELS_ALLOW = "Allow dreams here; once one channel is allowed, only allowed ones are."
    COMMAND_CHANNELS_DISALLOW = (
        "Stop allowing dreams here; with no channel left, they are allowed everywhere."
    )
    COMMAND_CHANNEL = "The channel or category."
    COMMAND_NSFW = "What happens to pictures that the safety check finds unsafe."
    COMMAND_NSFW_POLICY = "What to do."
    COMMAND_GALLERY = "Also post each final picture in another channel."
    COMMAND_LOG = "Post in a channel what moderators change and what people report."
    COMMAND_HALL_OF_FAME = "Show the pictures with the most votes in a channel."
    COMMAND_HALL_CHANNEL = "The channel; leave out both options for no hall of fame."
    COMMAND_TARGET = "The channel; leave it out for none."
    COMMAND_VOTES = "How many votes a picture needs."
    COMMAND_VOTE_TIME = "How long people may vote between the beginnings of a dream."
    COMMAND_VOTE_SECONDS = "Seconds; a minute unless you say otherwise."
    COMMAND_EMOJI = "What people vote with."
    COMMAND_EMOJI_EMOJI = "One to five emoji, with spaces between; leave it out for the usual ones."
    COMMAND_LANGUAGE = "The language of what everybody in this server reads."
    COMMAND_LANGUAGE_LANGUAGE = "The language; leave it out for the server's own."
    COMMAND_AUDIT = "What moderators changed: who, when, what."

    NOT_A_MODERATOR = "Only moderators can do this: those with Manage Server, or with the role set for it."
    ONLY_MANAGERS = "Only people with Manage Server can do this."
    NOTHING_NEW = "It's already set that way; nothing has changed."
    DONE = "Done, from now on:"
    NO_CHANGES = "Nothing has been changed yet."
    NO_BANS = "Nobody is banned from dreaming here."
    NOT_BANNED = "This person is not banned from dreaming here."
    NO_WORDS = "No words are banned here."
    NO_LIMITS = "No limits are set here; the bot's own apply."
    ONLY_COUNTS = "For the whole server together I can count dreams: in line, per hour and per day."
    NOT_IN_LINE = "This dream is not in this server's line; choose one from the list, please."
    LINE_EMPTY = "No dreams are waiting."
    BAD_WORD = "I can't look for this as a word. It needs letters or emoji, and 100 characters at most."
    BAD_PATTERN = "I can't use this pattern: RE2 has no look-around and no back-references."
    PATTERN_TOO_WIDE = "This pattern matches everything, or is longer than 200 characters."
    TOO_MANY_WORDS = "There are already 500 banned words and patterns; please remove some first."
    NO_SUCH_WORD = "This is not among the banned words."
    WORDS_ALLOWED = "These words are allowed."
    NOT_EMOJI = "Please give one to five emoji of Discord's or of this server, with spaces between them."
    TRYING_EMOJI = "I am trying new vote emoji; this message goes away in a moment."
    EMOJI_NOT_TRIED = "Discord did not let me try these emoji just now. Please try again in a moment."
    BAD_OPTION = "I do not understand one of these options; please choose from what Discord offers."
    UNCHECKED = (
        "Pictures are only checked when the large models dream. Those of the small built-in models never are."
    )
    AUDIT_TITLE, SETTINGS_TITLE, BANS_TITLE = "Audit trail", "Settings", "Banned from dreaming"
    OLDER, NEWEST, CLEAR = "Older", "Newest", "Clear the line"
    VALUES: ClassVar[dict[str, str]] = {
        "none": "none",
        "yes": "yes",
        "no": "no",
        "everywhere": "everywhere",
        "own language": "the server's own",
    }

    LIMITS: ClassVar[dict[str, str]] = {
        "waiting": "dreams in line",
        "per_hour": "dreams an hour",
        "per_day": "dreams a day",
        "steps": "steps",
        "size": "pixels",
        "candidates": "candidates",
    }
    NSFW: ClassVar[dict[str, str]] = {
        "refuse": "Show them to nobody",
        "spoiler": "Hide them behind a spoiler",
        "age_restricted": "Show them in age-restricted channels only",
    }
    # What can stand in the audit log.
    DEEDS: ClassVar[dict[str, str]] = {
        "everyone": "limits of everyone",
        "guests": "limits of guests",
        "together": "limits of the whole server",
        "roles": "limits of",
        "people": "limits of",
        "cooldown_s": "seconds between two dreams",
        "paused": "paused",
        "draining": "no new dreams",
        "moderator_role": "moderator role",
        "channels": "channels for dreams",
        "nsfw": "unsafe pictures",
        "gallery_channel": "gallery",
        "log_channel": "log",
        "fame_channel": "hall of fame",
        "fame_votes": "votes for the hall of fame",
        "vote_s": "seconds to vote between beginnings",
        "vote_emoji": "vote emoji",
        "language": "language",
        "wall": "dreams on the public wall",
        "wall_links": "links from the wall to messages",
        "words": "banned words",
        "patterns": "banned patterns",
        "ban": "ban of",
        "unban": "end of the ban of",
        "clear": "line cleared, dreams withdrawn",
        "cancel": "cancelled",
        "front": "moved to the front",
        "delete": "deleted",
        "decide": "vote ended",
        "contest": "contest begun",
        "contest_end": "contest ended",
    }

    def deed(self, what: str, target: str, change: str) -> str:
        """One thing that was done. `target`: whom it concerns, or ''; `change`: from what to what, or ''."""
        return " ".join(filter(None, (f"**{self.DEEDS.get(what, what)}**", target, change)))

    def entry(self, at: float, by: int, deed: str) -> str:
        """One line of the audit log. `by`: 0 for somebody who is forgotten."""
        return f"{moment(at, 'f')} {f'<@{by}>' if by else 'Somebody'}: {deed}"

    def the_dream(self, dream_id: int) -> str:
        """A dream by its number."""
        return f"dream {dream_id}"

    def until(self, at: float) -> str:
        """The end of a ban, in seconds since 1970."""
        return f"until {moment(at, 'f')}"

    def out_of_range(self, low: int, high: int) -> str:
        """A number from a changed client."""
        return f"This must be a whole number from {low} to {high}."

    def none_of(self, numbers: Sequence[int]) -> str:
        """A number that is none of those that exist."""
        return f"This must be {listed([str(number) for number in numbers], 'or')}."

    def unhide(self, role: int) -> str:
        """How a role that may moderate comes to see the commands: Discord shows them to managers only."""
        return (
            f"Discord still hides `/moderate` from <@&{role}>. To show it to them, open Server Settings → "
            "Integrations → this bot → `/moderate` and add the role."
        )

    def sure(self, count: int) -> str:
        """Asked before the line is cleared."""
        if count == 1:
            return "The waiting dream would be withdrawn. Go ahead?"
        return f"All {count} waiting dreams would be withdrawn. Go ahead?"

    def cleared(self, count: int) -> str:
        """The line was cleared."""
        return "One dream was withdrawn." if count == 1 else f"{count} dreams were withdrawn."

    def moved(self, dream_id: int) -> str:
        """A dream is its server's next one."""
        return f"Dream {dream_id} is this server's next one."

    def is_banned(self, person: int, until: float | None, withdrawn: int) -> str:
        """`withdrawn`: how many of their dreams were waiting."""
        end = f" {self.until(until)}" if until is not None else ""
        gone = f" {self.cleared(withdrawn)}" if withdrawn else ""
        return f"<@{person}> may not dream here any more{end}.{gone}"

    def is_unbanned(self, person: int) -> str:
        """A ban was lifted."""
        return f"<@{person}> may dream here again."

    def words_banned(self, rule: str) -> str:
        """`rule`: the banned word or pattern that was found, safe to show."""
        return f"These words are not allowed; this rule forbids them: {rule}"

    def emoji_refused(self, emoji: str) -> str:
        """`emoji`: those that Discord refused as reactions, with spaces between."""
        return f"Discord does not let me react with {emoji}, so nothing was changed."

    def emoji_in_use(self, emoji: str) -> str:
        """`emoji`: those that mean something else under a dream, with spaces between."""
        return f"{emoji} already means something here: ❌ deletes a dream, and ✉️ sends its picture."

    def lacking_in(self, channel: int, permissions: str) -> str:
        """`permissions`: what the bot lacks in a channel, e.g. 'Send Messages and Embed Links'."""
        return f"In <#{channel}> I still need: {permissions}. Please grant that first."
