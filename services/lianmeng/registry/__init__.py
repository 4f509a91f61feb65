"""The registry: principals and keys, firms, nodes and the catalogue of products.

It owns `RegistryService` and writes the stream REGISTRY (`firms.…`, `nodes.…`, `products.…`,
`principals.…`): one message is one whole version, the last of a subject is current. It reads
nothing but its own stream. In Valkey it keeps the read model and the search indexes, rebuilt
from the stream. The dataclasses and their validation are in `lianmeng.pool`.
"""
