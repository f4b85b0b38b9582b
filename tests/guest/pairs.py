"""Which combinations a short run tries: each pair of values of two different dimensions is in at
least one of them."""

import itertools


def _pairs_of(combination):
    return set(itertools.combinations(enumerate(combination), 2))


def pairwise(*dimensions):
    """A small list of combinations, the same one for the same dimensions. Greedy: the combination
    that has most of the pairs still missing comes next; seldom much longer than the shortest
    possible list."""
    everything = [(combination, _pairs_of(combination))
                  for combination in itertools.product(*dimensions)]
    missing = set().union(*(pairs for _, pairs in everything))
    chosen = []
    while missing:
        best, pairs = max(everything, key=lambda one: len(one[1] & missing))
        chosen.append(best)
        missing -= pairs
    return chosen
