"""Programs of the family beside this one, on this machine or another one."""
