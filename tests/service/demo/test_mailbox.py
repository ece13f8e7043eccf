"""The demo's mailbox keeps every mail and hands it out once."""

import smtplib
from email.message import EmailMessage
from pathlib import Path

from service.demo.mailbox import Mailbox
from service.demo.ports import free_port


def mail(subject: str, text: str) -> EmailMessage:
    message = EmailMessage()
    message["From"] = "overfly@localhost"
    message["To"] = "dispatcher@example.com"
    message["Subject"] = subject
    message["Message-ID"] = "<1@localhost>"
    message.set_content(text)
    message.add_alternative("<p>the same</p>", subtype="html")
    return message


def test_mail_is_kept_whole_and_handed_out_once(tmp_path: Path) -> None:
    port = free_port()
    with Mailbox(tmp_path, port) as mailbox:
        with smtplib.SMTP("127.0.0.1", port) as smtp:
            smtp.send_message(mail("TOM2XE entered Zürich", "TOM2XE entered Zürich Airport\n"))
            smtp.send_message(mail("two", "2\n"))
        first, second = mailbox.take_new()
        assert mailbox.take_new() == []
        assert (mailbox.mails, mailbox.text_messages) == (2, 0)
    assert first.kind == "mail"
    assert (first.subject, first.text) == ("TOM2XE entered Zürich", "TOM2XE entered Zürich Airport\r\n")
    assert first.recipients == ("dispatcher@example.com",)
    assert (first.file, second.file) == (tmp_path / "0001.eml", tmp_path / "0002.eml")
    assert b"Message-ID: <1@localhost>" in first.file.read_bytes()


def test_mail_without_a_plain_part_is_kept_too(tmp_path: Path) -> None:
    port = free_port()
    with Mailbox(tmp_path, port) as mailbox, smtplib.SMTP("127.0.0.1", port) as smtp:
        smtp.sendmail("a@example.com", ["b@example.com"], b"Content-Type: image/png\r\n\r\n\x00\xff\r\n")
        [received] = mailbox.take_new()
    assert (received.subject, received.text) == ("", "")
    assert received.file.exists()
