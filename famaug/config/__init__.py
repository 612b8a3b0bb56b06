"""CONFIGURE: from a YAML file to the arguments of what it is for; nothing else here knows YAML.

`read` binds keys to parameters of functions and classes, whose signatures are the schema; one
module a command says which keys there are and calls what they are for.
"""
