"""docs/ministries.md works as it is pasted."""

import asyncio
import base64
import os
import re
import sys
from pathlib import Path

from tests.registry.flow import Flow, rows
from tests.registry.spdci.partner import SENDER, SUBJECT, Partner, Receiver
from tests.registry.spdci.signing import signed_environment, took

environment = signed_environment
PAGE = Path(__file__).parents[3] / "docs" / "ministries.md"


async def test_the_script_signs_searches_and_subscribes(flow: Flow, tmp_path: Path) -> None:
    (script,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    file = tmp_path / "ministry.py"
    file.write_text(script)
    taking = Receiver()
    async with taking.running() as url:
        partner = await Partner(flow).registered(callback_url=url)
        await flow.register([*rows(3), *rows(1, commune="150101")])
        async with flow.service.client(*partner.scopes, subject=SUBJECT) as client:
            address = str(client.base_url.join("/")).rstrip("/")
            token = client.headers["Authorization"].removeprefix("Bearer ")
        ran = await asyncio.create_subprocess_exec(
            sys.executable,
            str(file),
            env={
                "PATH": os.environ["PATH"],
                "REGISTRY": address,
                "TOKEN": token,
                "SENDER_ID": SENDER,
                "KEY_ID": "key-1",
                "PRIVATE_KEY": base64.b64encode(partner.private.private_bytes_raw()).decode(),
            },
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await ran.communicate()
        assert ran.returncode == 0, err.decode()
        assert out.decode().splitlines() == ["3 households", "ACK"]
        (subscribed,) = await took(taking, "on-subscribe", 1)
        assert subscribed["message"]["subscribe_response"][0]["status"] == "succ"
