"""The live process: server-sent events and the relay of call signalling.

It knows tickets, not Django.
"""
