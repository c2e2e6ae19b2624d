"""What each person wants their dreams to be when they say nothing else. Knows no Discord."""

from dataclasses import asdict, dataclass, fields, replace

from sqlalchemy import delete, select

from bot.background import BackgroundLoop
from bot.database.connection import Database, put
from bot.database.tables import preferences
from bot.dreams.notices import NOTICES, WAITED
from engine.settings import PRESETS, SIZES

READ_S = 10.0  # seconds between looks for what other processes were told


@dataclass(frozen=True, slots=True, kw_only=True)
class Preference:
    """One person's defaults."""

    preset: str = ""  # one of engine.settings.PRESETS; "": the model's own settings
    size: int | None = None  # one of engine.settings.SIZES; None: the model's own
    spoiler: bool = False
    language: str = ""  # of what only they read, e.g. "it"; "": what their Discord speaks
    # One of bot.dreams.notices.NOTICES. A dream that is over at once is being looked at, so its author needs
    # no notice; who waits for longer looks elsewhere, and Discord tells nobody of an edited message.
    notice: str = WAITED


NONE = Preference()


class Preferences(BackgroundLoop):
    """Everybody's. Kept in memory, as each click asks for them; only those who set any have a row."""

    def __init__(self, *, database: Database, is_shared: bool = False, read_s: float = READ_S) -> None:
        """`is_shared`: other processes are told some, too; `read_s`: seconds between looks for those."""
        super().__init__(retry_s=read_s)
        self._database = database
        self._is_shared = is_shared
        self._known: dict[int, Preference] = {}
        self._changes = 0  # made here

    async def start(self) -> None:
        """Read them, and where they are shared, again and again. Raises `StoreError`."""
        await (super().start() if self._is_shared else self._resume())

    async def _resume(self) -> None:
        changes = self._changes
        async with self._database.transaction() as connection:
            rows = (await connection.execute(select(preferences))).all()
        names = [field.name for field in fields(Preference)]
        known = {row.person: _usable({name: getattr(row, name) for name in names}) for row in rows}
        if changes == self._changes:  # else it is older than what is known
            self._known = known

    async def _look(self) -> float:
        await self._resume()
        return self._retry_s

    def of(self, person: int) -> Preference:
        return self._known.get(person, NONE)

    async def put(self, person: int, preference: Preference) -> None:
        """From now on they want this. Raises `StoreError`, and nothing is changed."""
        async with self._database.transaction() as connection:
            if preference == NONE:
                await connection.execute(delete(preferences).where(preferences.c.person == person))
            else:
                await put(connection, preferences, {"person": person} | asdict(preference))
        self._changes += 1
        self._known.pop(person, None)
        if preference != NONE:
            self._known[person] = preference

    def forget(self, person: int) -> None:
        """Know nothing of somebody any more; their row is gone, or goes."""
        self._changes += 1
        self._known.pop(person, None)


def _usable(values: dict[str, object]) -> Preference:
    """What was stored, without what this version does not know any more."""
    preference = Preference(**values)  # type: ignore[arg-type]  # the columns have the fields' types
    if preference.preset not in PRESETS:
        preference = replace(preference, preset="")
    if preference.notice not in NOTICES:
        preference = replace(preference, notice=WAITED)
    return preference if preference.size in SIZES else replace(preference, size=None)
