"""The operators' admin: an overview of the service, and acts on customers, jobs and money."""
