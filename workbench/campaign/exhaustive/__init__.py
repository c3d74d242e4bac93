"""Exhaustive small scope: every interleaving of broker answers over the pure core, to the end, states counted.

A state is the group (without its timeline), what the broker truly has, and time relative to now. From each state
every answer the broker could give next is tried: accept, partial, fill, reject, cancel done, fill beats cancel,
cancel failed, fill after the end, a duplicate, and silence until the next deadline. States already seen are not
visited again, so the search ends. Each new state is judged (own-share, covered, no-double); afterwards every state is
followed with a kind broker: a path that does not come to rest is a violation of invariant 6.

The shortest event list that leads to a violation falls out of the breadth-first search.
"""
