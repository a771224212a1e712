"""From a catalog row and a request to what goes on the wire, and back to what its answer means."""
