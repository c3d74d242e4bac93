"""One life of an executor under an adversarial broker: drawn steps, then a broker that answers everything.

In the *storm* (`storm.py`) each step draws one thing to happen. In the *calm* (`calm.py`) the market is open and
quoted, every fact is delivered and every order answered: invariant 6 says that each group must come to rest in bounded
time and bounded sends. In the *end* the owner releases what is held and closes everything: each group must end flat.
The oracle judges all three.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from atomic.vocabulary import Phase

from . import storm
from .calm import calm
from .rest import rests_by_budget

if TYPE_CHECKING:
    from .world import RunResult, World


def live(world: World) -> RunResult:
    """Storm until the choices end, then calm, then the end."""
    while not world.oracle.violations and world.choices.begin():
        storm.step(world)
    if not world.oracle.violations:
        finish(world)
    return world.tally()


def finish(world: World) -> None:
    """Calm, verdict, end, verdict."""
    oracle, driver = world.oracle, world.driver
    if world.setting.house.operator:
        driver.operate("resume", "")
    calm(world)
    if oracle.violations:
        return
    for group in driver.groups():
        world.result.outcomes[group.outcome or group.phase] += 1
        if group.held is not None:
            world.result.held[group.held] += 1
    for group in list(driver.groups()):
        if group.phase is not Phase.CLOSED:
            driver.close(group.group_id, "end of the run")
        if group.phase is Phase.HELD and not oracle.is_unclear(group):
            driver.release(group.group_id, "end of the run")
    calm(world)
    if any(rests_by_budget(group) for group in driver.groups()):
        driver.flatten("end of the run")
        calm(world)
    if not oracle.violations:
        for group in driver.groups():
            if (group.phase is not Phase.CLOSED or not group.is_flat) and not oracle.is_unclear(group):
                nets = [leg.net for leg in group.legs]
                text = f"{group.phase} ({group.held_why or group.reason}) with {nets} after the owner closed it"
                oracle.say("converges", group.group_id, text)
