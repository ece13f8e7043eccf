"""What the doctor says of a mail server, at a real one."""

from service.dispatch.smtp import SmtpServer
from service.doctor.mail import mail_finding
from tests.mailboxes import Mailbox


def test_mail_server_is_tried_without_handing_in_a_mail() -> None:
    with Mailbox() as mailbox:
        assert mail_finding(SmtpServer.from_url(mailbox.url)).verdict == "ok"
        assert mailbox.mails == []
    assert mail_finding(SmtpServer.from_url(mailbox.url)).verdict == "fault"
