"""What stands in the way of a start is said in one line, with what to do."""

import os
import socket
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest

from demo.options import OptionRefused, Options, read_options
from deploy.local.exclusive import FolderInUse, exclusively
from deploy.local.ports import PortUnusable, is_free, service_ports, spare_ports
from services.processes import DEFAULT_PORTS


@pytest.fixture
def held_port() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        yield str(holder.getsockname()[1])


def test_options_have_defaults_and_take_the_environment() -> None:
    assert read_options({}).scale == Fraction("0.03")
    given = read_options({"SCALE": "1", "SEED": "7", "KEEP": "1", "DATABASE_URL": ""})
    assert given == Options(scale=Fraction(1), seed=7, keep=True, database_url=None)


@pytest.mark.parametrize("wrong", [{"SCALE": "2"}, {"SCALE": "x"}, {"SCALE": "0"}, {"SEED": "-1"}])
def test_a_wrong_option_is_named(wrong: dict[str, str]) -> None:
    with pytest.raises(OptionRefused, match=next(iter(wrong))):
        read_options(wrong)


def test_a_busy_port_is_named_with_its_variable(held_port: str) -> None:
    with pytest.raises(PortUnusable, match=rf"{held_port}.*REGISTRY_PORT"):
        service_ports({"REGISTRY_PORT": held_port})
    with pytest.raises(PortUnusable, match="REGISTRY_PORT is 'abc'"):
        service_ports({"REGISTRY_PORT": "abc"})


def test_the_demonstration_takes_other_ports_where_the_documented_ones_are_held() -> None:
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if is_free(DEFAULT_PORTS["registry"]):
            holder.bind(("127.0.0.1", DEFAULT_PORTS["registry"]))
            holder.listen()
        ports = spare_ports({})
    assert ports["registry"] != DEFAULT_PORTS["registry"]
    assert len(set(ports.values())) == len(ports)


def test_a_folder_is_held_by_one_deployment_at_a_time(tmp_path: Path) -> None:
    with (
        exclusively(tmp_path, what="`make demo`"),
        pytest.raises(FolderInUse, match=rf"`make demo`, process {os.getpid()}, runs in"),
        exclusively(tmp_path, what="`make run`"),
    ):
        pass
    with exclusively(tmp_path, what="`make demo`"):
        pass
