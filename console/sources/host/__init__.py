"""The machine of a system: this one (`local`), one that a container plays (`container`), all by the same commands (`command`)."""

from console.sources.host.local import LocalHost

__all__ = ["LocalHost"]
