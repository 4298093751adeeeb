"""Whether the system told the truth and kept its promises, judged from outside of it.

Witnesses (the database read as its owner, the providers' book, what callers were told, the dump and
the logs) give records; proofs are pure functions over records; a verdict is the proofs of one case.
Nothing here imports a service or what services share: a judge does not ask the accused.
"""
