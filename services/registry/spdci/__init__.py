"""SPDCI 1.0: the social registry and the integrated beneficiary registry, as the standard has them.

Source: Digital Convergence Initiative, Interoperability APIs, Social Registry 1.0.0, Integrated
Beneficiary Registry 1.0.0 and JWKs 1.0.0 (the OpenAPI documents). Where the text and the schema of
the standard disagree, the schema holds; ``docs/ministries.md`` says where they do.
"""
