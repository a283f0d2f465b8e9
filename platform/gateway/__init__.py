"""The OpenAI wire: from an HTTP request to a job and from its audio to an answer, async from end to end."""
