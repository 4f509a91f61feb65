"""The board: every key that was heard, and which of them are watched as one subject."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from lianmeng.kernel.signals import SignalKey
from lianmeng.pool.products import Product
from lianmeng.trend.catalogue import Catalogue
from lianmeng.trend.folding import Cell
from lianmeng.trend.keys import KeyState, Seasons
from lianmeng.trend.subjects import Subject


class Board:
    """Keys and subjects. Mutable; at most `max_keys` keys, so bounded in memory."""

    def __init__(self, max_keys: int) -> None:
        """Nothing was heard."""
        self.catalogue = Catalogue()
        self.seasons = Seasons()
        self._max_keys = max_keys
        self._keys: dict[SignalKey, KeyState] = {}
        self._homes: dict[SignalKey, Subject] = {}
        self._by_term: defaultdict[str, list[KeyState]] = defaultdict(list)
        self._subjects: dict[tuple[str, str, str], Subject] = {}

    def admits(self, keys: Iterable[SignalKey]) -> bool:
        """Whether there is room for those of `keys` that are new."""
        new = {key for key in keys if key not in self._keys}
        return len(self._keys) + len(new) <= self._max_keys

    def add(self, cell: Cell) -> Subject:
        """Count a cell; returns the subject that it speaks of."""
        key = self._keys.get(cell.key)
        if key is None:
            key = self._keys[cell.key] = KeyState(cell.key, cell.bucket)
            self._by_term[cell.key.term].append(key)
            self._homes[cell.key] = self._subject(cell.key)
            self._homes[cell.key].add_key(key)
        key.add(cell, self.seasons)
        return self._homes[cell.key]

    def find(self, key: SignalKey) -> Subject | None:
        """The subject that a key speaks of; None where the key was never heard."""
        return self._homes.get(key)

    def living(self) -> Iterator[Subject]:
        """Subjects with a living episode, in the order in which they were first heard."""
        return (subject for subject in tuple(self._subjects.values()) if subject.episodes)

    def put(self, product: Product) -> None:
        """Take a version of a product. Keys that now speak of something else move there."""
        for term in sorted(self.catalogue.put(product)):
            for key in self._by_term.get(term, ()):
                self._rehome(key)

    def _rehome(self, key: KeyState) -> None:
        old, new = self._homes[key.key], self._subject(key.key)
        if new is old:
            return
        self._homes[key.key] = new
        for episode in old.remove_key(key):
            new.keep(episode)
        new.add_key(key)
        if old.over_s is not None:
            new.over_s = max(old.over_s, new.over_s or 0)

    def _subject(self, key: SignalKey) -> Subject:
        product = self.catalogue.product_id(key.term)
        name = (product, "" if product else key.term, key.market)
        subject = self._subjects.get(name)
        if subject is None:
            subject = self._subjects[name] = Subject(product, key.market)
        return subject
