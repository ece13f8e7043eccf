"""A real Mosquitto for tests: its own port, folder and, where asked, certificates and users."""

import os
import shutil
import socket
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from tests.programs import Program
from tests.waiting import wait_until

START_SECONDS = 15.0


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@dataclass(frozen=True, slots=True)
class Certificates:
    """PEM files of an authority, a broker at 127.0.0.1 and localhost, and a client."""

    ca: Path
    server: Path
    server_key: Path
    client: Path
    client_key: Path

    @classmethod
    def make(cls, folder: Path, client_name: str = "tracker") -> Self:
        folder.mkdir(parents=True, exist_ok=True)
        made = cls(
            *(folder / f"{name}.pem" for name in ("ca", "server", "server_key", "client", "client_key"))
        )
        authority_key = folder / "ca_key.pem"
        _openssl(
            "req",
            "-x509",
            *_NEW_KEY,
            "-keyout",
            authority_key,
            "-out",
            made.ca,
            "-subj",
            "/CN=test authority",
        )
        for certificate, key, name in (
            (made.server, made.server_key, "localhost"),
            (made.client, made.client_key, client_name),
        ):
            request, extension = folder / "request.pem", folder / "extension.cnf"
            extension.write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
            _openssl("req", *_NEW_KEY, "-keyout", key, "-out", request, "-subj", f"/CN={name}")
            _openssl(
                *("x509", "-req", "-in", request, "-CA", made.ca, "-CAkey", authority_key, "-CAcreateserial"),
                *("-out", certificate, "-days", "2", "-extfile", extension),
            )
        return made


_NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


def _openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


@dataclass(slots=True)
class Mosquitto(Program):
    """A broker in `folder`, at 127.0.0.1 on a free port that it keeps over restarts.

    `options` are lines of mosquitto.conf, which win over the defaults here (persistent, nothing dropped).
    `configuration` replaces all of that. With `users` (name -> password) nobody else may connect; `acl` is
    the text of an ACL file. SIGTERM has it write its store; what it has not written is lost with SIGKILL.
    """

    folder: Path
    certificates: Certificates | None = None
    require_certificate: bool = False
    users: Mapping[str, str] = field(default_factory=dict)
    acl: str = ""
    options: Mapping[str, str | int] = field(default_factory=dict)
    configuration: str | None = None
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"{'mqtts' if self.certificates else 'mqtt'}://127.0.0.1:{self.port}"

    @property
    def name(self) -> str:
        return "mosquitto"

    def start(self) -> Self:
        """Starts it, and waits until it listens."""
        (self.folder / "store").mkdir(parents=True, exist_ok=True)
        configuration = self.folder / "mosquitto.conf"
        configuration.write_text(self.configuration or "".join(f"{line}\n" for line in self._lines()))
        program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
        self.process = self.launched([program, "-c", configuration.absolute()])
        wait_until(self._listens, START_SECONDS, lambda: f"not listening at {self.port}:\n{self.log}")
        return self

    def _lines(self) -> list[str]:
        lines = [f"listener {self.port} 127.0.0.1", f"allow_anonymous {str(not self.users).lower()}"]
        if os.getuid() == 0:
            lines.append("user root")  # else it changes to a user who may not read this folder
        if self.certificates:
            lines += [f"cafile {self.certificates.ca}", f"certfile {self.certificates.server}"]
            lines += [f"keyfile {self.certificates.server_key}"]
            lines += [f"require_certificate {str(self.require_certificate).lower()}"]
        if self.users:
            lines.append(f"password_file {self.password_file()}")
        if self.acl:
            (self.folder / "acl").write_text(self.acl)
            lines.append(f"acl_file {self.folder / 'acl'}")
        options: dict[str, str | int] = {
            "persistence": "true",
            "persistence_location": f"{self.folder / 'store'}/",
            "max_queued_messages": 0,
            "sys_interval": 0,
            **self.options,
        }
        return lines + [f"{name} {value}" for name, value in options.items()]

    def password_file(self) -> Path:
        """Writes the users' passwords as Mosquitto keeps them."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / "passwords"
        path.unlink(missing_ok=True)
        for number, (name, password) in enumerate(self.users.items()):
            create = ["-c"] if number == 0 else []
            subprocess.run(
                ["mosquitto_passwd", *create, "-b", str(path), name, password],
                check=True,
                capture_output=True,
            )
        return path

    def _listens(self) -> bool:
        self.assert_running()
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True
