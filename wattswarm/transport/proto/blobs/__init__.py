"""The transfer of bodies in the wire format of iroh-blobs: pure machines, bytes in and bytes out.

Names: a *chunk* is 1024 bytes, a leaf of BLAKE3's tree; a *group* is 16 chunks; a *chaining value*
(CV) is the 32-byte hash of a subtree; an *outboard* is the CVs of a body's groups, one after the
other.
"""
