"""Trend: signals in, viral-product facts out.

Owns the SIGNALS and TRENDS streams of its zone. Reads SIGNALS (from its own gRPC stream and from
connectors) and the catalogue on REGISTRY; writes detected, updated and over facts to TRENDS, what
cannot be read to DEADLETTERS, and a read model to Redis.

From the bottom up: `baseline` and `detector` say how unusual a series of counts is, `creators` who
is behind it, `evidence` what the three families say, `forecast` and `phases` how much and how far,
`gates` whether it is a trend, `episodes` what happens to one; `engine` drives them over batches of
signals. It has no clock: what it says of a batch follows from that batch and earlier ones.
"""
