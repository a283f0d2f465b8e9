"""Files and batches: OpenAI's shape (https://platform.openai.com/docs/api-reference/batch), for speech."""
