"""An aim is met or missed by what was measured, and missed by what was not."""

from __future__ import annotations

from bench.aims import check

DEMO = {
    "module": "rpd",
    "lost": "0",
    "disturbed": "False",
    "failed": "False",
    "run_seconds": "30.0",
}
GOOD = {
    "start": [{"ready_ms": "900.0"}],
    "recovery": [
        {"module": "rpd", "effective": "True", "serving_ms": "20.0", "ready_ms": "30.0"},
        {"module": "jlaunchd", "effective": "True", "serving_ms": "None", "ready_ms": "300.0"},
    ],
    "memory": [{"pss_mb": "150.0"}],
    "demo": [DEMO, {**DEMO, "module": "pfe0"}],
    "launch": [
        {"launch": "fork", "serving_ms": "20.0"},
        {"launch": "exec", "serving_ms": "200.0"},
    ],
}


def missed(**changes: list[dict[str, str]]) -> list[str]:
    return [finding.aim for finding in check({**GOOD, **changes}) if not finding.met]


def test_good_results_meet_every_aim() -> None:
    assert [] == missed()


def test_every_benchmark_without_a_result_misses_its_aims() -> None:
    assert 5 == len(missed(start=[], recovery=[], memory=[], demo=[], launch=[]))


def test_a_slow_start_misses() -> None:
    assert ["start to all ready: median under 1500 ms"] == missed(start=[{"ready_ms": "1500.0"}])


def test_one_slow_recovery_misses() -> None:
    fast = {"module": "rpd", "effective": "True", "serving_ms": "20.0", "ready_ms": "30.0"}
    slow = {**fast, "serving_ms": "51.0"}

    assert 1 == len(missed(recovery=[fast, fast, slow]))


def test_a_module_that_did_not_come_back_misses() -> None:
    row = {"module": "rpd", "effective": "True", "serving_ms": "20.0", "ready_ms": "None"}

    assert ["rpd: ready after every kill"] == missed(recovery=[row])


def test_a_fault_without_effect_misses() -> None:
    row = {"module": "rpd", "effective": "False", "serving_ms": "20.0", "ready_ms": "30.0"}

    assert ["rpd: ready after every kill"] == missed(recovery=[row])


def test_too_much_memory_misses() -> None:
    assert 1 == len(missed(memory=[{"pss_mb": "200.0"}]))


def test_a_demo_row_that_lost_or_disturbed_misses() -> None:
    assert 1 == len(missed(demo=[{**DEMO, "lost": "1"}]))
    assert 1 == len(missed(demo=[{**DEMO, "disturbed": "True"}]))
    assert 1 == len(missed(demo=[{**DEMO, "run_seconds": "40.0"}]))
    assert ["demo: 0 packets lost when the engine is hit"] == missed(
        demo=[DEMO, {**DEMO, "module": "pfe0", "lost": "3"}]
    )


def test_a_fork_that_is_slower_than_exec_misses() -> None:
    rows = [{"launch": "fork", "serving_ms": "9.0"}, {"launch": "exec", "serving_ms": "8.0"}]

    assert 1 == len(missed(launch=rows))
