"""One typed asynchronous client per service, over any `Transport`."""
