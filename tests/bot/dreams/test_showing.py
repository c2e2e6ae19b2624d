"""The rule of what may be shown where: every occasion, every policy, every kind of place."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from bot.dreams.dream import Dream, DreamState, Gone
from bot.dreams.showing import (
    HIDDEN,
    Consent,
    Occasion,
    Showing,
    Venue,
    Visibility,
    may_tell,
    published,
    showing,
    together,
)
from bot.servers.settings import NsfwPolicy

HOME_ID, HERE_ID, PARENT_ID = 10, 20, 30
PLAIN = Venue(guild_id=1, channel_id=HOME_ID, public=True)
KINDS = {
    "channel": PLAIN,
    "age-restricted": replace(PLAIN, adults=True),
    "thread": replace(PLAIN, parent_id=PARENT_ID),
    "age-restricted thread": replace(PLAIN, parent_id=PARENT_ID, adults=True),
    "private thread": replace(PLAIN, parent_id=PARENT_ID, private=True, public=False),
    "hidden": replace(PLAIN, public=False),
    "hidden and age-restricted": replace(PLAIN, public=False, adults=True),
    "deleted": Venue(guild_id=1, channel_id=HOME_ID, known=False),
    "elsewhere": replace(PLAIN, guild_id=2),
    "direct": Venue(guild_id=None, channel_id=HOME_ID),
}
DREAM = Dream(
    id=1, prompt="a tree", seed=1, steps=None, model="auto", author_id=5, guild_id=1, channel_id=HOME_ID,
    origin=1, message_id=77, state=DreamState.DONE, attempts=1, created_at=0.0,
)  # fmt: skip
LINK = f"https://discord.com/channels/1/{HOME_ID}/77"


def everywhere() -> Iterator[tuple[Venue, Venue, Occasion, bool]]:
    """Every home, every place, every occasion, whoever looks."""
    for home, here, occasion, reads in product(KINDS.values(), KINDS.values(), Occasion, (True, False)):
        moved = home if occasion is Occasion.HOME else replace(here, channel_id=HERE_ID)
        yield home, moved, occasion, reads


def shown(
    dream: Dream, home: Venue, here: Venue, occasion: Occasion, *policies: NsfwPolicy, reads: bool = True
) -> Showing:
    found = policies or (NsfwPolicy.AGE_RESTRICTED,)
    return showing(dream, home=home, here=here, occasion=occasion, policies=found, reads=reads)


UNSAFE = replace(DREAM, flagged="nudity")


def test_a_refused_picture_comes_out_nowhere() -> None:
    for home, here, occasion, reads in everywhere():
        for others in ((), (NsfwPolicy.SPOILER,), (NsfwPolicy.AGE_RESTRICTED,)):
            found = shown(UNSAFE, home, here, occasion, NsfwPolicy.REFUSE, *others, reads=reads)
            assert found.visibility is Visibility.WITHHELD, (home, here, occasion)


def test_an_unsafe_picture_is_open_in_age_restricted_places_alone_and_only_where_the_server_says_so() -> None:
    for home, here, occasion, reads in everywhere():
        for policy in NsfwPolicy:
            if shown(UNSAFE, home, here, occasion, policy, reads=reads).visibility is Visibility.OPEN:
                assert here.adults and policy is NsfwPolicy.AGE_RESTRICTED, (home, here, occasion)


def test_what_its_dreamer_hides_is_open_nowhere() -> None:
    for (home, here, occasion, reads), flagged in product(everywhere(), ("", "nudity")):
        hides = replace(DREAM, spoiler=True, flagged=flagged)
        for policy in NsfwPolicy:
            assert shown(hides, home, here, occasion, policy, reads=reads).visibility is not Visibility.OPEN


def test_an_erased_dream_and_one_of_another_server_are_told_of_nowhere_but_to_its_dreamer() -> None:
    for home, here, occasion, reads in everywhere():
        assert shown(replace(DREAM, erased=True), home, here, occasion, reads=reads) == HIDDEN
        apart = home.guild_id != here.guild_id
        if apart and occasion not in (Occasion.OWN, Occasion.SENT):
            assert not shown(DREAM, home, here, occasion, reads=reads).tells, (home, here, occasion)


def test_what_an_age_restricted_channel_holds_is_shown_to_others_in_such_places_alone() -> None:
    for home, here, occasion, reads in everywhere():
        if home.adults and not here.adults and occasion not in (Occasion.OWN, Occasion.SENT):
            found = shown(DREAM, home, here, occasion, reads=reads)
            assert found.visibility is Visibility.WITHHELD, (home, here, occasion)
            assert occasion is Occasion.REPORTED or not found.tells


def test_it_is_said_where_to_look_only_to_whoever_may_look_there() -> None:
    home = KINDS["age-restricted"]
    for occasion in (Occasion.LISTED, Occasion.LOOKED_UP):
        assert shown(DREAM, home, PLAIN, occasion, reads=True).adults_only
        assert not shown(DREAM, home, PLAIN, occasion, reads=False).adults_only


def test_whoever_may_not_read_a_channel_is_told_nothing_of_its_dreams() -> None:
    for home, here, occasion, _ in everywhere():
        if occasion in (Occasion.LISTED, Occasion.LOOKED_UP):
            assert not shown(DREAM, home, here, occasion, reads=False).tells
        if occasion is Occasion.EXHIBITED and not home.public:
            assert not shown(DREAM, home, here, occasion).tells, "not everybody there may read its home"


@pytest.mark.parametrize(
    ("home", "here", "told"),
    [
        (KINDS["hidden"], KINDS["hidden"], True),  # a contest in the same channel
        (replace(KINDS["hidden"], parent_id=PARENT_ID), replace(PLAIN, channel_id=PARENT_ID), True),
        (KINDS["hidden"], replace(KINDS["hidden"], channel_id=HERE_ID, parent_id=HOME_ID), True),
        (KINDS["private thread"], replace(PLAIN, channel_id=PARENT_ID), False),
        (KINDS["hidden"], replace(KINDS["hidden"], channel_id=HERE_ID), False),
        (KINDS["thread"], replace(PLAIN, channel_id=HERE_ID), True),
    ],
)
def test_a_closed_channel_s_dreams_are_exhibited_to_its_own_readers_alone(
    home: Venue, here: Venue, told: bool
) -> None:
    assert may_tell(home, here, Occasion.EXHIBITED) is told


ASKED = (Occasion.HOME, Occasion.LOOKED_UP, Occasion.OWN)
ON_SHOW = (Occasion.EXHIBITED, Occasion.LISTED)
_OPEN, _SPOILER, _WITHHELD = Visibility.OPEN, Visibility.SPOILER, Visibility.WITHHELD


@pytest.mark.parametrize(
    ("policy", "occasions", "adults", "meant"),
    [
        (NsfwPolicy.SPOILER, ASKED, False, _SPOILER),
        (NsfwPolicy.SPOILER, ASKED, True, _SPOILER),
        (NsfwPolicy.SPOILER, ON_SHOW, False, _WITHHELD),
        (NsfwPolicy.SPOILER, ON_SHOW, True, _SPOILER),
        (NsfwPolicy.AGE_RESTRICTED, ASKED, False, _WITHHELD),
        (NsfwPolicy.AGE_RESTRICTED, ASKED, True, _OPEN),
        (NsfwPolicy.AGE_RESTRICTED, ON_SHOW, False, _WITHHELD),
        (NsfwPolicy.AGE_RESTRICTED, ON_SHOW, True, _OPEN),
        (NsfwPolicy.SPOILER, (Occasion.SENT, Occasion.REPORTED), False, _WITHHELD),
        (NsfwPolicy.AGE_RESTRICTED, (Occasion.SENT, Occasion.REPORTED), True, _WITHHELD),
    ],
)
def test_a_policy_says_what_becomes_of_an_unsafe_picture(
    policy: NsfwPolicy, occasions: tuple[Occasion, ...], adults: bool, meant: Visibility
) -> None:
    for occasion in occasions:
        place = replace(PLAIN, adults=adults)
        assert shown(UNSAFE, place, place, occasion, policy).visibility is meant, occasion


def test_of_two_servers_policies_the_stricter_one_counts() -> None:
    elsewhere = replace(PLAIN, guild_id=2, adults=True)
    for first, second in (list(NsfwPolicy)[1:], list(NsfwPolicy)[:0:-1]):
        assert shown(UNSAFE, PLAIN, elsewhere, Occasion.OWN, first, second).visibility is Visibility.SPOILER


def test_a_harmless_picture_of_an_open_channel_is_shown_with_its_link() -> None:
    for occasion in set(Occasion) - {Occasion.REPORTED, Occasion.PUBLISHED}:
        found = shown(DREAM, PLAIN, PLAIN, occasion)
        assert found == Showing(visibility=Visibility.OPEN, tells=True, link=LINK), occasion


def test_a_frame_counts_by_what_was_found_in_it_not_by_the_end() -> None:
    policies = (NsfwPolicy.REFUSE,)
    for flagged, found in (("", Visibility.OPEN), ("nudity", Visibility.WITHHELD)):
        frame = showing(
            UNSAFE, home=PLAIN, here=PLAIN, occasion=Occasion.HOME, policies=policies, flagged=flagged
        )
        assert frame.visibility is found


def test_nobody_is_led_to_a_channel_that_they_cannot_read() -> None:
    home = KINDS["hidden"]
    assert shown(DREAM, home, PLAIN, Occasion.OWN, reads=False).link == ""
    assert shown(DREAM, home, PLAIN, Occasion.OWN, reads=True).link == LINK
    assert shown(replace(DREAM, message_id=None), PLAIN, PLAIN, Occasion.OWN).link == ""


def test_a_beginning_is_exhibited_nowhere() -> None:
    assert not shown(replace(DREAM, candidate=1), PLAIN, PLAIN, Occasion.EXHIBITED).tells
    assert shown(replace(DREAM, candidate=1), PLAIN, PLAIN, Occasion.HOME).visibility is Visibility.OPEN


def test_several_pictures_in_one_are_shown_as_the_strictest_of_them() -> None:
    one = shown(DREAM, PLAIN, PLAIN, Occasion.HOME)
    hides = shown(replace(DREAM, spoiler=True), PLAIN, PLAIN, Occasion.HOME)
    assert together([one, hides, one]).visibility is Visibility.SPOILER
    assert together([one, HIDDEN]).visibility is Visibility.WITHHELD and together([]) == HIDDEN


def test_a_file_is_hidden_by_its_name() -> None:
    assert shown(DREAM, PLAIN, PLAIN, Occasion.HOME).filename("dream-1", "png") == "dream-1.png"
    hides = shown(replace(DREAM, spoiler=True), PLAIN, PLAIN, Occasion.HOME)
    assert hides.filename("dream-1", "png") == "SPOILER_dream-1.png"


AGREED = Consent(server=True)


def on_the_wall(dream: Dream = DREAM, home: Venue = PLAIN, consent: Consent = AGREED) -> bool:
    found = published(dream, home=home, consent=consent)
    assert found == HIDDEN or (found.visibility is Visibility.OPEN and found.tells)
    return found.tells


def test_a_finished_dream_of_an_open_channel_is_published_where_its_server_wants_that() -> None:
    assert on_the_wall() and not on_the_wall(consent=Consent())
    assert on_the_wall(home=KINDS["thread"])


@pytest.mark.parametrize("kind", sorted(KINDS.keys() - {"channel", "thread", "elsewhere"}))
def test_what_not_everybody_in_the_server_may_read_or_only_adults_is_not_published(kind: str) -> None:
    assert not on_the_wall(home=KINDS[kind])


@pytest.mark.parametrize(
    "changes",
    [
        *({"state": state} for state in DreamState if state is not DreamState.DONE),
        {"spoiler": True},
        {"flagged": "nudity"},
        {"candidate": 1},
        {"erased": True},
        {"message_id": None},
        {"gone": Gone.DELETED},
        {"gone": Gone.LEFT},
    ],
    ids=str,
)
def test_what_is_hidden_unsafe_unfinished_or_withdrawn_is_not_published(changes: dict[str, Any]) -> None:
    assert not on_the_wall(replace(DREAM, **changes))


def test_whoever_opts_out_or_reports_has_the_last_word_on_what_is_published() -> None:
    assert not on_the_wall(consent=replace(AGREED, dreamer=False))
    assert not on_the_wall(consent=replace(AGREED, reported=True))


def test_a_published_dream_leads_to_its_message_only_where_its_server_wants_that() -> None:
    assert published(DREAM, home=PLAIN, consent=AGREED).link == ""
    assert published(DREAM, home=PLAIN, consent=replace(AGREED, link=True)).link == LINK


def test_nothing_is_published_by_the_rule_for_other_occasions() -> None:
    for home, here, _, reads in everywhere():
        assert shown(DREAM, home, here, Occasion.PUBLISHED, reads=reads) == HIDDEN
