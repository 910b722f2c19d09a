"""`khalayak documents`: what an office keeps, and how it gets out and back in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ledger.errors import BadInput, DocumentCorrupt, DocumentStoreUnavailable
from ledger.settings import load_settings
from scripts import cli_custody, cli_readers
from scripts.files import open_new
from scripts.progress import log_to_stderr, progress

if TYPE_CHECKING:
    from ledger.adapters.replicated_store import ReplicatedStore
    from ledger.ports import DocumentStore

_PIECE = 1 << 20
Files = Annotated[list[Path], typer.Argument(help="the files")]
Where = Annotated[str, typer.Argument(help="a folder, or a node as /ip4/127.0.0.1/tcp/5001")]


def commands() -> typer.Typer:
    app = typer.Typer(help="Documents: where they are kept, who can open them, what must go.", no_args_is_help=True)
    for command in (add, get, audit, move, export, *cli_readers.COMMANDS, *cli_custody.COMMANDS):
        app.command()(command)
    app.command("import")(import_archives)
    return app


def add(files: Files) -> None:
    """Store files as they are, unsealed: everybody who has the CID can read them. Prints the CID of each."""
    with _office() as store:
        for file in files:
            with _opened(file) as pieces:
                typer.echo(f"{store.put_stream(pieces)}  {file}")
        _bring(store)


def get(cid: str, out: Annotated[Path, typer.Option("--out", "-o", help="file to write; never overwritten")]) -> None:
    """Write a document as it is stored, checked against its CID; a sealed one stays sealed."""
    from ledger.document_transfer import ANY_SIZE

    with _office() as store, open_new(out) as file:
        file.writelines(store.read(cid, ANY_SIZE))


def audit() -> None:
    """Read every copy of every document, check the pins, and mend what is wrong from a good copy."""
    from ledger.adapters.document_audit import audit
    from ledger.bootstrap import documents_of_database

    with _office() as store:
        # What the database names is kept too, however it got lost here.
        store.adopt(documents_of_database(load_settings()))
        total = sum(1 for _ in store.cids()) * (1 + len(store.nodes))
        with progress("copies read", total, "copies") as advance:
            findings = list(audit(store, progress=advance))
        for finding in findings:
            state = {True: "mended", False: "LOST", None: "cannot tell"}[finding.mended]
            typer.echo(f"{finding.fault:12} {state:12} {finding.place:28} {finding.cid}")
        for node in store.states():
            typer.echo(f"waiting      {node.waiting:<12,} {node.address:28} {node.problem}".rstrip())
        typer.echo(f"audited      {total:,} copies, {len(findings):,} findings")
    if any(finding.mended is False for finding in findings):
        raise DocumentCorrupt("Some documents are lost at some place.", "Bring them back from a backup or an archive.")
    if any(finding.mended is None for finding in findings):
        raise DocumentStoreUnavailable("Some copies could not be read.", "Start the nodes, and audit again.")


def move(source: Where, target: Where) -> None:
    """Store in TARGET all that SOURCE keeps. The same command again goes on where it stopped."""
    from ledger.document_transfer import move

    if not source.startswith("/ip") and not Path(source).is_dir():
        raise BadInput(f"{source} is no folder and no address of a node.", "Check its name.")
    origin = _store_at(source)
    with progress("documents", sum(1 for _ in origin.cids()), "documents") as advance:
        moved = move(origin, _store_at(target), advance)
    typer.echo(f"stored        {moved.stored:,}, and {moved.before:,} were there; {source} still has them")
    for cid in moved.unreadable:
        typer.echo(f"unreadable    {cid}")
    if moved.unreadable:
        raise DocumentCorrupt(f"{len(moved.unreadable):,} documents of {source} cannot be read.", "Audit them first.")


def export(
    archive: Annotated[Path, typer.Argument(help="CAR file to write; more of them beside it if need be")],
) -> None:
    """Write everything into CAR files, which any IPFS node and `documents import` take."""
    from ledger.document_transfer import export

    with _office() as store:
        cids, count, number = store.cids(), 0, 1
        with progress("documents", sum(1 for _ in store.cids()), "documents") as advance:
            while True:
                path = archive if number == 1 else archive.with_name(f"{archive.stem}-{number}{archive.suffix}")
                with open_new(path) as file:
                    written = export(store, cids, file, advance)
                if not written:
                    path.unlink()
                    break
                typer.echo(f"wrote         {path}: {written:,} documents")
                count, number = count + written, number + 1
    typer.echo(f"exported      {count:,} documents")


def import_archives(archives: Files) -> None:
    """Store the documents of CAR files, each checked as a whole before anything of it is stored."""
    from ledger.car import Archive
    from ledger.document_transfer import restore

    with _office() as store:
        for path in archives:
            try:
                file = path.open("rb")
            except OSError as error:
                raise BadInput(f"{path} cannot be read: {error.strerror}.") from None
            with file:
                archive = Archive.open(file)
                with progress("documents", len(archive.sizes), "documents") as advance:
                    count = restore(archive, store, advance)
            typer.echo(f"imported      {path}: {count:,} documents")
        _bring(store)


def _bring(store: ReplicatedStore) -> None:
    """Let the nodes have what they lack, as far as they answer."""
    waiting = sum(state.waiting for state in store.states())
    if not waiting:
        return
    with progress("to the nodes", waiting, "documents") as advance:
        while store.run_once():
            left = sum(state.waiting for state in store.states())
            advance(waiting - left)
            waiting = left
    for state in store.states():
        if state.problem:
            typer.echo(f"{state.waiting:,} wait for {state.address}: {state.problem}", err=True)


def _store_at(where: str) -> DocumentStore:
    from ledger.bootstrap import open_document_store

    return open_document_store(where)


@contextmanager
def _office() -> Iterator[ReplicatedStore]:
    from ledger.bootstrap import open_documents

    log_to_stderr()
    store = open_documents(load_settings())
    try:
        yield store
    finally:
        store.close()


@contextmanager
def _opened(path: Path) -> Iterator[Iterator[bytes]]:
    def pieces() -> Iterator[bytes]:
        try:
            while piece := file.read(_PIECE):
                yield piece
        except OSError as error:
            raise BadInput(f"{path} cannot be read: {error.strerror}.") from None

    try:
        file = path.open("rb")
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}.") from None
    with file:
        yield pieces()
