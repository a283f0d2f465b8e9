"""The API's description: an OpenAPI document of every route, which the tests hold against the routes."""
