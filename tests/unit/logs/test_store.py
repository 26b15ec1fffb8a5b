import time

import pytest

from console.logs.classify import Level
from console.logs.store import InvalidPattern, LogStore, Selection, compile_pattern
from console.sources.protocols.engine import LogLine, Stream


def _line(at: float, text: str = "x", container: str = "backend") -> LogLine:
    return LogLine(container, Stream.STDOUT, at, text)


def _texts(store: LogStore) -> list[str]:
    return [entry.line.text for entry in store.shown]


def test_lines_of_several_containers_are_merged_by_time() -> None:
    store = LogStore()
    store.add([_line(1, "a"), _line(4, "d")])
    store.add([_line(2, "b", "redis"), _line(3, "c", "redis"), _line(5, "e", "redis")])
    assert _texts(store) == ["a", "b", "c", "d", "e"]
    assert store.names == ["backend", "redis"]


def test_lines_of_one_moment_keep_the_order_in_which_they_came() -> None:
    store = LogStore()
    store.add([_line(1, "first"), _line(2, "later")])
    store.add([_line(1, "second")])
    assert _texts(store) == ["first", "second", "later"]


def test_a_line_from_long_ago_is_put_no_deeper_than_the_window() -> None:
    store = LogStore()
    store.add(_line(at, str(at)) for at in range(10, 5_000))
    store.add([_line(1, "ancient")])
    assert _texts(store).index("ancient") == 4_990 - 2_000


def test_the_oldest_lines_go_first_and_are_counted() -> None:
    store = LogStore(max_lines=100)
    store.add(_line(at, str(at)) for at in range(150))
    assert len(store) <= 100
    assert store.dropped == 150 - len(store) == store.trimmed
    assert _texts(store)[-1] == "149"


def test_bytes_are_bounded_too() -> None:
    store = LogStore(max_lines=1_000, max_bytes=100_000)
    store.add(_line(at, "y" * 4_000) for at in range(200))
    assert len(store) <= 100_000 // 4_000
    assert store.dropped == 200 - len(store)


def test_a_line_is_found_among_others_of_its_moment() -> None:
    store = LogStore()
    store.add([_line(1, "a"), _line(2, "b"), _line(2, "c", "redis"), _line(2, "d"), _line(3, "e")])
    found = store.nearest(_line(2, "c", "redis"))
    assert found is not None
    assert found.line.text == "c"


def test_a_line_that_is_not_there_is_looked_for_where_it_would_be() -> None:
    store = LogStore()
    assert store.nearest(_line(1)) is None
    store.add([_line(2, "b"), _line(4, "d")])
    places = [store.nearest(_line(at, "gone")) for at in (1, 2, 3, 9)]
    assert [entry.line.text for entry in places if entry] == ["b", "b", "b", "d"]


def test_while_held_twice_as_much_is_kept() -> None:
    store = LogStore(max_lines=100)
    store.holding = True
    store.add(_line(at) for at in range(200))
    assert (len(store), store.dropped) == (200, 0)
    store.holding = False
    store.add([_line(201)])
    assert len(store) <= 100


def test_the_filter_looks_at_the_whole_store_and_at_what_comes_later() -> None:
    store = LogStore()
    store.add(_line(at, f"row {at}") for at in range(1_000))
    store.select(Selection(pattern=compile_pattern("row 7$|new")))
    store.add([_line(2_000, "new"), _line(2_001, "other")])
    assert _texts(store) == ["row 7", "new"]


def test_a_marking_pattern_hides_nothing() -> None:
    store = LogStore()
    store.add([_line(1, "good"), _line(2, "bad")])
    store.select(Selection(pattern=compile_pattern("bad"), hides=False))
    assert [store.selection.matches(entry.line) for entry in store.shown] == [False, True]


def test_a_choice_of_containers_shows_only_theirs() -> None:
    store = LogStore()
    store.add([_line(1, "a"), _line(2, "b", "redis")])
    store.select(Selection(names=frozenset({"redis"})))
    assert _texts(store) == ["b"]


def test_dropping_lines_keeps_the_filtered_run_in_step() -> None:
    store = LogStore(max_lines=100)
    store.select(Selection(pattern=compile_pattern("even")))
    store.add(_line(at, "even" if at % 2 == 0 else "odd") for at in range(300))
    store.add([_line(301, "even")])
    assert len(store.shown) == sum(1 for at in range(300 - len(store) + 1, 300) if at % 2 == 0) + 1
    assert all(entry.line.text == "even" for entry in store.shown)


def test_an_entry_is_found_again_after_others_were_dropped() -> None:
    store = LogStore(max_lines=100)
    store.add(_line(at, str(at)) for at in range(100))
    entry = store.shown[90]
    store.add(_line(at, str(at)) for at in range(100, 150))
    assert store.shown[store.position(entry)] is entry


def test_like_errors_are_counted_with_their_first_and_last_time() -> None:
    store = LogStore()
    store.add(_line(at, f"ERROR: order {at} failed after {at} ms") for at in (10, 20, 30))
    seen = store.repeated("ERROR: order 99 failed after 1 ms")
    assert seen is not None
    assert (seen.count, seen.first_at, seen.last_at) == (3, 10, 30)
    assert store.shown[0].level is Level.ERROR


@pytest.mark.parametrize("text", ["(", "[a", "*", "(?P<n", "(a+)+$", "(a*){2,}", "a{99999999999999999999}"])
def test_a_pattern_that_cannot_be_used_is_refused_with_the_reason(text: str) -> None:
    with pytest.raises(InvalidPattern, match=r"\w"):
        compile_pattern(text)


def test_small_letters_find_both_cases_and_a_capital_finds_only_itself() -> None:
    small, capital = compile_pattern("error"), compile_pattern("Error")
    assert small is not None
    assert capital is not None
    assert small.search("ERROR")
    assert not capital.search("ERROR")


def test_a_full_store_takes_lines_as_fast_as_an_empty_one() -> None:
    store = LogStore(max_lines=20_000)
    lines = [_line(at, f"2026-11-22 10:00:00 INFO request {at} took 12 ms", f"c{at % 6}") for at in range(40_000)]
    began = time.process_time()
    store.add(lines[:20_000])
    filled = time.process_time()
    store.add(lines[20_000:])
    # Work that grew with what is stored would take hundreds of times as long.
    assert time.process_time() - filled < 20 * (filled - began)
