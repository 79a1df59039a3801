"""Host plans: they travel as JSON and nonsense is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from jsupervisor.testing.traffic.flows import Flow, HostPlan, from_json, split, to_json, validate

FLOW = Flow(1, "192.0.2.2", "198.51.100.2", 1000.0)
PLAN = HostPlan(
    name="left",
    link="unix:/tmp/left",
    mac="02:00:00:00:00:01",
    addresses=("192.0.2.2",),
    gateways=("192.0.2.1",),
    sends=(FLOW,),
    counts=(Flow(2, "198.51.100.2", "192.0.2.2", 10.0),),
)


def test_a_plan_reads_as_it_was_written() -> None:
    assert PLAN == from_json(to_json(PLAN))


def test_a_flow_goes_through_the_gateway_of_its_family() -> None:
    plan = replace(PLAN, gateways=("2001:db8::1", "192.0.2.1"))

    assert "192.0.2.1" == plan.gateway(FLOW)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"mac": "nonsense"}, "not a MAC address"),
        ({"addresses": ("192.0.2",)}, "not an IPv4 or IPv6 address"),
        ({"gateways": ()}, "no IPv4 gateway"),
        ({"sends": (replace(FLOW, rate=0.0),)}, "its rate must be above 0"),
        ({"counts": (FLOW,)}, "a number occurs twice"),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(change: dict[str, object], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        validate(replace(PLAN, **change))  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"sends": [], "counts": []}'])
def test_what_is_no_plan_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        from_json(text)


def test_a_rate_is_split_equally() -> None:
    flows = split(100.0, [("192.0.2.2", "198.51.100.2"), ("2001:db8::2", "2001:db8:1::2")], 5)

    assert [(5, 50.0, 4), (6, 50.0, 6)] == [
        (flow.number, flow.rate, flow.version) for flow in flows
    ]
