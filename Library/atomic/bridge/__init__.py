"""The gateway on LEAN: the only room of the core that touches a `QCAlgorithm`."""

from .gateway import LeanGateway
from .reader import UNWIRED

__all__ = ["UNWIRED", "LeanGateway"]
