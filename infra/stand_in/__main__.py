"""infra/stand_in/start --port 4566 --mqtt-port 8883 --state FOLDER --deliveries FILE [--enforce-iam]

Ends when its standard input closes: whoever starts it keeps that open, and when the starter is gone, however
it went, so is the stand-in.
"""

import argparse
import os
import signal
import sys
import threading
from pathlib import Path

HOST = "127.0.0.1"


def main() -> None:
    """Runs until SIGTERM or the end of standard input; then what it holds is in the state folder."""
    options = _options()
    _configure(options)
    threading.Thread(target=_stop_when_alone, daemon=True).start()
    # ministack reads its environment as it is imported, so only now.
    from ministack.app import main as serve  # noqa: PLC0415

    from infra.stand_in.amendments import amend  # noqa: PLC0415

    amend(options.deliveries)
    sys.argv = ["ministack"]
    serve()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="infra/stand_in/start",
        description="An AWS stand-in on loopback ports. It ends when its standard input closes.",
    )
    parser.add_argument("--port", type=int, required=True, help="of every AWS service")
    parser.add_argument("--mqtt-port", type=int, required=True, help="of AWS IoT's broker (TLS)")
    parser.add_argument("--state", type=Path, required=True, help="folder that keeps its state over restarts")
    parser.add_argument(
        "--deliveries", type=Path, required=True, help="file for the mails and text messages of SNS (NDJSON)"
    )
    parser.add_argument("--enforce-iam", action="store_true", help="judge every call by IAM's policies")
    parser.add_argument(
        "--account",
        default="222222222222",
        help="that owns unsigned calls; in signed ones the access key names it (12 digits)",
    )
    parser.add_argument("--region", default="eu-central-1")
    parser.add_argument("--log-level", default="INFO", choices=["DEBUG", "INFO", "WARNING", "ERROR"])
    return parser.parse_args()


def _configure(options: argparse.Namespace) -> None:
    """Makes folders, and the environment that ministack reads. No variable of AWS's own reaches it."""
    state = options.state.absolute()
    temporary = state / "tmp"
    temporary.mkdir(parents=True, exist_ok=True)
    options.deliveries.parent.mkdir(parents=True, exist_ok=True)
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ |= {
        "AUTH": str(options.enforce_iam).lower(),
        "BIND_HOST": HOST,
        "GATEWAY_PORT": str(options.port),
        "IOT_MTLS_PORT": str(options.mqtt_port),
        "LOG_LEVEL": options.log_level,
        "MINISTACK_ACCOUNT_ID": options.account,
        "MINISTACK_HOST": HOST,
        "MINISTACK_REGION": options.region,
        "PERSIST_STATE": "1",
        "SFTP_ENABLED": "0",
        "STATE_DIR": str(state),
        "TMPDIR": str(temporary),
    }


def _stop_when_alone() -> None:
    while os.read(sys.stdin.fileno(), 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
