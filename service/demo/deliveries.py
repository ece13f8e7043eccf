"""The mails and text messages that SNS would send, as the AWS stand-in writes them down."""

import json
from pathlib import Path

from service.demo.told import Told


class Deliveries:
    """The lines of `file`, which grows and need not be there yet."""

    def __init__(self, file: Path) -> None:
        self.mails = 0
        self.text_messages = 0
        self._file = file
        self._read = 0  # bytes

    def take_new(self) -> list[Told]:
        """The messages that have come since the last call, in order."""
        try:
            with self._file.open("rb") as lines:
                lines.seek(self._read)
                whole = lines.read().rpartition(b"\n")[0]  # the last line may be half written
        except FileNotFoundError:
            return []
        if not whole:
            return []
        self._read += len(whole) + 1
        new = [self._told(line) for line in whole.split(b"\n")]
        self.text_messages += sum(told.kind == "text message" for told in new)
        self.mails += sum(told.kind == "mail" for told in new)
        return new

    def _told(self, line: bytes) -> Told:
        """Without the subject, which the stand-in makes up where AWS says "AWS Notification Message"."""
        noted = json.loads(line)
        return Told(
            "text message" if noted["protocol"] == "sms" else "mail",
            (noted["endpoint"],),
            "",
            noted["message"].rstrip(),
            self._file,
        )
