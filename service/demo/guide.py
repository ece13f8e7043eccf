"""What to look at and to try while the demo runs."""

import shutil

from rich.text import Text

from service.demo.stand_in import DESTINATION, SOURCE
from service.demo.way import Way

DRONE = '"latitude":47.458,"longitude":8.548,"altitude":432'
"""Over Zürich Airport, which is a geofence of the real flights and of the simulated ones."""

NOW = """'"$(date -u +%FT%TZ)"'"""
"""The shell's own time, inside single quotes."""


def guide(way: Way) -> list[Text]:
    """Lines: addresses, and commands that work as pasted where a line is not broken."""
    addresses = [
        ("API", f"{way.api_url}/docs"),
        ("metrics", f"{way.api_url}/metrics"),
        ("broker", f"{way.device_url}, where devices publish"),
        ("mails", str(way.told_in)),
    ]
    if way.aws_url:
        addresses.insert(3, ("AWS", f"{way.aws_url}, a stand-in: accounts {SOURCE} and {DESTINATION}"))
    return [
        *(Text.assemble((f"  {name:<9}", "bold"), value) for name, value in addresses),
        Text("Try in another terminal:"),
        *(Text(f"  {command}", style="cyan") for command in _commands(way)),
    ]


def _commands(way: Way) -> list[str]:
    if shutil.which("mosquitto_pub"):
        fix = f'{{"timestamp":"{NOW}",{DRONE}}}'
        port = way.device_url.rpartition(":")[2]
        publish = f"mosquitto_pub -p {port} -q 1 -t aircraft/my-drone/position -m '{fix}'"
    else:
        fix = f'{{"deviceId":"my-drone","timestamp":"{NOW}",{DRONE}}}'
        publish = f"curl -s -X POST {way.api_url}/v1/positions -H 'Content-Type: application/json' -d '{fix}'"
    return [
        f"curl -s '{way.api_url}/v1/events?limit=3'",
        publish,
        f"curl -s '{way.api_url}/v1/events?device=my-drone'",
        f"curl -s '{way.api_url}/v1/alerts?limit=2'",
    ]
