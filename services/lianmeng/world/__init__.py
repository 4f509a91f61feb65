"""The demonstration world: firms, products and signals of Zhejiang, seeded; nothing in it is real.

Its tables (`data/*.csv`) hold plausible ranges with confidence marks; what they lack is filled by
seeded values of ours. It is a client of the public contract and owns nothing on the platform.
"""
