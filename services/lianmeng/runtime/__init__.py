"""What every process needs, and no service's own: the edge between pure code and the world.

It owns settings, logs, metrics, the adapter of the JetStream log, the read-model helper over
Redis, the gRPC server and channel, authentication, the mapping of dataclasses to protobuf, story
time, and the supervision of child processes. It reads and writes no fact of any service.
"""
