"""`khalayak witness` as a process of its own, killed, asked too much, and shown a fork."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from ledger.adapters.http_witness import HttpWitness
from ledger.adapters.system_clock import SystemClock
from ledger.bootstrap import open_witness, open_witnesses
from ledger.checkpoint import Checkpoint, cosigners, note
from ledger.errors import BadInput, ConfigurationError, SplitView
from ledger.registers.forms import Change
from ledger.witness import create_witness_key
from scripts.cli_witness import listening
from scripts.devnet import free_port
from tests.command import khalayak
from tests.forks import SHARED, Anvil, anvil
from tests.office import record_of, running_office

FORKED = SHARED + 1
SEED = 20261124


@dataclass
class Running:
    process: subprocess.Popen[str]
    url: str
    trust: Path

    def get(self, path: str) -> httpx.Response:
        return httpx.get(f"{self.url}{path}", trust_env=False, timeout=20)

    def end(self) -> tuple[int, str]:
        """Its exit code and what it said on stderr, once it has ended by itself."""
        _, said = self.process.communicate(timeout=60)
        return self.process.returncode, said


@contextmanager
def witness(node_url: str, key: Path, trust: Path, listen: str = "127.0.0.1:0") -> Iterator[Running]:
    command = [sys.executable, "-m", "scripts.cli", "witness", "--rpc", node_url, "--listen", listen]
    command += ["--key", str(key), "--trust", str(trust)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        process.stdout.readline()
        yield Running(process, process.stdout.readline().removeprefix("Serves on ").strip(), trust)
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def node() -> Iterator[Anvil]:
    with anvil(1) as running:
        yield running


@pytest.fixture
def key(tmp_path: Path) -> Path:
    return tmp_path / "court.example.pem"


@pytest.fixture
def trust(node: Anvil, key: Path) -> Path:
    return trust_in(node, key)


@pytest.fixture(scope="module")
def court(node: Anvil, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    key = tmp_path_factory.mktemp("court") / "court.example.pem"
    with witness(node.url, key, trust_in(node, key)) as running:
        yield running


def trust_in(node: Anvil, key: Path) -> Path:
    """A trust root beside a new key, which is its only witness's."""
    create_witness_key(key)
    path = key.with_name("trust.json")
    path.write_text(json.dumps(node.trust(open_witness(key).verifier_key).as_json()))
    return path


def at(node: Anvil, number: int) -> Checkpoint:
    return Checkpoint(node.trust().origin, number, node.chain.block(number).hash)


def run(*arguments: str | Path) -> tuple[int, str]:
    return khalayak("witness", *arguments)


def test_a_new_key_is_private_and_never_replaced(key: Path) -> None:
    code, said = run("--new-key", key)
    assert code == 0 and said.strip() == open_witness(key).verifier_key
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    before = key.read_bytes()
    code, said = run("--new-key", key)
    assert code == 4 and "is there already" in said and key.read_bytes() == before


def test_a_name_that_no_note_can_hold_gets_no_key(key: Path) -> None:
    code, said = run("--new-key", key.with_name("a court.pem"))
    assert code == 2 and "no space" in said and not key.with_name("a court.pem").exists()


def test_what_it_serves_is_what_the_certifier_collects(node: Anvil, court: Running) -> None:
    line = HttpWitness(court.url, deadline=60)(at(node, 3))
    served = court.get("/checkpoint/3")
    keys = json.loads(court.trust.read_text())["witnesses"]["keys"]
    assert cosigners(note(at(node, 3), [line]), node.trust().origin, keys) == {"court.example"}
    assert served.text.splitlines()[-1].startswith("— court.example ")
    assert served.headers["content-type"] == "text/plain; charset=utf-8"


def test_it_answers_a_number_and_nothing_else(court: Running) -> None:
    wanted = {"/checkpoint/1": 200, "/checkpoint/900": 404, "/checkpoint/01": 400, "/checkpoint/-1": 400}
    wanted |= {f"/checkpoint/{'9' * 19}": 400, "/checkpoint/1/2": 404, "/": 404, "/checkpoint/%31%0a": 400}
    assert {path: court.get(path).status_code for path in wanted} == wanted
    assert httpx.post(f"{court.url}/checkpoint/1", content=b"x", trust_env=False).status_code == 405
    with socket.create_connection(("127.0.0.1", int(court.url.rpartition(":")[2]))) as raw:
        raw.sendall(b"GET /checkpoint/1 HTTP/1.1\r\nA: " + b"a" * 200_000)
        assert raw.recv(20).startswith(b"HTTP/1.1 400")
    assert court.get("/checkpoint/1").status_code == 200


