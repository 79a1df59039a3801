"""Values and their records."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from jdaemons.pfe.fakes import address, ip
from jdaemons.pfe.layout import ADDRESS, NEXT_HOP, PORT
from jdaemons.pfe.values import Address, NextHop, Port

addresses = st.binary(min_size=4, max_size=4) | st.binary(min_size=16, max_size=16)
names = st.text(st.characters(codec="ascii", exclude_characters="\0"), max_size=20)


@given(
    st.builds(
        NextHop,
        id=st.integers(1, 2**32 - 1),
        type=st.integers(1, 5),
        fpc=st.integers(0, 99),
        port=st.integers(0, 255),
        interface=names,
        gateway=addresses | st.just(b""),
    )
)
def test_a_next_hop_reads_as_it_was_written(next_hop: NextHop) -> None:
    record = next_hop.to_record(9)

    assert NEXT_HOP.itemsize == len(record)
    assert next_hop == NextHop.from_record(record)


@given(
    st.builds(
        Port,
        name=names,
        mac=st.binary(min_size=6, max_size=6),
        mtu=st.integers(0, 65535),
        up=st.booleans(),
    )
)
def test_a_port_reads_as_it_was_written(port: Port) -> None:
    record = port.to_record()

    assert PORT.itemsize == len(record)
    assert port == Port.from_record(record)


@given(
    st.builds(
        Address, port=st.integers(0, 65535), local=addresses, prefix_length=st.integers(0, 128)
    )
)
def test_an_address_reads_as_it_was_written(own: Address) -> None:
    record = own.to_record()

    assert ADDRESS.itemsize == len(record)
    assert own == Address.from_record(record)


def test_an_empty_record_is_nothing() -> None:
    assert Port.from_record(bytes(PORT.itemsize)) is None
    assert Address.from_record(bytes(ADDRESS.itemsize)) is None


def test_an_address_covers_its_subnet_and_no_other_family() -> None:
    own = address(0, "192.0.2.129/25")

    assert own.covers(ip("192.0.2.200"))
    assert not own.covers(ip("192.0.2.100"))
    assert not own.covers(ip("2001:db8::1"))
