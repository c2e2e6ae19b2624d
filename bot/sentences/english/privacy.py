"""What is kept of people, where and for how long: the one home of these words; and what /privacy says."""

from typing import ClassVar

from bot.keeping.held import Held
from bot.sentences.numbers import listed


class Privacy:
    COMMAND_PRIVACY = "What I keep about you: see it, take it with you, have it deleted; and the public wall."
    COMMAND_PRIVACY_WALL = "Whether your dreams may hang on the public wall, and under which name."
    COMMAND_PRIVACY_ON = "Whether they may hang there, where a server's moderators want that."
    COMMAND_PRIVACY_NAME = "A name to show beside them, with a page of them all; - for none."
    COMMAND_PRIVACY_SHOW = "What is stored about you, where, and for how long."
    COMMAND_PRIVACY_EXPORT = "Get everything I keep about you as a file, in a DM."
    COMMAND_PRIVACY_FORGET = "Delete everything I keep about you, for good."

    PRIVACY_LINK = "Privacy"
    PRIVACY_YOURS = "What I keep about you"
    EXPORT_SENT = "I've sent you a DM with everything I keep about you."
    EXPORT_HERE = "I can't send you a DM, so here is everything I keep about you; only you can see it."
    EXPORT_FAILED = "Sorry, Discord didn't take your file just now. Please try again later."
    EXPORT_DM = "Everything I keep about you. The files in it are JSON and pictures."
    EXPORT_BUTTON, FORGET_BUTTON = "Download it all", "Forget me"
    FORGET_SURELY, FORGET_NOT = "Yes, forget me", "Keep it"
    FORGETTING = (
        "I'm forgetting you: your dreams disappear, one after the other. This may take a few minutes."
    )
    FORGOTTEN = "You are forgotten here. Come in again whenever you like, as somebody new."
    NOT_YOUR_BUTTON = "This button belongs to somebody else. Please use /privacy forget yourself."

    PRIVACY_TITLE = "What is kept, and for how long"
    PRIVACY_HEADINGS: ClassVar[dict[str, str]] = {
        "kept": "What is kept",
        "where": "Where",
        "long": "For how long",
        "rights": "What you can do",
        "forgotten": "What is forgotten, and what isn't",
        "servers": "When a server removes the bot",
    }
    PRIVACY_TEXTS: ClassVar[dict[str, str]] = {
        "kept": (
            "Each dream: its words, seed and settings, score and picture, who asked for it, in which server "
            "and channel, and when; a film of how it took shape, and a state from which one can go on.\n"
            "Pictures that you attach for a dream to resemble.\n"
            "Your votes, contest entries, reports and preferences; which pictures were sent to you; what you "
            "allow the public wall, and the name that you chose for it.\n"
            "What moderators set and did: limits, banned words, bans, an audit log.\n"
            "In the local channel, your name and a digest of the cookie by which your browser is known.\n"
            "Nothing else: no other messages, no e-mail or network addresses."
        ),
        "where": (
            "In one database, and in its back-ups, of whoever runs this bot; pictures, films and states may "
            "lie beside it, in a store of files that they chose. The models run there, too: your words go to "
            "no other service. Discord keeps the messages that the bot posts, by its own rules."
        ),
        "rights": (
            "`/privacy show` tells you what is stored about you. `/privacy export` sends you all of it as a "
            "file. `/privacy forget` deletes it for good. `/privacy wall` keeps your dreams off the "
            "public wall, or puts a name beside them. *Delete* under a dream deletes that one. The local "
            "channel has the same on its page about privacy."
        ),
        "forgotten": (
            "All your dreams go, with their messages, their copies in galleries, halls of fame and on the "
            "wall, and so do your votes, entries, reports, preferences and the pictures that you gave.\n"
            "What others built on your dreams stays, without your name.\n"
            "What a server's moderators keep stays: bans, limits for you alone, and who set them.\n"
            "Out of my reach are reports in moderators' channels, pictures that others saved or got in a "
            "DM, and your reactions under other people's dreams: while they stand there, they may be "
            "counted again.\n"
            "Back-ups keep what they have for as long as whoever runs this bot keeps them."
        ),
        "servers": (
            "Its dreams are shown nowhere any more. After 7 days everything about the server "
            "is deleted: dreams "
            "and pictures, settings, bans, contests, the audit log. If the bot is back before, everything is "
            "as it was. A server that is only out of reach for a while counts as there."
        ),
    }

    def privacy_how_long(self, *, days: int, picture_days: int | None, megabytes: int) -> str:
        """Of films and states `days`, of pictures `picture_days` (None: any time), of all `megabytes`."""
        pictures = (
            "Pictures, and those that you gave, stay for as long as there is room"
            if picture_days is None
            else f"Pictures, and those that you gave, stay for {self._days(picture_days)}, if there is room"
        )
        return (
            f"Films and states stay for {self._days(days)}. {pictures}: {megabytes:,} MB in all. When that "
            "is full, the oldest go first, films and states before pictures. A dream's words, seed and "
            "recipe stay until you delete them, so that it can be dreamt again."
        )

    def privacy_held(self, held: Held) -> str:
        """What is stored of somebody."""
        lines = [self._amount(getattr(held, name), word) for name, word in self._HELD.items()]
        lines += ["Your preferences"] if held.has_preferences else []
        lines += ["What you allow the public wall"] if held.has_wall_choice else []
        lines += [f"Kept by moderators: {self._amount(held.bans, 'ban')}"] if held.bans else []
        return "\n".join(f"· {line}" for line in lines)

    def privacy_question(self, held: Held) -> str:
        """Before somebody is forgotten."""
        what = listed(
            [self._amount(getattr(held, name), self._HELD[name]) for name in ("dreams", "votes", "entries")],
            "and",
        )
        stops = " What you have waiting is cancelled." if held.unfinished else ""
        return (
            f"This deletes everything I keep about you, here and in every other server: "
            f"{what}, your preferences, "
            f"the pictures you gave.{stops} It can't be undone. What others made of your dreams stays, "
            "without your name, and so does what moderators keep, such as bans."
        )

    def privacy_page(self, address: str) -> str:
        """Where all of it is told."""
        return f"Everything about it: {address}"

    def export_left_out(self, pictures: int) -> str:
        """After an export in which not all pictures had room."""
        what = "One picture is" if pictures == 1 else f"{pictures} pictures are"
        return f"{what} not in it, for lack of room; `/dreams show` has each."

    def privacy(self, *, wall: bool, name: str) -> str:
        """What somebody allows the public wall. `name`: safe to show, or ''."""
        if not wall:
            return "Your dreams don't hang on the public wall; those that did are gone from it."
        said = "Your dreams may hang on the public wall, in servers whose moderators want that"
        return f"{said}, under the name {name}." if name else f"{said}; nobody is told who dreamt them."

    _HELD: ClassVar[dict[str, str]] = {
        "dreams": "dream",
        "pictures": "picture",
        "films": "film",
        "states": "state to go on from|states to go on from",
        "image_prompts": "picture that you gave|pictures that you gave",
        "votes": "vote",
        "entries": "contest entry|contest entries",
        "reports": "report",
        "sendings": "picture sent to you|pictures sent to you",
    }

    @staticmethod
    def _amount(count: int, word: str) -> str:
        one, _, many = word.partition("|")
        return f"{count:,} {one if count == 1 else many or f'{one}s'}"

    @staticmethod
    def _days(days: int) -> str:
        return "one day" if days == 1 else f"{days} days"
