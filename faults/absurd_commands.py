def try_commands(*a): pass
