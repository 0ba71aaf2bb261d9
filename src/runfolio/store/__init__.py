"""What lies on disk: layout, claims, blobs, spool, liveness, seal, index, verify, gc."""
