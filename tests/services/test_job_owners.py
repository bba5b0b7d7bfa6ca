"""Whether the process that has a job is no more."""

import subprocess
import sys

from promograph.services.jobs.owners import is_gone, new_owner


def test_a_process_that_runs_is_not_gone() -> None:
    assert not is_gone(new_owner())


def test_each_runner_has_its_name() -> None:
    assert new_owner() != new_owner()


def test_a_process_that_has_ended_is_gone() -> None:
    code = "from promograph.services.jobs.owners import new_owner; print(new_owner())"
    owner = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert is_gone(owner)


def test_another_process_with_the_same_number_is_another() -> None:
    machine, pid, begun, own = new_owner().split("/")
    assert is_gone(f"{machine}/{pid}/{begun}1/{own}")


def test_nothing_is_said_of_other_machines() -> None:
    _, pid, _, own = new_owner().split("/")
    assert not is_gone(f"elsewhere.1/{pid}/1/{own}")
