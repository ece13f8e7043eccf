"""The secret that access keys are made of: set by the operator, or a file of the data folder."""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from service.access.minting import SECRET_BYTES
from service.errors import SettingsError

FILE: Final = "keys.secret"
TO_MAKE_ONE: Final = "`openssl rand -hex 32` makes one"


@dataclass(frozen=True, slots=True)
class KeysSecret:
    """`given`: what the settings have. `file`: where it is otherwise. `made_here`: whether that may be made.

    It may where one process owns the data folder; others, on other machines, would make others.
    """

    given: bytes | None
    file: Path
    made_here: bool

    def read(self) -> bytes | None:
        """None where there is none yet. Raises SettingsError."""
        if self.given is not None:
            return _checked(self.given, "OVERFLY_KEYS_SECRET")
        try:
            return _checked(self.file.read_bytes().strip(), str(self.file))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise SettingsError(f"{self.file}: {error.strerror}") from None

    def read_or_make(self) -> bytes:
        """Raises SettingsError."""
        secret = self.read()
        if secret is not None:
            return secret
        if not self.made_here:
            raise SettingsError(
                "an access key needs the secret that it is made of, the same wherever requests are answered: "
                f"set OVERFLY_KEYS_SECRET_FILE or OVERFLY_KEYS_SECRET ({TO_MAKE_ONE})"
            )
        self.file.parent.mkdir(parents=True, exist_ok=True)
        new = self.file.with_suffix(".new")
        new.unlink(missing_ok=True)
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
            stream.write(secrets.token_hex(SECRET_BYTES) + "\n")
            stream.flush()
            os.fsync(stream.fileno())
        new.rename(self.file)
        return self.file.read_bytes().strip()


def _checked(secret: bytes, where: str) -> bytes:
    if len(secret) < SECRET_BYTES:
        raise SettingsError(f"{where}: expected {SECRET_BYTES} bytes or more; {TO_MAKE_ONE}")
    return secret
