"""What was left out of a file of annotations, or changed, counted by reason."""

from dataclasses import dataclass, field

_NAMED = 3  # entries that a line names


@dataclass
class _Found:
    count: int = 0
    names: list[str] = field(default_factory=list)

    def add(self, name: str) -> None:
        self.count += 1
        if len(self.names) < _NAMED:
            self.names.append(name)

    def named(self) -> str:
        return "; ".join(self.names + ["..."] * (self.count > len(self.names)))


class Findings:
    """Counts of entries by reason, and the names of the first ones.

    Args:
        path: the file, for messages.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._left_out: dict[tuple[str, str], _Found] = {}
        self._changed: dict[str, _Found] = {}

    def leave_out(self, kind: str, reason: str, name: str) -> None:
        """Count an entry that is left out.

        Args:
            kind: "image" or "annotation".
            reason: why.
            name: the entry, with its id.
        """
        self._left_out.setdefault((kind, reason), _Found()).add(name)

    def change(self, reason: str, name: str) -> None:
        """Count an entry that is not taken as it is; arguments as of `leave_out`."""
        self._changed.setdefault(reason, _Found()).add(name)

    def left_out(self) -> dict[str, int]:
        """Reason -> number of entries left out, the most frequent first."""
        ordered = sorted(self._left_out.items(), key=lambda item: -item[1].count)
        return {f"{kind}: {reason}": found.count for (kind, reason), found in ordered}

    def changed(self) -> dict[str, int]:
        """Reason -> number of entries that are not taken as they are."""
        return {reason: found.count for reason, found in self._changed.items()}

    def only(self, reason: str, count: int) -> bool:
        """Whether `count` entries, one at least, were left out for this reason alone."""
        return count > 0 and sum(found.count for (_, why), found in self._left_out.items() if why == reason) == count

    def lines(self) -> list[str]:
        """One line for each reason, with the first entries."""
        out = [
            f"{self._path}: {_counted(found.count, kind)} left out: {reason} ({found.named()})"
            for (kind, reason), found in self._left_out.items()
        ]
        return out + [
            f"{self._path}: {found.count} times {reason} ({found.named()})" for reason, found in self._changed.items()
        ]

    def summary(self) -> str:
        """What was left out as one line, "" where nothing was."""
        reasons = "; ".join(f"{_counted(found.count, kind)} ({why})" for (kind, why), found in self._left_out.items())
        return f"left out of {self._path} when it was read: {reasons}" if reasons else ""


def _counted(count: int, kind: str) -> str:
    return f"{count} {kind}{'s' * (count != 1)}"
