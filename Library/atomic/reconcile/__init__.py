"""After a restart, and every minute: what the account shows against what the journal says. Pure."""

from .accept import accept_account
from .match import match
from .restart import after_restart, foreseen
from .terms import Adoption, Finding, Verdict, View

__all__ = ["Adoption", "Finding", "Verdict", "View", "accept_account", "after_restart", "foreseen", "match"]
