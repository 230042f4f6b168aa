"""Placeholder by the lead until helper 1's file lands: overwrite me entirely."""
import contextlib

@contextlib.contextmanager
def plain_operators():
    yield

def channel_gate(F, x, gate): return F.broadcast_mul(x, gate)
def spatial_gate(F, x, gate): return F.broadcast_mul(x, gate)
def channel_mean(F, x): return F.mean(x, axis=1, keepdims=True)
def channel_max(F, x): return F.max(x, axis=1, keepdims=True)
def global_avg(F, x): return F.mean(x, axis=(2, 3), keepdims=True)
def global_max(F, x): return F.max(x, axis=(2, 3), keepdims=True)
def sigmoid(F, x): return F.Activation(x, act_type="sigmoid")
