"""The mail server as it can be: well, away, slow, refusing, nonsensical, hostile."""

import socket
import ssl
import time
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace

import pytest

from service.dispatch.outcomes import DeliveryOutcome, Permanent, Sent, Temporary
from service.dispatch.smtp import SmtpServer
from service.errors import SettingsError
from tests.brokers import Certificates, free_port
from tests.service.dispatch.post_office import PostOffice, polite_until, raw_server

# the server under test asks for a password in the clear, to see what we say
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH:UserWarning")

MAIL = b"Subject: hello\r\n\r\n.one\r\n..two\r\n" + b"x" * 60 + b"\r\n"


def handed_in(url: str, seconds: float = 5, recipient: str = "ops@example.org") -> DeliveryOutcome:
    return SmtpServer.from_url(url, seconds).deliver("overfly@example.org", recipient, MAIL)


def talked_to(converse: Callable[[socket.socket], None], seconds: float = 5) -> DeliveryOutcome:
    with raw_server(converse) as port:
        return handed_in(f"smtp://127.0.0.1:{port}", seconds)


def test_mail_is_taken_as_it_is() -> None:
    with PostOffice() as office:
        assert handed_in(office.url) == Sent(f"127.0.0.1:{office.port}: 250 taken")

        assert office.received[0].content == MAIL
        assert office.received[0].recipients == ("ops@example.org",)


def test_a_server_that_is_down_is_temporary() -> None:
    outcome = handed_in(f"smtp://127.0.0.1:{free_port()}")

    assert isinstance(outcome, Temporary)
    assert outcome.reason.endswith("Connection refused")


def test_a_host_that_has_no_address_is_temporary() -> None:
    assert isinstance(handed_in("smtp://nowhere.invalid"), Temporary)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ("450 greylisted", Temporary),
        ("421 closing", Temporary),
        ("530 5.7.0 authentication required", Temporary),
        ("550 no such user", Permanent),
        ("552 full", Permanent),
    ],
)
def test_a_refused_recipient_is_for_now_or_for_ever(answer: str, kind: type[DeliveryOutcome]) -> None:
    with PostOffice() as office:
        office.refusals["ops@example.org"] = answer

        assert handed_in(office.url) == kind(f"127.0.0.1:{office.port}: {answer}")


@pytest.mark.parametrize(("answer", "kind"), [("451 try later", Temporary), ("554 spam", Permanent)])
def test_a_refused_mail_is_for_now_or_for_ever(answer: str, kind: type[DeliveryOutcome]) -> None:
    with PostOffice() as office:
        office.answers.append(answer)

        assert isinstance(handed_in(office.url), kind)
        assert isinstance(handed_in(office.url), Sent)


NONSENSE = {
    "silent end": b"",
    "refusing greeting": b"554 not you\r\n",
    "no SMTP": b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "no reply code": b"\xff\xfe\x00\x01\r\n",
    "odd code": b"999 what\r\n",
    "one long line": b"220-" + b"x" * 100_000,
    "half a line": b"22",
    "TLS": b"\x15\x03\x01\x00\x02\x02\x28",
    "ends after the greeting": b"220 ready\r\n",
    "wrong order": b"220 ready\r\n354 go on\r\n354 go on\r\n",
    "success to all": b"220 ready\r\n" + b"250 fine\r\n" * 20,
    "broken extensions": b"220 ready\r\n250-x\r\n250-SIZE \xff\r\n250-AUTH=\r\n250 =\r\n" + b"-1 x\r\n" * 9,
}


@pytest.mark.parametrize("said", NONSENSE.values(), ids=NONSENSE.keys())
def test_nonsense_is_temporary(said: bytes) -> None:
    def say(connection: socket.socket) -> None:
        connection.sendall(said)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(4096):
            pass

    assert isinstance(talked_to(say), Temporary)


@pytest.mark.parametrize("command", [b"EHLO", b"MAIL", b"RCPT", b"DATA"])
def test_a_server_that_closes_at_any_command_is_temporary(command: bytes) -> None:
    assert isinstance(talked_to(lambda connection: polite_until(connection, command)), Temporary)


def test_a_server_that_closes_within_the_data_is_temporary() -> None:
    def close_within_data(connection: socket.socket) -> None:
        polite_until(connection, b"DATA")
        connection.sendall(b"354 go on\r\n")
        connection.recv(10)

    assert isinstance(talked_to(close_within_data), Temporary)


@pytest.mark.parametrize("said", [b"", b"2", b"220-a\r\n"])
def test_a_server_that_trickles_is_left_at_the_deadline(said: bytes) -> None:
    def trickle(connection: socket.socket) -> None:
        for _ in range(15):
            connection.sendall(said)
            time.sleep(0.1)

    began = time.monotonic()
    outcome = talked_to(trickle, seconds=0.5)

    assert time.monotonic() - began < 5
    assert isinstance(outcome, Temporary)
    assert "timed out" in outcome.reason or "took longer than 0.5 s" in outcome.reason


