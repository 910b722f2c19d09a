"""Settings: the environment (KHALAYAK_…) as one frozen object."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, NonNegativeInt, PositiveFloat, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from ledger.errors import ConfigurationError

DEVNET_CHAIN_ID = 31337
DEVNET_PASSWORD = "khalayak-devnet"  # nosec B105 - devnet keys only; check_secrets


class Settings(BaseSettings):
    """`data` is the office's own folder; everything in it can be placed elsewhere by its own setting."""

    model_config = SettingsConfigDict(env_prefix="KHALAYAK_", frozen=True)

    data: Path = Path("build/office")
    rpc_url: str = "http://127.0.0.1:8545"  # of a node, or of several with spaces between, the first preferred
    start_block: NonNegativeInt = 0  # of the registers' deployment, where no node has kept the states of then
    confirmations: NonNegativeInt = (
        0  # that make a block final on a chain without finality; 0 waits for the node's word
    )
    max_fee_gwei: PositiveFloat = 200  # the most that a relayer offers for a unit of gas
    bump_seconds: NonNegativeInt = 180  # after which a transaction that is not mined offers more
    bundle_seconds: NonNegativeInt = 10  # that an application waits for others, while earlier ones are not mined
    documents: str = "directory"  # or the addresses of Kubo RPC ports, as /ip4/127.0.0.1/tcp/5001, with spaces between
    documents_quorum: NonNegativeInt = 0  # of those that must hold what an application brings; 0: more than half
    database_url: str = ""
    password: str = DEVNET_PASSWORD
    witnesses: str = ""  # the URLs of `khalayak witness`, with spaces between
    metrics_port: Annotated[int, Field(ge=0, le=65535)] = 0  # of 127.0.0.1, for Prometheus; 0: none are served
    site: str = "http://127.0.0.1:8000"  # where people reach this office; the QR codes of certificates lead there

    @property
    def trust_file(self) -> Path:
        return self.data / "trust.json"

    @property
    def database(self) -> str:
        return self.database_url or f"sqlite:///{(self.data / 'office.db').absolute()}"

    @property
    def relayer_keystore(self) -> Path:
        return self.data / "relayer.json"

    @property
    def relayer_keystores(self) -> list[Path]:
        """Of all relayer keys: any number of them speed an office up, and each works for one process at a time."""
        more = sorted((self.data / "relayers").glob("*.json"))
        return [self.relayer_keystore, *more] if self.relayer_keystore.exists() or not more else more

    @property
    def bundle_file(self) -> Path:
        return self.data / "bundle.json"

    @property
    def registrar_keystores(self) -> Path:
        return self.data / "registrars"

    @property
    def court_keystores(self) -> Path:
        return self.data / "court"

    @property
    def witness_keys(self) -> Path:
        return self.data / "witnesses"

    @property
    def office_key(self) -> Path:
        return self.data / "office-key"

    @property
    def key_ring(self) -> Path:
        return self.data / "keyring"

    @property
    def readers(self) -> Path:
        """The folder of the public keys that every document is sealed for beside the office's own."""
        return self.data / "readers"

    @property
    def retention(self) -> Path:
        """How long contents are kept."""
        return self.data / "retention.toml"

    @property
    def index_key(self) -> Path:
        """The secret of the index of persons."""
        return self.data / "index-key"

    @property
    def token_secret(self) -> Path:
        return self.data / "token-secret"

    def check_secrets(self, chain_id: int) -> None:
        """Raises ConfigurationError when the devnet's password is used anywhere else."""
        if chain_id != DEVNET_CHAIN_ID and self.password == DEVNET_PASSWORD:
            raise ConfigurationError(
                f"Chain {chain_id} is not the devnet, and the keystores' password is the devnet's.",
                "Set KHALAYAK_PASSWORD to the password of your own keystores.",
            )


def load_settings() -> Settings:
    """Raises ConfigurationError naming the setting that is wrong."""
    try:
        return Settings()
    except ValidationError as error:
        names = ", ".join("KHALAYAK_" + "_".join(map(str, item["loc"])).upper() for item in error.errors())
        raise ConfigurationError(f"These settings cannot be read: {names}.", "Correct or unset them.") from None
