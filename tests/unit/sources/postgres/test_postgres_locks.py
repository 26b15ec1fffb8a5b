"""Who waits for whom, as a tree from its roots."""

from console.sources.postgres.locks import Wait, forest
from console.sources.protocols.database import Waiter


def shape(waiters: tuple[Waiter, ...]) -> dict[int, object]:
    return {waiter.pid: shape(waiter.waiters) for waiter in waiters}


def test_three_hundred_waiters_on_one_row_hang_below_its_holder_and_not_below_each_other() -> None:
    waits = [Wait(1000, (1,))] + [Wait(1000 + n, (1, *range(1000, 1000 + n))) for n in range(1, 300)]
    roots = forest(waits, {})
    assert [root.pid for root in roots] == [1]
    assert roots[0].size == 300
    assert len(roots[0].waiters) == 20
    assert roots[0].more == 280
    assert all(child.waiters == () for child in roots[0].waiters)


def test_a_queue_behind_a_waiting_ddl_statement_hangs_below_that_statement() -> None:
    roots = forest([Wait(2, (1,), "AccessExclusiveLock", "grade", 9.0), Wait(3, (2,)), Wait(4, (2, 3))], {})
    assert shape(roots) == {1: {2: {3: {}, 4: {}}}}
    assert (roots[0].waiters[0].mode, roots[0].waiters[0].relation, roots[0].waiters[0].waited_s) == (
        "AccessExclusiveLock",
        "grade",
        9.0,
    )


def test_the_root_that_most_wait_for_comes_first_and_the_longest_waiter_before_the_others() -> None:
    waits = [Wait(11, (1,), waited_s=1.0), Wait(22, (2,), waited_s=2.0), Wait(23, (2,), waited_s=7.0)]
    roots = forest(waits, {})
    assert [root.pid for root in roots] == [2, 1]
    assert [child.pid for child in roots[0].waiters] == [23, 22]


def test_a_prepared_transaction_is_a_root_with_pid_0_and_no_session() -> None:
    (root,) = forest([Wait(5, (0,))], {})
    assert (root.pid, root.session, shape(root.waiters)) == (0, None, {5: {}})


def test_a_deadlock_in_progress_is_cut_at_the_session_that_waits_longest() -> None:
    roots = forest([Wait(1, (2,), waited_s=0.1), Wait(2, (3,), waited_s=0.9), Wait(3, (1,), waited_s=0.2)], {})
    assert shape(roots) == {2: {1: {3: {}}}}
    assert roots[0].size == 2


def test_a_session_that_blocks_itself_does_not_hang_the_tree() -> None:
    assert forest([Wait(1, (1,))], {}) == ()


def test_a_second_holder_of_a_shared_lock_says_that_somebody_waits_for_it_too() -> None:
    roots = forest([Wait(9, (1, 2))], {})
    assert shape(roots) == {1: {9: {}}, 2: {}}
    assert [root.size for root in roots] == [1, 1]


def test_a_wait_that_is_over_is_left_out_and_can_be_a_root() -> None:
    assert shape(forest([Wait(1, ()), Wait(2, (1,))], {})) == {1: {2: {}}}


def test_a_chain_as_long_as_the_server_has_sessions_is_cut_and_counted() -> None:
    (root,) = forest([Wait(pid + 1, (pid,)) for pid in range(1, 5001)], {})
    assert root.size == 5000
    depth, node = 0, root
    while node.waiters:
        depth, node = depth + 1, node.waiters[0]
    assert depth == 16
    assert node.more == 5000 - 16
