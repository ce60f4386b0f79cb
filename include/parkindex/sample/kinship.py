"""Names that make matching hard: branches that begin with their company's name, and names that are all but equal.

Added to a finished population, so nothing else of the world changes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from parkindex.sample import facts
from parkindex.sample.population import Ints, Names, Population

_LIMITED, _JOINT_STOCK = "有限公司", "股份有限公司"


@dataclass(frozen=True)
class Kin:
    """What the names of a world say beside who bears them.

    Attributes:
        population: The population with its new names.
        branches: Enterprises that are branches, with the enterprise whose branch they are.
        crowded: Whether another name of the world differs from a name in its spelling alone (order of the parts): such
            a name is printed exactly or leads to nobody.
    """

    population: Population
    branches: tuple[tuple[int, int], ...]
    crowded: NDArray[np.bool_]


def add(population: Population, rng: np.random.Generator) -> Kin:
    """Let some young enterprises be branches, and some bear the name of another one in another spelling."""
    names, versions = population.names, population.versions
    births = versions.name[versions.first]
    text, brand = list(names.text), list(names.brand)
    crowded = np.zeros(len(text), dtype=bool)
    free = _unshared(population, births)
    wanted = 4 + len(population) // 2000
    drawn = rng.permutation(free).tolist()
    companies = [e for e in drawn if text[births[e]].startswith("上海") and text[births[e]].endswith(_LIMITED)]
    branches = []
    parents = companies[:wanted]
    children = [e for e in drawn[::-1] if e not in set(parents)]
    for parent in parents:
        child = next((e for e in children if population.registered[e] > population.registered[parent]), None)
        if child is None:
            continue
        children.remove(child)
        text[births[child]] = f"{text[births[parent]]}第{'一二三四五'[child % 5]}分公司"
        brand[births[child]] = brand[births[parent]]
        branches.append((child, parent))
    taken = {e for pair in branches for e in pair}
    left = [e for e in drawn if e not in taken]
    plain = [e for e in left if text[births[e]].startswith("上海") and not text[births[e]].endswith(_JOINT_STOCK)]
    plain = [e for e in plain if text[births[e]].endswith(_LIMITED)][:wanted]
    for one, other in zip(plain, [e for e in left[::-1] if e not in set(plain)], strict=False):
        own = brand[births[one]]
        text[births[other]] = f"{own}(上海){text[births[one]].removeprefix('上海' + own)}"
        brand[births[other]] = own
        crowded[[births[one], births[other]]] = True
    renamed = replace(names, text=text, brand=brand)
    return Kin(replace(population, names=renamed), tuple(sorted(branches)), crowded)


def near_miss(names: Names, known: frozenset[str], number: int) -> str:
    """Return a name that is nobody's, one character away from that of an enterprise."""
    base = names.text[number % len(names.text)]
    own = names.brand[number % len(names.text)]
    for step in range(1, len(facts.SYLLABLES)):
        letter = facts.SYLLABLES[(facts.SYLLABLES.index(own[-1]) + step) % len(facts.SYLLABLES)]
        found = base.replace(own, own[:-1] + letter)
        if found not in known:
            return found
    raise AssertionError("every name around a name is taken")


def _unshared(population: Population, births: Ints) -> Ints:
    """Enterprises that had one name only, shared with nobody."""
    counts = np.bincount(population.names.enterprise, minlength=len(population))
    return np.flatnonzero((counts == 1) & ~population.names.ambiguous[births])
