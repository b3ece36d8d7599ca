"""What is said on the wire: the envelope, the leaf that proves it, and the public events. Pure and light."""
