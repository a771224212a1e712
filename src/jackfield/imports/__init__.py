"""What other tools know of models and keys, read from their files and put into our words.

One pure module per tool: texts in, an `Imported` out. Opens no file and writes none; whatever
a tool says that has no place here is named with its file and line, never dropped in silence.
"""
