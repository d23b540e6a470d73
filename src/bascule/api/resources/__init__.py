"""One package per noun: endpoints, schemas, service. They are strangers to each other."""
