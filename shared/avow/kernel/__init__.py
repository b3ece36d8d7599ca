"""What every aggregate is made of: commands, events, deciders, refusals and the ports to the outside. Pure."""
