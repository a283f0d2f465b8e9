"""While it speaks, an aligned head sees the tokens around the last one said, wherever it would rather look."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from torch.nn import functional as F  # noqa: E402, N812

from inference.higgs.following import Follower  # noqa: E402

SLOTS, LENGTH, SIZE = 3, 32, 8
TOKENS = slice(4, 16)


@pytest.fixture
def follower() -> Follower:
    follower = Follower((2, 3), slots=SLOTS, device="cpu")
    for slot in range(SLOTS):
        follower.begin(slot, TOKENS)
    return follower


def keys_that_draw(*places: int) -> torch.Tensor:
    """Keys by which a query of ones looks at the first of `places`, or at the next ones where it cannot."""
    keys = torch.full((SLOTS, LENGTH, SIZE), -10.0)
    for rank, place in enumerate(places):
        keys[:, place] = 10.0 - rank
    return keys


def look(follower: Follower, keys: torch.Tensor, *, slot: int = 0, move: bool = True) -> int:
    """The position that a query of ones is answered from."""
    values = torch.arange(LENGTH).float()[None, :, None].expand(SLOTS, -1, SIZE)
    answer = follower.attend(torch.ones(1, SIZE), keys, values, torch.tensor([slot]), move=move)
    return round(answer[0, 0].item())


def test_it_sees_no_further_than_its_window(follower: Follower) -> None:
    assert look(follower, keys_that_draw(12, 8, 7)) == 7
    assert look(follower, keys_that_draw(12, 11, 10)) == 10
    assert look(follower, keys_that_draw(12)) == 12


def test_it_goes_on_from_what_it_looked_at_and_never_back(follower: Follower) -> None:
    assert look(follower, keys_that_draw(7)) == 7
    assert look(follower, keys_that_draw(5)) == 5, "two tokens back are in sight"
    assert look(follower, keys_that_draw(4, 5)) == 5, "and no more, since it stands where it was"
    assert look(follower, keys_that_draw(10)) == 10


def test_one_that_does_not_move_leaves_it_where_it_is(follower: Follower) -> None:
    for _ in range(5):
        assert look(follower, keys_that_draw(10, 7), move=False) == 7


def test_it_sees_nothing_beyond_its_sentence(follower: Follower) -> None:
    follower.begin(0, slice(13, 16))
    assert look(follower, keys_that_draw(16, 17, 18, 15)) == 15
    follower.begin(0, TOKENS)
    assert look(follower, keys_that_draw(2, 3, 4)) == 4


def test_each_slot_is_in_a_sentence_of_its_own(follower: Follower) -> None:
    for _ in range(3):
        look(follower, keys_that_draw(15, 13, 10, 7), slot=0)
    assert look(follower, keys_that_draw(15, 13, 10, 7), slot=0) == 15
    assert look(follower, keys_that_draw(15, 13, 10, 7), slot=1) == 7


def test_it_is_attention_to_what_it_sees(follower: Follower) -> None:
    random = torch.Generator().manual_seed(0)
    keys, values = torch.randn(2, SLOTS, LENGTH, SIZE, generator=random)
    q = torch.randn(2, SIZE, generator=random)
    assert [look(follower, keys_that_draw(place), slot=2) for place in (7, 9)] == [7, 9]
    slots = torch.tensor([0, 2])
    seen = (slice(4, 8), slice(7, 13))
    expected = [
        F.scaled_dot_product_attention(q[n : n + 1], keys[slot, here], values[slot, here])
        for n, (slot, here) in enumerate(zip(slots.tolist(), seen, strict=True))
    ]
    torch.testing.assert_close(follower.attend(q, keys, values, slots, move=False), torch.cat(expected))
