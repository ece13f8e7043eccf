"""Whether the mail server lets us in."""

import socket

from service.dispatch.outcomes import Sent
from service.dispatch.smtp import SmtpServer
from service.doctor.finding import Finding


def mail_finding(server: SmtpServer) -> Finding:
    """Connects and signs in; hands in no mail."""
    match server.greet(socket.getfqdn()):
        case Sent(answer):
            return Finding("mail server", "ok", answer)
        case refused:
            return Finding("mail server", "fault", refused.reason)
