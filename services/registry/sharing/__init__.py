"""What another organisation is shown of households: persons only where the household agrees.

What the programme does itself (enrols, pays, is asked why) rests on the law and asks no consent;
why and what it is is in ``docs/decisions/consent.md``.
"""
