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
    "storms": [{"way": "daemons", "all_ready_ms": "400.0", "lost": "0", "duplicates": "0"}],
    "hang": [
        {"kind": "stop", "module": "rpd", "effective": "True", "ready_ms": "800.0"},
        {"kind": "stop", "module": "jlaunchd", "effective": "True", "ready_ms": "1200.0"},
    ],
    "false-kills": [{"seconds": "300.0", "kills": "0", "stopped_ready_ms": "900.0"}] * 2,
}


def missed(**changes: list[dict[str, str]]) -> list[str]:
    return [finding.aim for finding in check({**GOOD, **changes}) if not finding.met]


def test_good_results_meet_every_aim() -> None:
    assert [] == missed()


def test_every_benchmark_without_a_result_misses_its_aims() -> None:
    assert 8 == len(missed(**{name: [] for name in GOOD}))


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


def test_a_hang_that_took_long_misses() -> None:
    slow = {"kind": "spin", "module": "rpd", "effective": "True", "ready_ms": "1001.0"}

    assert ["rpd: spin to replaced, maximum 1000 ms"] == missed(hang=[slow])


def test_a_hang_that_was_never_noticed_misses() -> None:
    row = {"kind": "stop", "module": "jlaunchd", "effective": "True", "ready_ms": "None"}

    assert ["jlaunchd: stop to replaced"] == missed(hang=[row])


def test_one_false_kill_misses_and_so_does_too_short_a_time() -> None:
    aim = "all processors busy for 600 s: nobody is taken for hanging"
    row = {"seconds": "600.0", "kills": "1", "stopped_ready_ms": "900.0"}

    assert [aim] == missed(**{"false-kills": [row]})
    assert [aim] == missed(**{"false-kills": [{**row, "kills": "0", "seconds": "20.0"}]})


def test_a_stopped_module_that_is_not_replaced_misses() -> None:
    row = {"seconds": "600.0", "kills": "0", "stopped_ready_ms": "None"}

    assert ["all processors busy: whoever is stopped is replaced"] == missed(
        **{"false-kills": [row]}
    )


def test_a_storm_that_loses_a_module_or_takes_too_long_misses() -> None:
    good = GOOD["storms"][0]
    lost = missed(storms=[good, {**good, "way": "router", "lost": "1"}])
    slow = missed(storms=[{**good, "all_ready_ms": "600.0"}])
    never = missed(storms=[good, {**good, "all_ready_ms": ""}])

    assert ["storms: everything ready again, nothing lost or doubled"] == lost == never
    assert ["20 daemons killed at once, all ready: median under 500 ms"] == slow
