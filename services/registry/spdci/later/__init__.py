"""What is answered later: asked by partners, answered when it is its turn, sent until it is taken.

Both are done by the registry's API, which alone can open what is sealed; whichever of its
processes comes first does it, and what one leaves behind another goes on with.
"""
