"""Risk of option groups: what they can lose, what margin they need, what keeps them from being sent.

Everything here runs inside LEAN as well as outside it. Importing the package loads neither numpy nor pandas; the
functions that need them do.
"""

from .checks import Refusal
from .condor import CondorFigures, check_iron_condor, condor_figures, iron_condor_legs
from .sizing import units_for_max_loss
from .structure import PayoffLeg, break_evens, break_points, max_loss, max_profit, net_price, payoff, scaled
from .uncovered import Naked, naked, worst_naked

__all__ = [
    "CondorFigures",
    "Naked",
    "PayoffLeg",
    "Refusal",
    "break_evens",
    "break_points",
    "check_iron_condor",
    "condor_figures",
    "iron_condor_legs",
    "max_loss",
    "max_profit",
    "naked",
    "net_price",
    "payoff",
    "scaled",
    "units_for_max_loss",
    "worst_naked",
]
