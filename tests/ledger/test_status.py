"""What the figures of an office mean: fine, troubled, or cannot tell, each with its reason."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.model import Block, Lease, Nonces, Waiting
from ledger.status import (
    FINALITY_SECONDS,
    LAG_BLOCKS,
    OBSTACLES,
    QUEUE_SECONDS,
    TRANSACTION_GAS,
    WORKER_SECONDS,
    Obstacle,
    Part,
    Relayer,
    Status,
    chain_part,
    database_part,
    documents_part,
    publisher_part,
    queue_part,
)

NOW = 1_800_000_000
RELAYER = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
WORKING = [Lease("follower", "one.example", 55)]
RICH = 10**18


def block(number: int, age: int = 0) -> Block:
    return Block(number, bytes(32), NOW - age, b"")


def names(part: Part) -> list[str]:
    return [obstacle.name for obstacle in part.obstacles]


def queue(leases: list[Lease] = WORKING, **ages: int) -> Part:
    waiting: Any = {state: Waiting(3, NOW - age) for state, age in ages.items()}
    return queue_part(waiting, leases, "follower", NOW)


def publisher(nonces: Nonces = Nonces(), next_nonce: int | None = 0, balance: int | None = RICH) -> Part:  # noqa: B008
    return publisher_part([Relayer(RELAYER, nonces, next_nonce, balance)], 10, NOW, [])


@pytest.mark.parametrize(
    ("obstacles", "state"),
    [
        ([], "fine"),
        (["node-unreachable"], "unknown"),
        (["out-of-funds"], "troubled"),
        (["node-unreachable", "nonce-stuck"], "troubled"),
    ],
)
def test_what_is_known_to_be_wrong_weighs_more_than_what_cannot_be_told(obstacles: list[str], state: str) -> None:
    part = Part("chain", {}, [Obstacle(name, "") for name in obstacles])
    assert part.state == state
    assert Status(NOW, [Part("queue", {}), part]).state == state


def test_an_application_waits_too_long_for_the_office_and_never_for_its_approvers() -> None:
    assert names(queue(submitted=10 * QUEUE_SECONDS, approved=QUEUE_SECONDS, failed=10 * QUEUE_SECONDS)) == []
    late = queue(approved=QUEUE_SECONDS + 60)
    assert late.obstacles == [Obstacle("queue-stuck", "An application has been approved for 11 minutes.")]
    assert late.figures["waiting"] == {"approved": {"number": 3, "oldestSeconds": QUEUE_SECONDS + 60}}
    assert names(queue(final=QUEUE_SECONDS + 1)) == ["queue-stuck"]


def test_an_office_whose_steps_nobody_runs_is_troubled() -> None:
    assert names(queue([])) == ["no-worker"]
    assert names(queue([Lease("follower", "one.example", -WORKER_SECONDS)])) == []
    gone = queue([Lease("follower", "one.example", -WORKER_SECONDS - 60), Lease("other", "one.example", 55)])
    assert gone.obstacles == [Obstacle("no-worker", "No worker has run for 6 minutes.")]


def test_finality_is_told_with_its_age_and_is_late_only_while_something_waits_for_it() -> None:
    followed = {"land": 90}
    late = chain_part(block(100), block(90, FINALITY_SECONDS + 60), followed, NOW)
    assert late.obstacles == [Obstacle("finality-late", "Finality is 31 minutes old.")]
    assert (late.figures["latest"], late.figures["final"], late.figures["finalitySeconds"]) == (100, 90, 1860)
    assert names(chain_part(block(100), block(90, FINALITY_SECONDS), followed, NOW)) == []
    assert names(chain_part(block(90, 10**6), block(90, 10**6), followed, NOW)) == []
    assert names(chain_part(block(100), None, followed, NOW)) == ["no-finality"]
    assert chain_part(block(100), block(90, -60), followed, NOW).figures["finalitySeconds"] == 0


def test_a_register_that_is_not_followed_is_behind() -> None:
    final = block(100)
    part = chain_part(final, final, {"land": 100 - LAG_BLOCKS, "identity": 99 - LAG_BLOCKS, "diplomas": None}, NOW)
    assert part.figures["lag"] == {"land": LAG_BLOCKS, "identity": LAG_BLOCKS + 1, "diplomas": 101}
    assert [reason.split()[2] for _, reason in part.obstacles] == ["identity", "diplomas"]
    assert names(part) == ["register-behind"] * 2


def test_a_relayer_that_cannot_pay_for_a_transaction_is_out_of_funds() -> None:
    assert names(publisher(balance=10 * TRANSACTION_GAS)) == []
    assert names(publisher(balance=10 * TRANSACTION_GAS - 1)) == ["out-of-funds"]
    assert publisher().figures["relayers"][RELAYER]["balance"] == str(RICH)


def test_a_balance_or_a_fee_that_nobody_told_is_no_lack_of_funds() -> None:
    away = [Obstacle("node-unreachable", "The node does not answer.")]
    part = publisher_part([Relayer(RELAYER, Nonces())], None, NOW, away)
    assert (names(part), part.state) == (["node-unreachable"], "unknown")
    assert part.figures["relayers"][RELAYER] == {"signed": 0, "sent": 0, "included": 0}


def test_a_nonce_that_no_block_takes_is_stuck() -> None:
    waiting = Nonces(1, 1, 0, 8, 7, NOW - QUEUE_SECONDS)
    assert names(publisher(waiting, 9)) == []
    assert names(publisher(waiting._replace(since=NOW - QUEUE_SECONDS - 1), 9)) == ["nonce-stuck"]


@pytest.mark.parametrize(("highest", "next_nonce", "found"), [(None, 0, []), (4, 5, []), (4, 3, []), (None, 1, 1)])
def test_a_chain_with_transactions_that_the_database_does_not_hold_is_ahead(
    highest: int | None, next_nonce: int, found: Any
) -> None:
    assert names(publisher(Nonces(highest=highest), next_nonce)) == (["database-behind-chain"] if found else [])


def test_another_schema_than_the_programs_is_told() -> None:
    assert names(database_part(("0009", "0009"))) == []
    assert names(database_part(("0008", "0009"))) == ["schema-mismatch"]


def test_a_store_that_replicates_nothing_has_no_number_of_documents() -> None:
    assert documents_part("directory", None, []).figures == {"store": "directory"}
    assert documents_part("two nodes", 7, []).figures == {"store": "two nodes", "waiting": 7}


def test_every_obstacle_is_one_of_those_that_are_listed() -> None:
    assert set(OBSTACLES.values()) == {"troubled", "unknown"}
    with pytest.raises(KeyError):
        _ = Part("queue", {}, [Obstacle("invented", "")]).state
