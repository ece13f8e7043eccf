"""An `overfly` command that ends with the process that started it.

    python -m service.demo.tether COMMAND ...

The starter keeps our standard input open. When it closes, the starter is gone, however it went, and we
stop as at a SIGTERM.
"""

import os
import signal
import sys
import threading

from service.cli import main


def _stop_when_alone() -> None:
    os.read(sys.stdin.fileno(), 1)  # not sys.stdin.read: its lock would be held while the process ends
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    threading.Thread(target=_stop_when_alone, daemon=True).start()
    main()
