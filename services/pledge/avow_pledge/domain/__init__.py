"""The deciders of the pledge service, one module an aggregate. Pure."""
