"""Many questions from a file, their answers into another: rows, the file of answers, the job between them.

Asks through a client that it is given; knows no command line and prints nothing.
"""
