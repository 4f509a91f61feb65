"""What is registered: firms, their nodes, the catalogue of products, principals and their keys.

The dataclasses have the field names of `registry.proto`, so `lianmeng.runtime.codec` converts
them. Registry writes them; matcher, trend and lifecycle read them. All modules are pure but
`follow`, which keeps a picture of the REGISTRY stream up to date. Owns no stream and no key.
"""
