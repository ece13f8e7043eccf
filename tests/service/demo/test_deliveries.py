"""Deliveries of SNS are read as their file grows, each once."""

import json
from pathlib import Path

from service.demo.deliveries import Deliveries


def line(protocol: str, message: str) -> str:
    endpoint = "a@example.com" if protocol == "email" else "+41790000000"
    noted = {"protocol": protocol, "endpoint": endpoint, "subject": "made up", "message": message}
    return json.dumps(noted, ensure_ascii=False) + "\n"


def test_each_delivery_is_handed_out_once_and_counted(tmp_path: Path) -> None:
    file = tmp_path / "deliveries.ndjson"
    deliveries = Deliveries(file)
    assert deliveries.take_new() == []
    file.write_text(line("email", "Zürich\n") + line("sms", "my-drone entered\n"))
    mail, text_message = deliveries.take_new()
    assert (mail.kind, mail.recipients, mail.headline) == ("mail", ("a@example.com",), "Zürich")
    assert (text_message.kind, text_message.text) == ("text message", "my-drone entered")
    assert deliveries.take_new() == []
    assert (deliveries.mails, deliveries.text_messages) == (1, 1)


def test_half_written_line_is_read_when_it_is_whole(tmp_path: Path) -> None:
    file = tmp_path / "deliveries.ndjson"
    deliveries = Deliveries(file)
    whole = (line("email", "1") + line("email", "2")).encode()
    file.write_bytes(whole[:-20])
    assert [told.text for told in deliveries.take_new()] == ["1"]
    file.write_bytes(whole)
    assert [told.text for told in deliveries.take_new()] == ["2"]
