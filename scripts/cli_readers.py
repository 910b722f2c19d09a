"""`khalayak documents …`: who can open a document, and handing it over to somebody."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import track

from ledger.errors import BadInput
from scripts.cli_office import open_office
from scripts.files import open_new
from scripts.progress import progress

Cid = Annotated[str, typer.Argument(help="CID of the sealed document, from the field `document` of its record")]
Reader = Annotated[str, typer.Option("--with", help="name of the reader, as court")]


def new_key(path: Annotated[Path, typer.Argument(help="file to write the private key to; never overwritten")]) -> None:
    """Make a key to open documents with, and print its public half."""
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    from ledger.readers import public_line
    from wallet.files import write_private

    key = X25519PrivateKey.generate().private_bytes_raw()
    write_private(path, key)
    typer.echo(public_line(key), nl=False)


def share(
    cid: Cid,
    reader: Reader,
    key: Annotated[str, typer.Option(help="his X25519 public key; none: his `.pub` in the office's folder")] = "",
) -> None:
    """Let somebody open a document himself. The document and its CID stay as they are."""
    from ledger.handing import share
    from ledger.readers import parse_public_key

    with open_office() as office:
        with office.readers.sealing() as named:
            if not key and reader not in named:
                raise BadInput(f"No key of {reader[:40]} is known.", "Give it with --key.")
            public = parse_public_key(key, "/key") if key else named[reader]
        share(office.store, office.dossiers, cid, reader, public)
        typer.echo(f"Readers: {', '.join(office.store.document(cid).wraps)}.")


def unshare(cid: Cid, reader: Reader) -> None:
    """Take a reader's key to a document away. What he has copied he keeps."""
    from ledger.handing import unshare

    with open_office() as office:
        unshare(office.store, office.dossiers, cid, reader)
        typer.echo(f"Readers: {', '.join(office.store.document(cid).wraps)}.")


def rotate() -> None:
    """Give the office a new key for its documents and destroy the old one. After a crash, run it again."""
    from ledger.readers import rewrap, rotate

    with open_office() as office, progress("keys", None, "keys") as advance:
        dossiers = office.dossiers
        parts = (partial(rewrap, office.readers, office.store), partial(dossiers.renew, office.store), dossiers.rewrap)
        count = rotate(office.readers, parts, advance)
    typer.echo(f"The office has a new key. {count:,} keys were wrapped for it; the old one is destroyed.")


def hand_over(
    cid: Cid,
    out: Annotated[Path, typer.Option("--out", "-o", help="age file to write; never overwritten")],
    to: Annotated[str, typer.Option(help="the person's age recipient, age1…; none: a passphrase is asked for")] = "",
) -> None:
    """Write a document for a person as an age file, which any age tool opens."""
    from ledger.age_file import for_passphrase, write_for_recipient
    from ledger.handing import opened

    passphrase = "" if to else typer.prompt("Passphrase", hide_input=True, confirmation_prompt=True)
    with open_office() as office, open_new(out) as file:
        plaintext = opened(office.store, office.documents, office.readers.private(), cid)
        if to:
            write_for_recipient(track(plaintext, "opening", transient=True), to, file)
        else:
            file.write(for_passphrase(plaintext, passphrase))


def open_sealed(
    sealed: Annotated[Path, typer.Argument(help="the sealed document, as the office or IPFS gives it")],
    wrap: Annotated[str, typer.Option(help="your wrap of its key, from the office: 0x and 160 hex digits")],
    key: Annotated[Path, typer.Option(help="your private key, as `khalayak documents new-key` writes it")],
    out: Annotated[Path, typer.Option("--out", "-o", help="file to write; never overwritten")],
) -> None:
    """Open a document of yours without the office: from the sealed file, your wrap and your key."""
    from ledger import sealing
    from ledger.cid import cid_of
    from ledger.encoding import from_hex
    from scripts.cli_verify import read
    from wallet.files import read_private

    data = read(sealed)
    document_key = sealing.unwrap(from_hex(wrap, None, "/wrap"), read_private(key), cid_of(data))
    with open_new(out) as file:
        for chunk in sealing.unseal_stream(document_key, [data]):
            file.write(chunk)


COMMANDS = (new_key, share, unshare, rotate, hand_over, open_sealed)
