"""A whole test of crash isolation: boot a router, kill its routing process, look who noticed."""

from jsupervisor.testing import Router


def test_nobody_notices_the_death_of_rpd() -> None:
    with Router.boot(profile="vmx") as router:
        before = router.processes()
        report = router.inject("kill", "rpd")
        after = router.processes()

        assert report.recovered
        assert {"rpd"} == {name for name in before if before[name] != after[name]}
