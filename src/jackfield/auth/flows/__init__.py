"""Sign-ins as data and three small engines: a page with a redirect, a code for another device, a pasted token."""
