"""Why a broker said no, or is not there, in words for people."""

import ssl
from typing import Final

from paho.mqtt.reasoncodes import ReasonCode

FAILURE: Final = 0x80
"""From this reason code on a packet says no (MQTT 5, 2.4)."""

HINTS: Final = {
    0x84: "; it may speak MQTT 3.1.1 only",
    0x86: "; check the user and password",
    0x87: "; check the user, the password and what the user may do",
    0x8E: "; another client uses our client id",
}
"""What to do about a reason code (MQTT 5, 2.4); paho turns those of 3.1.1 into them."""


def refusal(reason: ReasonCode) -> str:
    return f"{str(reason).lower()}{HINTS.get(reason.value, '')}"


def failure(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        return getattr(error, "verify_message", "") or error.reason or str(error)
    return (error.strerror or str(error) or type(error).__name__).lower()
