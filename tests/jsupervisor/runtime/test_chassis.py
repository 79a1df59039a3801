"""What the profile says of the hardware, read without trusting it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from jsupervisor.initproto import Json
from jsupervisor.runtime.chassis import SPEEDS, all_ports, ports_of, slots

CHASSIS: dict[str, Json] = {
    "fpc": [
        {
            "slot": 2,
            "pic": [
                {"slot": 0, "media": "xe", "ports": 2, "speed": "10g"},
                {"slot": 1, "media": "ge", "ports": 1, "speed": "1g"},
            ],
        },
        {"slot": 5, "pic": []},
    ]
}


def test_ports_are_named_and_counted_through_the_fpc() -> None:
    ports = all_ports(CHASSIS)

    assert ["xe-2/0/0", "xe-2/0/1", "ge-2/1/0"] == [port.name for port in ports]
    assert [0, 1, 2] == [port.index for port in ports]
    assert [10**10, 10**10, 10**9] == [port.speed for port in ports]


def test_an_fpc_without_pics_has_no_ports() -> None:
    _, empty = slots(CHASSIS, "fpc")

    assert [] == list(ports_of(empty))


def test_a_speed_that_nobody_knows_is_zero() -> None:
    chassis: dict[str, Json] = {
        "fpc": [{"slot": 0, "pic": [{"slot": 0, "ports": 1, "speed": "fast"}]}]
    }

    assert [0] == [port.speed for port in all_ports(chassis)]


def test_speeds_are_in_bits_per_second() -> None:
    assert (1_000_000, 100_000_000_000) == (SPEEDS["1m"], SPEEDS["100g"])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 50) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["slot", "pic", "ports", "media", "speed"]), inner)
    ),
    max_leaves=20,
)


@given(st.dictionaries(st.just("fpc"), JSON))
def test_nonsense_in_a_profile_never_raises(chassis: dict[str, Json]) -> None:
    for port in all_ports(chassis):
        assert port.index >= 0
