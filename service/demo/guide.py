"""What to look at and to try while the demo runs."""

import shutil
from pathlib import Path

from rich.text import Text

DRONE = '"latitude":47.458,"longitude":8.548,"altitude":432'
"""Over Zürich Airport, which is a geofence of the real flights and of the simulated ones."""

NOW = """'"$(date -u +%FT%TZ)"'"""
"""The shell's own time, inside single quotes."""


def guide(api_url: str, mqtt_port: int, mails: Path) -> list[Text]:
    """Lines: addresses, and commands that work as pasted where a line is not broken."""
    addresses = (
        ("API", f"{api_url}/docs"),
        ("metrics", f"{api_url}/metrics"),
        ("broker", f"mqtt://127.0.0.1:{mqtt_port}"),
        ("mails", str(mails)),
    )
    return [
        *(Text.assemble((f"  {name:<9}", "bold"), value) for name, value in addresses),
        Text("Try in another terminal:"),
        *(Text(f"  {command}", style="cyan") for command in _commands(api_url, mqtt_port)),
    ]


def _commands(api_url: str, mqtt_port: int) -> list[str]:
    if shutil.which("mosquitto_pub"):
        fix = f'{{"timestamp":"{NOW}",{DRONE}}}'
        publish = f"mosquitto_pub -p {mqtt_port} -q 1 -t aircraft/my-drone/position -m '{fix}'"
    else:
        fix = f'{{"deviceId":"my-drone","timestamp":"{NOW}",{DRONE}}}'
        publish = f"curl -s -X POST {api_url}/v1/positions -H 'Content-Type: application/json' -d '{fix}'"
    return [
        f"curl -s '{api_url}/v1/events?limit=3'",
        publish,
        f"curl -s '{api_url}/v1/events?device=my-drone'",
        f"curl -s '{api_url}/v1/alerts?limit=2'",
    ]