def test_what_left_it_is_remembered_through_kills(node: Anvil, key: Path, trust: Path) -> None:
    chance, answered = random.Random(SEED), set[int]()
    for _ in range(3):
        with witness(node.url, key, trust) as running:
            process = running.process
            for number in chance.sample(range(1, node.final + 1), chance.randint(1, 4)):
                assert running.get(f"/checkpoint/{number}").status_code == 200
                answered.add(number)
            with socket.create_connection(("127.0.0.1", int(running.url.rpartition(":")[2]))) as raw:
                raw.sendall(b"GET /checkpoint/5 HTTP/1.1\r\nHost: a\r\n\r\n")
                os.kill(process.pid, signal.SIGKILL)  # wherever it is with this one
                process.wait()
    memory = open_witness(key)
    for number in answered:
        with pytest.raises(SplitView):
            memory.cosign(Checkpoint(node.trust().origin, number, bytes(32)), 1)


def test_a_node_that_changes_to_a_fork_ends_it_with_an_alarm(node: Anvil, key: Path, trust: Path) -> None:
    with anvil(1) as first:
        running = witness(first.url, key, trust)
        process = running.__enter__()
        assert process.get(f"/checkpoint/{FORKED}").status_code == 200
    with anvil(2, int(first.url.rpartition(":")[2])):
        code, said = process.end()
    running.__exit__(None, None, None)
    assert code == 1 and "ALARM Split view: court.example signed block 7" in said
    (refused,) = [line for line in key.with_suffix(".log").read_text().splitlines() if '"refused"' in line]
    assert {"note", "statement"} <= json.loads(refused).keys()
    with anvil(2) as other, witness(other.url, key, trust) as again:
        assert again.end()[0] == 1


def test_no_answer_waits_for_the_headers_to_be_acknowledged() -> None:
    with listening("127.0.0.1:0") as door, socket.create_connection(door.getsockname()):
        visitor, _ = door.accept()
        with visitor:
            assert visitor.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_it_does_not_start_where_it_could_not_be_believed(node: Anvil, key: Path, trust: Path, tmp_path: Path) -> None:
    create_witness_key(tmp_path / "other.pem")
    code, said = run("--rpc", node.url, "--trust", trust, "--key", tmp_path / "other.pem")
    assert code == 2 and "does not list this witness" in said
    with anvil(1, genesis_time=1_770_000_000) as stranger:
        code, said = run("--rpc", stranger.url, "--trust", trust, "--key", key)
    assert code == 2 and "begins with block" in said
    for listen in ("8547", "127.0.0.1:x", "127.0.0.1:65536"):
        with pytest.raises(BadInput, match="ADDRESS:PORT"):
            listening(listen)
    with listening("127.0.0.1:0") as taken, pytest.raises(ConfigurationError, match="in use"):
        listening(f"127.0.0.1:{taken.getsockname()[1]}")


def test_an_office_certifies_with_two_of_three_witnesses_elsewhere(tmp_path: Path) -> None:
    with running_office(tmp_path) as desk, ExitStack() as running:
        settings = desk.office.settings
        keys = sorted(settings.witness_keys.glob("*.pem"))[:2]
        started = [running.enter_context(witness(settings.rpc_url, key, settings.trust_file)) for key in keys]
        urls = [*(one.url for one in started), f"http://127.0.0.1:{free_port()}"]
        named = settings.model_copy(update={"witnesses": " ".join(urls)})
        desk.office.certifier.witnesses = open_witnesses(named, SystemClock())
        application = desk.done("land", Change("issue", (desk.request(),)))
        assert desk.verdict("land", record_of(application)).valid
        certificate = desk.office.store.certificate(str(desk.trusted().name), record_of(application))
        assert certificate is not None
        lines = certificate["state"]["checkpoint"].splitlines()[4:]
        assert [line.split()[1] for line in lines] == [key.stem for key in keys]
