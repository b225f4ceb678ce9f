from __future__ import annotations

import pytest

from clara_trainer.embed.windows import Frame, Window, batches_of, windows_of

FRAME = Frame(left=[1], right=[2], prefix=[8, 9], max_tokens=10)


def test_a_text_that_fits_is_one_window() -> None:
    assert windows_of(3, [8, 9, 11, 12], FRAME) == [Window(3, [1, 8, 9, 11, 12, 2], 2)]


@pytest.mark.parametrize("length", [6, 7, 12, 13, 100])
def test_nothing_is_left_out_and_each_window_fits_and_begins_with_the_prefix(length: int) -> None:
    body = list(range(100, 100 + length))
    windows = windows_of(0, [8, 9, *body], FRAME)
    assert [token for window in windows for token in window.ids[3:-1]] == body
    assert len(windows) == -(-length // 6)
    for window in windows:
        assert len(window.ids) <= 10
        assert window.ids[:3] == [1, 8, 9]
        assert window.ids[-1] == 2
        assert window.weight == len(window.ids) - 4
    sizes = [window.weight for window in windows]
    assert max(sizes) - min(sizes) <= 1


def test_a_prefix_that_has_grown_together_with_the_text_stays_as_it_was_encoded() -> None:
    windows = windows_of(0, [8, 77, *range(100, 107)], FRAME)
    assert [window.ids for window in windows] == [[1, 8, 77, 100, 101, 102, 2], [1, 8, 103, 104, 105, 106, 2]]


def test_an_empty_text_has_a_window_too() -> None:
    assert windows_of(0, [], Frame([1], [2], [], 10)) == [Window(0, [1, 2], 1)]


def test_batches_are_sorted_by_length_and_bounded() -> None:
    windows = [Window(index, [0] * length, 1) for index, length in enumerate([3, 9, 1, 7, 8, 2])]
    batches = batches_of(windows, most_windows=2, most_tokens=16)
    assert [[len(window.ids) for window in batch] for batch in batches] == [[9], [8, 7], [3, 2], [1]]
    assert sorted(window.text for batch in batches for window in batch) == [0, 1, 2, 3, 4, 5]
    assert [len(batch) for batch in batches_of(windows, most_windows=2, most_tokens=1)] == [1] * 6
