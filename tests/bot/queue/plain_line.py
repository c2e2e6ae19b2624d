"""The rule of the fair line, as plainly as it can be said: whatever is asked, everything is sorted anew.

`bot.queue.fair_queue` must answer the same, only sooner.
"""

from collections import Counter

from bot.queue.lane import Turn


class _Rounds:
    """In which round each one's next dream is."""

    def __init__(self) -> None:
        self.now = 0
        self.last: dict[int, int] = {}

    def next(self, one: int) -> int:
        return max(self.now, self.last.get(one, -1) + 1)

    def serve(self, one: int, *, out_of_turn: bool = False) -> None:
        self.last[one] = self.next(one)
        if not out_of_turn:
            self.now = self.last[one]
            self.last = {each: last for each, last in self.last.items() if last >= self.now}


class _Lane:
    """A server's dreams: those at the front, and the others as they came."""

    def __init__(self) -> None:
        self.rounds = _Rounds()
        self.front: list[tuple[int, Turn]] = []
        self.others: list[tuple[int, Turn]] = []

    def order(self) -> list[tuple[int, Turn]]:
        before = Counter(turn.person for _, turn in self.front)
        placed = []
        for arrival, turn in self.others:
            placed.append((self.rounds.next(turn.person) + before[turn.person], arrival, turn))
            before[turn.person] += 1
        return [*self.front, *(entry[1:] for entry in sorted(placed))]

    def entry(self, dream_id: int) -> tuple[int, Turn]:
        return next(entry for entry in [*self.front, *self.others] if entry[1].dream_id == dream_id)

    def drop(self, entry: tuple[int, Turn]) -> None:
        (self.front if entry in self.front else self.others).remove(entry)


class PlainLine:
    """As `Turns`, without waiting for anything."""

    def __init__(self) -> None:
        self.turns: dict[int, Turn] = {}
        self.held: set[int] = set()
        self._lanes: dict[int, _Lane] = {}
        self._rounds = _Rounds()
        self._arrivals = 0

    def put(self, turn: Turn) -> None:
        if turn.dream_id not in self.turns:
            self.turns[turn.dream_id] = turn
            self._lanes.setdefault(turn.server, _Lane()).others.append((self._arrivals, turn))
            self._arrivals += 1

    def remove(self, dream_id: int) -> None:
        turn = self.turns.pop(dream_id)
        lane = self._lanes[turn.server]
        lane.drop(lane.entry(dream_id))

    def to_front(self, dream_id: int) -> None:
        lane = self._lanes[self.turns[dream_id].server]
        entry = lane.entry(dream_id)
        lane.drop(entry)
        lane.front.insert(0, entry)

    def serve(self, dream_id: int) -> None:
        turn = self.turns[dream_id]
        lane = self._lanes[turn.server]
        out_of_turn = lane.entry(dream_id) in lane.front
        self.remove(dream_id)
        lane.rounds.serve(turn.person, out_of_turn=out_of_turn)
        self._rounds.serve(turn.server)
        self._lanes = {
            server: lane
            for server, lane in self._lanes.items()
            if lane.front or lane.others or server in self._rounds.last
        }

    def order(self) -> list[Turn]:
        entries = sorted(
            (self._rounds.next(server) + behind, arrival, turn)
            for server, lane in self._lanes.items()
            if server not in self.held
            for behind, (arrival, turn) in enumerate(lane.order())
        )
        return [turn for _, _, turn in entries]

    def order_of(self, server: int) -> list[Turn]:
        return [turn for _, turn in self._lanes[server].order()] if server in self._lanes else []
