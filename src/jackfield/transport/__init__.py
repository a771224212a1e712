"""The way to another machine: HTTP, its timers and its failures. It knows no provider and no protocol."""
