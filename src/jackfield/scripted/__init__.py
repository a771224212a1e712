"""A provider that answers by a script, for testing programs without a network, a key or a bill.

One engine (`script.Script`), two doors: a client (`client.fake`) and a server on the loopback
(`server.open_server`) that answers in whichever protocol it is asked in.
"""