def test_a_server_that_takes_the_mail_slowly_is_left_at_the_deadline() -> None:
    def take_slowly(connection: socket.socket) -> None:
        polite_until(connection, b"DATA")
        connection.sendall(b"354 go on\r\n")
        for _ in range(15):
            connection.recv(1)
            time.sleep(0.1)

    with raw_server(take_slowly) as port:
        server = SmtpServer.from_url(f"smtp://127.0.0.1:{port}", 0.5)
        outcome = server.deliver("overfly@example.org", "ops@example.org", MAIL * 100_000)

    assert isinstance(outcome, Temporary)


def test_an_endless_greeting_is_cut() -> None:
    told = 0

    def talk(connection: socket.socket) -> None:
        nonlocal told
        while True:
            told += connection.send(b"220-and another thing\r\n" * 1000)

    outcome = talked_to(talk, seconds=30)

    assert isinstance(outcome, Temporary)
    assert "does not stop talking" in outcome.reason
    assert told < 16 << 20  # what was read, and what buffers took


def test_users_are_authenticated() -> None:
    with PostOffice(users={"me@x": "p@ss:/word"}) as office:
        assert isinstance(handed_in(f"smtp://me%40x:p%40ss%3A%2Fword@127.0.0.1:{office.port}"), Sent)
        refused = handed_in(f"smtp://me%40x:wrong@127.0.0.1:{office.port}")
        nobody = handed_in(office.url)

    assert isinstance(refused, Temporary)
    assert "535" in refused.reason
    assert isinstance(nobody, Temporary)
    assert "530" in nobody.reason


def test_a_password_need_not_be_ascii() -> None:
    with PostOffice(users={"ü": "pässwörd"}) as office:
        assert isinstance(handed_in(f"smtp://%C3%BC:p%C3%A4ssw%C3%B6rd@127.0.0.1:{office.port}"), Sent)


def test_a_server_without_authentication_is_temporary() -> None:
    with PostOffice() as office:
        assert isinstance(handed_in(f"smtp://me:secret@127.0.0.1:{office.port}"), Temporary)
        assert isinstance(handed_in(f"smtp://me:sécret@127.0.0.1:{office.port}"), Temporary)


def test_nothing_is_said_in_the_clear_where_starttls_is_not_offered() -> None:
    with PostOffice(users={"me": "secret"}) as office:
        outcome = handed_in(f"smtp+starttls://me:secret@127.0.0.1:{office.port}")

        assert isinstance(outcome, Temporary)
        assert "does not offer STARTTLS" in outcome.reason
        assert office.received == []


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates.make(tmp_path_factory.mktemp("certificates"))


@pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
def test_encrypted_mail_goes_to_a_server_that_we_trust_only(certificates: Certificates, scheme: str) -> None:
    of_server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    of_server.load_cert_chain(certificates.server, certificates.server_key)
    smtps = scheme == "smtps"
    with PostOffice(
        certificate=of_server if smtps else None, starttls=None if smtps else of_server
    ) as office:
        stranger = SmtpServer.from_url(f"{scheme}://localhost:{office.port}", 5)
        trusted = replace(stranger, tls=ssl.create_default_context(cafile=certificates.ca))

        outcome = stranger.deliver("overfly@example.org", "ops@example.org", MAIL)
        assert isinstance(outcome, Temporary)
        assert "certificate verify failed" in outcome.reason
        assert isinstance(trusted.deliver("overfly@example.org", "ops@example.org", MAIL), Sent)
        assert len(office.received) == 1


def test_a_password_is_in_no_text_of_ours_even_if_the_server_repeats_it() -> None:
    password = "correct-horse"
    encoded = b64encode(password.encode())
    plain = b64encode(f"\0me\0{password}".encode())

    def repeat(connection: socket.socket) -> None:
        connection.sendall(b"220 ready\r\n")
        connection.recv(4096)
        connection.sendall(b"250-me\r\n250 AUTH PLAIN\r\n")
        connection.recv(4096)
        connection.sendall(b"535 " + password.encode() + b" " + encoded + b" " + plain + b"\x1b[31m\r\n")

    with raw_server(repeat) as port:
        server = SmtpServer.from_url(f"smtp://me:{password}@127.0.0.1:{port}", 5)
        outcome = server.deliver("overfly@example.org", "ops@example.org", MAIL)

    assert outcome == Temporary(f"127.0.0.1:{port}: 535 *** *** ***\\u{{1b}}[31m")
    assert password not in repr(server)


@pytest.mark.parametrize(
    "url",
    [
        "http://me:secret@host",
        "smtp://me:secret@",
        "smtp://me:sec/ret@host",
        "smtp://me:1/secret@host",
        "smtp://me:secret@host:port",
        "smtp://me:secret@host:99999",
        "smtp://me:secret@host/path",
        "smtp://me:secret@ho..st",
        "me:secret@host",
        "smtp://[secret",
    ],
)
def test_a_wrong_url_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        SmtpServer.from_url(url)

    assert "secret" not in str(refusal.value)
    assert refusal.value.__cause__ is None


def test_ports_are_those_of_the_scheme() -> None:
    urls = ["smtp://mail.example.org", "smtp+starttls://mail.example.org", "smtps://mail.example.org:1465"]

    assert [SmtpServer.from_url(url).port for url in urls] == [25, 587, 1465]
